"""How the library's file, `topics.db`, becomes current: created, migrated, or refused.

The tables are in `schema_v1` and the numbers after it. The file carries our `application_id` and its schema's number in
`user_version` (https://sqlite.org/pragma.html#pragma_application_id), so that a stranger's file and
one of a newer version are told apart before anything is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.research.errors import LibraryFileError
from worker.research.schema_v1 import V1
from worker.research.schema_v2 import V2
from worker.research.schema_v3 import V3
from worker.research.schema_v4 import V4
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID = 0x746F7074  # "topt"

# Each entry brings a file from version n to n + 1. Never edit one that has shipped: add the next.
MIGRATIONS = (V1, V2, V3, V4)


def make_current(conn: sqlite3.Connection, path: Path) -> None:
    """Creates the schema in an empty file, or migrates an older one, in one transaction.

    Args:
        conn: in autocommit mode (`isolation_level=None`).
        path: for the sentence of an error.

    Raises:
        LibraryFileError: as `check`.
    """
    if check(conn, path) == len(MIGRATIONS):
        return
    conn.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have migrated it while this one waited for the lock.
        version = check(conn, path)
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in _statements(script):
                conn.execute(statement)
            conn.execute(f"PRAGMA user_version = {number}")
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        conn.execute("COMMIT")
    except BaseException:
        conn.rollback()
        raise


def check(conn: sqlite3.Connection, path: Path) -> int:
    """The version of the file's schema, 0 for an empty file; reads only.

    Raises:
        LibraryFileError: the file belongs to another program, or to a newer version of this one.
    """
    found: int = conn.execute("PRAGMA application_id").fetchone()[0]
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    if found == APPLICATION_ID:
        if version > len(MIGRATIONS):
            raise LibraryFileError(
                f"{path}: its schema is version {version}, this program knows versions up to "
                f"{len(MIGRATIONS)}; nothing was touched, please upgrade topic-console"
            )
        return version
    if found or conn.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise LibraryFileError(
            f"{path}: expected a library of topic-console, found another program's database"
        )
    return 0


def _statements(script: str) -> list[str]:
    """The script's single statements; `executescript` would commit the transaction around them."""
    found: list[str] = []
    buffer = ""
    for line in script.splitlines(keepends=True):
        buffer += line
        if sqlite3.complete_statement(buffer):
            found.append(buffer)
            buffer = ""
    return found
