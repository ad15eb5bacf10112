"""`dlq.db`: tasks that will not run again by themselves.

A letter is written before the claim of its task is let go, so a crash between the two files leaves both
(and the next report of the same death changes nothing), never neither.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worker.queue import journal
from worker.queue.connection import BUSY_TIMEOUT_S, QueueConnection, open_letters, transaction, wrapped
from worker.queue.unit import RunState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from worker.queue.failures import Failure
    from worker.queue.unit import Unit
    from worker.sqlite import sqlite3

_BURY = """INSERT INTO letter (death, queue, task_id, name, subject, reason, data, priority, args, attempts, worker,
    first_seen, last_seen, error_type, error, traceback, fingerprint, retries)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (death) DO UPDATE SET last_seen = excluded.last_seen, attempts = excluded.attempts,
        error_type = excluded.error_type, error = excluded.error, traceback = excluded.traceback"""


@dataclass(frozen=True, slots=True)
class Death:
    """A task at its end; the fields are the letter's columns, times in Unix seconds."""

    death: str
    task_id: str
    name: str
    subject: str | None
    reason: str
    data: bytes | None
    priority: float
    args: str | None
    attempts: str
    worker: str | None
    first_seen: float
    last_seen: float
    failure: Failure


class DeadLetters:
    """The dead letters of one queue; opened when first used, usable from several threads.

    Args:
        path: `dlq.db`.
        queue: whose letters are written and read.
        timeout: seconds to wait for another connection's lock.
    """

    def __init__(self, path: Path, *, queue: str, timeout: float = BUSY_TIMEOUT_S) -> None:
        self.path, self._queue, self._timeout = path, queue, timeout
        self._lock = threading.RLock()
        self._conn: QueueConnection | None = None

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        with self._lock:
            if self._conn is not None:
                self._conn.close()
                self._conn = None

    def locks(self) -> list[Any]:
        """What a fork has to hold."""
        return [self._lock]

    def start_anew(self) -> list[Any]:
        """After a fork, in the child: as if it had not been opened; returns the parent's connection."""
        self._lock, conn, self._conn = threading.RLock(), self._conn, None
        return [conn]

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction on the file."""
        with self._lock, wrapped(self.path), transaction(self.connection(), self._timeout) as conn:
            yield conn

    def refuse_newer(self) -> None:
        """Raises where a newer version has taken the file over: see `QueueConnection`."""
        with self._lock, wrapped(self.path):
            self.connection().refuse_newer()

    def connection(self) -> QueueConnection:
        """The open connection."""
        if self._conn is None:
            self._conn = open_letters(self.path, timeout=self._timeout)
        return self._conn

    def bury(self, *deaths: Death) -> None:
        """Stores letters; the same death again only brings its letter up to date."""
        with self.transaction() as conn:
            for death in deaths:
                self._bury(conn, death)

    def _bury(self, conn: sqlite3.Connection, death: Death) -> None:
        failure = death.failure
        earlier = conn.execute(
            "SELECT first_seen, retries FROM letter WHERE retried_as = ?", (death.task_id,)
        ).fetchone()
        first_seen, retries = earlier or (death.first_seen, 0)
        row = (
                death.death, self._queue, death.task_id, death.name, death.subject, death.reason, death.data,
                death.priority, death.args, death.attempts, death.worker, min(first_seen, death.first_seen),
                death.last_seen, failure.error_type, failure.error, failure.traceback, failure.fingerprint, retries,
            )  # fmt: skip
        conn.execute(_BURY, row)
        # The retry of an earlier letter has died in turn: this letter speaks for both.
        conn.execute("DELETE FROM letter WHERE retried_as = ?", (death.task_id,))

    def resolve(self, task_id: str, *, redelivered: bool = False) -> int:
        """A task has succeeded: the letter it is the retry of is no longer needed.

        Args:
            task_id: of the task.
            redelivered: it ran before without its outcome coming back; then a letter of its own may
                have been written just before its worker died.

        Returns:
            How many letters were resolved.
        """
        where = "retried_as = ?" + (" OR (task_id = ? AND state = 'dead')" if redelivered else "")
        params = (task_id, task_id) if redelivered else (task_id,)
        # Almost every task has no letter; finding that out must not cost a write transaction.
        with self._lock, wrapped(self.path):
            found = (
                self.connection().execute(f"SELECT 1 FROM letter WHERE {where} LIMIT 1", params).fetchone()
            )
        if found is None:
            return 0
        with self.transaction() as conn:
            return conn.execute(f"DELETE FROM letter WHERE {where}", params).rowcount

    def unlink(self, task_ids: Sequence[str]) -> None:
        """Retries were taken away before they ended: their letters are dead again; the link stays."""
        self._set_state("dead", "retrying", task_ids)

    def relink(self, task_ids: Sequence[str]) -> None:
        """Retries that were taken away have come back: their letters wait for them again."""
        self._set_state("retrying", "dead", task_ids)

    def _set_state(self, state: str, before: str, task_ids: Sequence[str]) -> None:
        if not self.count(before):
            return  # almost always, and that must not cost a write transaction
        with self.transaction() as conn:
            conn.executemany(
                "UPDATE letter SET state = ? WHERE retried_as = ? AND state = ?",
                [(state, task_id, before) for task_id in task_ids],
            )

    def forget_retry(self, task_ids: Sequence[str]) -> None:
        """Retries were undone: their letters are as they were before."""
        with self.transaction() as conn:
            conn.executemany(
                """UPDATE letter SET state = 'dead', retries = retries - 1, retried_as = NULL, retried_at = NULL
                WHERE retried_as = ? AND state = 'retrying'""",
                [(task_id,) for task_id in task_ids],
            )

    def follow(self, units: Iterable[Unit]) -> None:
        """Executions have ended: the letters that they are the retries of hear of it; almost always there are none."""
        for unit in units:
            task_id = unit.claim.task_id
            if task_id is None:
                continue
            if unit.state is RunState.COMPLETED:
                self.resolve(task_id, redelivered=unit.claim.deliveries > 1)
            elif unit.state in {RunState.CANCELLED, RunState.SKIPPED}:
                # The retry has proven nothing: nobody waits for it any more.
                self.unlink([task_id])

    def retried_at(self, task_id: str) -> float | None:
        """When the letter was retried that this task is the retry of, in Unix seconds; None where it is of none."""
        query = "SELECT max(retried_at) FROM letter WHERE retried_as = ?"
        with self._lock, wrapped(self.path):
            found: float | None = self.connection().execute(query, (task_id,)).fetchone()[0]
        return found

    def retrying(self) -> list[str]:
        """Ids of the tasks that are retries of a letter."""
        with self._lock, wrapped(self.path):
            rows = (
                self.connection().execute("SELECT retried_as FROM letter WHERE state = 'retrying'").fetchall()
            )
        return [row[0] for row in rows]

    def half_retried(self) -> list[str]:
        """Ids of the tasks that letters were to be retried as, where these look dead: cancelled, or cut short by a crash."""
        query = "SELECT retried_as FROM letter WHERE state = 'dead' AND retried_as IS NOT NULL"
        with self._lock, wrapped(self.path):
            return [row[0] for row in self.connection().execute(query).fetchall()]

    def retried(self, task_ids: Sequence[str], at: float) -> None:
        """Their letters, which look dead, are being retried as these tasks; since `at`, in Unix seconds."""
        with self.transaction() as conn:
            conn.executemany(
                """UPDATE letter SET state = 'retrying', retried_at = ?, retries = retries + 1
                WHERE retried_as = ? AND state = 'dead'""",
                [(at, task_id) for task_id in task_ids],
            )

    def causes(self) -> list[tuple[str, str, str | None, str | None, str | None, float]]:
        """The causes of what is dead: fingerprint, then task, subject, error type and error of a sample, first seen."""
        query = """SELECT cause.fingerprint, letter.name, letter.subject, letter.error_type, letter.error, cause.first_seen
            FROM cause JOIN letter ON letter.id = cause.sample"""
        with self._lock, wrapped(self.path):
            return self.connection().execute(query).fetchall()

    def entries(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest letters first, as plain dicts.

        Args:
            limit: how many at the most.
        """
        query = """SELECT id, name AS task_name, error_type, error, last_seen AS timestamp, task_id, subject, reason,
            traceback, attempts, args, worker, first_seen, fingerprint, retries
            FROM letter WHERE state = 'dead' ORDER BY last_seen DESC, id DESC LIMIT ?"""
        with self._lock, wrapped(self.path):
            cursor = self.connection().execute(query, (limit,))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def count(self, state: str = "dead") -> int:
        """How many letters are dead, or are being retried; read from a counter."""
        with self._lock, wrapped(self.path):
            row = self.connection().execute("SELECT n FROM depth WHERE state = ?", (state,)).fetchone()
        return int(row[0]) if row else 0

    def newest_entry(self) -> str:
        """The highest id in the file's journal."""
        with self._lock, wrapped(self.path):
            return journal.newest(self.connection())
