"""What is asked above a screen: is that really meant, and which market."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

# One needs no question, since it can be undone; beyond this many a `y` is too quick.
TYPED_ABOVE = 50
SAMPLE = 4


@dataclass(frozen=True, slots=True)
class Other:
    """Another answer to whether something is meant.

    Attributes:
        key: that gives it.
        label: what it does.
        act: does it.
    """

    key: str
    label: str
    act: Callable[[], None]


class ConfirmScreen(ModalScreen[bool]):
    """Asks before many things are changed; answers whether it is meant.

    Args:
        question: says what and how many.
        place: which home; on the wrong machine, this is what tells.
        count: how many things.
        sample: some of them, raw.
        other: another answer; what it does is done without any further question.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "agree", "Yes", show=False),
        Binding("n,escape,q", "refuse", "No", show=False),
    ]

    def __init__(
        self, question: str, *, place: str, count: int, sample: Sequence[str], other: Other | None = None
    ) -> None:
        super().__init__()
        self._question, self._place, self._count, self._other = question, place, count, other
        self._sample = [clean(line, 56) for line in sample[:SAMPLE]]

    @property
    def _typed(self) -> bool:
        return self._count > TYPED_ABOVE

    def compose(self) -> ComposeResult:
        """Question, place, sample, and how to answer."""
        with Vertical(id="dialog"):
            yield Static(Content(self._question), id="question")
            yield Static(Content(f"in {self._place}"), classes="quiet")
            yield Static(Content("\n".join(self._sample)), id="sample")
            if self._other is not None:
                yield Static(Content(f"{self._other.key} {self._other.label}"), id="other")
            if self._typed:
                yield Static(
                    Content(f"Type {self._count} and press enter; esc changes nothing."), classes="quiet"
                )
                yield Input(id="typed", compact=True, type="integer", placeholder=str(self._count))
            else:
                yield Static(
                    Content("y does it   n or esc changes nothing   u undoes it later"), classes="quiet"
                )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A `y` does not do where the number is to be typed."""
        del parameters
        return not (action == "agree" and self._typed)

    def on_key(self, event: events.Key) -> None:
        """The other answer."""
        if self._other is not None and event.key == self._other.key:
            event.stop()
            self.dismiss(False)
            self._other.act()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The number, or nothing happens."""
        if event.value.strip() == str(self._count):
            self.dismiss(True)
        else:
            event.input.value = ""

    def action_agree(self) -> None:
        """It is meant."""
        self.dismiss(True)

    def action_refuse(self) -> None:
        """It is not meant."""
        self.dismiss(False)


class MarketPicker(ModalScreen[str | None]):
    """Asks which market to collect; answers its name, or None.

    Args:
        markets: their names, the likeliest first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel", show=False),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def __init__(self, markets: Sequence[str]) -> None:
        super().__init__()
        self._markets = tuple(markets)

    def compose(self) -> ComposeResult:
        """A short list."""
        with Vertical(id="dialog"):
            yield Static(Content("Collect which market?"), id="question")
            self.options = OptionList(
                *(Option(Content(clean(name, 60)), id=f"market-{at}") for at, name in enumerate(self._markets)),
                compact=True,
            )  # fmt: skip
            yield self.options
            yield Static(Content("enter collects it now   esc closes"), classes="quiet")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """This one."""
        self.dismiss(self._markets[event.option_index])

    def action_cancel(self) -> None:
        """None."""
        self.dismiss(None)

    def action_down(self) -> None:
        """The next."""
        self.options.action_cursor_down()

    def action_up(self) -> None:
        """The one before."""
        self.options.action_cursor_up()
