"""Drift: tasks whose name no worker knows, because their code was renamed or has gone.

A worker that takes such a task makes a dead letter of it. An operator can do so before, and undo it.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from worker.queue.dead_letters import Death
from worker.queue.errors import QueueError, RefusedError
from worker.queue.failures import describe
from worker.queue.queue_desk import MOVED_ON, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.queue.change import Change, Chosen
    from worker.queue.operator import Operator
    from worker.queue.queue_desk import Outcome
    from worker.queue.storage import DurableStorage
    from worker.sqlite import sqlite3

REASON = "unknown_task"
_COLUMNS = "id, task_id, name, subject, data, priority, attempt"


def known(storage: DurableStorage) -> frozenset[str]:
    """The tasks that the last worker knew.

    Raises:
        RefusedError: no worker has said yet which tasks it knows.
    """
    query = "SELECT name FROM handler WHERE queue = ?"
    names = frozenset(name for (name,) in storage.sql(query, (storage.name,), results=True))
    if not names:
        raise RefusedError("no worker has said yet which tasks it knows: start one first")
    return names


def quarantine(
    operator: Operator,
    chosen: Chosen,
    refused: Sequence[tuple[str, str]] = (),
    about: Mapping[str, Any] | None = None,
) -> Change:
    """Makes dead letters of waiting tasks whose name no worker knows; others are left.

    Raises:
        RefusedError: no worker has said yet which tasks it knows.
    """
    storage, names = operator.storage, known(operator.storage)

    def step(cursor: sqlite3.Cursor, entry: str, source: str, rows: Sequence[int]) -> Outcome:
        marks = ",".join("?" * len(rows))
        query = f"SELECT {_COLUMNS} FROM {TABLES[source]} WHERE +queue = ? AND id IN ({marks})"
        there = cursor.execute(query, (storage.name, *rows)).fetchall()
        unknown = [row for row in there if row[2] not in names]
        # The letters come first: a crash between the two files leaves both, never neither.
        storage.letters.bury(*(_death(storage, *row[1:]) for row in unknown))
        operator.queue.take(cursor, entry, source, [row[0] for row in unknown])
        why_not = [(row[1], "a worker knows this task") for row in there if row[2] in names]
        return [row[1] for row in unknown], why_not + [
            (str(row), MOVED_ON) for row in set(rows) - {row[0] for row in there}
        ]

    return operator.queue.each("quarantine", chosen, step, list(refused), about, running="runs already")


def take_letters(storage: DurableStorage, tasks: Sequence[tuple[str, int]]) -> set[str]:
    """Takes the letters of a quarantine away again; gives the ids of the tasks whose letter was still there."""
    with storage.letters.transaction() as conn:
        return {
            task_id
            for task_id, attempt in tasks
            if conn.execute(
                "DELETE FROM letter WHERE death = ? AND state = 'dead'", (_name(task_id, attempt),)
            ).rowcount
        }


def _name(task_id: str, attempt: int) -> str:
    # As a worker names the same death, so that both together are one letter.
    return f"{task_id}/{attempt}/{REASON}"


def _death(
    storage: DurableStorage, task_id: str, name: str, subject: str | None, data: bytes, priority: float,
    attempt: int,
) -> Death:  # fmt: skip
    now = storage.now()
    failure = describe(QueueError(f"no task of this name is registered with the worker: {name}"))
    at = dt.datetime.fromtimestamp(now, dt.UTC).isoformat()
    return Death(
        death=_name(task_id, attempt), task_id=task_id or "", name=name or "", subject=subject, reason=REASON,
        data=data, priority=priority, args=storage.runs.args_of(data),
        attempts=json.dumps([{"attempt": attempt, "at": at, "error": "put aside by an operator"}]),
        worker=None, first_seen=now, last_seen=now, failure=failure,
    )  # fmt: skip
