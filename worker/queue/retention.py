"""Forgetting: old history goes in small batches, so that no worker waits and files shrink again.

Successes are kept for a while, failures for longer. What an operator took away is kept for undo as long as the
settings say; the journal itself, what was done and by whom, is never forgotten. Dead letters stay until somebody
deals with them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.queue.rollups import Span
from worker.queue.unit import RunState

if TYPE_CHECKING:
    from worker.queue.storage import DurableStorage

DAY_S = 86_400.0
BATCH = 500
# Between two rounds over the whole history.
ROUND_S = 3_600.0
# Pages given back to the file system at once: 2 MB, some milliseconds.
VACUUM_PAGES = 500
SUCCESSES = (RunState.COMPLETED, RunState.SKIPPED)
logger = logging.getLogger("worker.queue")


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept, in seconds.

    Attributes:
        successes: runs that completed or were skipped.
        failures: all other runs.
        undo: what an operator took away.
        minutes: how much happened in each minute, and how deep the queue was.
        rollups: what each task did, by the rollup's span.
    """

    successes: float = 30 * DAY_S
    failures: float = 180 * DAY_S
    undo: float = 30 * DAY_S
    minutes: float = 8 * DAY_S
    rollups: tuple[tuple[Span, float], ...] = (
        (Span.MINUTE, 2 * DAY_S),
        (Span.HOUR, 90 * DAY_S),
        (Span.DAY, 730 * DAY_S),
    )


class Pruner:
    """Takes away what is older, a batch at each step.

    Args:
        storage: whose files are pruned.
        retention: how long things are kept.
    """

    def __init__(self, storage: DurableStorage, retention: Retention) -> None:
        self._storage, self._keep = storage, retention
        self._after = 0
        self._next_round = 0.0

    def step(self) -> int:
        """One batch; most seconds, nothing.

        Returns:
            How many rows went.
        """
        now = self._storage.now()
        if now < self._next_round:
            return 0
        gone, more = self._runs(now)
        gone += self._minutes(now) + self._rollups(now) + self._ticks(now)
        gone += self._removed_tasks(now) + self._touched_tasks(now) + self._removed_letters(now)
        self._shrink()
        if not more and not gone:
            self._after, self._next_round = 0, now + ROUND_S
        return gone

    def _runs(self, now: float) -> tuple[int, bool]:
        """Walks the history by id, which is the order of its ends; says whether it goes on.

        What is not in the rollups yet stays, and so does the newest run: SQLite would give its id again.
        """
        query = """SELECT id, state, finished_at FROM run WHERE id > ? AND id <= (SELECT run_id FROM rollup_mark)
            AND id < (SELECT max(id) FROM run) ORDER BY id LIMIT ?"""
        rows = self._storage.sql(query, (self._after, BATCH), results=True)
        youngest = now - min(self._keep.successes, self._keep.failures)
        old = [
            row_id
            for row_id, state, finished_at in rows
            if now - finished_at > (self._keep.successes if state in SUCCESSES else self._keep.failures)
        ]
        if old:
            marks = ",".join("?" * len(old))
            self._storage.sql(f"DELETE FROM run WHERE id IN ({marks})", old, commit=True)
        more = len(rows) == BATCH and rows[-1][2] < youngest
        self._after = rows[-1][0] if more else 0
        return len(old), more

    def _minutes(self, now: float) -> int:
        oldest = int((now - self._keep.minutes) // 60)
        return sum(
            self._delete(
                f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE queue = ? AND minute < ? LIMIT ?)",
                (self._storage.name, oldest, BATCH),
            )
            for table, key in (("tally", "queue, minute, event"), ("depth_minute", "queue, minute"))
        )

    def _rollups(self, now: float) -> int:
        key = "queue, span, at, name"
        return sum(
            self._delete(
                f"""DELETE FROM rollup WHERE ({key}) IN
                (SELECT {key} FROM rollup WHERE queue = ? AND span = ? AND at < ? LIMIT ?)""",
                (self._storage.name, span, now - kept, BATCH),
            )
            for span, kept in self._keep.rollups
        )

    def _ticks(self, now: float) -> int:
        """Ticks that somebody has dealt with; a missed one stays until that is so."""
        kept = max(self._keep.successes, self._keep.undo)
        return self._delete(
            "DELETE FROM tick WHERE id IN (SELECT id FROM tick WHERE settled_at < ? LIMIT ?)",
            (now - kept, BATCH),
        )

    def _removed_tasks(self, now: float) -> int:
        return self._delete(
            "DELETE FROM removed_task WHERE rowid IN (SELECT rowid FROM removed_task WHERE entry < ? LIMIT ?)",
            (self._oldest_entry(now), BATCH),
        )

    def _touched_tasks(self, now: float) -> int:
        key = "entry, task_id"
        return self._delete(
            f"DELETE FROM touched_task WHERE ({key}) IN (SELECT {key} FROM touched_task WHERE entry < ? LIMIT ?)",
            (self._oldest_entry(now), BATCH),
        )

    def _removed_letters(self, now: float) -> int:
        letters = self._storage.letters
        query = "SELECT rowid FROM removed_letter WHERE entry < ? LIMIT ?"
        found = letters.connection().execute(query, (self._oldest_entry(now), BATCH)).fetchall()
        if found:
            with letters.transaction() as conn:
                conn.executemany("DELETE FROM removed_letter WHERE rowid = ?", found)
        return len(found)

    def _oldest_entry(self, now: float) -> str:
        """The journal's id of the oldest act that can still be undone; ids sort by time."""
        return f"{int((now - self._keep.undo) * 1_000_000):016x}"

    def _delete(self, query: str, params: tuple[object, ...]) -> int:
        with self._storage.db(commit=True) as cursor:
            return int(cursor.execute(query, params).rowcount)

    def _shrink(self) -> None:
        """Gives free pages back to the file system once there are many."""
        storage = self._storage
        with storage.db() as cursor:
            if cursor.execute("PRAGMA freelist_count").fetchone()[0] > VACUUM_PAGES:
                # It gives back a page at each step, and `execute` takes a single one.
                storage.conn.executescript(f"PRAGMA incremental_vacuum({VACUUM_PAGES})")
