"""Claims: taking a task, giving it back, and freeing what the dead held."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from worker.queue.errors import PoisonError, QueueError
from worker.queue.identity import is_alive, workers_folder
from worker.queue.unit import Claim, RunState, Unit

if TYPE_CHECKING:
    from worker.queue.storage import DurableStorage
    from worker.sqlite import sqlite3

logger = logging.getLogger("worker.queue")

_SHARED = "ready_at, data, priority, task_id, name, subject, enqueued_at, attempt, deliveries"
CLAIM_COLUMNS = f"id, seq, {_SHARED}, claimed_at"
OPEN = "NOT EXISTS (SELECT 1 FROM pause WHERE queue = ? AND (paused_until IS NULL OR paused_until > ?))"
# A worker that was taken for dead while it was stopped has no row any more, and must take nothing under its old id.
_TAKE = f"""DELETE FROM task WHERE id =
    (SELECT id FROM task WHERE queue = ? ORDER BY priority DESC, id LIMIT 1) AND {OPEN}
    AND EXISTS (SELECT 1 FROM worker WHERE id = ?) RETURNING id, {_SHARED}"""
_LOOK = f"""SELECT id, {_SHARED} FROM task WHERE queue = ? AND {OPEN}
    AND EXISTS (SELECT 1 FROM worker WHERE id = ?) ORDER BY priority DESC, id LIMIT ?"""
_HOLD = (
    f"INSERT INTO claim ({CLAIM_COLUMNS}, queue, worker) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_RETURN = f"INSERT INTO task (id, {_SHARED}, queue) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Claims:
    """The claims of one `tasks.db`.

    Args:
        storage: through which everything is read and written.
    """

    def __init__(self, storage: DurableStorage) -> None:
        self._storage = storage
        self._late: deque[tuple[Claim, bool]] = deque()

    def take(self, conn: sqlite3.Connection) -> Claim | None:
        """Moves the next ready task into a claim; the caller's transaction is open."""
        storage = self._storage
        if storage.quarantine.closed or storage.identity.resting:
            return None
        now = storage.now()
        rows = conn.execute(_TAKE, (storage.name, storage.name, now, storage.identity.id)).fetchall()
        if not rows:
            return None
        row: tuple[Any, ...] = rows[0]
        seq, shared, deliveries = row[0], row[1:-1], row[-1] + 1
        claim = Claim(*(storage.identity.next_claim_id(), seq, *shared, deliveries, now))
        conn.execute(_HOLD, (*_row(claim), storage.name, claim.id >> 32))
        return claim

    def take_several(self, conn: sqlite3.Connection, wanted: int) -> list[Claim]:
        """As `take`, for tasks that are expected to be short. One that was handed out before comes alone."""
        if wanted == 1:
            one = self.take(conn)
            return [one] if one else []
        storage = self._storage
        if storage.quarantine.closed or storage.identity.resting:
            return []
        now, name = storage.now(), storage.name
        rows = conn.execute(_LOOK, (name, name, now, storage.identity.id, wanted)).fetchall()
        repeated = next((number for number, row in enumerate(rows) if row[-1]), len(rows))
        rows = rows[: max(repeated, 1)]
        claims = [Claim(*(storage.identity.next_claim_id(), *row[:-1], row[-1] + 1, now)) for row in rows]
        conn.executemany("DELETE FROM task WHERE id = ?", [(claim.seq,) for claim in claims])
        conn.executemany(_HOLD, [(*_row(claim), name, claim.id >> 32) for claim in claims])
        return claims

    def give_back(self, claim: Claim, *, counted: bool, ended: Unit | None = None) -> bool:
        """Returns a task to its place in the queue.

        Args:
            claim: what is given back.
            counted: whether this delivery counts against `max_deliveries`; one that ended because the
                worker was asked to stop does not.
            ended: the execution that ends with it, for the history.

        Returns:
            Whether it was still ours. When the database cannot be written now, the heartbeat tries again.
        """
        try:
            with self._storage.db(commit=True) as cursor:
                given = self._return(cursor, claim, counted=counted)
                if given and ended is not None:
                    for statement in self._storage.runs.statements(ended):
                        cursor.execute(*statement)
        except QueueError as error:
            self._storage.trouble.tell(error)
            self._late.append((claim, counted))
            return True
        self._storage.identity.bell.ring()
        return given

    def give_back_late(self) -> None:
        """Gives back what could not be given back when it was tried."""
        while self._late:
            claim, counted = self._late[0]
            with self._storage.db(commit=True) as cursor:
                self._return(cursor, claim, counted=counted)
            self._late.popleft()

    def _return(self, cursor: sqlite3.Cursor, claim: Claim, *, counted: bool) -> bool:
        if cursor.execute("DELETE FROM claim WHERE id = ?", (claim.id,)).rowcount != 1:
            return False
        deliveries = claim.deliveries - (not counted)
        cursor.execute(_RETURN, (*_row(claim)[1:-2], deliveries, self._storage.name))
        return True

    def give_back_all(self) -> int:
        """Gives back every task this process holds, uncounted: it was asked to stop.

        Returns:
            How many.
        """
        worker_id = self._storage.identity.id
        if worker_id is None:
            return 0
        claims = self._of(worker_id)
        for claim in claims:
            ended = Unit(claim, claim.claimed_at, state=RunState.INTERRUPTED, why="the worker was stopped")
            self.give_back(claim, counted=False, ended=ended)
        return len(claims)

    def held(self) -> list[int]:
        """The ids of the claims that this process holds."""
        worker_id = self._storage.identity.id
        return [] if worker_id is None else [claim.id for claim in self._of(worker_id)]

    def is_ours(self, claim: Claim) -> bool:
        """Whether no other worker has been given the task in the meantime."""
        return bool(self._storage.sql("SELECT 1 FROM claim WHERE id = ?", (claim.id,), results=True))

    def _of(self, worker_id: int) -> list[Claim]:
        query = f"SELECT {CLAIM_COLUMNS} FROM claim WHERE id >= ? AND id < ? ORDER BY id"
        rows = self._storage.sql(query, (worker_id << 32, (worker_id + 1) << 32), results=True)
        return [Claim(*row) for row in rows]

    # -- what the dead held -------------------------------------------------------------------

    def reap(self) -> int:
        """Gives back the claims of dead workers, buries poison, frees their locks, forgets them.

        Returns:
            How many tasks were freed.
        """
        storage, freed = self._storage, 0
        query = "SELECT id, heartbeat_at, heartbeat_s, host, pid FROM worker WHERE queue = ?"
        for worker_id, heartbeat_at, heartbeat_s, host, pid in storage.sql(
            query, (storage.name,), results=True
        ):
            if storage.identity.is_dead(worker_id, heartbeat_at, heartbeat_s):
                freed += self._free(worker_id, f"worker {host}:{pid} died")
        # A file put back from a backup, say: nobody would ever come for these.
        query = "SELECT DISTINCT worker FROM claim WHERE queue = ? AND worker NOT IN (SELECT id FROM worker)"
        for (worker_id,) in storage.sql(query, (storage.name,), results=True):
            if is_alive(storage.filename, worker_id) is not True:
                freed += self._free(worker_id, f"worker {worker_id} is not known any more")
        return freed

    def _free(self, worker_id: int, why: str) -> int:
        """Takes everything from a worker in one transaction, so that it can hold nothing afterwards."""
        storage = self._storage
        ends = {claim.id: self._end(claim, why) for claim in self._of(worker_id)}
        freed = 0
        with storage.db(commit=True) as cursor:
            for claim in self._of(worker_id):
                unit = ends.get(claim.id) or self._end(claim, why)
                if unit.state is RunState.DEAD:
                    cursor.execute("DELETE FROM claim WHERE id = ?", (claim.id,))
                else:
                    self._return(cursor, claim, counted=True)
                for statement in storage.runs.statements(unit):
                    cursor.execute(*statement)
                freed += 1
            cursor.execute("DELETE FROM kv WHERE owner = ?", (worker_id,))
            cursor.execute("DELETE FROM worker WHERE id = ?", (worker_id,))
        for suffix in ("lock", "sock"):
            with contextlib.suppress(OSError):
                (workers_folder(storage.filename) / f"{worker_id}.{suffix}").unlink(missing_ok=True)
        if freed:
            logger.warning("%s; %d of its tasks freed", why, freed)
            storage.identity.bell.ring()
        return freed

    def _end(self, claim: Claim, why: str) -> Unit:
        """How an execution ended whose worker died; a task that did it too often is buried."""
        storage = self._storage
        unit = Unit(claim, claim.claimed_at, state=RunState.INTERRUPTED, why=why)
        if claim.deliveries >= storage.max_deliveries:
            unit.state = RunState.DEAD
            unit.exception = PoisonError(f"took its worker down {claim.deliveries} times; last: {why}")
            storage.runs.bury(unit, reason="poison")
        return unit


def _row(claim: Claim) -> tuple[object, ...]:
    return (
        claim.id, claim.seq, claim.ready_at, claim.data, claim.priority, claim.task_id, claim.name,
        claim.subject, claim.enqueued_at, claim.attempt, claim.deliveries, claim.claimed_at,
    )  # fmt: skip


__all__ = ["CLAIM_COLUMNS", "Claims", "is_alive"]
