"""Is a worker alive? Read-only and quick, for service managers and containers; needs no Huey."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from worker.queue import schema
from worker.queue.connection import wrapped
from worker.queue.identity import is_alive
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from pathlib import Path

# One promised heartbeat may be missed; the second of grace is for one that is being written.
GRACE_S = 1.0


def health(tasks_db: Path, queue: str, *, now: float | None = None) -> tuple[bool, str]:
    """Whether a worker of the queue lives and its heart beats.

    Args:
        tasks_db: the queue's file; nothing is created.
        queue: its name.
        now: Unix seconds; None: now.

    Returns:
        Whether all is well, and why in one sentence.

    Raises:
        QueueFileError: the file cannot be used.
    """
    if not tasks_db.exists():
        return False, f"no worker has run here yet: {tasks_db} does not exist"
    at = time.time() if now is None else now
    with wrapped(tasks_db):
        conn = sqlite3.connect(f"file:{quote(str(tasks_db))}?mode=ro", uri=True, timeout=2)
        try:
            schema.check(conn, tasks_db, schema.TASKS_APPLICATION_ID, len(schema.TASKS_MIGRATIONS))
            query = (
                "SELECT id, pid, heartbeat_at, heartbeat_s FROM worker WHERE queue = ? AND kind <> 'process'"
            )
            workers = conn.execute(query, (queue,)).fetchall()
        finally:
            conn.close()
    living = [row for row in workers if is_alive(tasks_db, row[0]) is not False]
    beating = [row for row in living if at - row[2] <= 2 * row[3] + GRACE_S]
    if beating:
        return True, f"worker {beating[0][1]} is alive, its last heartbeat {at - beating[0][2]:.1f} s ago"
    if living:
        return False, f"worker {living[0][1]} has been silent for {at - living[0][2]:.0f} s"
    return False, "no worker is running"
