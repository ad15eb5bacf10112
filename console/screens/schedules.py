"""Periodic tasks: when each ran, when it will."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console import keys
from console.readings import Whole
from console.readings.schedules import SORTS
from console.rows import schedules
from console.screens.listing import ListScreen
from console.screens.missed import MissedScreen
from console.screens.pausing import PauseScreen
from console.text import clean, plural
from console.widgets.lines import as_content
from console.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from textual.content import Content

    from console.readings import Listing, Readings
    from console.readings.model import Schedule, ScheduleDetail
    from console.rows.base import Cell
    from console.screens.missed import Answer
    from console.screens.pausing import Pause

# So many runs start without a second question.
MANY = 10


class SchedulesScreen(ListScreen):
    """The list of schedules."""

    here = "go_schedules"
    scope = keys.Scope.SCHEDULES
    heading = "Schedules"
    filter_hint = "words  task:  is:paused missed overdue on error  !inverts"
    BINDINGS = keys.bindings(keys.Scope.SCHEDULES)

    def tables(self) -> Iterable[WindowTable[Any]]:
        """One."""
        yield WindowTable(
            schedules.COLUMNS, self._cells, schedules.key, sorts=SORTS,
            empty="No schedules yet: they are known once a worker has started.\nPress w to start one.",
            ascii_only=self.console.ascii_only, id="schedules-table",
        )  # fmt: skip

    def _cells(self, schedule: Schedule, now: datetime) -> tuple[Cell, ...]:
        return schedules.cells(schedule, now, utc=self.console.utc)

    def listing(self, readings: Readings) -> Listing[Schedule]:
        """The schedules, filtered."""
        return Whole(readings.schedules(self.filter_text, self.sort_id), schedules.key)

    def describe(self, readings: Readings, row: Schedule) -> Content | None:
        """A schedule in words, with its next times and what became of its last ticks."""
        detail = readings.schedule(row.name)
        if detail is None:
            return None
        lines = schedules.of_schedule(detail, self.console.clock(), utc=self.console.utc)
        return as_content(lines, ascii_only=self.console.ascii_only)

    def action_run_now(self) -> None:
        """Runs the schedule's task once."""
        schedule: Schedule | None = self.table.highlighted
        if schedule is not None:
            self.console.act(lambda actions: actions.run_schedule(schedule.name))

    def action_pause(self) -> None:
        """Asks how the schedule is to pause, or resumes it."""
        schedule: Schedule | None = self.table.highlighted
        if schedule is None:
            return
        if schedule.paused:
            self.console.act(lambda actions: actions.resume_schedule(schedule.name))
            return
        dialog = PauseScreen(
            schedule.name, place=self.console.place, now=self.console.clock(), utc=self.console.utc
        )
        self.console.push_screen(dialog, lambda pause: self._pause(schedule.name, pause))

    def _pause(self, name: str, pause: Pause | None) -> None:
        if pause is not None:
            self.console.act(lambda actions: actions.pause_schedule(name, span=pause.span, note=pause.note))

    def action_missed(self) -> None:
        """Asks what becomes of the schedule's missed ticks."""
        schedule: Schedule | None = self.table.highlighted
        if schedule is not None:
            self.console.ask(
                self.named("missed"), lambda readings: readings.schedule(schedule.name), self._ask_missed
            )

    def _ask_missed(self, detail: ScheduleDetail | None) -> None:
        if detail is None or not detail.missed:
            self.console.notify("Every tick had its run: nothing was missed.", markup=False)
            return
        name = detail.schedule.name
        dialog = MissedScreen(
            name, detail.missed, place=self.console.place, now=self.console.clock(), utc=self.console.utc,
            ascii_only=self.console.ascii_only,
        )  # fmt: skip
        self.console.push_screen(dialog, lambda answer: self._confirm(name, answer))

    def _confirm(self, name: str, answer: Answer | None) -> None:
        """Many runs are asked about once more."""
        if answer is None:
            return
        if answer.how not in {"all", "spread"} or len(answer.ticks) <= MANY:
            self._answer(name, answer)
            return
        self.console.asking.confirm(
            f"Start {plural(len(answer.ticks), 'run')} of {clean(name, 40)}?",
            count=len(answer.ticks), sample=[], agreed=lambda: self._answer(name, answer),
        )  # fmt: skip

    def _answer(self, name: str, answer: Answer) -> None:
        if answer.how == "acknowledge":
            self.console.act(lambda actions: actions.acknowledge_ticks(name, ticks=answer.ticks))
        else:
            self.console.act(
                lambda actions: actions.replay_ticks(name, answer.how, over=answer.over, ticks=answer.ticks)
            )
