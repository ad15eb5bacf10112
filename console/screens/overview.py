"""Is it well? Everything on one screen, without a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container

from console import keys
from console.readings.model import WorkerState
from console.rows import failures, overview, queue
from console.screens.base import ConsoleScreen
from console.text import number
from console.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from textual.widget import Widget

    from console.readings.model import Snapshot
    from console.widgets.lines import Line

BAR_WIDTH = 16


class OverviewScreen(ConsoleScreen):
    """The first screen."""

    here = "go_overview"
    scope = keys.Scope.OVERVIEW
    has_list = False
    says_verdict = True
    BINDINGS = keys.bindings(keys.Scope.OVERVIEW)  # type: ignore[assignment]  # a list of one kind of binding

    def body(self) -> Iterable[Widget]:
        """Panels; which of them stand side by side is the stylesheet's affair."""
        plain = self.console.ascii_only
        self.verdict = Panel(ascii_only=plain, id="verdict")
        self.pulse = Panel(ascii_only=plain, id="pulse")
        self.running = Panel("Running now", ascii_only=plain, id="running")
        self.causes = Panel("Failures by cause", ascii_only=plain, id="causes")
        self.schedules = Panel("Schedules", ascii_only=plain, id="schedules")
        self.runs = Panel("Last runs", ascii_only=plain, id="runs")
        self.documents = Panel("Newest documents", ascii_only=plain, id="documents")
        yield self.verdict
        yield Container(
            self.pulse, self.running, self.causes, self.schedules, self.runs, self.documents, id="panels"
        )

    def draw(self, snapshot: Snapshot | None, now: datetime) -> None:
        """Every panel, from one snapshot."""
        super().draw(snapshot, now)
        if snapshot is None:
            return
        utc, plain = self.console.utc, self.console.ascii_only
        gone = {worker.id for worker in snapshot.workers if worker.state is WorkerState.DEAD}
        self.verdict.show(lambda width: overview.verdict_lines(snapshot, width))
        self.pulse.show(lambda width: self._pulse(snapshot, width))
        self.running.show_rows(
            overview.RUNNING_COLUMNS,
            [
                overview.running_cells(
                    task, now, queue.progress(task, BAR_WIDTH, ascii_only=plain), orphaned=task.worker in gone
                )
                for task in snapshot.running
            ],
            empty="Nothing runs.",
        )
        self.causes.show_rows(
            failures.CAUSE_COLUMNS,
            [failures.cause_cells(cause, now) for cause in snapshot.causes],
            empty="No dead letters.",
        )
        self.schedules.show_rows(
            overview.SCHEDULE_COLUMNS,
            [overview.schedule_cells(schedule, now, utc=utc) for schedule in snapshot.schedules],
            empty="No schedules yet: they are known once a worker has started.",
        )
        self.runs.show_rows(
            overview.RUN_COLUMNS,
            [overview.run_cells(run, now) for run in snapshot.last_runs],
            empty="Nothing has run yet.",
        )
        self.documents.show_rows(
            overview.HEADLINE_COLUMNS,
            [overview.headline_cells(headline, now) for headline in snapshot.library.latest],
            empty="None yet. Press c to collect a market.",
            note=number(snapshot.library.documents) if snapshot.library.documents else "",
        )

    def _pulse(self, snapshot: Snapshot, width: int) -> Sequence[Line]:
        height = max(self.pulse.size.height - 2, 1)
        return [
            overview.depth_line(snapshot),
            overview.hour_line(snapshot),
            *overview.graph(snapshot.minutes, width, height),
        ]
