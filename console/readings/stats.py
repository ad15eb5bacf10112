"""How long tasks wait and take, and how often they fail: from the rollups, so it costs the same over any history."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from console.readings.times import moment
from worker.queue.rollups import STATES, Rollup, Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from console.readings.connection import File
    from worker.queue.rollups import Histogram

# Runs that no worker has added up yet and that are added up here; there are more only after an upgrade.
UNROLLED = 2_000
_ROLLUPS = f"""SELECT at, name, {", ".join(STATES)}, waited, took FROM rollup
    WHERE queue = ? AND span = ? AND at >= ?"""
_REST = f"""SELECT name, state, ready_at, started_at, finished_at FROM run
    WHERE id > coalesce((SELECT run_id FROM rollup_mark), 0) AND queue = ? ORDER BY id LIMIT {UNROLLED}"""


class Period(StrEnum):
    """How far back."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"

    @property
    def span(self) -> Span:
        """The rollups that it is made of."""
        return Span.MINUTE if self is Period.HOUR else Span.HOUR

    @property
    def length(self) -> int:
        """How many of them, the current one included."""
        return {"1h": 60, "24h": 24, "7d": 168}[self]

    def begins(self, now: float) -> int:
        """The Unix second at which its first rollup begins."""
        return self.span.begins(now) - (self.length - 1) * self.span.seconds

    def following(self) -> Period:
        """The next longer one; after the longest, the shortest."""
        every = list(Period)
        return every[(every.index(self) + 1) % len(every)]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """In seconds, right within 2.2 %."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """What a task took in one minute or hour; None where none of its runs ended."""

    at: datetime
    took: Percentiles | None


@dataclass(frozen=True, slots=True)
class TaskStats:
    """What a task did in a period.

    Attributes:
        name: module.function.
        since: from when on.
        runs: executions that ended, in whatever state.
        completed: that succeeded.
        failed: that failed with no attempt left.
        retried: that failed and are tried again.
        other: skipped, cancelled or interrupted.
        per_hour: executions an hour.
        failing: the share of tasks that failed for good among those that succeeded or failed, 0 to 1.
        waited: from ready to start; None where nothing ran to an end.
        took: from start to end.
        trend: what it took over the period, oldest first.
    """

    name: str
    since: datetime
    runs: int
    completed: int
    failed: int
    retried: int
    other: int
    per_hour: float
    failing: float
    waited: Percentiles | None
    took: Percentiles | None
    trend: tuple[TrendPoint, ...] = ()


def stats(file: File, queue: str, period: Period, now: float) -> tuple[TaskStats, ...]:
    """What each task did, the busiest first."""
    if not file.knows("rollup"):
        return ()  # no worker of this version has opened it yet
    since = period.begins(now)
    parts: defaultdict[str, defaultdict[int, Rollup]] = defaultdict(lambda: defaultdict(Rollup))
    for at, name, rollup in _parts(file, queue, period, since):
        parts[name][at].add(rollup)
    found = [_stats(name, by_time, period, since, now) for name, by_time in parts.items()]
    return tuple(sorted(found, key=lambda one: (-one.runs, one.name)))


def _parts(file: File, queue: str, period: Period, since: int) -> Iterator[tuple[int, str, Rollup]]:
    with file.one_moment():
        rolled = file.rows(_ROLLUPS, (queue, period.span, since))
        rest = file.rows(_REST, (queue,))
    for row in rolled:
        values = list(row.values())
        yield values[0], values[1], Rollup.of(values[2:])
    for row in rest:
        if row["finished_at"] >= since:
            rollup = Rollup()
            rollup.count(row["state"], row["ready_at"], row["started_at"], row["finished_at"])
            yield period.span.begins(row["finished_at"]), row["name"], rollup


def _stats(name: str, by_time: dict[int, Rollup], period: Period, since: int, now: float) -> TaskStats:
    whole = Rollup()
    for rollup in by_time.values():
        whole.add(rollup)
    states, runs = whole.states, whole.states.total()
    done, dead, retried = states["completed"], states["dead"], states["retrying"]
    return TaskStats(
        name=name, since=moment(since), runs=runs, completed=done, failed=dead, retried=retried,
        other=runs - done - dead - retried,
        per_hour=runs * 3_600 / max(now - since, 1), failing=dead / (done + dead) if done + dead else 0.0,
        waited=percentiles(whole.waited), took=percentiles(whole.took),
        trend=tuple(
            TrendPoint(moment(at), percentiles(by_time[at].took) if at in by_time else None)
            for at in range(since, since + period.length * period.span.seconds, period.span.seconds)
        ),
    )  # fmt: skip


def percentiles(histogram: Histogram) -> Percentiles | None:
    """The three that people ask for."""
    found = [histogram.percentile(share) for share in (0.50, 0.95, 0.99)]
    p50, p95, p99 = found
    return None if p50 is None or p95 is None or p99 is None else Percentiles(p50, p95, p99)
