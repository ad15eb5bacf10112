"""Is it well? Everything on one screen, without a key."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from textual.containers import Container, Horizontal

from console import keys
from console.readings.model import WorkerState
from console.rows import failures, overview, pulse, queue, workers
from console.screens.base import ConsoleScreen
from console.text import number
from console.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from textual.widget import Widget

    from console.readings.model import Minute, Snapshot
    from console.readings.news import News

BAR_WIDTH = 16
# As long as one step of the graph of the day.
DAY_PART = timedelta(minutes=5)


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
        self.news = Panel("Since you last looked", ascii_only=plain, id="news")
        self.pulse = Panel(ascii_only=plain, id="pulse")
        self.waiting = Panel("Waiting", ascii_only=plain, id="waiting")
        self.ended = Panel("Ended", ascii_only=plain, id="ended")
        self.running = Panel("Running now", leads_to="queue", ascii_only=plain, id="running")
        self.causes = Panel("Failures by cause", leads_to="failures", ascii_only=plain, id="causes")
        self.schedules = Panel("Schedules", leads_to="schedules", ascii_only=plain, id="schedules")
        self.runs = Panel("Last runs", leads_to="runs", ascii_only=plain, id="runs")
        self.documents = Panel("Newest documents", leads_to="topics", ascii_only=plain, id="documents")
        self._day: tuple[Minute, ...] | None = None
        self._day_at: datetime | None = None
        yield self.verdict
        yield self.news
        yield self.pulse
        yield Horizontal(self.waiting, self.ended, id="graphs")
        yield Container(self.running, self.causes, self.schedules, self.runs, self.documents, id="panels")

    def on_mount(self) -> None:
        """What is new is shown once it is known."""
        self.news.display = False

    def draw(self, snapshot: Snapshot | None, now: datetime) -> None:
        """Every panel, from one snapshot."""
        super().draw(snapshot, now)
        if snapshot is None:
            return
        utc, plain, starting = self.console.utc, self.console.ascii_only, self.console.local_worker.expected
        gone = {worker.id for worker in snapshot.workers if worker.state is WorkerState.DEAD}
        self.verdict.show(lambda width: overview.verdict_lines(snapshot, width, starting=starting))
        self.pulse.show(lambda _: [pulse.depth_line(snapshot), pulse.forecast_line(snapshot)])
        self._draw_graphs(snapshot)
        self._look_for_news(snapshot)
        self.running.show_rows(
            overview.RUNNING_COLUMNS,
            [
                overview.running_cells(
                    task, now, queue.progress(task, BAR_WIDTH, ascii_only=plain), orphaned=task.worker in gone
                )
                for task in snapshot.running
            ],
            empty="Nothing runs.",
            note=workers.note(snapshot.workers, now, utc=utc),
        )
        self.causes.show_rows(
            failures.CAUSE_COLUMNS,
            [failures.cause_cells(cause, now) for cause in snapshot.causes],
            empty="No dead letters.",
        )
        self.schedules.show_rows(
            overview.SCHEDULE_COLUMNS,
            [overview.schedule_cells(schedule, now, utc=utc) for schedule in snapshot.schedules],
            empty="None yet: a worker makes them known.",
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

    # -- the graphs -----------------------------------------------------------------------------

    def _draw_graphs(self, snapshot: Snapshot) -> None:
        """The last hour, or the last day, which is read anew when one of its parts is over."""
        if self._shows_day and (self._day_at is None or snapshot.at - self._day_at > DAY_PART):
            self._day_at = snapshot.at
            self.console.ask(self.named("day"), lambda readings: readings.day(), self._take_day)
        minutes, start = (self._day or (), "24h ago") if self._shows_day else (snapshot.minutes, "1h ago")
        self._show_graphs(minutes, start)

    _shows_day = False
    _graphed: tuple[Sequence[Minute], str] | None = None

    def _show_graphs(self, minutes: Sequence[Minute], start: str) -> None:
        if (minutes, start) == self._graphed:
            return
        self._graphed, plain = (minutes, start), self.console.ascii_only
        self.waiting.show(
            lambda width: pulse.waiting_graph(minutes, start, width, self._room(self.waiting), ascii_only=plain),
            pulse.waiting_note(minutes),
        )  # fmt: skip
        self.ended.show(
            lambda width: pulse.ended_graph(minutes, start, width, self._room(self.ended)),
            pulse.ended_note(minutes),
        )

    def _room(self, panel: Panel) -> int:
        return max(panel.size.height - 1, 2)

    def _take_day(self, day: tuple[Minute, ...]) -> None:
        self._day = day
        self.console.redraw()

    def action_period(self) -> None:
        """The last hour, or the last 24."""
        self._shows_day, self._day_at = not self._shows_day, None
        self.console.redraw()

    # -- what is new ----------------------------------------------------------------------------

    def _look_for_news(self, snapshot: Snapshot) -> None:
        since = self.console.visit.since
        if snapshot.number == self._news_of:
            return
        self._news_of = snapshot.number
        if since is None:
            self._take_news(None)
        else:
            self.console.ask(self.named("news"), lambda readings: readings.news(since), self._take_news)

    _news_of: int | None = None

    def _take_news(self, news: News | None) -> None:
        shown = bool(news)
        if news:
            self.news.show(
                lambda width: pulse.news_lines(news, width), pulse.news_title(news, self.console.clock())
            )
        if self.news.display != shown:
            self.news.display = shown
            self.set_class(shown, "-news")

    def action_dismiss_news(self) -> None:
        """What is new has been seen."""
        self.console.visit.dismiss()
        self._take_news(None)
