"""What runs, what is ready, what is scheduled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.readings.filters import condition, parse
from console.readings.model import QueueTask, QueueTaskDetail, TaskState
from console.readings.pages import Listing, Segment, Sort
from console.readings.times import moment
from worker.queue.message import header

if TYPE_CHECKING:
    from console.readings.connection import File, Row

_COMMON = "id, task_id, name, subject, priority, attempt, deliveries, enqueued_at"
_RUNNING = f"SELECT {_COMMON}, claimed_at, worker, done, total, note, cancel FROM claim WHERE queue = ?"
_PENDING = f"SELECT {_COMMON}, ready_at FROM task WHERE queue = ?"
_SCHEDULED = f"SELECT {_COMMON}, due_at, reason FROM schedule WHERE queue = ?"
_TABLES = {"r": ("claim", _RUNNING), "p": ("task", _PENDING), "s": ("schedule", _SCHEDULED)}


def running(file: File, queue: str, limit: int) -> tuple[QueueTask, ...]:
    """The tasks in the hands of workers, oldest first."""
    return tuple(
        _running(row) for row in file.rows(f"{_RUNNING} ORDER BY claimed_at, id LIMIT ?", (queue, limit))
    )


# The orders of the queue; the first is that in which workers take the tasks.
SORTS = (
    Sort("order", "in the order they run", ""),
    Sort("oldest", "oldest first", "When", descending=True),
    Sort("newest", "newest first", "When"),
)
_ID = "id"
_ORDERS: dict[str, tuple[tuple[tuple[str, bool], ...], ...]] = {
    "order": (((_ID, False),), (("priority", True), (_ID, False)), (("due_at", False), (_ID, False))),
    "oldest": (((_ID, False),), ((_ID, False),), ((_ID, False),)),
    "newest": (((_ID, True),), ((_ID, True),), ((_ID, True),)),
}


def listing(file: File, queue: str, text: str, now: float, sort: str = "order") -> Listing[QueueTask]:
    """The whole queue as one list.

    Args:
        file: `tasks.db`.
        queue: its name.
        text: a filter.
        now: Unix seconds, for ages.
        sort: the id of one of SORTS.

    Raises:
        ReadingError: the filter cannot be understood.
    """
    terms = parse(text)
    parts = (
        ("r", "'running'", "claimed_at", _running),
        ("p", "'pending'", "ready_at", _pending),
        ("s", "'scheduled'", "enqueued_at", _scheduled),
    )
    segments = []
    for (prefix, state, since, build), order in zip(parts, _ORDERS[sort], strict=True):
        table, select = _TABLES[prefix]
        if order[0][0] == _ID:
            # By row id, which is the order of arrival; an index on the queue would have to sort.
            select = select.replace(f"FROM {table}", f"FROM {table} NOT INDEXED")
        columns = {
            "any": "name, subject, task_id", "task": "name", "market": "subject", "err": "''", "id": "task_id",
            "is": state, "age": since,
        }  # fmt: skip
        where, params = condition(terms, columns, now)
        segments.append(Segment(select, (queue,), order, build, where, params, prefix, since))

    def total() -> int | None:
        return file.value("SELECT sum(n) FROM depth WHERE queue = ?", (queue,)) or 0

    return Listing(file, segments, total)


def detail(file: File, key: str) -> QueueTaskDetail | None:
    """A task with its arguments; None when it has moved on.

    Args:
        file: `tasks.db`.
        key: of the row, for example `p12`.
    """
    table, select = _TABLES[key[:1]]
    columns = select.removeprefix("SELECT ").partition(" FROM ")[0]
    rows = file.rows(f"SELECT {columns}, data FROM {table} WHERE id = ?", (int(key[1:]),))
    if not rows:
        return None
    build = {"r": _running, "p": _pending, "s": _scheduled}[key[:1]]
    head = header(rows[0]["data"])
    return QueueTaskDetail(build(rows[0]), head.args if head else None, head.retries if head else None)


def key_of(file: File, task_id: str) -> str | None:
    """Where a task is now, as a row's key; None when it neither waits nor runs."""
    for prefix, (table, _) in _TABLES.items():
        found = file.value(f"SELECT id FROM {table} WHERE task_id = ? LIMIT 1", (task_id,))
        if found is not None:
            return f"{prefix}{found}"
    return None


def _running(row: Row) -> QueueTask:
    return QueueTask(
        key=f"r{row['id']}", state=TaskState.RUNNING, since=moment(row["claimed_at"]), worker=row["worker"],
        done=row["done"], total=row["total"], note=row["note"], cancel=bool(row["cancel"]), **_shared(row),
    )  # fmt: skip


def _pending(row: Row) -> QueueTask:
    return QueueTask(
        key=f"p{row['id']}", state=TaskState.PENDING, since=moment(row["ready_at"]), **_shared(row)
    )


def _scheduled(row: Row) -> QueueTask:
    return QueueTask(
        key=f"s{row['id']}", state=TaskState.SCHEDULED, since=moment(row["enqueued_at"]),
        due_at=moment(row["due_at"]), reason=row["reason"], **_shared(row),
    )  # fmt: skip


def _shared(row: Row) -> dict[str, Any]:
    return {
        "task_id": row["task_id"] or "",
        "name": row["name"] or "",
        "subject": row["subject"],
        "priority": row["priority"],
        "attempt": row["attempt"],
        "deliveries": row["deliveries"],
        "enqueued_at": moment(row["enqueued_at"]),
    }
