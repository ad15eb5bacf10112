"""The schedules: when each ran, when it will."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.readings.model import Schedule
from console.readings.queue import key_of
from console.readings.runs import last_state
from console.readings.times import maybe

if TYPE_CHECKING:
    from console.readings.connection import File, Row

# A worker looks once a second, and a restart takes a moment; later than this, nobody looks.
OVERDUE_AFTER_S = 90.0
_WAITING = {"r": "running", "p": "pending", "s": "scheduled"}


def schedules(file: File, queue: str, now: float) -> tuple[Schedule, ...]:
    """All schedules by name."""
    rows = file.rows("SELECT * FROM periodic WHERE queue = ? ORDER BY name", (queue,))
    # A file that no worker of this version has opened yet says nothing of `enabled`.
    return tuple(_schedule(file, row, now) for row in rows if row.get("enabled", 1))


def _schedule(file: File, row: Row, now: float) -> Schedule:
    paused = row["paused_at"] is not None and (row["paused_until"] is None or row["paused_until"] > now)
    late = row["next_at"] is not None and now - row["next_at"] > OVERDUE_AFTER_S
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
        error=row["error"],
        overdue=late and not paused,
    )


def _state(file: File, task_id: str | None) -> str | None:
    if task_id is None:
        return None
    key = key_of(file, task_id)
    return _WAITING[key[0]] if key else last_state(file, task_id)
