"""The history of runs, and what happened in each minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.readings.filters import condition, parse
from console.readings.model import Minute, Run
from console.readings.pages import Listing, Segment
from console.readings.times import maybe, moment

if TYPE_CHECKING:
    from console.readings.connection import File, Row

MINUTES = 60
_RUN = """SELECT id, task_id, name, subject, state, attempt, worker, enqueued_at, ready_at, started_at, finished_at,
    retry_at, args, result, error_type, error FROM run WHERE queue = ?"""
_COLUMNS = {
    "any": "name, subject, error_type, error, task_id", "task": "name", "market": "subject",
    "err": "error_type, error", "id": "task_id", "is": "state", "age": "finished_at",
}  # fmt: skip
# Which events of the `minute` table each number of a Minute sums up.
_EVENTS = {
    "enqueued": ("enqueued",),
    "completed": ("completed", "skipped"),
    "failed": ("dead",),
    "retried": ("retrying",),
}


def latest(file: File, queue: str, limit: int) -> tuple[Run, ...]:
    """The newest runs first."""
    return tuple(_run(row) for row in file.rows(f"{_RUN} ORDER BY id DESC LIMIT ?", (queue, limit)))


def listing(file: File, queue: str, text: str, now: float) -> Listing[Run]:
    """All runs, newest first.

    Raises:
        ReadingError: the filter cannot be understood.
    """
    where, params = condition(parse(text), _COLUMNS, now)
    return Listing(file, [Segment(_RUN, (queue,), (("id", True),), _run, where, params, since="finished_at")])


def detail(file: File, queue: str, run_id: int) -> Run | None:
    """One run; None when it is not kept any more."""
    rows = file.rows(f"{_RUN} AND id = ?", (queue, run_id))
    return _run(rows[0]) if rows else None


def last_state(file: File, task_id: str | None) -> str | None:
    """How a task ended last; None where it has not ended or is unknown."""
    if task_id is None:
        return None
    state: str | None = file.value(
        "SELECT state FROM run WHERE task_id = ? ORDER BY id DESC LIMIT 1", (task_id,)
    )
    return state


def last_hour(file: File, queue: str, now: float) -> tuple[Minute, ...]:
    """The last 60 minutes, oldest first, the current one last; quiet minutes included."""
    current = int(now // 60)
    first = current - MINUTES + 1
    counts: dict[int, dict[str, int]] = {}
    query = "SELECT minute, event, n FROM minute WHERE queue = ? AND minute BETWEEN ? AND ?"
    for row in file.rows(query, (queue, first, current)):
        counts.setdefault(row["minute"], {})[row["event"]] = row["n"]
    return tuple(
        Minute(
            at=moment(minute * 60),
            **{
                name: sum(counts.get(minute, {}).get(event, 0) for event in events)
                for name, events in _EVENTS.items()
            },
        )
        for minute in range(first, current + 1)
    )


def _run(row: Row) -> Run:
    return Run(
        id=row["id"], task_id=row["task_id"], name=row["name"], subject=row["subject"], state=row["state"],
        attempt=row["attempt"], worker=row["worker"], enqueued_at=moment(row["enqueued_at"]),
        ready_at=moment(row["ready_at"]), started_at=moment(row["started_at"]),
        finished_at=moment(row["finished_at"]), retry_at=maybe(row["retry_at"]), args=row["args"],
        result=row["result"], error_type=row["error_type"], error=row["error"],
    )  # fmt: skip
