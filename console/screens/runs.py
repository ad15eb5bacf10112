"""The history: what ran, and above it how long each task waits and takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.containers import Horizontal

from console import keys
from console.readings.runs import SORTS
from console.readings.stats import Period
from console.rows import plots, runs
from console.rows.base import Tone, short_name
from console.screens.listing import ListScreen
from console.screens.logs import LogsScreen
from console.text import clean, duration
from console.widgets.lines import as_content
from console.widgets.panel import Panel
from console.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from textual.content import Content
    from textual.widget import Widget

    from console.readings import Listing, Readings
    from console.readings.logs import LogPart
    from console.readings.model import Run, Snapshot
    from console.readings.stats import TaskStats
    from console.widgets.lines import Line

# How often the numbers of a period are read anew: each of its parts is at least a minute long.
STATS_S = {Period.HOUR: 15.0, Period.DAY: 15.0, Period.WEEK: 60.0}
# What says how long ago it was is drawn anew so often.
REREAD_S = 30.0
IN_WORDS = {Period.HOUR: "the last hour", Period.DAY: "the last 24 hours", Period.WEEK: "the last 7 days"}


class RunsScreen(ListScreen):
    """Numbers above, the history below."""

    here = "go_runs"
    scope = keys.Scope.RUNS
    heading = "Runs"
    filter_hint = "words  task:  market:  err:  is:failed skipped  took>30s  age<1h  !inverts"
    BINDINGS = keys.bindings(keys.Scope.RUNS)

    def tables(self) -> Iterable[WindowTable[Any]]:
        """One."""
        self._stats: tuple[TaskStats, ...] | None = None
        self._stats_at: datetime | None = None
        self._period = Period.DAY
        self._logged: tuple[int, LogPart] | None = None
        yield WindowTable(
            runs.COLUMNS, runs.cells, runs.key, sorts=SORTS, ascii_only=self.console.ascii_only, id="history",
            empty="Nothing has run yet.\nPress c to collect a market, w to start a worker.",
        )  # fmt: skip

    def body(self) -> Iterable[Widget]:
        """The numbers come first."""
        plain = self.console.ascii_only
        self.numbers = Panel("Tasks", ascii_only=plain, id="task-stats")
        self.trend = Panel("Took", ascii_only=plain, id="task-trend")
        yield Horizontal(self.numbers, self.trend, id="stats")
        yield from super().body()

    def listing(self, readings: Readings) -> Listing[Run]:
        """The history, filtered."""
        return readings.runs(self.filter_text, self.table.sort.id if self.table.sort else "newest")

    def describe(self, readings: Readings, row: Run) -> Content | None:
        """A run with what it logged, which is read once: it has ended."""
        detail = readings.run(row.id)
        if detail is None:
            return None
        if self._logged is None or self._logged[0] != row.id:
            self._logged = row.id, readings.log_of_task(row.task_id, row.started_at, row.finished_at)
        lines = runs.in_full(detail, self._logged[1], self.console.clock(), utc=self.console.utc)
        return as_content(lines, ascii_only=self.console.ascii_only)

    # -- the numbers ----------------------------------------------------------------------------

    def draw(self, snapshot: Snapshot | None, now: datetime) -> None:
        """The numbers are read now and then."""
        super().draw(snapshot, now)
        if snapshot is not None and (
            self._stats_at is None or (snapshot.at - self._stats_at).total_seconds() >= STATS_S[self._period]
        ):
            self._stats_at = snapshot.at
            self._read_stats()

    def _is_due(self, snapshot: Snapshot) -> bool:
        """What has ended does not change: the list is read anew when another run has ended, or grown old by itself."""
        newest = snapshot.last_runs[0].id if snapshot.last_runs else None
        old = self._listed_at is None or (snapshot.at - self._listed_at).total_seconds() >= REREAD_S
        if not (old or newest != self._newest or self.table.window is None):
            return False
        self._newest, self._listed_at = newest, snapshot.at
        return super()._is_due(snapshot)

    _newest: int | None = None
    _listed_at: datetime | None = None

    def _read_stats(self) -> None:
        period = self._period
        self.console.ask(self.named("stats"), lambda readings: readings.stats(period), self._take_stats)

    def _take_stats(self, stats: tuple[TaskStats, ...]) -> None:
        self._stats = stats
        self._show_stats()

    def _show_stats(self) -> None:
        if self._stats is None:
            return
        self.numbers.show_rows(
            runs.STATS_COLUMNS, [runs.stats_cells(one) for one in self._stats], heads=True,
            empty=f"Nothing has run in {IN_WORDS[self._period]}.", note=f"in {IN_WORDS[self._period]}",
        )  # fmt: skip
        self._show_trend()

    def _show_trend(self) -> None:
        """What the task under the cursor takes, else the busiest."""
        row: Run | None = self.table.highlighted
        stats = self._stats or ()
        one = next((one for one in stats if row is not None and one.name == row.name), None)
        one = one or next(iter(stats), None)
        if one is None or one.took is None:
            self.trend.show(lambda _: ())
            return
        note = f"p50 p95 p99 of {clean(short_name(one.name), 40)}"
        self.trend.show(lambda width: self._lines(one, width), note)

    def _lines(self, one: TaskStats, width: int) -> Sequence[Line]:
        series = [
            ([getattr(point.took, name) if point.took else None for point in one.trend], tone)
            for name, tone in (("p99", Tone.QUIET), ("p95", Tone.PLAIN), ("p50", Tone.ACCENT))
        ]
        axis, height = plots.Axis(f"{self._period} ago"), max(self.trend.size.height - 1, 2)
        return plots.lines(series, width, height, axis, ascii_only=self.console.ascii_only, label=duration)

    def on_window_table_highlighted(self, event: WindowTable.Highlighted) -> None:
        """Numbers and graph follow the cursor, too."""
        super().on_window_table_highlighted(event)
        self._show_trend()

    # -- keys -----------------------------------------------------------------------------------

    def action_period(self) -> None:
        """Numbers of a longer time, or of the shortest again."""
        self._period = self._period.following()
        self._read_stats()

    def action_run_again(self) -> None:
        """Enqueues what ran under the cursor once more; undo takes it away."""
        row: Run | None = self.table.highlighted
        if row is not None:
            self.console.act(lambda actions: actions.run_again(row.id))

    def action_log(self) -> None:
        """To the log, with only the lines of this task."""
        row: Run | None = self.table.highlighted
        if row is not None:
            self.console.switch_mode("logs")
            screen = self.console.screen
            if isinstance(screen, LogsScreen):
                screen.show_task(row.task_id)
