"""What all questions above a screen have in common: one answer, the frame, the list's keys, and answers to be clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.style import Style
from textual.widgets import OptionList, Static

from console.text import ascii_signs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from console.threaded_app import ThreadedApp

T = TypeVar("T")
BETWEEN = "   "


def answers(*offered: tuple[str, str], ascii_only: bool = False) -> Content:
    """What can be answered, each as the key and what it does; a click does the same.

    Args:
        offered: words, and the screen's action; an empty one is just said.
        ascii_only: draw with plain characters.
    """
    parts: list[tuple[str, Style] | str] = []
    for words, action in offered:
        shown = ascii_signs(words) if ascii_only else words
        parts += [BETWEEN] if parts else []
        parts.append((shown, Style.from_meta({"@click": f"screen.{action}"})) if action else shown)
    return Content.assemble(*parts)


class Question(ModalScreen[T]):
    """A screen above another that gives its answer once."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Gives the answer. Of keys that come in one burst, some still reach a question that has been answered."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class Dialog(Question[T]):
    """The frame of a question. A subclass yields what stands in it, and gives its answer by `dismiss`.

    Args:
        question: in one sentence, cleaned.
        place: which home; on the wrong machine, this is what tells. Empty where nothing is changed.
        ascii_only: draw with plain characters.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel", show=False),
    ]
    # In a low terminal the answers must be seen before everything else.
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012 - as Textual declares it

    def __init__(self, question: str, *, place: str = "", ascii_only: bool = False) -> None:
        super().__init__()
        self._question, self._place, self._ascii = question, place, ascii_only

    def compose(self) -> ComposeResult:
        """Question, place, what the subclass says, and how to answer."""
        with Vertical(id="dialog"):
            self.question = Static(Content(self._question), id="question")
            yield self.question
            if self._place:
                yield Static(Content(f"in {self._place}"), classes="quiet")
            yield from self.parts()
            self.hint = Static(classes="quiet", id="answers")
            yield self.hint

    def on_mount(self) -> None:
        """What was told before must not hide the answers; Textual calls the handler of a subclass, too."""
        cast("ThreadedApp", self.app).drop_told()

    def parts(self) -> Iterable[Widget]:
        """What stands between the question and the answers."""
        raise NotImplementedError

    def offer(self, *offered: tuple[str, str]) -> None:
        """Says how to answer now; see `answers`."""
        self.hint.update(answers(*offered, ascii_only=self._ascii))

    def object_to(self, why: str) -> None:
        """Says why what was typed will not do."""
        self.hint.update(Content.styled(why, "$text-error"))

    def action_cancel(self) -> None:
        """Nothing is changed."""
        self.dismiss(None)


class ChoiceDialog(Dialog[T]):
    """A question with a list of answers, which a subclass yields as `options`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]
    options: OptionList

    def action_choose(self) -> None:
        """As enter on the list."""
        self.options.action_select()

    def action_down(self) -> None:
        """The next."""
        self.options.action_cursor_down()

    def action_up(self) -> None:
        """The one before."""
        self.options.action_cursor_up()
