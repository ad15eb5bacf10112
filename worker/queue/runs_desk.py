"""An operator at the history: what ran once can be run once more."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple

import orjson

from worker.queue.arguments import HIDDEN
from worker.queue.connection import wrapped
from worker.queue.errors import MessageError, RefusedError
from worker.queue.message import VERSION, Envelope, decode

if TYPE_CHECKING:
    from worker.queue.change import Change
    from worker.queue.operator import Operator
    from worker.sqlite import sqlite3


class _Ended(NamedTuple):
    """What the history says of a run."""

    task_id: str
    name: str
    subject: str | None
    args: str | None


class RunsDesk:
    """An operator at the history.

    Args:
        operator: who acts.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator, self._storage = operator, operator.storage

    def again(self, run_id: int) -> Change:
        """Enqueues a run's task as a new one, with the same arguments and all its attempts before it.

        Args:
            run_id: of the history.

        Raises:
            RefusedError: the task has not come to its end, or the history does not keep what it was called with.
        """
        run = self._find(run_id)
        self._refuse_dead(run)
        sealed = _sealed(str(uuid.uuid4()), run)
        return self._operator.store(
            sealed, lambda cursor: _refuse_unended(cursor, run), note=f"task {run.task_id} again"
        )

    def _find(self, run_id: int) -> _Ended:
        query = "SELECT task_id, name, subject, args FROM run WHERE id = ? AND queue = ?"
        rows = self._storage.sql(query, (run_id, self._storage.name), results=True)
        if not rows:
            raise RefusedError(f"run {run_id} is not in the history any more")
        return _Ended(*rows[0])

    def _refuse_dead(self, run: _Ended) -> None:
        letters = self._storage.letters
        query = "SELECT id FROM letter WHERE task_id = ? AND state = 'dead' LIMIT 1"
        with wrapped(letters.path):
            found = letters.connection().execute(query, (run.task_id,)).fetchone()
        if found:
            raise RefusedError(
                f"the task is dead letter {found[0]}: retry that instead, so that it does not stay behind"
            )


def _refuse_unended(cursor: sqlite3.Cursor, run: _Ended) -> None:
    for table, state in (
        ("claim", "runs now"),
        ("task", "waits to run"),
        ("schedule", "will be tried again"),
    ):
        if cursor.execute(f"SELECT 1 FROM {table} WHERE task_id = ? LIMIT 1", (run.task_id,)).fetchone():
            raise RefusedError(f"the task {state}: nothing was enqueued beside it")


def _sealed(task_id: str, run: _Ended) -> Envelope:
    """The message of the same call; the history keeps arguments as JSON, without secrets."""
    if run.args is None:
        raise RefusedError("the history does not keep what the task was called with")
    if HIDDEN in run.args:
        raise RefusedError(
            "an argument holds a secret, which the history does not keep: enqueue the task anew"
        )
    try:
        call = orjson.loads(run.args)
        data = orjson.dumps(
            {"v": VERSION, "id": task_id, "name": run.name, "args": call["args"], "kwargs": call["kwargs"]}
        )
        decode(data)
    except (ValueError, TypeError, KeyError, MessageError) as error:
        raise RefusedError("what the task was called with cannot be read in the history") from error
    sealed = Envelope(data)
    sealed.task_id, sealed.name, sealed.subject = task_id, run.name, run.subject
    return sealed
