"""How a file of the queue becomes current: created, migrated, or refused.

The tables are in `schema_tasks` and `schema_letters`. Every file carries our `application_id` and its schema's number in `user_version`
(https://sqlite.org/pragma.html#pragma_application_id), so that a stranger's file, a stock Huey file
and a file of a newer version are told apart before anything is written.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from worker.queue import backup, schema_letters, schema_tasks
from worker.queue.errors import ForeignFileError, NewerFileError, StockHueyFileError
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger("worker.queue")

TASKS_APPLICATION_ID, TASKS_MIGRATIONS = schema_tasks.APPLICATION_ID, schema_tasks.MIGRATIONS
LETTERS_APPLICATION_ID, LETTERS_MIGRATIONS = schema_letters.APPLICATION_ID, schema_letters.MIGRATIONS


def make_current(
    conn: sqlite3.Connection, path: Path, application_id: int, migrations: tuple[str, ...]
) -> None:
    """Creates the schema in an empty file, or migrates an older one, in one transaction.

    Args:
        conn: in autocommit mode (`isolation_level=None`).
        path: for the sentence of an error.
        application_id: what the file must carry, or will carry if it is empty.
        migrations: SQL scripts; script n brings version n to n + 1.

    A file that is migrated is copied before: `tasks.db.v1.bak`.

    Raises:
        QueueFileError: as `check`; or there is no room for the copy.
    """
    if check(conn, path, application_id, len(migrations)) == len(migrations):
        return
    conn.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have migrated it while this one waited for the lock.
        version = check(conn, path, application_id, len(migrations))
        kept = backup.keep(path, version) if 0 < version < len(migrations) else None
        for number, script in enumerate(migrations[version:], start=version + 1):
            for statement in _statements(script):
                conn.execute(statement)
            conn.execute(f"PRAGMA user_version = {number}")
        conn.execute(f"PRAGMA application_id = {application_id}")
        conn.execute("COMMIT")
    except BaseException:
        conn.rollback()
        raise
    if kept is not None:
        logger.warning(
            "%s: brought from version %d of its schema to %d; as it was, it is kept in %s",
            path,
            version,
            len(migrations),
            kept.name,
        )


def looks_older(path: Path) -> bool:
    """Whether a file of ours is of an earlier version, by the first bytes of it; opens no database.

    https://sqlite.org/fileformat2.html#the_database_header
    """
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError:
        return False
    newest = {TASKS_APPLICATION_ID: len(TASKS_MIGRATIONS), LETTERS_APPLICATION_ID: len(LETTERS_MIGRATIONS)}
    version, application_id = int.from_bytes(head[60:64], "big"), int.from_bytes(head[68:72], "big")
    return 0 < version < newest.get(application_id, 0)


def check(conn: sqlite3.Connection, path: Path, application_id: int, newest: int) -> int:
    """The version of the file's schema, 0 for an empty file; reads only.

    Raises:
        StockHueyFileError: the file belongs to Huey's own SqliteHuey (pickled messages).
        ForeignFileError: the file belongs to another program.
        NewerFileError: the file was written by a newer version of this program.
    """
    found: int = conn.execute("PRAGMA application_id").fetchone()[0]
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    if found == application_id:
        if version > newest:
            raise NewerFileError(path, version, newest)
        return version
    tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    if found == 0 and {"kv", "schedule", "task"} <= tables:
        raise StockHueyFileError(path)
    raise ForeignFileError(path)


def _statements(script: str) -> list[str]:
    """The script's single statements; `executescript` would commit the transaction around them."""
    found: list[str] = []
    buffer = ""
    for line in script.splitlines(keepends=True):
        buffer += line
        if sqlite3.complete_statement(buffer) and buffer.strip():
            found.append(buffer)
            buffer = ""
    return found
