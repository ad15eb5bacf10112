"""What is asked about the ticks of a schedule that got no run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from console.rows.schedules import tick_words
from console.screens.dialog import ChoiceDialog
from console.screens.pausing import NO_SPAN
from console.text import ascii_signs, cell, clean, number, plural, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from textual.binding import BindingType
    from textual.widget import Widget

    from console.readings.model import Tick

WIDTH = 56
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of missed ticks.

    Attributes:
        how: `once`, `all`, `spread` or `acknowledge`.
        ticks: just these, by id.
        count: how many they stand for.
        over: seconds that a spread replay takes.
    """

    how: str
    ticks: tuple[int, ...]
    count: int
    over: float | None = None


class MissedScreen(ChoiceDialog[Answer | None]):
    """Shows the ticks that got no run and asks what becomes of them; answers None where nothing does.

    Args:
        name: the schedule, raw.
        ticks: missed ones, and ones that passed during a pause.
        place: which home.
        now: the time, aware.
        utc: whether times are shown in UTC.
        ascii_only: draw with plain characters.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "answer('once')", show=False),
        Binding("a", "answer('all')", show=False),
        Binding("s", "answer('spread')", show=False),
        Binding("x", "answer('acknowledge')", show=False),
        Binding("p", "toggle_paused", show=False),
    ]

    def __init__(
        self,
        name: str,
        ticks: Sequence[Tick],
        *,
        place: str,
        now: datetime,
        utc: bool = False,
        ascii_only: bool = False,
    ) -> None:
        super().__init__("", place=place, ascii_only=ascii_only)
        self._name, self._now, self._utc = clean(name, 40), now, utc
        self._missed = [tick for tick in ticks if tick.state != "paused"]
        self._of_pause = [tick for tick in ticks if tick.state == "paused"]
        self._with_pause = not self._missed

    @property
    def _ticks(self) -> list[Tick]:
        both = [*self._missed, *self._of_pause] if self._with_pause else self._missed
        return sorted(both, key=lambda tick: tick.at)

    @property
    def _count(self) -> int:
        return sum(tick.count for tick in self._ticks)

    def parts(self) -> Iterable[Widget]:
        """Which ticks, what can be done, and over how long."""
        self.sample = Static(id="sample")
        yield self.sample
        self.options = OptionList(compact=True)
        yield self.options
        self.typed = Input(value="1h", placeholder="over how long: 30m, 2h, 1d", id="typed", compact=True)
        yield self.typed

    def on_mount(self) -> None:
        """The list has the keys."""
        self.typed.display = False
        self._show()
        self.set_focus(self.options)

    def _show(self) -> None:
        ticks, count = self._ticks, self._count
        self.question.update(Content(f"{plural(count, 'tick')} of {self._name} got no run"))
        newest = ticks[: -SHOWN - 1 : -1]
        lines = [cell(tick_words(tick, self._now, utc=self._utc), WIDTH).rstrip() for tick in newest]
        more = len(ticks) - len(newest)
        text = "\n".join([*lines, *([f"and {number(more)} older"] if more else [])])
        self.sample.update(Content(ascii_signs(text) if self._ascii else text))
        each = len([tick for tick in ticks if tick.count == 1])
        at = self.options.highlighted or 0
        self.options.clear_options()
        self.options.add_options([
            Option(Content(f"o  once         one run for {'it' if count == 1 else f'all {number(count)}'}, now"), id="once"),
            Option(Content(f"a  all          {plural(each, 'run')}, now"), id="all"),
            Option(Content(f"s  spread       {plural(each, 'run')}, evenly over a period"), id="spread"),
            Option(Content("x  acknowledge  no run; missed no more"), id="acknowledge", disabled=not self._missed),
        ])  # fmt: skip
        self.options.highlighted = at
        pause = []
        if self._missed and self._of_pause:
            verb = "drops" if self._with_pause else "adds"
            pause = [(f"p {verb} {number(len(self._of_pause))} of a pause", "toggle_paused")]
        self.offer(*pause, ("enter does it", "choose"), ("esc changes nothing", "cancel"))

    def action_toggle_paused(self) -> None:
        """Takes in the ticks of a pause, or leaves them out."""
        if self._missed and self._of_pause:
            self._with_pause = not self._with_pause
            self._show()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """This is to become of them."""
        self.action_answer(event.option_id or "once")

    def action_answer(self, how: str) -> None:
        """This is to become of them; of a spread replay the period is asked."""
        if how == "acknowledge":
            if self._missed:
                self._with_pause = False
                self._done(how)
        elif how == "spread":
            self.options.highlighted = self.options.get_option_index(how)
            self.typed.display = True
            self.offer(("over how long?", ""), ("enter does it", "spread"), ("esc changes nothing", "cancel"))
            self.set_focus(self.typed)
        else:
            self._done(how)

    def on_input_submitted(self) -> None:
        """The period."""
        self.action_spread()

    def action_spread(self) -> None:
        """Over the period that was typed."""
        seconds = span(self.typed.value)
        if seconds:
            self._done("spread", seconds)
        else:
            self.object_to(NO_SPAN)

    def _done(self, how: str, over: float | None = None) -> None:
        self.dismiss(Answer(how, tuple(tick.id for tick in self._ticks), self._count, over))
