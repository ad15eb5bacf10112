"""An examination of the queue's files: what is wrong, why it matters, what can be done about it. Reads only.

It never waits long: a file that is locked is said to be, and the check of a large file ends after some seconds.
"""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from worker.queue import doctor_rows, schema
from worker.queue.connection import error_code, is_busy
from worker.queue.errors import NetworkFileError, OlderFileError, QueueFileError
from worker.queue.filesystem import network_kind
from worker.queue.finding import Finding
from worker.sqlite import has_wal_reset_bug, sqlite3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
LOCK_S = 2.0
CHECK_S = 20.0
# A worker needs room for its log of writes and for a copy before a migration.
LEAST_FREE = 100_000_000
MEGABYTE = 1_000_000


def examine(
    tasks_db: Path, dlq_db: Path, queue: str = "topics", *, now: float | None = None
) -> list[Finding]:
    """All that is wrong with the queue's files; empty if nothing is.

    Args:
        tasks_db: the queue's file; need not exist.
        dlq_db: the dead letters' file, likewise.
        queue: the queue's name.
        now: Unix seconds; None: now.
    """
    at = time.time() if now is None else now
    found = [*library(), *room(tasks_db.parent, (tasks_db, dlq_db))]
    if (kind := network_kind(tasks_db)) is not None:
        return [*found, Finding("network_file_system", str(NetworkFileError(tasks_db, kind)), unusable=True)]
    tasks = (schema.TASKS_APPLICATION_ID, len(schema.TASKS_MIGRATIONS))
    letters = (schema.LETTERS_APPLICATION_ID, len(schema.LETTERS_MIGRATIONS))
    found += _file(tasks_db, tasks, lambda conn: doctor_rows.tasks(conn, tasks_db, queue, at))
    found += _file(dlq_db, letters, doctor_rows.letters)
    found += doctor_rows.strays(tasks_db)
    if not any(finding.unusable for finding in found):
        found += doctor_rows.lost_retries(tasks_db, dlq_db, queue)
    return found


def library() -> Iterator[Finding]:
    """Whether the SQLite in use has a known fault."""
    if has_wal_reset_bug(sqlite3.sqlite_version_info):
        yield Finding(
            "sqlite_bug",
            f"SQLite {sqlite3.sqlite_version} can damage a file that several processes write (the WAL-reset bug); "
            "where there is a wheel of it, pip install 'pysqlite3>=0.6.1' brings a newer one, else upgrade Python",
            hint=True,
        )


def room(folder: Path, files: Iterable[Path]) -> Iterator[Finding]:
    """Whether the disk has room."""
    if not folder.exists():
        return
    free = shutil.disk_usage(folder).free
    largest = max((file.stat().st_size for file in files if file.exists()), default=0)
    if free < max(LEAST_FREE, largest):
        yield Finding(
            "disk_space",
            f"{free / MEGABYTE:.0f} MB are free in {folder}, and {max(LEAST_FREE, largest) / MEGABYTE:.0f} MB should be; "
            "on a full disk enqueuers are refused and outcomes wait in memory",
        )


def file_integrity(path: Path) -> list[Finding]:
    """Whether any SQLite file is sound; for files of another room."""
    return _file(path, None, lambda _conn: ())


def _file(
    path: Path, kind: tuple[int, int] | None, look: Callable[[sqlite3.Connection], Iterable[Finding]]
) -> list[Finding]:
    if not path.exists():
        return []
    try:
        conn = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, timeout=LOCK_S, isolation_level=None
        )
        # One flipped bit in one text must not end the examination.
        conn.text_factory = lambda text: text.decode(errors="replace")
        try:
            if kind is not None and (version := schema.check(conn, path, *kind)) < kind[1]:
                return [Finding("older_file", str(OlderFileError(path, version, kind[1])))]
            return [*_integrity(conn, path), *look(conn)]
        finally:
            conn.close()
    except QueueFileError as error:
        return [Finding("foreign_file", str(error), unusable=True)]
    except sqlite3.Error as error:
        return [_unreadable(path, error)]


def _unreadable(path: Path, error: sqlite3.Error) -> Finding:
    if is_busy(error):
        text = f"{path}: another process has locked it; nothing can be said of it until it lets go"
        return Finding("locked", text)
    if error_code(error) in DAMAGED:
        return Finding("damaged_file", _damaged(path, str(error)), unusable=True)
    return Finding("unreadable_file", f"{path}: cannot be read now: {error}", unusable=True)


def _integrity(conn: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    deadline = time.monotonic() + CHECK_S
    conn.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
    try:
        problems = [row[0] for row in conn.execute("PRAGMA quick_check(5)")]
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        yield Finding(
            "not_checked", f"{path}: is too large to be checked whole in {CHECK_S:.0f} s", hint=True
        )
        return
    finally:
        conn.set_progress_handler(None, 0)
    if problems != ["ok"]:
        yield Finding("damaged_file", _damaged(path, "; ".join(problems)), unusable=True)


def _damaged(path: Path, why: str) -> str:
    return (
        f"{path}: is damaged: {why}. Stop all workers, keep a copy of the folder, and save what is left with "
        f"sqlite3 {path.name} .recover"
    )
