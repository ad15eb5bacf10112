"""The schedules: when each ran, when it will, and what became of its ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.readings.filters import condition, parse
from console.readings.model import Outcome, Schedule, ScheduleDetail, Tick
from console.readings.pages import Sort
from console.readings.queue import key_of
from console.readings.runs import last_state
from console.readings.times import maybe, moment

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.connection import File, Row

# A worker looks once a second, and a restart takes a moment; later than this, nobody looks.
OVERDUE_AFTER_S = 90.0
SORTS = (
    Sort("name", "by name", "Schedule"),
    Sort("next", "next first", "Next"),
    Sort("last", "latest run first", "Last", descending=True),
    Sort("missed", "most missed first", "State", descending=True),
)
_ORDERS = {
    "name": "name", "next": "next_at IS NULL, next_at, name", "last": "last_at DESC, name", "missed": "missed DESC, name",
}  # fmt: skip
_COLUMNS = {
    "any": "name, task_name, cron, timezone, error, pause_note", "task": "name, task_name", "market": "''",
    "err": "error", "id": "last_task_id", "age": "last_at",
}  # fmt: skip
STRIP = 10
COMING = 5
RECENT = 20
_WAITING = {"r": "running", "p": "pending", "s": "scheduled"}
_TICK = """SELECT id, schedule, tick_at, coalesce(last_at, tick_at) AS last_at, n, state, noticed_at, why, task_id,
    (SELECT run.state FROM run WHERE run.task_id = tick.task_id ORDER BY run.id DESC LIMIT 1) AS ended FROM tick
    WHERE queue = ?"""
# What a tick without a run came to.
_UNRUN = {"missed": Outcome.MISSED, "acknowledged": Outcome.WAIVED, "paused": Outcome.WAIVED}
_ENDS = {"skipped": Outcome.SKIPPED, "dead": Outcome.FAILED, "cancelled": Outcome.CANCELLED}


def schedules(file: File, queue: str, now: float, text: str = "", sort: str = "name") -> tuple[Schedule, ...]:
    """All schedules.

    Args:
        file: `tasks.db`.
        queue: its name.
        now: Unix seconds.
        text: a filter.
        sort: the id of one of SORTS.

    Raises:
        ReadingError: the filter cannot be understood.
    """
    where, params = condition(parse(text), _COLUMNS | {"is": _state_at(now)}, now)
    query = f"SELECT * FROM periodic WHERE queue = ?{where} ORDER BY {_ORDERS[sort]}"
    rows = file.rows(query, (queue, *params))
    known = file.knows("tick")
    # A file that no worker of this version has opened yet says nothing of `enabled`.
    return tuple(
        _schedule(file, row, now, _recent(file, queue, row["name"], STRIP) if known else ())
        for row in rows
        if row.get("enabled", 1)
    )


def _state_at(now: float) -> str:
    """What `is:` looks at; no comma, since that parts expressions."""
    return f"""CASE WHEN error IS NOT NULL THEN 'error'
        WHEN paused_at IS NOT NULL AND (paused_until IS NULL OR paused_until > {now!r}) THEN 'paused'
        WHEN next_at < {now - OVERDUE_AFTER_S!r} THEN 'overdue' WHEN missed > 0 THEN 'missed' ELSE 'on' END"""


def detail(file: File, queue: str, name: str, now: datetime) -> ScheduleDetail | None:
    """A schedule in full; None when it is gone."""
    rows = file.rows("SELECT * FROM periodic WHERE queue = ? AND name = ?", (queue, name))
    if not rows or not rows[0].get("enabled", 1):
        return None
    row, known = rows[0], file.knows("tick")
    recent = _recent(file, queue, name, RECENT) if known else ()
    return ScheduleDetail(
        schedule=_schedule(file, row, now.timestamp(), recent[:STRIP]),
        catch_up=row["catch_up"],
        catch_up_window_s=row["catch_up_window"],
        coming=_coming(row, now),
        missed=unanswered(file, queue, name) if known else (),
        recent=recent,
    )


def unanswered(file: File, queue: str, name: str, *, paused: bool = True) -> tuple[Tick, ...]:
    """The ticks that an operator may still answer, oldest first: missed ones, and those of a pause."""
    states = "'missed', 'paused'" if paused else "'missed'"
    query = f"{_TICK} AND schedule = ? AND state IN ({states}) ORDER BY tick_at"
    return tuple(_tick(row) for row in file.rows(query, (queue, name)))


def late(file: File, queue: str, name: str, limit: int) -> tuple[Tick, ...]:
    """The last ticks that did not fire on time, newest first, also those that were answered since."""
    query = f"{_TICK} AND schedule = ? AND state <> 'fired' ORDER BY tick_at DESC LIMIT ?"
    return tuple(_tick(row) for row in file.rows(query, (queue, name, limit)))


def tick_of(file: File, task_id: str) -> Tick | None:
    """The tick that a task answers; the newest of several."""
    if not file.knows("tick"):
        return None
    query = _TICK.replace("queue = ?", "task_id = ?") + " ORDER BY tick_at DESC LIMIT 1"
    rows = file.rows(query, (task_id,))
    return _tick(rows[0]) if rows else None


def _recent(file: File, queue: str, name: str, limit: int) -> tuple[Tick, ...]:
    query = f"{_TICK} AND schedule = ? ORDER BY tick_at DESC LIMIT ?"
    return tuple(_tick(row) for row in file.rows(query, (queue, name, limit)))


def _coming(row: Row, now: datetime) -> tuple[datetime, ...]:
    if row["cron"] is None:
        return ()
    from worker.queue.cron import Cron  # noqa: PLC0415 - for the detail only
    from worker.queue.errors import ScheduleError  # noqa: PLC0415

    until = maybe(row["paused_until"])
    try:
        return Cron(row["cron"], row["timezone"]).coming(max(now, until) if until else now, COMING)
    except ScheduleError:
        return ()


def _schedule(file: File, row: Row, now: float, recent: tuple[Tick, ...]) -> Schedule:
    paused = row["paused_at"] is not None and (row["paused_until"] is None or row["paused_until"] > now)
    overdue = row["next_at"] is not None and now - row["next_at"] > OVERDUE_AFTER_S
    return Schedule(
        name=row["name"],
        task_name=row["task_name"],
        cron=row["cron"],
        timezone=row["timezone"],
        next_at=maybe(row["next_at"]),
        last_at=maybe(row["last_at"]),
        last_state=_state(file, row["last_task_id"]),
        missed=row["missed"],
        paused=paused,
        paused_until=maybe(row["paused_until"]) if paused else None,
        pause_note=row["pause_note"] if paused else None,
        paused_by=row["paused_by"] if paused else None,
        error=row["error"],
        overdue=overdue and not paused,
        strip=tuple(tick.outcome for tick in reversed(recent)),
    )


def _tick(row: Row) -> Tick:
    return Tick(
        id=row["id"],
        schedule=row["schedule"],
        at=moment(row["tick_at"]),
        last_at=moment(row["last_at"]),
        count=row["n"],
        state=row["state"],
        outcome=_outcome(row["state"], row["ended"]),
        noticed_at=moment(row["noticed_at"]),
        why=row["why"],
        task_id=row["task_id"],
    )


def _outcome(state: str, ended: str | None) -> Outcome:
    if state in _UNRUN:
        return _UNRUN[state]
    if ended == "completed":
        return Outcome.OK if state == "fired" else Outcome.LATE
    return _ENDS.get(ended or "", Outcome.WAITING)


def _state(file: File, task_id: str | None) -> str | None:
    if task_id is None:
        return None
    key = key_of(file, task_id)
    return _WAITING[key[0]] if key else last_state(file, task_id)
