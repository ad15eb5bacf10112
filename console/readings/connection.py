"""One file, read-only, through sqlite-utils; a file that is not there yet reads as empty."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from console.readings.damage import Kinds
from console.readings.errors import ReadingError as ReadingError  # noqa: PLC0414 - with what raises it
from worker.queue import schema
from worker.queue.connection import refuse_emptied, wrapped
from worker.queue.errors import NetworkFileError, OlderFileError, QueueError
from worker.queue.filesystem import network_kind
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from sqlite_utils import Database

BUSY_TIMEOUT_S = 2.0
# Of each file; the operating system keeps the rest, and a page of a list touches a few dozen.
CACHE_KB = 500
LIBRARY_APPLICATION_ID = 0x746F7074  # "topt", as the worker writes it into topics.db
LIBRARY_VERSION = 4

# What each file must be, and the newest and the oldest schema that are understood here.
TASKS = (schema.TASKS_APPLICATION_ID, len(schema.TASKS_MIGRATIONS), len(schema.TASKS_MIGRATIONS))
LETTERS = (schema.LETTERS_APPLICATION_ID, len(schema.LETTERS_MIGRATIONS), len(schema.LETTERS_MIGRATIONS))
LIBRARY = (LIBRARY_APPLICATION_ID, LIBRARY_VERSION, 1)

Row = dict[str, Any]
_MAGIC = b"SQLite format 3\x00"  # https://sqlite.org/fileformat2.html#magic_header_string


class File:
    """A database file, opened when it appears and opened anew when it is replaced.

    Args:
        path: where it is, or will be.
        kind: its application id, and the newest and the oldest schema version that are understood.
    """

    def __init__(self, path: Path, kind: tuple[int, int, int]) -> None:
        self.path, self._kind = path, kind
        self._db: Database | None = None
        self._inode: int | None = None
        self._kinds: Kinds | None = None  # once there are rows
        self._seen: int | None = None  # the data_version whose schema was looked at

    def state(self) -> tuple[int | None, int | None]:
        """Changes whenever another connection has committed, and when the file appears or is replaced."""
        try:
            inode = self.path.stat().st_ino
        except OSError:
            self.close()
            return None, None
        db = self._open(inode)
        if db is None:
            return inode, None
        self._check_head()
        with self._sentences():
            version: int = db.conn.execute("PRAGMA data_version").fetchone()[0]
            if version != self._seen:
                self._still_known(db.conn)
                self._seen = version
        return inode, version

    def _still_known(self, conn: sqlite3.Connection) -> None:
        """Whether what somebody has made of the file meanwhile is still understood; else it is opened, and refused, anew."""
        application_id, newest, _ = self._kind
        try:
            schema.check(conn, self.path, application_id, newest)
        except QueueError:
            self.close()
            raise

    def check(self) -> None:
        """Whether the file can be used; one that is not there yet can.

        Raises:
            ReadingError: it cannot be read, or is not what it should be.
        """
        if self.path.exists() and (conn := self._connected()) is not None:
            conn.close()

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query as dicts, damaged values put right; none while there is no file.

        Raises:
            ReadingError: the file cannot be read, or is not what it should be.
        """
        return self.mended(self.rows_as_they_are(sql, params))

    def mended(self, rows: list[Row]) -> list[Row]:
        """Rows with their damaged values put right; see `console.readings.damage`."""
        db = self._db
        if not rows or db is None:
            return rows
        if self._kinds is None:
            with self._sentences():
                self._kinds = Kinds(db.conn.execute(Kinds.query))
        return self._kinds.mend(rows)

    def rows_as_they_are(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """The same with values as they are: the place of a row is where it stands, damaged or not.

        Raises:
            ReadingError: as `rows`.
        """
        db = self._database()
        if db is None:
            return []
        with self._sentences():
            try:
                return list(db.query(sql, params))
            except sqlite3.OperationalError as error:
                if "decode to UTF-8" not in str(error):
                    raise
                # One flipped bit in one text must not take the whole list away.
                db.conn.text_factory = _lenient
                return list(db.query(sql, params))

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """The first column of the first row; None where there is none."""
        rows = self.rows(sql, params)
        return next(iter(rows[0].values())) if rows else None

    def knows(self, table: str) -> bool:
        """Whether there is such a table: a file that no worker of this version has opened yet lacks the newest."""
        return bool(self.value("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)))

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[None]:
        """All queries inside see the same state; keep it short, since it holds back the checkpoint."""
        db = self._database()
        if db is None:
            yield
            return
        self._check_head()
        with self._sentences():
            db.conn.execute("BEGIN")
            try:
                yield
            finally:
                if db.conn.in_transaction:
                    db.conn.execute("ROLLBACK")

    def _check_head(self) -> None:
        """Whether the file still begins like a database: an open connection answers from its cache as if it did."""
        try:
            with self.path.open("rb", buffering=0) as file:
                head = file.read(len(_MAGIC))
        except OSError:
            return  # gone or locked away: the connection itself says so
        if head != _MAGIC:
            found = "something else" if head else "an empty file"
            raise ReadingError(f"{self.path}: expected a SQLite database, found {found}")

    def interrupt(self) -> None:
        """Ends a running query from another thread."""
        db = self._db  # its own thread may close the file meanwhile
        if db is not None:
            with contextlib.suppress(sqlite3.ProgrammingError):
                db.conn.interrupt()

    def close(self) -> None:
        """Closes the file."""
        if self._db is not None:
            self._db.conn.close()
            self._db = self._seen = self._kinds = None

    def _database(self) -> Database | None:
        try:
            return self._open(self.path.stat().st_ino)
        except FileNotFoundError:
            self.close()
            if self._inode is not None:
                # It is not "not there yet": nothing it held may be shown as nothing at all.
                raise ReadingError(f"{self.path}: it was here a moment ago, and is gone") from None
            return None
        except OSError as error:
            raise ReadingError(f"{self.path}: cannot be read: {error.strerror}") from error

    def _open(self, inode: int) -> Database | None:
        if self._db is not None and inode == self._inode:
            return self._db
        self.close()
        conn = self._connected()
        if conn is None:
            return None
        with _instead({"numpy": None, "ctypes": None, "sqlite3": sqlite3}):
            from sqlite_utils import Database  # noqa: PLC0415 - takes 60 ms, and the first paint must not wait

        # A plugin that the user may have for sqlite-utils has no business here; to look for any takes 2 MB and 8 ms.
        self._db, self._inode = Database(conn, execute_plugins=False), inode
        return self._db

    def _connected(self) -> sqlite3.Connection | None:
        """A connection that can only read, to a file that is what it should be; None while it is being created."""
        if (network := network_kind(self.path)) is not None:
            raise ReadingError(str(NetworkFileError(self.path, network)))
        with self._sentences():
            refuse_emptied(self.path)
            uri = f"file:{quote(str(self.path))}?mode=ro"
            conn = sqlite3.connect(
                uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            try:
                conn.execute("PRAGMA query_only = 1")
                conn.execute(f"PRAGMA cache_size = -{CACHE_KB}")
                application_id, newest, oldest = self._kind
                version = schema.check(conn, self.path, application_id, newest)
                if version == 0:
                    conn.close()  # a worker is creating it at this moment
                    return None
                if version < oldest:
                    raise OlderFileError(self.path, version, newest)  # noqa: TRY301 - the file is closed below
            except BaseException:
                conn.close()
                raise
        return conn

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            with wrapped(self.path):
                yield
        except QueueError as error:
            raise ReadingError(str(error)) from error


def _lenient(text: bytes) -> str:
    return text.decode(errors="replace")


@contextlib.contextmanager
def _instead(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """What sqlite-utils is given instead of modules that nothing has loaded yet; None: it has to do without.

    It imports what it, and what it imports, can do without: numpy takes 100 ms and 10 MB where it is installed, ctypes
    0.4 MB; and, for an annotation, the SQLite of the standard library beside the one that we use, another 1 MB.
    """
    absent = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type]  # None is Python's own way to say that there is none
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
