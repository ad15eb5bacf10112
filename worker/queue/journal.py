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

from worker.queue.errors import RefusedError

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


def new_id(now: float, after: str = "") -> str:
    """An id that sorts by time; the last digits keep two of one microsecond apart.

    Args:
        now: Unix seconds.
        after: the newest id there is: a clock that was put back must not let an old act pass for the latest.
    """
    moment = max(f"{int(now * 1_000_000):016x}", after[:16])
    if moment == after[:16]:
        moment = f"{int(moment, 16) + 1:016x}"
    return f"{moment}{time.monotonic_ns() % 0xFFFF:04x}"


def newest(conn: sqlite3.Connection | sqlite3.Cursor) -> str:
    """The highest id there is; nothing where there is none."""
    return conn.execute("SELECT max(id) FROM journal").fetchone()[0] or ""


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


def begun_undo(conn: sqlite3.Connection, entry_id: str) -> tuple[str, int] | None:
    """The undo of an entry that a crash has cut short: its id, and how much it had taken back.

    Args:
        conn: the file of the entry.
        entry_id: of an act that is not undone yet.
    """
    row: tuple[str, int] | None = conn.execute(
        "SELECT id, count FROM journal WHERE id > ? AND action = 'undo' "
        "AND CASE WHEN json_valid(detail) THEN json_extract(detail, '$.of') END = ?",
        (entry_id, entry_id),
    ).fetchone()
    return row


_COLUMNS = "id, action, target, count, detail, undone_by"


def _entry(row: tuple[Any, ...] | None) -> Entry | None:
    if row is None:
        return None
    entry_id, action, target, count, text, undone_by = row
    try:
        detail = json.loads(text)
    except (ValueError, TypeError):
        detail = None
    if not isinstance(detail, dict):
        raise RefusedError(f"entry {entry_id} of the journal cannot be read, so it cannot be undone")
    return Entry(entry_id, action, target, count, detail, undone_by)
