"""Periodic tasks: when each ran, when it will."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console import keys
from console.readings import Whole
from console.rows import details, schedules
from console.screens.listing import ListScreen
from console.widgets.lines import as_content
from console.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from textual.content import Content

    from console.readings import Listing, Readings
    from console.readings.model import Schedule
    from console.rows.base import Cell


class SchedulesScreen(ListScreen):
    """The list of schedules."""

    here = "go_schedules"
    scope = keys.Scope.SCHEDULES
    heading = "Schedules"
    can_filter = False
    BINDINGS = keys.bindings(keys.Scope.SCHEDULES)

    def tables(self) -> Iterable[WindowTable[Any]]:
        """One."""
        yield WindowTable(
            schedules.COLUMNS, self._cells, schedules.key,
            empty="No schedules yet: they are known once a worker has started.\nPress w to start one.",
            ascii_only=self.console.ascii_only, id="schedules-table",
        )  # fmt: skip

    def _cells(self, schedule: Schedule, now: datetime) -> tuple[Cell, ...]:
        return schedules.cells(schedule, now, utc=self.console.utc)

    def listing(self, readings: Readings) -> Listing[Schedule]:
        """All schedules."""
        return Whole(readings.schedules(), schedules.key)

    def describe(self, readings: Readings, row: Schedule) -> Content | None:
        """A schedule in words."""
        del readings
        lines = details.of_schedule(row, self.console.clock(), utc=self.console.utc)
        return as_content(lines, ascii_only=self.console.ascii_only)

    def action_run_now(self) -> None:
        """Runs the schedule's task once."""
        schedule: Schedule | None = self.table.highlighted
        if schedule is not None:
            self.console.act(lambda actions: actions.run_schedule(schedule.name))

    def action_pause(self) -> None:
        """Pauses the schedule, or resumes it."""
        schedule: Schedule | None = self.table.highlighted
        if schedule is None:
            return
        if schedule.paused:
            self.console.act(lambda actions: actions.resume_schedule(schedule.name))
        else:
            self.console.act(lambda actions: actions.pause_schedule(schedule.name))
