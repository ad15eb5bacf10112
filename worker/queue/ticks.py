"""The register of ticks: what became of each tick of a schedule, and why one did not fire on time.

A tick's row is written in the transaction that stores its task, and a tick can have one row only. That makes
it fire exactly once, also after the clock was set back. What nobody ran is `missed` until a run answers it or
an operator acknowledges it. After a long downtime a busy schedule has missed very many: the newest keep a row
each, the older ones are folded into one that says how many they are.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from worker.sqlite import sqlite3

    Rule = Callable[[dt.datetime], Iterator[dt.datetime]]

# So many of the newest ticks of a span are known one by one: a day of minutes, with room.
EACH = 2_000
# So many more are counted; beyond it nobody cares for the number, and counting takes 10 us a tick.
COUNTED = 50_000
# Missed ticks of a schedule that keep a row each.
KEPT = 200
MAX_WHY = 300
_FIRST_SPAN = dt.timedelta(days=1)


class TickState(StrEnum):
    """What became of a tick."""

    FIRED = "fired"  # on time
    MISSED = "missed"  # no run has answered it
    CAUGHT_UP = "caught_up"  # fired late, by the schedule's policy
    REPLAYED = "replayed"  # answered by a run that an operator asked for
    ACKNOWLEDGED = "acknowledged"  # an operator said that no run is needed
    PAUSED = "paused"  # it passed while the schedule was paused; nobody misses it


@dataclass(frozen=True, slots=True)
class Fold:
    """Ticks that are known by their number.

    Attributes:
        first: the oldest of them.
        last: the newest of them.
        n: how many they are.
        exact: False: there are more, which were not counted.
    """

    first: dt.datetime
    last: dt.datetime
    n: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Late:
    """Ticks that no run answers, each with its reason.

    Attributes:
        each: in their order.
        older: what came before those.
        why_older: the reason for all of those.
    """

    each: Sequence[tuple[dt.datetime, str]] = ()
    older: Fold | None = None
    why_older: str = ""

    @classmethod
    def alike(cls, found: Passed, why: str) -> Late:
        """All of them for the same reason."""
        return cls([(tick, why) for tick in found.each], found.older, why)

    def __bool__(self) -> bool:
        return bool(self.each or self.older)

    def folded(self) -> tuple[Fold | None, Sequence[tuple[dt.datetime, str]]]:
        """The same with at most `KEPT` of them one by one."""
        head, older = self.each[:-KEPT], self.older
        if head:
            before = (older.first, older.n, older.exact) if older else (head[0][0], 0, True)
            older = Fold(before[0], head[-1][0], before[1] + len(head), before[2])
        return older, self.each[-KEPT:]


@dataclass(frozen=True, slots=True)
class Passed:
    """The ticks of a span of time, in their order.

    Attributes:
        each: the newest, at most `EACH`.
        older: what came before those; None: nothing.
    """

    each: tuple[dt.datetime, ...] = ()
    older: Fold | None = None


def passed(rule: Rule, start: float, end: float) -> Passed:
    """The ticks after `start` up to `end`, both Unix seconds; the cost is bounded however long that is."""
    after, until = dt.datetime.fromtimestamp(start, dt.UTC), dt.datetime.fromtimestamp(end, dt.UTC)
    begin, span, newest = until, _FIRST_SPAN, deque[dt.datetime](maxlen=EACH)
    while begin > after and len(newest) < EACH:
        begin = max(after, until - span)
        newest = deque(itertools.takewhile(lambda tick: tick <= until, rule(begin)), maxlen=EACH)
        span *= 8
    each = tuple(newest)
    if begin <= after and len(each) < EACH:
        return Passed(each)
    return Passed(each, _folded(rule, after, each[0] if each else until))


def _folded(rule: Rule, after: dt.datetime, before: dt.datetime) -> Fold | None:
    first = last = None
    n = 0
    for tick in rule(after):
        if tick >= before:
            break
        first, last, n = first or tick, tick, n + 1
        if n >= COUNTED:
            # The newest of them are those just before the ticks that are known one by one.
            return Fold(first, before, n, exact=False)
    return Fold(first, last, n) if first and last else None


def paused_because(note: str | None, by: str | None) -> str:
    """Why a tick did not fire during a pause."""
    return f"the schedule was paused{f' by {by}' if by else ''}{f': {note}' if note else ''}"


class Register:
    """Writes what became of the ticks of a queue's schedules; each call inside the caller's transaction.

    Args:
        queue: its name.
    """

    def __init__(self, queue: str) -> None:
        self._queue = queue

    def fire(
        self,
        cursor: sqlite3.Cursor,
        name: str,
        tick: dt.datetime,
        now: float,
        task_id: str | None,
        why: str | None,
    ) -> bool:
        """Takes a tick for a task.

        Args:
            cursor: in the transaction that stores the task.
            name: the schedule.
            tick: when it was due.
            now: Unix seconds.
            task_id: of the task.
            why: it fires late; None: it is on time.

        Returns:
            Whether the tick is this task's; False where one has had it already.
        """
        state = TickState.FIRED if why is None else TickState.CAUGHT_UP
        row = (self._queue, name, tick.timestamp(), None, 1, state, now, why, task_id, now)
        return cursor.execute(_INSERT, row).rowcount == 1

    def miss(self, cursor: sqlite3.Cursor, name: str, late: Late, now: float) -> None:
        """Notes ticks that no run answers."""
        self._note(cursor, name, TickState.MISSED, late, now)
        self._fold_missed(cursor, name, now)
        self.recount(cursor, name)

    def skip(self, cursor: sqlite3.Cursor, name: str, late: Late, now: float) -> None:
        """Notes ticks that passed during a pause."""
        self._note(cursor, name, TickState.PAUSED, late, now)

    def _note(self, cursor: sqlite3.Cursor, name: str, state: TickState, late: Late, now: float) -> None:
        settled = None if state is TickState.MISSED else now
        older, each = late.folded()
        rows: list[tuple[float, float | None, int, str]] = [
            (tick.timestamp(), None, 1, why) for tick, why in each
        ]
        if older is not None:
            why = late.why_older or late.each[0][1]
            why = why if older.exact else f"{why}; there are more, which were not counted"
            rows.append((older.first.timestamp(), older.last.timestamp(), older.n, why))
        cursor.executemany(
            _INSERT,
            [
                (self._queue, name, at, last, n, state, now, why[:MAX_WHY], None, settled)
                for at, last, n, why in rows
            ],
        )

    def _fold_missed(self, cursor: sqlite3.Cursor, name: str, now: float) -> None:
        """Beyond `KEPT` missed ticks, the older ones become one row."""
        rows = cursor.execute(
            """SELECT id, tick_at, coalesce(last_at, tick_at), n, why FROM tick
            WHERE queue = ? AND schedule = ? AND state = 'missed' ORDER BY tick_at DESC LIMIT -1 OFFSET ?""",
            (self._queue, name, KEPT),
        ).fetchall()
        if len(rows) < 2:
            return
        oldest = rows[-1]
        total, last = sum(row[3] for row in rows), max(row[2] for row in rows)
        whys = dict.fromkeys(row[4] for row in reversed(rows))
        why = next(iter(whys)) if len(whys) == 1 else f"folded from several outages; the first: {oldest[4]}"
        cursor.executemany("DELETE FROM tick WHERE id = ?", [(row[0],) for row in rows[:-1]])
        cursor.execute(
            "UPDATE tick SET last_at = ?, n = ?, why = ?, noticed_at = ? WHERE id = ?",
            (last, total, why[:MAX_WHY], now, oldest[0]),
        )

    def recount(self, cursor: sqlite3.Cursor, name: str) -> None:
        """Brings the schedule's number of missed ticks in line with the rows; they are at most a few hundred."""
        cursor.execute(
            """UPDATE periodic SET missed = (SELECT coalesce(sum(n), 0) FROM tick
                WHERE tick.queue = periodic.queue AND tick.schedule = periodic.name AND tick.state = 'missed')
            WHERE queue = ? AND name = ?""",
            (self._queue, name),
        )


_INSERT = """INSERT INTO tick (queue, schedule, tick_at, last_at, n, state, noticed_at, why, task_id, settled_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (queue, schedule, tick_at) DO NOTHING"""
