"""The journal: every change an operator made, written in the transaction that makes it.

`tasks.db` and `dlq.db` each hold the entries of their own changes, since one transaction over two WAL
files is not atomic when the power fails (https://sqlite.org/lang_attach.html). Ids sort by time over both.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worker.sqlite import sqlite3


@dataclass(frozen=True, slots=True)
class Entry:
    """One change.

    Attributes:
        id: sorts by time.
        action: what was done.
        target: `queue`, `failures` or `schedules`.
        detail: what undo needs.
        undone_by: the entry that took it back.
    """

    id: str
    action: str
    target: str
    count: int
    detail: dict[str, Any]
    undone_by: str | None


def actor() -> str:
    """Who acts: user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"{user}@{socket.gethostname()}"


def new_id(now: float) -> str:
    """An id that sorts by time; the last digits keep two of one microsecond apart."""
    return f"{int(now * 1_000_000):016x}{time.monotonic_ns() % 0xFFFF:04x}"


def write(
    conn: sqlite3.Connection | sqlite3.Cursor,
    entry_id: str,
    now: float,
    who: str,
    action: str,
    target: str,
    count: int,
    **detail: Any,
) -> None:
    """Adds an entry, or brings it up to date while an act is done in chunks.

    The caller's transaction is the one that makes the change.
    """
    conn.execute(
        """INSERT INTO journal (id, at, actor, action, target, count, detail) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET count = excluded.count, detail = excluded.detail""",
        (entry_id, now, who, action, target, count, json.dumps(detail)),
    )


def latest(conn: sqlite3.Connection) -> Entry | None:
    """The newest entry that was not undone and is no undo itself."""
    return _entry(
        conn.execute(
            f"SELECT {_COLUMNS} FROM journal WHERE undone_by IS NULL AND action <> 'undo' ORDER BY id DESC LIMIT 1"
        ).fetchone()
    )


def find(conn: sqlite3.Connection, entry_id: str) -> Entry | None:
    """The entry of an id."""
    return _entry(conn.execute(f"SELECT {_COLUMNS} FROM journal WHERE id = ?", (entry_id,)).fetchone())


_COLUMNS = "id, action, target, count, detail, undone_by"


def _entry(row: tuple[Any, ...] | None) -> Entry | None:
    if row is None:
        return None
    entry_id, action, target, count, detail, undone_by = row
    return Entry(entry_id, action, target, count, json.loads(detail), undone_by)
