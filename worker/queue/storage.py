"""Huey's storage interface on our tables: nothing is deleted before its outcome is stored."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huey.storage import SqliteStorage

from worker.queue.claims import Claims
from worker.queue.connection import BUSY_TIMEOUT_S, is_passing, open_tasks, transaction, wrapped
from worker.queue.dead_letters import DeadLetters
from worker.queue.errors import ClaimLostError
from worker.queue.identity import Identity
from worker.queue.message import Envelope
from worker.queue.runs import Runs, count_event
from worker.queue.unit import Claim, Statement, Unit

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

logger = logging.getLogger("worker.queue")

# How long an outcome is held in memory and tried again while the database is locked or full.
OUTCOME_PATIENCE_S = 600.0
MOVE_CHUNK = 500

_ENVELOPE = "queue, data, priority, task_id, name, subject, enqueued_at, attempt, deliveries"
INSERT_TASK = f"INSERT INTO task (ready_at, {_ENVELOPE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_SCHEDULE = (
    f"INSERT INTO schedule (due_at, reason, {_ENVELOPE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class DurableStorage(SqliteStorage):
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
        self._filename = filename
        self._dlq_filename = dlq_filename
        self.heartbeat, self.max_deliveries, self.now = heartbeat, max_deliveries, now
        self.direct_schedule = direct_schedule
        super().__init__(name, filename=None, timeout=timeout, create_tables=False, **options)
        # Re-entrant, since a live unit keeps it while Huey goes on calling us.
        self.lock = threading.RLock()
        self._thread = threading.local()
        self._letters: DeadLetters | None = None
        self.identity = Identity(self)
        self.claims = Claims(self)
        self.runs = Runs(self, redact)

    @property
    def filename(self) -> Path:
        """The path of `tasks.db`, absolute."""
        if not isinstance(self._filename, Path) or not self._filename.is_absolute():
            given = self._filename() if callable(self._filename) else self._filename
            self._filename = Path(given).absolute()
        return self._filename

    @filename.setter
    def filename(self, _value: object) -> None:
        """Huey's constructor sets it; ours has already."""

    @property
    def letters(self) -> DeadLetters:
        """The dead letters' file."""
        if self._letters is None:
            given = self._dlq_filename() if callable(self._dlq_filename) else self._dlq_filename
            path = Path(given).absolute() if given else self.filename.with_name("dlq.db")
            self._letters = DeadLetters(path, queue=self.name, timeout=self._timeout)
        return self._letters

    def _create_connection(self) -> sqlite3.Connection:
        return open_tasks(self.filename, timeout=self._timeout, cache_mb=self._cache_mb)

    def initialize_schema(self) -> None:
        """Opens the file, which creates or migrates it."""
        with self.lock:
            _ = self.conn

    def close(self) -> bool:
        """Closes both files; the next use opens them again. Needed before a fork."""
        if self._letters is not None:
            self._letters.close()
        return bool(super().close())

    # -- transactions -------------------------------------------------------------------------

    def unit(self) -> Unit | None:
        """The unit of work that records this thread's writes, if there is one."""
        unit: Unit | None = getattr(self._thread, "unit", None)
        return unit if unit is not None and not unit.in_body else None

    @contextlib.contextmanager
    def db(self, commit: bool = False, close: bool = False) -> Iterator[Any]:
        """A cursor; with `commit`, inside one transaction, or inside the unit of work."""
        unit = self.unit()
        if unit is not None and (commit or unit.live):
            self._go_live(unit)
            with contextlib.closing(self.conn.cursor()) as cursor:
                yield cursor
            return
        with self.lock, wrapped(self.filename):
            try:
                with contextlib.closing(self.conn.cursor()) as cursor:
                    if commit:
                        with transaction(self.conn):
                            yield cursor
                    else:
                        yield cursor
            finally:
                if close:
                    self.conn.close()
                    self._conn = None

    def sql(
        self, query: str, params: Iterable[Any] | None = None, commit: bool = False, results: bool = False
    ) -> Any:
        """Executes one statement; inside a unit of work a write is recorded instead."""
        unit = self.unit()
        if unit is not None and commit and not results and not unit.live:
            unit.writes.append(Statement(query, tuple(params or ())))
            return None
        return super().sql(query, params, commit, results)

    def write(self, *statements: Statement) -> None:
        """Executes the statements in one transaction, or records them in the unit of work."""
        unit = self.unit()
        if unit is not None and not unit.live:
            unit.writes.extend(statements)
            return
        with self.db(commit=True) as cursor:
            for statement in statements:
                cursor.execute(*statement)

    def _go_live(self, unit: Unit) -> None:
        """Opens the transaction that the rest of the unit runs in."""
        if unit.live:
            return
        self.lock.acquire()
        try:
            self._begin_patiently()
            for statement in unit.writes:
                self.conn.execute(*statement)
        except BaseException:
            if self.conn.in_transaction:
                self.conn.rollback()
            self.lock.release()
            raise
        unit.live = True
        unit.writes.clear()

    def _begin_patiently(self) -> None:
        deadline = time.monotonic() + OUTCOME_PATIENCE_S
        while True:
            try:
                self.conn.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_passing(error) or time.monotonic() > deadline:
                    raise
                logger.warning("waiting for the database: %s", error)
                time.sleep(0.05)
            else:
                return

    # -- the unit of work ---------------------------------------------------------------------

    def open_unit(self, claim: Claim) -> Unit:
        """Starts recording this thread's writes."""
        unit = Unit(claim, started_at=self.now())
        self._thread.unit = unit
        return unit

    def enter_body(self, unit: Unit) -> None:
        """The task's own code starts: what was recorded so far is stored, and recording stops."""
        if unit.live or unit.writes:
            self._commit(unit, (), acknowledge=False)
        unit.in_body = True

    def leave_body(self, unit: Unit) -> None:
        """The task's own code has ended: recording goes on."""
        unit.in_body = False

    def abandon(self, unit: Unit) -> None:
        """Drops what was recorded."""
        self._thread.unit = None
        if unit.live:
            unit.live = False
            try:
                self.conn.rollback()
            finally:
                self.lock.release()

    def settle(self, unit: Unit, statements: Iterable[Statement]) -> None:
        """Stores all that was recorded, `statements` and the acknowledgement in one transaction.

        A thread that works in a loop (`claim_ahead`) gets its next task in that same transaction.

        Raises:
            ClaimLostError: another worker has the task now; nothing was stored.
            sqlite3.Error: the database could not be written for `OUTCOME_PATIENCE_S`.
        """
        self._thread.unit = None
        last = tuple(statements)
        deadline = time.monotonic() + OUTCOME_PATIENCE_S
        pause = 0.05
        while True:
            was_live = unit.live
            try:
                self._commit(unit, last, acknowledge=True)
                break
            except sqlite3.OperationalError as error:
                if was_live or not is_passing(error) or time.monotonic() > deadline:
                    raise
                logger.warning("the outcome of %s is not stored yet: %s", unit.claim.task_id, error)
                time.sleep(pause)
                pause = min(2.0, pause * 2)
        if unit.wake:
            self.identity.bell.ring()

    def _commit(self, unit: Unit, statements: tuple[Statement, ...], *, acknowledge: bool) -> None:
        ahead = acknowledge and getattr(self._thread, "ahead", False)
        following = None
        if not unit.live:
            self.lock.acquire()
        try:
            execute = self.conn.execute
            if not unit.live:
                execute("BEGIN IMMEDIATE")
            for statement in unit.writes:
                execute(*statement)
            if acknowledge:
                self._let_go(unit.claim)
                for statement in statements:
                    execute(*statement)
                following = self.claims.take(self.conn) if ahead else None
            execute("COMMIT")
        except BaseException:
            if self.conn.in_transaction:
                self.conn.rollback()
            raise
        finally:
            unit.live = False
            self.lock.release()
        unit.writes.clear()
        self._thread.following = following

    def _let_go(self, claim: Claim) -> None:
        if self.conn.execute("DELETE FROM claim WHERE id = ?", (claim.id,)).rowcount != 1:
            raise ClaimLostError(f"task {claim.task_id} was given to another worker; this outcome is refused")

    def claim_ahead(self, wanted: bool) -> None:
        """Whether this thread's acknowledgements also claim its next task; what is left is given back."""
        self._thread.ahead = wanted
        following: Claim | None = getattr(self._thread, "following", None)
        if not wanted and following is not None:
            self._thread.following = None
            self.claims.give_back(following, counted=False)

    # -- the queue ----------------------------------------------------------------------------

    def claim_next(self) -> Claim | None:
        """The next ready task, now claimed by this process; None when there is none."""
        following: Claim | None = getattr(self._thread, "following", None)
        if following is not None:
            self._thread.following = None
            return following
        # A quick look without the write lock.
        if not self.sql("SELECT 1 FROM task WHERE queue = ? LIMIT 1", (self.name,), results=True):
            return None
        self.identity.ensure()
        with self.db(commit=True):
            return self.claims.take(self.conn)

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
        statements = [part for data, priority in items for part in self.arrival(data, priority, now)]
        self.write(*statements)
        self.wake()

    def arrival(self, data: bytes, priority: float | None, now: float) -> tuple[Statement, Statement]:
        """What stores a new task, and counts it."""
        eta = data.eta.timestamp() if isinstance(data, Envelope) and data.eta else None
        columns = self._columns(data, priority, now)
        if self.direct_schedule and eta is not None and eta > now:
            place = Statement(INSERT_SCHEDULE, (eta, self._reason(), *columns))
        else:
            place = Statement(INSERT_TASK, (now, *columns))
        return place, count_event(self.name, now, "enqueued")

    def wake(self) -> None:
        """Wakes idle workers, now or when the unit of work is committed."""
        unit = self.unit()
        if unit is not None:
            unit.wake = True
        else:
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
                cursor.executemany(INSERT_TASK, [(row[1], row[2], reseal(row[3]), *row[4:]) for row in rows])
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
