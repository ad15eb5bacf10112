"""Canary retry: one dead letter of a cause first; the rest when it has succeeded; none when the cause returns.

What is still to be done is in `dlq.db`, and the worker's scheduler does it, so that it goes on when the console
is closed. The rest is let go in growing waves, and before each the history is looked at: a run that failed of the
same cause meanwhile stops it. Everything is safe to do twice, since a retry's task has an id of its own.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.queue.connection import wrapped
from worker.queue.retries import CHUNK, retry
from worker.queue.unit import RunState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.queue.storage import DurableStorage
    from worker.sqlite import sqlite3

logger = logging.getLogger("worker.queue")

FIRST_WAVE = 10
# Runs of the history that one look takes in.
LOOK = 5_000


class CanaryState(StrEnum):
    """How far a canary retry is."""

    WAITING = "waiting"  # for the first one's outcome
    RELEASING = "releasing"  # the first has succeeded, the others follow
    RELEASED = "released"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class _Canary(NamedTuple):
    id: int
    entry: str
    fingerprint: str
    state: str
    released: int
    letter: int
    task_id: str | None
    seen_run: int


class Canaries:
    """The canary retries of one queue.

    Args:
        storage: both files.
    """

    def __init__(self, storage: DurableStorage) -> None:
        self._storage = storage

    def start(
        self, conn: sqlite3.Connection, entry: str, fingerprint: str, letter_ids: Sequence[int], actor: str
    ) -> int:
        """Begins one; the caller's transaction is on `dlq.db`. `step` does the rest.

        Args:
            conn: of the dead letters.
            entry: the journal's id of the act.
            fingerprint: the cause.
            letter_ids: its letters, the one that goes first at the front.
            actor: who began it.
        """
        now = self._storage.now()
        canary = conn.execute(
            """INSERT INTO canary (queue, entry, fingerprint, count, letter, actor, started_at, changed_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            (self._storage.name, entry, fingerprint, len(letter_ids), letter_ids[0], actor, now, now),
        ).lastrowid
        assert canary is not None
        conn.executemany("INSERT INTO canary_letter VALUES (?, ?)", [(canary, one) for one in letter_ids[1:]])
        return canary

    def going(self) -> frozenset[str]:
        """The causes whose canary still waits, or lets letters go."""
        query = "SELECT fingerprint FROM canary WHERE queue = ? AND state IN ('waiting', 'releasing')"
        letters = self._storage.letters
        with wrapped(letters.path):
            rows = letters.connection().execute(query, (self._storage.name,)).fetchall()
        return frozenset(row[0] for row in rows)

    def step(self) -> None:
        """Brings each that goes on a step further; most seconds there is none."""
        letters = self._storage.letters
        with wrapped(letters.path):
            going = letters.connection().execute(
                """SELECT id, entry, fingerprint, state, released, letter, task_id, seen_run FROM canary
                WHERE queue = ? AND state IN ('waiting', 'releasing')""",
                (self._storage.name,),
            )  # fmt: skip
            canaries = [_Canary(*row) for row in going.fetchall()]
        for canary in canaries:
            if canary.task_id is None:
                self._send_first(canary)
            elif canary.state == CanaryState.WAITING:
                self._look_at_first(canary)
            else:
                self._release(canary)

    def _send_first(self, canary: _Canary) -> None:
        done = retry(self._storage, canary.entry, [canary.letter])
        if task_id := done.tasks.get(canary.letter):
            self._set(canary, task_id=task_id, released=1, seen_run=self._last_run())
            return
        # Somebody else has dealt with that letter: the next one goes first.
        query = "SELECT max(letter) FROM canary_letter WHERE canary = ?"
        with self._storage.letters.transaction() as conn:
            (following,) = conn.execute(query, (canary.id,)).fetchone()
            conn.execute("DELETE FROM canary_letter WHERE canary = ? AND letter = ?", (canary.id, following))
            if following is not None:
                conn.execute("UPDATE canary SET letter = ? WHERE id = ?", (following, canary.id))
        if following is None:
            self._stop(
                canary, f"no letter can go first: {done.refused[0][1] if done.refused else 'none is left'}"
            )

    def _look_at_first(self, canary: _Canary) -> None:
        """What has become of the one that went first."""
        runs = self._storage.sql(
            "SELECT state, fingerprint, error FROM run WHERE task_id = ? ORDER BY id DESC LIMIT 1",
            (canary.task_id,), results=True,
        )  # fmt: skip
        state, fingerprint, error = runs[0] if runs else (None, None, None)
        if state in {RunState.RETRYING, RunState.DEAD} and fingerprint == canary.fingerprint:
            self._stop(canary, "the same cause came back")
        elif state == RunState.DEAD:
            self._stop(canary, f"the first one failed of another cause: {error}")
        elif state == RunState.COMPLETED:
            self._set(canary, state=CanaryState.RELEASING, seen_run=self._last_run())
        elif state in {RunState.SKIPPED, RunState.CANCELLED}:
            self._stop(canary, f"the first one was {state}, which proves nothing")
        elif not self._is_somewhere(canary.task_id):
            self._stop(canary, "the first one was taken away")

    def _is_somewhere(self, task_id: str | None) -> bool:
        return any(
            self._storage.sql(f"SELECT 1 FROM {table} WHERE task_id = ? LIMIT 1", (task_id,), results=True)
            for table in ("task", "schedule", "claim")
        ) or bool(self._storage.sql("SELECT 1 FROM run WHERE task_id = ? LIMIT 1", (task_id,), results=True))

    def _release(self, canary: _Canary) -> None:
        """Lets the next wave go, unless the cause has come back."""
        seen, again = self._came_back(canary)
        if again:
            self._stop(canary, "the same cause came back")
            return
        wave = min(max(canary.released * 10, FIRST_WAVE), CHUNK)
        letters = self._storage.letters
        with wrapped(letters.path):
            rows = letters.connection().execute(
                "SELECT letter FROM canary_letter WHERE canary = ? ORDER BY letter LIMIT ?", (canary.id, wave)
            )  # fmt: skip
            members = [row[0] for row in rows.fetchall()]
        done = retry(self._storage, canary.entry, members) if members else None
        with letters.transaction() as conn:
            conn.executemany(
                "DELETE FROM canary_letter WHERE canary = ? AND letter = ?",
                [(canary.id, member) for member in members],
            )
        released = canary.released + (len(done.tasks) if done else 0)
        ended = len(members) < wave
        self._set(
            canary, released=released, seen_run=seen,
            state=CanaryState.RELEASED if ended else CanaryState.RELEASING,
        )  # fmt: skip
        if ended:
            logger.info("canary %d: %d dead letters were retried", canary.id, released)

    def _came_back(self, canary: _Canary) -> tuple[int, bool]:
        """Up to which run the history was looked at, and whether one of the cause is there."""
        rows = self._storage.sql(
            "SELECT id, state, fingerprint FROM run WHERE id > ? ORDER BY id LIMIT ?",
            (canary.seen_run, LOOK), results=True,
        )  # fmt: skip
        failed = {RunState.RETRYING, RunState.DEAD}
        again = any(state in failed and mark == canary.fingerprint for _, state, mark in rows)
        return (rows[-1][0] if rows else canary.seen_run), again

    def _last_run(self) -> int:
        return int(self._storage.sql("SELECT coalesce(max(id), 0) FROM run", results=True)[0][0])

    def _stop(self, canary: _Canary, why: str) -> None:
        logger.warning("canary %d is stopped: %s", canary.id, why)
        self._set(canary, state=CanaryState.STOPPED, why=why[:500])

    def _set(self, canary: _Canary, **columns: Any) -> None:
        """Changes one that still goes on; one that was cancelled meanwhile stays so."""
        names = ", ".join(f"{name} = ?" for name in columns)
        with self._storage.letters.transaction() as conn:
            conn.execute(
                f"UPDATE canary SET {names}, changed_at = ? WHERE id = ? AND state IN ('waiting', 'releasing')",
                (*columns.values(), self._storage.now(), canary.id),
            )
            if columns.get("state") in {CanaryState.STOPPED, CanaryState.RELEASED}:
                conn.execute("DELETE FROM canary_letter WHERE canary = ?", (canary.id,))
