"""Two files, and the unit of work: an outcome is one transaction with all that follows from it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from huey.storage import SqliteStorage

from worker.queue import forks
from worker.queue.connection import begin, is_passing, open_tasks, patiently, told, transaction, wrapped
from worker.queue.dead_letters import DeadLetters
from worker.queue.group import GroupCommit
from worker.queue.identity import workers_folder
from worker.queue.line import Line
from worker.queue.trouble import Trouble
from worker.queue.unit import Claim, Statement, Unit
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from worker.queue.claims import Claims
    from worker.queue.identity import Identity

logger = logging.getLogger("worker.queue")
Answer = TypeVar("Answer")
# How long an outcome is held in memory and tried again while the database is locked or full.
OUTCOME_PATIENCE_S = 600.0


class UnitStorage(SqliteStorage):
    """What `DurableStorage` stands on: connections, transactions, and units of work.

    Args:
        name: the queue's name.
        filename: `tasks.db`, or a function that gives its path when it is first needed.
        dlq_filename: `dlq.db`, likewise; default: beside `tasks.db`.
        timeout: seconds to wait for another connection's lock.
        now: the clock, Unix seconds.

    Attributes:
        identity: this process as a worker.
        claims: what is in the hands of workers.
        trouble: what keeps this process from its files.
    """

    identity: Identity
    claims: Claims

    def __init__(
        self,
        name: str,
        filename: str | Path | Callable[[], Path],
        dlq_filename: str | Path | Callable[[], Path] | None,
        *,
        timeout: float,
        now: Callable[[], float] = time.time,
        **options: Any,
    ) -> None:
        self._filename = filename
        self._dlq_filename = dlq_filename
        self.now = now
        super().__init__(name, filename=None, timeout=timeout, create_tables=False, **options)
        self._conn: sqlite3.Connection | None = None
        self._letters: DeadLetters | None = None
        self._line: Line | None = None
        self.begin_anew()
        forks.watch(self)

    def begin_anew(self) -> None:
        """What a process has of its own: at the beginning, and after a fork in the child."""
        # Re-entrant, since a live unit keeps it while Huey goes on calling us.
        self.lock = threading.RLock()
        self._thread = threading.local()
        self.trouble = Trouble()
        self._group = GroupCommit(self.lock, lambda: self.conn, self._begin)

    def locks(self) -> list[Any]:
        """What a fork has to hold."""
        return [self.lock, *(self._letters.locks() if self._letters is not None else [])]

    def start_anew(self) -> list[Any]:
        """After a fork, in the child: as if nothing had been opened; returns the parent's connections."""
        connections: list[Any] = [
            self._conn,
            *(self._letters.start_anew() if self._letters is not None else []),
        ]
        self._conn = None
        self.begin_anew()
        return connections

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

    def refuse_newer(self) -> None:
        """Raises where a newer version has taken the file over: see `QueueConnection`."""
        with self.lock, wrapped(self.filename):
            self.conn.refuse_newer()

    def initialize_schema(self) -> None:
        """Opens the file, which creates or migrates it."""
        with self.lock:
            _ = self.conn

    def close(self) -> bool:
        """Closes both files; the next use opens them again. Needed before a fork."""
        if self._letters is not None:
            self._letters.close()
        self.identity.hush()
        if self._line is not None:
            self._line.close()
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
                        with transaction(self.conn, self._timeout, self.line):
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
        """Executes one statement; inside a unit of work or a batch a write is recorded instead."""
        recorded = self._recorded() if commit and not results else None
        if recorded is not None:
            recorded.append(Statement(query, tuple(params or ())))
            return None
        if commit:
            return super().sql(query, params, commit, results)
        values = tuple(params or ())
        with self.lock, wrapped(self.filename):
            conn = self.conn
            return patiently(lambda: conn.execute(query, values).fetchall(), self._timeout)

    def write(self, *statements: Statement) -> None:
        """Executes the statements in one transaction, or records them in the unit of work or the batch."""
        recorded = self._recorded()
        if recorded is not None:
            recorded.extend(statements)
            return
        if self.unit() is not None:
            for statement in statements:
                self.conn.execute(*statement)
            return

        def store(conn: sqlite3.Connection) -> None:
            for statement in statements:
                conn.execute(*statement)

        with wrapped(self.filename):
            self._group.store(store)

    def _recorded(self) -> list[Statement] | None:
        """Where this thread's writes are recorded; None when they are carried out."""
        unit = self.unit()
        if unit is not None:
            return None if unit.live else unit.writes
        batch: list[Statement] | None = getattr(self._thread, "batch", None)
        return batch

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """What this thread writes inside is stored in one transaction at the end: all of it or nothing."""
        if self.unit() is not None or getattr(self._thread, "batch", None) is not None:
            yield
            return
        self._thread.batch = []
        try:
            yield
            recorded = self._thread.batch
        finally:
            self._thread.batch = None
        if recorded:
            self.write(*recorded)
            self.identity.bell.ring()

    def before_live(self) -> None:
        """A unit is about to keep a transaction open."""

    @property
    def line(self) -> Line:
        """Who waits to write to the file."""
        if self._line is None:
            self._line = Line(workers_folder(self.filename))
        return self._line

    def _begin(self, conn: sqlite3.Connection) -> None:
        if getattr(self._thread, "hand", None) is not None:
            # This thread writes again and again; whoever wants to write once goes first.
            self.line.give_way()
        begin(conn, self._timeout, self.line)

    def _go_live(self, unit: Unit) -> None:
        """Opens the transaction that the rest of the unit runs in."""
        if unit.live:
            return
        self.before_live()
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
                self._begin(self.conn)
            except sqlite3.OperationalError as error:
                if not is_passing(error) or time.monotonic() > deadline:
                    raise
                self.trouble.tell(told(self.filename, error))
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
            self._store_before_body(unit)
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

    def _store_before_body(self, unit: Unit) -> None:
        def store(conn: sqlite3.Connection) -> None:
            for statement in unit.writes:
                conn.execute(*statement)

        self.commit(unit, store)
        unit.writes.clear()

    def commit(self, unit: Unit, store: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Carries out a unit's work in one transaction: its own, where it keeps one open."""
        return self._commit_live(unit, store) if unit.live else self._group.store(store)

    def _commit_live(self, unit: Unit, store: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Ends the transaction that the unit has kept open."""
        try:
            answer = store(self.conn)
            self.conn.execute("COMMIT")
        except BaseException:
            if self.conn.in_transaction:
                self.conn.rollback()
            raise
        finally:
            unit.live = False
            self.lock.release()
        return answer
