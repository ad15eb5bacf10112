"""Opening a file of the queue, and the one place where sqlite3's errors become ours."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from worker.queue import schema
from worker.queue.errors import (
    BusyError,
    EmptiedFileError,
    NetworkFileError,
    NewerFileError,
    QueueError,
    UnusableFileError,
)
from worker.queue.filesystem import network_kind
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from worker.queue.line import Line

Result = TypeVar("Result")
BUSY_TIMEOUT_S = 5.0
FIRST_PAUSE_S, LAST_PAUSE_S = 0.000_1, 0.002
CHECKPOINT_PAGES = 4_000  # 16 MB
_BUSY_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DISK_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
# With less, not even SQLite's shared index can be made, which it calls an I/O error.
LEAST_FREE = 65_536
_PASSING_CODES = _BUSY_CODES | {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
}


class QueueConnection(sqlite3.Connection):
    """A connection to a file of the queue.

    Attributes:
        path: the file.
        newest: up to which version of the schema it may write.
    """

    path: Path
    newest: int

    def refuse_newer(self) -> None:
        """Writes nothing more where a newer version has taken the file over meanwhile.

        Raises:
            NewerFileError: nothing may be written into it any more.
        """
        version: int = self.execute("PRAGMA user_version").fetchone()[0]
        if version > self.newest:
            if self.in_transaction:
                self.execute("ROLLBACK")
            raise NewerFileError(self.path, version, self.newest)


def open_tasks(path: Path, *, timeout: float = BUSY_TIMEOUT_S, cache_mb: int = 8) -> QueueConnection:
    """A connection to `tasks.db`, created or migrated as needed.

    Raises:
        QueueFileError: the file cannot be used; it was not touched.
        BusyError: it stayed locked for `timeout` seconds.
    """
    return impatient(_open(path, timeout, cache_mb, schema.TASKS_APPLICATION_ID, schema.TASKS_MIGRATIONS))


def open_letters(path: Path, *, timeout: float = BUSY_TIMEOUT_S) -> QueueConnection:
    """A connection to `dlq.db`, created or migrated as needed; raises as `open_tasks`."""
    return _open(path, timeout, 2, schema.LETTERS_APPLICATION_ID, schema.LETTERS_MIGRATIONS)


def _open(
    path: Path, timeout: float, cache_mb: int, application_id: int, migrations: tuple[str, ...]
) -> QueueConnection:
    if path.is_dir():
        raise UnusableFileError(path, "expected a database file, found a folder")
    if (kind := network_kind(path)) is not None:
        raise NetworkFileError(path, kind)
    refuse_emptied(path)
    with wrapped(path):
        conn = sqlite3.connect(
            path, timeout=timeout, isolation_level=None, check_same_thread=False, factory=QueueConnection
        )
        conn.path, conn.newest = path, len(migrations)
        try:
            # Whose file it is must be known before journal_mode writes into it.
            if schema.check(conn, path, application_id, len(migrations)) == 0:
                # Only an empty file takes it; without it a file never shrinks. To any other it would be a write.
                conn.execute("PRAGMA auto_vacuum = INCREMENTAL")
            _use_wal(conn, timeout)
            # FULL: a power cut must not take back an enqueue that was acknowledged.
            conn.execute("PRAGMA synchronous = FULL")
            conn.execute(f"PRAGMA cache_size = {-1000 * cache_mb}")
            # A checkpoint waits for the disk twice; pages that change often are then written once for many commits.
            conn.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            schema.make_current(conn, path, application_id, migrations)
        except BaseException:
            conn.close()
            raise
        return conn


def refuse_emptied(path: Path) -> None:
    """Whoever works with such a file has it locked; and a new one in its place would hide what has happened.

    Raises:
        EmptiedFileError: the file has no content, but a write-ahead log.
    """
    log = path.with_name(f"{path.name}-wal")
    with contextlib.suppress(OSError):
        if not path.stat().st_size and log.stat().st_size:
            raise EmptiedFileError(path)


def _use_wal(conn: sqlite3.Connection, timeout: float) -> None:
    """Switches to WAL; two processes that do so at once can collide in spite of the busy timeout."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            conn.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < LEAST_FREE
    except OSError:
        return False


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection's lock is the reason."""
    return error_code(error) in _BUSY_CODES


def is_passing(error: sqlite3.Error) -> bool:
    """Whether waiting can help: locked, disk full, I/O error, file system mounted read-only."""
    return error_code(error) in _PASSING_CODES


def error_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where there is none."""
    # The low byte is the primary result code: https://sqlite.org/rescode.html#primary_result_codes_versus_extended_result_codes
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def told(path: Path | str, error: sqlite3.Error) -> QueueError:
    """SQLite's error as ours, whose sentence is the same wherever it is met."""
    if is_busy(error):
        return BusyError(f"{path}: another process has kept the database locked; please try again")
    if "unable to open" in str(error):
        folder = Path(path).parent
        why = "cannot be opened: " + (
            "the folder does not exist"
            if not folder.is_dir()
            else "permission denied"
            if not os.access(folder, os.W_OK)
            else str(error)
        )
        return UnusableFileError(path, why)
    if "not a database" in str(error):
        return UnusableFileError(path, "expected a SQLite database, found something else")
    if error_code(error) in _DISK_CODES and _is_full(Path(path).parent):
        return UnusableFileError(path, "the disk is full; nothing was stored")
    return UnusableFileError(path, error)


@contextlib.contextmanager
def wrapped(path: Path | str) -> Iterator[None]:
    """Turns sqlite3's errors into ours, with the cause kept.

    Raises:
        BusyError: locked for too long.
        UnusableFileError: anything else that SQLite says of the file.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise told(path, error) from error


def begin(conn: sqlite3.Connection, timeout: float = BUSY_TIMEOUT_S, line: Line | None = None) -> None:
    """Opens a write transaction, waiting for other writers.

    SQLite's own busy handler sleeps 1, 2, 5, 10, ... 100 ms, so that beside a worker that drains a queue
    one enqueue in a hundred waits 100 ms (measured). This one asks ten thousand times a second, and less
    often the longer it takes. The connection of a busy file should therefore not wait by itself: `impatient`.

    Args:
        conn: the connection.
        timeout: seconds to wait.
        line: where to stand meanwhile.

    Raises:
        sqlite3.OperationalError: another connection held the lock for `timeout` seconds.
        NewerFileError: a newer version has taken the file over.
    """
    if conn.in_transaction:
        raise sqlite3.OperationalError("a transaction is open already")
    try:
        conn.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise
        with line.standing() if line is not None else contextlib.nullcontext():
            patiently(lambda: conn.execute("BEGIN IMMEDIATE"), timeout)
    if isinstance(conn, QueueConnection):
        conn.refuse_newer()


def patiently(work: Callable[[], Result], timeout: float = BUSY_TIMEOUT_S) -> Result:
    """Does something that another connection's lock may keep from being done, again and again.

    Raises:
        sqlite3.OperationalError: it was locked for `timeout` seconds.
    """
    deadline, pause = None, FIRST_PAUSE_S
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            now = time.monotonic()
            deadline = deadline or now + timeout
            if not is_busy(error) or now > deadline:
                raise
            time.sleep(pause)
            pause = min(pause * 1.05, LAST_PAUSE_S)


def impatient(conn: QueueConnection) -> QueueConnection:
    """The connection, now one that says at once when it is locked; `begin` and `patiently` do the waiting."""
    conn.execute("PRAGMA busy_timeout = 0")
    return conn


@contextlib.contextmanager
def transaction(
    conn: sqlite3.Connection, timeout: float = BUSY_TIMEOUT_S, line: Line | None = None
) -> Iterator[sqlite3.Connection]:
    """One write transaction: everything inside is stored, or nothing."""
    begin(conn, timeout, line)
    try:
        yield conn
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


__all__ = [
    "BUSY_TIMEOUT_S",
    "QueueError",
    "begin",
    "impatient",
    "is_busy",
    "is_passing",
    "open_letters",
    "open_tasks",
    "patiently",
    "refuse_emptied",
    "transaction",
    "wrapped",
]
