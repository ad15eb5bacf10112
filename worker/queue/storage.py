"""Huey's storage interface on our tables: nothing is deleted before its outcome is stored."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from worker.queue.claims import OPEN, Claims
from worker.queue.connection import BUSY_TIMEOUT_S
from worker.queue.hands import STALE_S
from worker.queue.identity import Identity
from worker.queue.message import Envelope
from worker.queue.outcomes import OutcomeStorage
from worker.queue.quarantine import Quarantine
from worker.queue.runs import Runs, count_event
from worker.queue.schema_tasks import NEXT_ID
from worker.queue.unit import Claim, Statement

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from worker.queue.hands import Hand

logger = logging.getLogger("worker.queue")

MOVE_CHUNK = 500

_ENVELOPE = "queue, data, priority, task_id, name, subject, enqueued_at, attempt, deliveries"
INSERT_TASK = f"INSERT INTO task (ready_at, {_ENVELOPE}, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {NEXT_ID})"
INSERT_SCHEDULE = (
    f"INSERT INTO schedule (due_at, reason, {_ENVELOPE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class DurableStorage(OutcomeStorage):
    """Tasks on SQLite that are claimed instead of deleted.

    Args:
        name: the queue's name; several queues may share a file.
        filename: `tasks.db`, or a function that gives its path when it is first needed.
        dlq_filename: `dlq.db`, likewise; default: beside `tasks.db`.
        timeout: seconds to wait for another connection's lock.
        heartbeat: seconds between the heartbeats of a worker.
        max_deliveries: a task handed out this often without an outcome becomes a dead letter.
        direct_schedule: a task with a future eta goes straight to the schedule. Huey first queues it
            and lets a worker move it, which its own tests rely on; so this is off by default.
        redact: takes secrets out of texts before they are stored in the history or a dead letter.
        now: the clock, Unix seconds.
        options: `most_at_once`, as `OutcomeStorage` takes it.

    Nothing is opened before the first use, so that importing a module of tasks touches no file.
    """

    def __init__(
        self,
        name: str = "huey",
        filename: str | Path | Callable[[], Path] = "huey.db",
        dlq_filename: str | Path | Callable[[], Path] | None = None,
        *,
        timeout: float = BUSY_TIMEOUT_S,
        heartbeat: float = 2.0,
        max_deliveries: int = 5,
        direct_schedule: bool = False,
        redact: Callable[[str], str] = str,
        now: Callable[[], float] = time.time,
        **options: Any,
    ) -> None:
        super().__init__(name, filename, dlq_filename, timeout=timeout, now=now, **options)
        self.heartbeat, self.max_deliveries, self.direct_schedule = heartbeat, max_deliveries, direct_schedule
        self.identity = Identity(self)
        self.claims = Claims(self)
        self.quarantine = Quarantine(self)
        self.runs = Runs(self, redact)

    # -- the queue ----------------------------------------------------------------------------

    def claim_next(self) -> Claim | None:
        """The next ready task, now claimed by this process; None when there is none."""
        hand = self.hand()
        if hand is not None and (claim := self._begin_of(hand)) is not None:
            return claim
        # A quick look without the write lock.
        query = f"SELECT 1 FROM task WHERE queue = ? AND {OPEN} LIMIT 1"
        if not self.sql(query, (self.name, self.name, self.now()), results=True):
            return None
        self.identity.ensure()
        with self.db(commit=True):
            claim = self.claims.take(self.conn)
        if hand is not None:
            hand.take(())
        return claim

    def _begin_of(self, hand: Hand) -> Claim | None:
        """The thread's next task that is still ours."""
        while (claim := hand.begin()) is not None:
            if time.monotonic() - hand.taken_at < STALE_S or self.claims.is_ours(claim):
                return claim
        return None

    def dequeue(self) -> bytes | None:
        """Huey's interface: the claimed message's bytes."""
        claim = self.claim_next()
        return claim.data if claim is not None else None

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Stores a task; when this returns it is on disk."""
        self.enqueue_many([(data, priority)])

    def enqueue_many(self, items: Iterable[tuple[bytes, float | None]]) -> None:
        """Stores several tasks in one transaction: all of them or none."""
        now = self.now()
        places = [self._place(data, priority, now) for data, priority in items]
        if not places:
            return
        self.write(*places, count_event(self.name, now, "enqueued", len(places)))
        self.wake()

    def arrival(self, data: bytes, priority: float | None, now: float) -> tuple[Statement, Statement]:
        """What stores a new task, and counts it."""
        return self._place(data, priority, now), count_event(self.name, now, "enqueued")

    def _place(self, data: bytes, priority: float | None, now: float) -> Statement:
        eta = data.eta.timestamp() if isinstance(data, Envelope) and data.eta else None
        columns = self._columns(data, priority, now)
        if self.direct_schedule and eta is not None and eta > now:
            return Statement(INSERT_SCHEDULE, (eta, self._reason(), *columns))
        return Statement(INSERT_TASK, (now, *columns, self.name))

    def wake(self) -> None:
        """Wakes idle workers, now or when the unit of work is committed."""
        unit = self.unit()
        if unit is not None:
            unit.wake = True
        elif self._recorded() is None:
            self.identity.bell.ring()

    def _columns(self, data: bytes, priority: float | None, now: float) -> tuple[Any, ...]:
        label = data if isinstance(data, Envelope) else Envelope()
        enqueued_at, attempt = now, 1
        unit = self.unit()
        if unit is not None and label.task_id is not None and label.task_id == unit.claim.task_id:
            # The same task comes back: as its next attempt, or because it is not due yet.
            enqueued_at, attempt = unit.claim.enqueued_at, unit.claim.attempt + unit.retrying
        return (
            self.name,
            bytes(data),
            (label.priority if priority is None else priority) or 0,
            label.task_id,
            label.name,
            label.subject,
            enqueued_at,
            attempt,
            0,
        )

    def _reason(self) -> str:
        unit = self.unit()
        return "retry" if unit is not None and unit.retrying else "delay"

    def add_to_schedule(self, data: bytes, ts: dt.datetime) -> None:
        """Stores a task that is to run at `ts`."""
        columns = self._columns(data, None, self.now())
        self.write(Statement(INSERT_SCHEDULE, (ts.timestamp(), self._reason(), *columns)))

    def move_due(self, reseal: Callable[[bytes], bytes]) -> int:
        """Moves tasks whose time has come into the queue, in chunks of one transaction each.

        Args:
            reseal: gives the message to queue for a scheduled one, usually the same bytes.

        Returns:
            How many were moved.
        """
        moved = 0
        while True:
            now = self.now()
            query = "SELECT 1 FROM schedule WHERE queue = ? AND due_at <= ? LIMIT 1"
            if not self.sql(query, (self.name, now), results=True):
                return moved
            with self.db(commit=True) as cursor:
                rows = cursor.execute(
                    f"SELECT id, due_at, {_ENVELOPE} FROM schedule WHERE queue = ? AND due_at <= ? "
                    "ORDER BY due_at, id LIMIT ?",
                    (self.name, now, MOVE_CHUNK),
                ).fetchall()
                arrived = [(row[1], row[2], reseal(row[3]), *row[4:], self.name) for row in rows]
                cursor.executemany(INSERT_TASK, arrived)
                cursor.executemany("DELETE FROM schedule WHERE id = ?", [(row[0],) for row in rows])
            moved += len(rows)
            self.identity.bell.ring()

    def queue_size(self) -> int:
        """How many tasks are ready; read from a counter."""
        return self._depth("pending")

    def schedule_size(self) -> int:
        """How many tasks wait for a time; read from a counter."""
        return self._depth("scheduled")

    def _depth(self, state: str) -> int:
        query = "SELECT n FROM depth WHERE queue = ? AND state = ?"
        rows = self.sql(query, (self.name, state), results=True)
        return int(rows[0][0]) if rows else 0

    def enqueued_items(self, limit: int | None = None) -> list[bytes]:
        """The ready messages in the order they will be taken."""
        query = "SELECT data FROM task WHERE queue = ? ORDER BY priority DESC, id LIMIT ?"
        return [row[0] for row in self.sql(query, (self.name, -1 if limit is None else limit), results=True)]

    def scheduled_items(self, limit: int | None = None) -> list[bytes]:
        """The scheduled messages, soonest first."""
        query = "SELECT data FROM schedule WHERE queue = ? ORDER BY due_at, id LIMIT ?"
        return [row[0] for row in self.sql(query, (self.name, -1 if limit is None else limit), results=True)]

    def read_schedule(self, ts: dt.datetime) -> list[bytes]:
        """Huey's interface: takes due messages away. Our scheduler uses `move_due`, which loses none."""
        with self.db(commit=True) as cursor:
            rows = cursor.execute(
                "SELECT id, data FROM schedule WHERE queue = ? AND due_at <= ? ORDER BY due_at, id",
                (self.name, ts.timestamp()),
            ).fetchall()
            cursor.executemany("DELETE FROM schedule WHERE id = ?", [(row[0],) for row in rows])
        return [row[1] for row in rows]

    # -- results, locks, counters ---------------------------------------------------------------

    def delete_data(self, key: str) -> bool:
        """Deletes a key; inside a unit of work the answer is always True, since it comes later."""
        query, params = "DELETE FROM kv WHERE queue = ? AND key = ?", (self.name, key)
        unit = self.unit()
        if unit is not None and not unit.live:
            self.write(Statement(query, params))
            return True
        with self.db(commit=True) as cursor:
            return bool(cursor.execute(query, params).rowcount == 1)

    def put_if_empty(self, key: str, value: bytes, ttl: float | None = None) -> bool:
        """Takes a lock; it remembers its worker, so that a dead worker's locks are freed."""
        if ttl is not None:
            raise NotImplementedError("ttl is not supported by this storage.")
        owner = self.identity.id if ".lock." in str(key) else None
        with self.db(commit=True) as cursor:
            cursor.execute(
                "INSERT INTO kv (queue, key, value, owner) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (self.name, key, self.to_blob(value), owner),
            )
            return bool(cursor.rowcount == 1)
