"""What runs, what is ready, what is scheduled."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from console.readings.filters import Flags, condition, parse
from console.readings.model import Evidence, QueueTask, QueueTaskDetail, TaskState
from console.readings.pages import Listing, Segment, Sort
from console.readings.times import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from console.readings.connection import File, Row

_COMMON = "id, task_id, name, subject, priority, attempt, deliveries, enqueued_at"
_RUNNING = f"SELECT {_COMMON}, claimed_at, worker, done, total, note, cancel FROM claim WHERE queue = ?"
_PENDING = f"SELECT {_COMMON}, ready_at FROM task WHERE queue = ?"
_SCHEDULED = f"SELECT {_COMMON}, due_at, reason FROM schedule WHERE queue = ?"
_TABLES = {"r": ("claim", _RUNNING), "p": ("task", _PENDING), "s": ("schedule", _SCHEDULED)}


def running(file: File, queue: str, limit: int, look: Look) -> tuple[QueueTask, ...]:
    """The tasks in the hands of workers, oldest first."""
    return tuple(
        _running(row, look=look)
        for row in file.rows(f"{_RUNNING} ORDER BY claimed_at, id LIMIT ?", (queue, limit))
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


# How many tasks before one are counted.
BEFORE = 1_000


class Look(NamedTuple):
    """What a task's row does not say of itself.

    Attributes:
        handlers: the tasks that workers know; empty: none has said so yet.
        workers: what is known of each worker.
        paused: no worker takes anything from the queue now.
    """

    handlers: frozenset[str] = frozenset()
    workers: Mapping[int, Evidence] = MappingProxyType({})
    paused: bool = False

    def known(self, name: str | None) -> bool:
        """Whether a worker knows a task of this name."""
        return not self.handlers or name in self.handlers

    @property
    def flags(self) -> Flags:
        """What `is:` may say beside the states."""
        alive = [number for number, seen in self.workers.items() if seen is Evidence.ALIVE]
        marks = ",".join("?" * len(alive))
        names = ",".join("?" * len(self.handlers))
        unknown = f"name NOT IN ({names})" if self.handlers else "0"
        return {
            "unknown": (unknown, tuple(self.handlers)),
            "orphaned": (f"worker NOT IN ({marks})", tuple(alive)),
            "retry": ("reason = 'retry'", ()),
        }


# Which flags a part of the queue can have.
_FLAGS = {"r": ("unknown", "orphaned"), "p": ("unknown",), "s": ("unknown", "retry")}


def listing(
    file: File, queue: str, text: str, now: float, sort: str = "order", look: Look | None = None
) -> Listing[QueueTask]:
    """The whole queue as one list.

    Args:
        file: `tasks.db`.
        queue: its name.
        text: a filter.
        now: Unix seconds, for ages.
        sort: the id of one of SORTS.
        look: what the rows do not say of themselves.

    Raises:
        ReadingError: the filter cannot be understood.
    """
    terms = parse(text)
    parts = (
        ("r", "'running'", "claimed_at", _running),
        ("p", "'pending'", "ready_at", _pending),
        ("s", "'scheduled'", "enqueued_at", _scheduled),
    )
    seen = look or Look()
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
        flags = {name: seen.flags[name] for name in _FLAGS[prefix]}
        where, params = condition(terms, columns, now, flags)
        segments.append(
            Segment(select, (queue,), order, partial(build, look=seen), where, params, prefix, since)
        )

    def total() -> int | None:
        return file.value("SELECT sum(n) FROM depth WHERE queue = ?", (queue,)) or 0

    return Listing(file, segments, total)


def detail(file: File, key: str, look: Look | None = None) -> QueueTaskDetail | None:
    """A task with its arguments; None when it has moved on.

    Args:
        file: `tasks.db`.
        key: of the row, for example `p12`.
        look: what the row does not say of itself.
    """
    table, select = _TABLES[key[:1]]
    columns = select.removeprefix("SELECT ").partition(" FROM ")[0]
    rows = file.rows(f"SELECT {columns}, data, queue FROM {table} WHERE id = ?", (int(key[1:]),))
    if not rows:
        return None
    build = {"r": _running, "p": _pending, "s": _scheduled}[key[:1]]
    from worker.queue.message import header  # noqa: PLC0415 - brings Huey, for the detail only

    head = header(rows[0]["data"])
    seen = look or Look()
    task = build(rows[0], look=seen)
    return QueueTaskDetail(
        task,
        head.args if head else None,
        head.retries if head else None,
        waits=_why(file, rows[0]["queue"], task, seen),
    )


def _why(file: File, queue: str, task: QueueTask, look: Look) -> str:
    """Why a waiting task does not run yet."""
    if task.state is TaskState.RUNNING:
        return ""
    if task.reason == "retry":
        query = "SELECT error FROM run WHERE task_id = ? ORDER BY id DESC LIMIT 1"
        return f"attempt {task.attempt} waits after: {file.value(query, (task.task_id,)) or 'a failure'}"
    if task.state is TaskState.SCHEDULED:
        return "its time has not come"
    alive = Evidence.ALIVE in look.workers.values()
    if look.paused or not alive:
        return "the queue is paused" if look.paused else "no worker is running"
    number = int(task.key[1:])
    before = file.value(
        """SELECT (SELECT count(*) FROM (SELECT 1 FROM task WHERE queue = ?1 AND priority > ?2 LIMIT ?4))
        + (SELECT count(*) FROM (SELECT 1 FROM task WHERE queue = ?1 AND priority = ?2 AND id < ?3 LIMIT ?4))""",
        (queue, task.priority, number, BEFORE),
    )  # fmt: skip
    if not before:
        return "it is next"
    return f"{min(before, BEFORE):,}{' or more' if before >= BEFORE else ''} are before it"


def key_of(file: File, task_id: str) -> str | None:
    """Where a task is now, as a row's key; None when it neither waits nor runs."""
    for prefix, (table, _) in _TABLES.items():
        found = file.value(f"SELECT id FROM {table} WHERE task_id = ? LIMIT 1", (task_id,))
        if found is not None:
            return f"{prefix}{found}"
    return None


def _running(row: Row, *, look: Look) -> QueueTask:
    return QueueTask(
        key=f"r{row['id']}", state=TaskState.RUNNING, since=moment(row["claimed_at"]), worker=row["worker"],
        done=row["done"], total=row["total"], note=row["note"], cancel=bool(row["cancel"]),
        evidence=look.workers.get(row["worker"], Evidence.UNKNOWN), **_shared(row, look),
    )  # fmt: skip


def _pending(row: Row, *, look: Look) -> QueueTask:
    return QueueTask(
        key=f"p{row['id']}", state=TaskState.PENDING, since=moment(row["ready_at"]), **_shared(row, look)
    )


def _scheduled(row: Row, *, look: Look) -> QueueTask:
    return QueueTask(
        key=f"s{row['id']}", state=TaskState.SCHEDULED, since=moment(row["enqueued_at"]),
        due_at=moment(row["due_at"]), reason=row["reason"], **_shared(row, look),
    )  # fmt: skip


def _shared(row: Row, look: Look) -> dict[str, Any]:
    return {
        "known": look.known(row["name"]),
        "task_id": row["task_id"] or "",
        "name": row["name"] or "",
        "subject": row["subject"],
        "priority": row["priority"],
        "attempt": row["attempt"],
        "deliveries": row["deliveries"],
        "enqueued_at": moment(row["enqueued_at"]),
    }
