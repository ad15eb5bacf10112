"""Schedules: when periodic tasks fire, exactly once, whoever runs and whatever the clock does.

Up to when a schedule's ticks have been dealt with is a row of `tasks.db`, advanced in the transaction
that stores the task. So two workers, a restart within the minute or a stepped clock cannot fire a tick
twice, and ticks that passed while nothing ran are known and caught up by the schedule's policy.
"""

from __future__ import annotations

import datetime as dt
import logging
import zoneinfo
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cronsim import CronSim, CronSimError

from worker.queue.errors import ScheduleError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huey.api import PeriodicTask

    from worker.queue.huey import DurableHuey
    from worker.queue.storage import DurableStorage

logger = logging.getLogger("worker.queue")

# A tick that fires this late is on time: workers look once a second, and a restart takes a moment.
ON_TIME_S = 90.0
DEFAULT_WINDOW_S = 86_400.0
# Beyond this many missed ticks the count is no longer of use to anybody.
MAX_TICKS = 10_000
_MINUTE = dt.timedelta(minutes=1)


class CatchUp(StrEnum):
    """What happens to ticks that passed while no worker ran."""

    ONCE = "once"
    ALL = "all"
    NONE = "none"


class Cron:
    """A cron expression in a time zone.

    Around a change of the clocks it does what Debian's cron does (cronsim): a job in the skipped hour
    runs right after it, one in the repeated hour runs once.

    Args:
        expression: five fields, for example `0 2 * * *`.
        timezone: an IANA name, for example `Europe/Berlin`.

    Raises:
        ScheduleError: the expression or the time zone is not valid.
    """

    def __init__(self, expression: str, timezone: str = "UTC") -> None:
        self.expression, self.timezone = expression, timezone
        try:
            CronSim(expression, dt.datetime(2026, 1, 1, tzinfo=self.zone))
        except CronSimError as error:
            raise ScheduleError(
                f"expected a cron expression such as '0 2 * * *', found {expression!r}"
            ) from error

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone."""
        try:
            return zoneinfo.ZoneInfo(self.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ScheduleError(
                f"expected a time zone such as 'Europe/Berlin', found {self.timezone!r}"
            ) from error

    def after(self, moment: dt.datetime) -> Iterator[dt.datetime]:
        """The ticks after an aware moment, in UTC; ends if the expression has none in 50 years."""
        for tick in CronSim(self.expression, moment.astimezone(self.zone)):
            yield tick.astimezone(dt.UTC)

    def __call__(self, timestamp: dt.datetime) -> bool:
        """Whether a minute matches: the validator that Huey expects; a naive time is taken as UTC."""
        aware = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=dt.UTC)
        minute = aware.replace(second=0, microsecond=0)
        return next(self.after(minute - _MINUTE), None) == minute.astimezone(dt.UTC)


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """What the configuration says of a schedule.

    Attributes:
        cron: expression and time zone; None keeps what the code says.
        catch_up: the policy for missed ticks.
        catch_up_window: seconds; a tick missed by more is not caught up.
        enabled: False: it never fires and is not listed.
    """

    cron: Cron | None = None
    catch_up: CatchUp = CatchUp.ONCE
    catch_up_window: float = DEFAULT_WINDOW_S
    enabled: bool = True


class Schedules:
    """Fires the periodic tasks of one Huey.

    Args:
        huey: whose registry is read.
        storage: where their state is.
    """

    def __init__(self, huey: DurableHuey, storage: DurableStorage) -> None:
        self._huey, self._storage = huey, storage
        self._specs = dict(huey.configured_schedules()) if huey.configured_schedules else {}

    def register(self) -> None:
        """Brings the rows in line with the code and the configuration; a changed cron begins anew."""
        storage, now = self._storage, self._storage.now()
        names = []
        with storage.db(commit=True) as cursor:
            for task in self._tasks():
                names.append(task.name)
                cron, spec = self._cron(task), self._spec(task)
                expression = cron.expression if cron else None
                zone = cron.timezone if cron else ("UTC" if self._huey.utc else "local")
                cursor.execute(
                    """INSERT INTO periodic (queue, name, task_name, cron, timezone, catch_up, catch_up_window, seen_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (queue, name) DO UPDATE SET
                        seen_at = CASE WHEN cron IS excluded.cron AND timezone = excluded.timezone
                            THEN seen_at ELSE excluded.seen_at END,
                        task_name = excluded.task_name, cron = excluded.cron, timezone = excluded.timezone,
                        catch_up = excluded.catch_up, catch_up_window = excluded.catch_up_window""",
                    (
                        storage.name,
                        task.name,
                        self._task_name(task),
                        expression,
                        zone,
                        spec.catch_up,
                        spec.catch_up_window,
                        now,
                    ),
                )
                cursor.execute(
                    "UPDATE periodic SET next_at = ?, error = NULL WHERE queue = ? AND name = ? AND seen_at = ?",
                    (self._next(cron, now), storage.name, task.name, now),
                )
            marks = ",".join("?" * len(names))
            cursor.execute(
                f"DELETE FROM periodic WHERE queue = ? AND name NOT IN ({marks})", (storage.name, *names)
            )

    def fire(self) -> int:
        """Enqueues what is due; one schedule's failure is its own.

        Returns:
            How many tasks were enqueued.
        """
        fired = 0
        for task in self._tasks():
            try:
                fired += self._fire(task)
            except Exception as error:
                logger.exception("schedule %s cannot be evaluated", task.name)
                self._note_error(task.name, f"{type(error).__name__}: {error}")
        if fired:
            self._storage.wake()
        return fired

    def _fire(self, task: PeriodicTask) -> int:
        storage, now = self._storage, self._storage.now()
        cron, spec = self._cron(task), self._spec(task)
        row = self._row(task.name)
        if row is None or not self._may_be_due(cron, row, now):
            return 0
        with storage.db(commit=True) as cursor:
            # Another worker may have dealt with the ticks while this one waited for the lock.
            row = cursor.execute(_SELECT, (storage.name, task.name)).fetchone()
            seen_at, paused_at, paused_until = row[0], row[2], row[3]
            if paused_at is not None:
                if paused_until is None or paused_until > now:
                    return 0
                seen_at = max(seen_at, paused_until)
            ticks = list(self._ticks(task, cron, seen_at, now))
            chosen = _chosen(ticks, now, spec)
            last_id = None
            for _ in chosen:
                sealed = self._sealed(task)
                last_id = sealed.task_id
                for statement in storage.arrival(sealed, None, now):
                    cursor.execute(*statement)
            cursor.execute(
                """UPDATE periodic SET seen_at = max(seen_at, ?), next_at = ?, missed = missed + ?, error = NULL,
                    last_at = coalesce(?, last_at), last_task_id = coalesce(?, last_task_id),
                    paused_at = NULL, paused_until = NULL, pause_note = NULL, paused_by = NULL
                    WHERE queue = ? AND name = ?""",
                (
                    now,
                    self._next(cron, now),
                    len(ticks) - len(chosen),
                    chosen[-1].timestamp() if chosen else None,
                    last_id,
                    storage.name,
                    task.name,
                ),
            )
        for tick in chosen:
            logger.info("schedule %s fires its tick of %s", task.name, tick.isoformat())
        return len(chosen)

    def _may_be_due(self, cron: Cron | None, row: tuple[Any, ...], now: float) -> bool:
        """A look without the write lock; most seconds nothing is due."""
        seen_at, next_at, paused_at, paused_until = row
        if paused_at is not None:
            return paused_until is not None and paused_until <= now
        if cron is None:
            return int(now // 60) > int(seen_at // 60)
        return next_at is None or next_at <= now

    def _ticks(
        self, task: PeriodicTask, cron: Cron | None, seen_at: float, now: float
    ) -> Iterator[dt.datetime]:
        start, end = dt.datetime.fromtimestamp(seen_at, dt.UTC), dt.datetime.fromtimestamp(now, dt.UTC)
        source = cron.after(start) if cron else self._matching(task, start, end)
        for number, tick in enumerate(source):
            if tick > end or number >= MAX_TICKS:
                return
            yield tick

    def _matching(self, task: PeriodicTask, start: dt.datetime, end: dt.datetime) -> Iterator[dt.datetime]:
        """Minutes that a validator function accepts, in the naive time that Huey gives it."""
        minute = max(start, end - dt.timedelta(minutes=MAX_TICKS)).replace(second=0, microsecond=0) + _MINUTE
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

    def _tasks(self) -> list[PeriodicTask]:
        return [task for task in self._huey._registry.periodic_tasks if self._spec(task).enabled]  # noqa: SLF001 - Huey offers no public way

    def _task_name(self, task: PeriodicTask) -> str:
        return str(self._huey._registry.task_to_string(type(task)))  # noqa: SLF001 - Huey offers no public way

    def _spec(self, task: PeriodicTask) -> ScheduleSpec:
        return self._specs.get(task.name) or ScheduleSpec()

    def _cron(self, task: PeriodicTask) -> Cron | None:
        return self._spec(task).cron or getattr(task, "cron", None)

    def _row(self, name: str) -> tuple[Any, ...] | None:
        rows = self._storage.sql(_SELECT, (self._storage.name, name), results=True)
        return rows[0] if rows else None

    def _note_error(self, name: str, error: str) -> None:
        query = "UPDATE periodic SET error = ?, next_at = NULL WHERE queue = ? AND name = ?"
        self._storage.sql(query, (error[:500], self._storage.name, name), commit=True)


_SELECT = "SELECT seen_at, next_at, paused_at, paused_until FROM periodic WHERE queue = ? AND name = ?"


def _chosen(ticks: list[dt.datetime], now: float, spec: ScheduleSpec) -> list[dt.datetime]:
    """The ticks that are answered by a run: those on time, and the late ones by policy."""
    on_time = [tick for tick in ticks if now - tick.timestamp() <= ON_TIME_S]
    if spec.catch_up is CatchUp.NONE:
        return on_time
    recent = [tick for tick in ticks if now - tick.timestamp() <= max(spec.catch_up_window, ON_TIME_S)]
    return recent if spec.catch_up is CatchUp.ALL else on_time or recent[-1:]
