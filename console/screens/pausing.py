"""What is asked before something pauses: for how long, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from string import digits
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from console.screens.dialog import ChoiceDialog
from console.text import clean, span, when

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from textual.binding import BindingType
    from textual.widget import Widget

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


class PauseScreen(ChoiceDialog[Pause | None]):
    """Asks for how long, and why; answers None where it is not meant.

    Args:
        what: is paused, raw.
        place: which home.
        now: the time, aware.
        utc: whether times are shown in UTC.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(one, f"digit('{one}')", "Digit", show=False) for one in digits
    ]

    def __init__(self, what: str, *, place: str, now: datetime, utc: bool = False) -> None:
        super().__init__(f"Pause {clean(what, 40)} for how long?", place=place)
        self._now, self._utc = now, utc
        self._span: timedelta | None = None

    def parts(self) -> Iterable[Widget]:
        """How long, which other span, and why."""
        spans = [
            f"{words:<12} until {when(self._now + timedelta(seconds=seconds), self._now, utc=self._utc)}"
            for words, seconds in _SPANS
        ]
        self.options = OptionList(
            *(Option(Content(words)) for words in (*spans, "until it is resumed", "another span")),
            compact=True,
        )
        yield self.options
        self.typed = Input(
            placeholder="how long: 45m, 8h, 3d", id="typed", compact=True, select_on_focus=False
        )
        yield self.typed
        self.note = Input(placeholder="why, for the next person (may stay empty)", id="note", compact=True)
        yield self.note

    def on_mount(self) -> None:
        """The list has the keys."""
        self.typed.display = self.note.display = False
        self.set_focus(self.options)
        self.offer(("enter chooses", "choose"), ("esc changes nothing", "cancel"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """On to the note, or to a span of one's own."""
        self._choose(event.option_index)

    def action_digit(self, digit: str) -> None:
        """Who types `8h` at once means a span of one's own."""
        self._choose(len(_SPANS) + 1)
        self.typed.insert_text_at_cursor(digit)

    def _choose(self, at: int) -> None:
        self.note.display, self.typed.display = True, at > len(_SPANS)
        self._span = timedelta(seconds=_SPANS[at][1]) if at < len(_SPANS) else None
        self.set_focus(self.typed if self.typed.display else self.note)
        self.offer(("enter pauses", "pause"), ("esc changes nothing", "cancel"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """On to the note, or it is meant."""
        if event.input is self.note:
            self.action_pause()
        elif self._spanned():
            self.set_focus(self.note)

    def _spanned(self) -> bool:
        """Takes a span of one's own, where one is wanted; whether it is one."""
        if self.typed.display:
            seconds = span(self.typed.value)
            if not seconds:
                self.object_to(NO_SPAN)
                self.set_focus(self.typed)
                return False
            self._span = timedelta(seconds=seconds)
            self.offer(("enter pauses", "pause"), ("esc changes nothing", "cancel"))
        return True

    def action_pause(self) -> None:
        """It is meant."""
        if self._spanned():
            self.dismiss(Pause(self._span, self.note.value.strip()))
