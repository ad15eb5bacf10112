"""What is asked before something pauses: for how long, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from console.text import clean, span, when

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import ComposeResult
    from textual.binding import BindingType

NO_SPAN = "That is no span: write 30m, 2h or 1d."
_SPANS = (("30 minutes", 1_800), ("2 hours", 7_200), ("1 day", 86_400))


@dataclass(frozen=True, slots=True)
class Pause:
    """How a pause is meant.

    Attributes:
        span: until it ends by itself; None: until it is resumed.
        note: why, for the next person.
    """

    span: timedelta | None
    note: str


class PauseScreen(ModalScreen[Pause | None]):
    """Asks for how long, and why; answers None where it is not meant.

    Args:
        what: is paused, raw.
        place: which home.
        now: the time, aware.
        utc: whether times are shown in UTC.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def __init__(self, what: str, *, place: str, now: datetime, utc: bool = False) -> None:
        super().__init__()
        self._what, self._place, self._now, self._utc = clean(what, 40), place, now, utc
        self._span: timedelta | None = None

    def compose(self) -> ComposeResult:
        """How long, which other span, and why."""
        spans = [
            f"{words:<12} until {when(self._now + timedelta(seconds=seconds), self._now, utc=self._utc)}"
            for words, seconds in _SPANS
        ]
        with Vertical(id="dialog"):
            yield Static(Content(f"Pause {self._what} for how long?"), id="question")
            yield Static(Content(f"in {self._place}"), classes="quiet")
            self.options = OptionList(
                *(Option(Content(words)) for words in (*spans, "until it is resumed", "another span")),
                compact=True,
            )
            yield self.options
            self.typed = Input(placeholder="how long: 45m, 8h, 3d", id="typed", compact=True)
            yield self.typed
            self.note = Input(
                placeholder="why, for the next person (may stay empty)", id="note", compact=True
            )
            yield self.note
            self.hint = Static(
                Content("enter chooses, then enter pauses   esc changes nothing"), classes="quiet"
            )
            yield self.hint

    def on_mount(self) -> None:
        """The list has the keys."""
        self.typed.display = False
        self.set_focus(self.options)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """On to the note, or to a span of one's own."""
        at = event.option_index
        self.typed.display = at > len(_SPANS)
        self._span = timedelta(seconds=_SPANS[at][1]) if at < len(_SPANS) else None
        self.set_focus(self.typed if self.typed.display else self.note)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """On to the note, or it is meant."""
        if self.typed.display:
            seconds = span(self.typed.value)
            if not seconds:
                self.hint.update(Content(NO_SPAN))
                self.set_focus(self.typed)
                return
            self._span = timedelta(seconds=seconds)
        if event.input is self.typed:
            self.set_focus(self.note)
        else:
            self.dismiss(Pause(self._span, self.note.value.strip()))

    def action_cancel(self) -> None:
        """It is not meant."""
        self.dismiss(None)

    def action_down(self) -> None:
        """The next."""
        self.options.action_cursor_down()

    def action_up(self) -> None:
        """The one before."""
        self.options.action_cursor_up()
