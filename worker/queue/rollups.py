"""Rollups: what each task did in each minute, hour and day, so that rates and percentiles cost the same over any history.

A worker adds up its runs once a second, from where it stopped (`rollup_mark`); sums and mark are one transaction, so
a run counts once however often workers die. Spans of time go into buckets that grow by 4.4 %, which makes a percentile
wrong by 2.2 % at the most: https://prometheus.io/docs/specs/native_histograms/ tells the idea.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from worker.queue.unit import RunState, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.queue.storage import DurableStorage

# Runs of one transaction, and how long one step may take of the scheduler's second.
BATCH, STEP_S = 2_000, 0.2
# Buckets of an octave, and the shortest span that is told from none.
PER_OCTAVE, SHORTEST_S = 16, 0.001
# States of executions that ran to an end; only their spans say how long the task takes.
RAN = (RunState.COMPLETED, RunState.RETRYING, RunState.DEAD)
STATES = tuple(RunState)

_MOVE = "UPDATE rollup_mark SET run_id = ? WHERE run_id = ?"
_NEXT = """SELECT id, queue, name, state, ready_at, started_at, finished_at FROM run WHERE id > ?
    ORDER BY id LIMIT ?"""
_COLUMNS = f"{', '.join(STATES)}, waited, took"
_READ = f"SELECT {_COLUMNS} FROM rollup WHERE queue = ? AND span = ? AND at = ? AND name = ?"
_WRITE = f"""INSERT OR REPLACE INTO rollup (queue, span, at, name, {_COLUMNS})
    VALUES ({", ".join("?" * (len(STATES) + 6))})"""


class Span(StrEnum):
    """How long a rollup is."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def seconds(self) -> int:
        """Its length; a day is one of UTC."""
        return {"minute": 60, "hour": 3_600, "day": 86_400}[self]

    def begins(self, at: float) -> int:
        """The Unix second at which the one begins that a moment falls into."""
        return int(at // self.seconds) * self.seconds


class Histogram(Counter[int]):
    """How often spans of time of about one length occurred, by bucket."""

    def count(self, seconds: float) -> None:
        """Counts one span."""
        self[round(math.log2(max(seconds, SHORTEST_S)) * PER_OCTAVE)] += 1

    def percentile(self, share: float) -> float | None:
        """The span in seconds that `share` (0 to 1) of all do not exceed; None where there are none.

        Args:
            share: 0.95 for the 95th percentile; the nearest rank is taken.
        """
        rank = math.ceil(self.total() * share)
        for bucket in sorted(self):
            rank -= self[bucket]
            if rank <= 0:
                return float(2 ** (bucket / PER_OCTAVE))
        return None

    def packed(self) -> str:
        """As JSON, for the database."""
        return json.dumps(dict(sorted(self.items())), separators=(",", ":"))

    @classmethod
    def unpacked(cls, text: str) -> Histogram:
        """Takes back `packed`; what cannot be read counts as nothing, so that the rest can be added up."""
        try:
            return cls({int(bucket): int(n) for bucket, n in json.loads(text).items()})
        except (ValueError, TypeError, AttributeError):
            return cls()


@dataclass(slots=True)
class Rollup:
    """Some runs of one task, added up.

    Attributes:
        states: how many ended in which state.
        waited: from ready to start, of those that ran to an end.
        took: from start to end, of those.
    """

    states: Counter[str] = field(default_factory=Counter)
    waited: Histogram = field(default_factory=Histogram)
    took: Histogram = field(default_factory=Histogram)

    def count(self, state: str, ready_at: float, started_at: float, finished_at: float) -> None:
        """Counts one run; times are Unix seconds."""
        self.states[state] += 1
        if state in RAN:
            self.waited.count(started_at - ready_at)
            self.took.count(finished_at - started_at)

    def add(self, other: Rollup) -> None:
        """Counts the runs of another one too."""
        self.states.update(other.states)
        self.waited.update(other.waited)
        self.took.update(other.took)

    def row(self) -> tuple[Any, ...]:
        """Its columns."""
        return (*(self.states[state] for state in STATES), self.waited.packed(), self.took.packed())

    @classmethod
    def of(cls, row: Iterable[Any]) -> Rollup:
        """Takes back `row`."""
        *counts, waited, took = row
        return cls(
            Counter(dict(zip(STATES, counts, strict=True))),
            Histogram.unpacked(waited), Histogram.unpacked(took),
        )  # fmt: skip


class Rollups:
    """Adds up what has ended, a few batches at each step; most seconds, nothing.

    Args:
        storage: whose history it is. All queues of the file are added up, whoever does it.
    """

    def __init__(self, storage: DurableStorage) -> None:
        self._storage = storage

    def step(self) -> int:
        """Adds up what came since the last step, for a fifth of a second at the most.

        Returns:
            How many runs.
        """
        started, total = time.monotonic(), 0
        while time.monotonic() < started + STEP_S:
            done = self._batch()
            total += done
            if done < BATCH:
                break
        return total

    def _batch(self) -> int:
        """One batch. It is added up before the write lock is taken, which no task shall wait for."""
        storage = self._storage
        mark = storage.sql("SELECT run_id FROM rollup_mark", results=True)[0][0]
        runs = storage.sql(_NEXT, (mark, BATCH), results=True)
        if not runs:
            return 0
        sums = _sums(runs)
        with storage.db(commit=True) as cursor:
            if not cursor.execute(_MOVE, (runs[-1][0], mark)).rowcount:
                return 0  # another worker was quicker
            for key, rollup in sums.items():
                held = cursor.execute(_READ, key).fetchone()
                if held is not None:
                    rollup.add(Rollup.of(held))
                cursor.execute(_WRITE, (*key, *rollup.row()))
        return len(runs)


def _sums(runs: Iterable[tuple[Any, ...]]) -> dict[tuple[str, str, int, str], Rollup]:
    """Runs added up by minute, and the minutes by hour and day: each run is looked at once."""
    minutes: defaultdict[tuple[str, int, str], Rollup] = defaultdict(Rollup)
    for _, queue, name, state, ready_at, started_at, finished_at in runs:
        minutes[queue, int(finished_at // 60) * 60, name].count(state, ready_at, started_at, finished_at)
    sums: defaultdict[tuple[str, str, int, str], Rollup] = defaultdict(Rollup)
    for (queue, at, name), rollup in minutes.items():
        for span in Span:
            sums[queue, span.value, span.begins(at), name].add(rollup)
    return sums


class DepthRecord:
    """Writes down once a minute how deep the queue is. A minute without a row had no worker.

    Args:
        storage: whose queue it is.
    """

    def __init__(self, storage: DurableStorage) -> None:
        self._storage = storage
        self._minute = -1
        self._most: dict[str, int] = {}

    def step(self) -> None:
        """One look; writes when a minute begins, the most that was seen in the last and what is there now."""
        storage = self._storage
        minute = int(storage.now() // 60)
        rows = storage.sql("SELECT state, n FROM depth WHERE queue = ?", (storage.name,), results=True)
        now = dict(rows)
        if minute == self._minute:
            self._most = {state: max(n, self._most.get(state, 0)) for state, n in now.items()}
            return
        before = [_level(storage.name, self._minute, self._most)] if self._minute == minute - 1 else []
        storage.write(*before, _level(storage.name, minute, now))
        self._minute, self._most = minute, now


def _level(queue: str, minute: int, depth: dict[str, int]) -> Statement:
    """Raises the minute's record to this depth: several workers may write it."""
    states = ("pending", "running", "scheduled")
    highest = ", ".join(f"{state} = max({state}, excluded.{state})" for state in states)
    query = f"""INSERT INTO depth_minute (queue, minute, {", ".join(states)}) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (queue, minute) DO UPDATE SET {highest}"""
    return Statement(query, (queue, minute, *(depth.get(state, 0) for state in states)))
