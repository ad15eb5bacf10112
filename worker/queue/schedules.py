"""Schedules: when periodic tasks fire, exactly once, whoever runs and whatever the clock does.

Up to when a schedule's ticks have been dealt with is a row of `tasks.db`, advanced in the transaction
that stores the task and enters the tick in the register (`ticks`). So two workers, a restart within the
minute or a stepped clock cannot fire a tick twice, and ticks that passed while nothing ran are known and
caught up by the schedule's policy.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.queue.catch_up import ScheduleSpec, choose
from worker.queue.cron import Cron
from worker.queue.errors import BusyError, QueueError, QueueFileError
from worker.queue.ticks import Late, Register, passed, paused_because
from worker.queue.watch import Watch, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huey.api import PeriodicTask

    from worker.queue.huey import DurableHuey
    from worker.queue.storage import DurableStorage
    from worker.queue.ticks import Rule
    from worker.sqlite import sqlite3

logger = logging.getLogger("worker.queue")

# A clock set back by less keeps what it has fired; by more, it was wrong before, as cron(8) sees it too.
RESYNC_S = 3 * 3_600.0
# A rule that is a function has to be asked minute by minute; further back it is not asked.
MAX_MINUTES = 10_000
_MINUTE = dt.timedelta(minutes=1)


class _Row(NamedTuple):
    """What the database says of a schedule."""

    seen_at: float
    next_at: float | None
    paused_at: float | None
    paused_until: float | None
    pause_note: str | None
    paused_by: str | None

    def over(self, now: float) -> bool:
        """Whether a pause has ended by itself."""
        return self.paused_at is not None and self.paused_until is not None and self.paused_until <= now


_NONE = Late()


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is to be done about a span of time.

    Attributes:
        seen_at: up to when its ticks are then dealt with.
        chosen: the ticks that are answered by a run; late ones with the reason.
        missed: those that are not.
        paused: those that passed during a pause.
    """

    seen_at: float
    chosen: tuple[tuple[dt.datetime, str | None], ...] = ()
    missed: Late = _NONE
    paused: Late = _NONE


class Schedules:
    """Fires the periodic tasks of one Huey.

    Args:
        huey: whose registry is read.
        storage: where their state is.
        watch: tells why a tick is late; default: by this machine's clocks.
    """

    def __init__(self, huey: DurableHuey, storage: DurableStorage, watch: Watch | None = None) -> None:
        self._huey, self._storage = huey, storage
        self._specs = dict(huey.configured_schedules()) if huey.configured_schedules else {}
        self._register = Register(storage.name)
        self._watch = watch or Watch(storage.now)
        self._troubles: dict[str, str] = {}

    def register(self) -> None:
        """Brings the rows in line with the code and the configuration.

        A schedule with a changed rule begins anew: ticks of the old rule that nobody fired are missed. A pause
        outlives a restart, and being switched off.
        """
        storage, now = self._storage, self._storage.now()
        names = []
        with storage.db(commit=True) as cursor:
            for task in self._every_task():
                names.append(task.name)
                self._register_one(cursor, task, now)
            marks = ",".join("?" * len(names))
            cursor.execute(
                f"""UPDATE tick SET state = 'acknowledged', settled_at = ?, why = why || '; the schedule is gone'
                WHERE state = 'missed' AND queue = ? AND schedule NOT IN ({marks})""",
                (now, storage.name, *names),
            )
            cursor.execute(
                f"DELETE FROM periodic WHERE queue = ? AND name NOT IN ({marks})", (storage.name, *names)
            )

    def _register_one(self, cursor: sqlite3.Cursor, task: PeriodicTask, now: float) -> None:
        cron, spec, key = self._cron(task), self._spec(task), (self._storage.name, task.name)
        zone = cron.timezone if cron else ("UTC" if self._huey.utc else "local")
        rule = (cron.expression if cron else None, zone, int(spec.enabled))
        query = (
            "SELECT cron, timezone, enabled, seen_at, paused_at FROM periodic WHERE queue = ? AND name = ?"
        )
        old = cursor.execute(query, key).fetchone()
        values = (self._task_name(task), *rule, spec.catch_up, spec.catch_up_window)
        if old is None:
            cursor.execute(
                """INSERT INTO periodic (queue, name, task_name, cron, timezone, enabled, catch_up, catch_up_window,
                    seen_at, next_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (*key, *values, now, self._next(cron, now)),
            )
            return
        cursor.execute(
            """UPDATE periodic SET task_name = ?, cron = ?, timezone = ?, enabled = ?, catch_up = ?, catch_up_window = ?
            WHERE queue = ? AND name = ?""",
            (*values, *key),
        )
        if old[:3] != rule:
            self._close(cursor, task.name, old, now)
            cursor.execute(
                "UPDATE periodic SET seen_at = ?, next_at = ?, error = NULL WHERE queue = ? AND name = ?",
                (now, self._next(cron, now), *key),
            )

    def _close(self, cursor: sqlite3.Cursor, name: str, old: tuple[Any, ...], now: float) -> None:
        """What passed under a rule that holds no more; a function that is gone cannot be asked."""
        expression, zone, enabled, seen_at, paused_at = old
        if expression is None or not enabled:
            return
        late = Late.alike(
            passed(Cron(expression, zone).after, seen_at, now),
            f"no worker was running, and the rule was changed before it could be caught up; it was {expression} {zone}",
        )
        if late and paused_at is None:
            self._register.miss(cursor, name, late, now)
        elif late:
            self._register.skip(cursor, name, late, now)

    def fire(self) -> int:
        """Enqueues what is due; one schedule's failure is its own.

        Returns:
            How many tasks were enqueued.
        """
        fired = 0
        for task in self._tasks():
            try:
                fired += self._fire(task)
                self._troubles.pop(task.name, None)
            except (BusyError, QueueFileError) as error:
                self._storage.trouble.tell(error)  # not the rule's fault; the next look fires what is due
                break
            except Exception as error:  # noqa: BLE001 - whatever a rule raises, it is logged whole
                self._note_error(task.name, error)
        self._watch.look()
        if fired:
            self._storage.wake()
        return fired

    def _fire(self, task: PeriodicTask) -> int:
        storage, now = self._storage, self._storage.now()
        cron, row = self._cron(task), self._row(task.name)
        if row is None or not self._may_be_due(cron, row, now):
            return 0
        # Before the lock is taken: after a long downtime this takes a while.
        answer = self._answer(task, cron, row, now)
        with storage.db(commit=True) as cursor:
            found = cursor.execute(_SELECT, (storage.name, task.name)).fetchone()
            if found is None or _Row(*found) != row:
                return 0  # another worker has dealt with it; the next look sees what is left
            chosen = self._store(cursor, task, answer, now)
            if answer.paused:
                self._register.skip(cursor, task.name, answer.paused, now)
            if answer.missed:
                self._register.miss(cursor, task.name, answer.missed, now)
            cursor.execute(
                """UPDATE periodic SET seen_at = ?, next_at = ?, error = NULL, last_at = coalesce(?, last_at),
                    last_task_id = coalesce(?, last_task_id),
                    paused_at = NULL, paused_until = NULL, pause_note = NULL, paused_by = NULL
                    WHERE queue = ? AND name = ?""",
                (
                    answer.seen_at,
                    self._next(cron, now),
                    chosen[-1][0].timestamp() if chosen else None,
                    chosen[-1][1] if chosen else None,
                    storage.name,
                    task.name,
                ),
            )
        self._log(task.name, answer, [tick for tick, _ in chosen])
        return len(chosen)

    def _store(
        self, cursor: sqlite3.Cursor, task: PeriodicTask, answer: _Answer, now: float
    ) -> list[tuple[dt.datetime, str]]:
        """Stores a task for each tick that is to be answered and that had none before."""
        stored = []
        for tick, why in answer.chosen:
            sealed = self._sealed(task)
            if self._register.fire(cursor, task.name, tick, now, sealed.task_id, why):
                for statement in self._storage.arrival(sealed, None, now):
                    cursor.execute(*statement)
                stored.append((tick, sealed.task_id))
        return stored

    def _log(self, name: str, answer: _Answer, fired: list[dt.datetime]) -> None:
        for tick in fired:
            logger.info("schedule %s fires its tick of %s", name, tick.isoformat())
        if answer.missed:
            older = answer.missed.older
            amount = len(answer.missed.each) + (older.n if older else 0)
            why = answer.missed.each[-1][1] if answer.missed.each else answer.missed.why_older
            logger.warning("schedule %s missed %d ticks: %s", name, amount, why)

    def _may_be_due(self, cron: Cron | None, row: _Row, now: float) -> bool:
        """A look without the write lock; most seconds nothing is due."""
        if row.paused_at is not None:
            return row.over(now)
        if row.seen_at - now > RESYNC_S:
            return True
        if cron is None:
            return int(now // 60) > int(row.seen_at // 60)
        return row.next_at is None or row.next_at <= now

    def _answer(self, task: PeriodicTask, cron: Cron | None, row: _Row, now: float) -> _Answer:
        """What is to be done about the time that has passed since the schedule was looked at."""
        rule, seen_at = self._rule(task, cron), row.seen_at
        if seen_at - now > RESYNC_S:
            logger.warning("schedule %s: the clock was set back by %s", task.name, span(seen_at - now))
            return _Answer(now)
        paused = _NONE
        if row.paused_until is not None:
            end = max(seen_at, row.paused_until)
            paused = Late.alike(passed(rule, seen_at, end), paused_because(row.pause_note, row.paused_by))
            seen_at = end
        if now < seen_at:
            return _Answer(seen_at, paused=paused)
        cause, spec = self._troubles.get(task.name), self._spec(task)
        found = passed(rule, seen_at, now)
        if spec.wanted and (found.each or found.older) and not spec.wanted():
            return _Answer(now, paused=paused)
        chosen, missed = choose(found, now, spec, lambda at: cause or self._watch.why(at))
        return _Answer(now, chosen, missed, paused)

    def _rule(self, task: PeriodicTask, cron: Cron | None) -> Rule:
        return cron.after if cron else lambda after: self._matching(task, after)

    def _matching(self, task: PeriodicTask, start: dt.datetime) -> Iterator[dt.datetime]:
        """Minutes that a validator function accepts, in the naive time that Huey gives it."""
        end = dt.datetime.fromtimestamp(self._storage.now(), dt.UTC)
        earliest = end - dt.timedelta(minutes=MAX_MINUTES)
        minute = max(start, earliest).replace(second=0, microsecond=0) + _MINUTE
        while minute <= end:
            local = minute if self._huey.utc else minute.astimezone()
            if task.validate_datetime(local.replace(tzinfo=None)):
                yield minute
            minute += _MINUTE

    def _next(self, cron: Cron | None, now: float) -> float | None:
        if cron is None:
            return None
        tick = next(cron.after(dt.datetime.fromtimestamp(now, dt.UTC)), None)
        return tick.timestamp() if tick else None

    def _sealed(self, task: PeriodicTask) -> Any:
        fresh = type(task)()
        if fresh.expires:
            fresh.resolve_expires(self._huey.utc)
        return self._huey.serialize_task(fresh)

    def _every_task(self) -> list[PeriodicTask]:
        return list(self._huey._registry.periodic_tasks)  # noqa: SLF001 - Huey offers no public way

    def _tasks(self) -> list[PeriodicTask]:
        return [task for task in self._every_task() if self._spec(task).enabled]

    def _task_name(self, task: PeriodicTask) -> str:
        return str(self._huey._registry.task_to_string(type(task)))  # noqa: SLF001 - Huey offers no public way

    def _spec(self, task: PeriodicTask) -> ScheduleSpec:
        return self._specs.get(task.name) or ScheduleSpec()

    def _cron(self, task: PeriodicTask) -> Cron | None:
        return self._spec(task).cron or getattr(task, "cron", None)

    def _row(self, name: str) -> _Row | None:
        rows = self._storage.sql(_SELECT, (self._storage.name, name), results=True)
        return _Row(*rows[0]) if rows else None

    def _note_error(self, name: str, error: Exception) -> None:
        """Said once, not every second for as long as it lasts."""
        text = f"{type(error).__name__}: {error}"[:500]
        if self._troubles.get(name) == text:
            return
        logger.error("schedule %s cannot be evaluated", name, exc_info=error)
        self._troubles[name] = text
        query = "UPDATE periodic SET error = ?, next_at = NULL WHERE queue = ? AND name = ?"
        try:
            self._storage.sql(query, (text, self._storage.name, name), commit=True)
        except QueueError as refused:
            logger.warning("that is not noted in the database: %s", refused)


_SELECT = """SELECT seen_at, next_at, paused_at, paused_until, pause_note, paused_by FROM periodic
    WHERE queue = ? AND name = ? AND enabled"""
