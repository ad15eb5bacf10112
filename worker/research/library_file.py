"""The library's file: opening it, transactions, and the one place where sqlite3's errors become ours."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from worker.research import schema
from worker.research.errors import LibraryBusyError, LibraryError, LibraryFileError
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

BUSY_TIMEOUT_S: Final = 10.0
_CACHE_KB: Final = 16_000
_CHECKPOINT_PAGES: Final = 4_000
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class LibraryFile:
    """`topics.db`. Opened on first use, created where it is missing; one instance may serve threads."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = path
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.RLock()
        self._conn: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        with self._lock:
            if self._conn is not None:
                self._conn.close()
                self._conn = None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: everything inside is stored, or nothing; one inside another is a part of it.

        No savepoint: at each, FTS5 would write what it has gathered so far.

        Raises:
            LibraryError: it could not be stored.
        """
        with self._lock, self._wrapped():
            conn = self._open()
            if conn.in_transaction:
                yield conn
                return
            conn.execute("BEGIN IMMEDIATE")
            try:
                yield conn
                conn.execute("COMMIT")
            except BaseException:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                raise

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """The rows of one query.

        Raises:
            LibraryError: they could not be read.
        """
        with self._lock, self._wrapped():
            return self._open().execute(sql, values).fetchall()

    def _open(self) -> sqlite3.Connection:
        if self._conn is None:
            if self.path.is_dir():
                raise LibraryFileError(f"{self.path}: expected a database file, found a folder")
            # The lock above makes one connection safe for several threads.
            conn = sqlite3.connect(
                self.path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
            )
            try:
                conn.row_factory = sqlite3.Row
                schema.check(conn, self.path)  # whose file it is must be known before WAL writes into it
                self._use_wal(conn)
                # A power cut may take the last sources back, with their validators: they are collected again.
                conn.execute("PRAGMA synchronous = NORMAL")
                conn.execute("PRAGMA foreign_keys = ON")
                # Fingerprints go to all pages of their table: with SQLite's own 2 MB each would be written many times.
                conn.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
                conn.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
                schema.make_current(conn, self.path)
            except BaseException:
                conn.close()
                raise
            self._conn = conn
        return self._conn

    def _use_wal(self, conn: sqlite3.Connection) -> None:
        """Switches to WAL; two processes that do so at once can collide in spite of the busy timeout."""
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                conn.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    @contextlib.contextmanager
    def _wrapped(self) -> Iterator[None]:
        """The one place where sqlite3's errors become ours, with the cause kept."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _BUSY:
                text = (
                    f"{self.path}: another process has kept the library locked for {self._busy_timeout_s:g} s"
                )
                raise LibraryBusyError(text) from error
            if code == sqlite3.SQLITE_NOTADB:
                text = f"{self.path}: expected a SQLite database, found something else"
                raise LibraryFileError(text) from error
            if code == sqlite3.SQLITE_CANTOPEN:
                why = "permission denied" if self.path.parent.is_dir() else "its folder does not exist"
                raise LibraryFileError(f"{self.path}: cannot be opened: {why}") from error
            raise LibraryError(f"{self.path}: {error}") from error


def moment(seconds: float) -> datetime:
    """A stored time as an aware one."""
    return datetime.fromtimestamp(seconds, UTC)
