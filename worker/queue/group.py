"""Group commit: what several threads want to store at one moment is one transaction, and one fsync.

A thread that arrives while another commits leaves its work in the line; whoever gets the lock next stores all
that waits, each work in a savepoint of its own, so that one that is refused takes nothing else with it. A thread
alone pays nothing. The idea is that of PostgreSQL's `commit_siblings` and MySQL's binlog group commit.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from worker.sqlite import sqlite3

# A longer line is stored in several transactions, so that nobody waits for a whole burst.
MOST = 64
Result = TypeVar("Result")


class _Job(Generic[Result]):
    """One thread's work, and what came of it."""

    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], Result]) -> None:
        self.work = work
        self.done = False
        self.error: Exception | None = None
        self.result: Result | None = None


class GroupCommit:
    """The line before one connection.

    Args:
        lock: guards the connection; re-entrant.
        connect: gives the connection.
        begin: opens a write transaction on it.
    """

    def __init__(
        self,
        lock: threading.RLock,
        connect: Callable[[], sqlite3.Connection],
        begin: Callable[[sqlite3.Connection], None],
    ) -> None:
        self._lock: Any = lock
        self._connect, self._begin = connect, begin
        self._line: deque[_Job[Any]] = deque()

    def store(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Carries out the work in a transaction; when this returns, it is on disk.

        Args:
            work: writes, and may be carried out by another thread. What it raises undoes it alone.

        Raises:
            Exception: what the work raised, or why nothing could be stored.
        """
        job = _Job(work)
        self._line.append(job)
        with self._lock:
            while not job.done:
                self._store_group()
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[return-value]  # done without an error: it has its result

    def _store_group(self) -> None:
        jobs = [self._line.popleft() for _ in range(min(len(self._line), MOST))]
        conn = self._connect()
        try:
            self._begin(conn)
            for job in jobs:
                self._carry_out(conn, job, alone=len(jobs) == 1)
            conn.execute("COMMIT")
        except BaseException as error:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            if not isinstance(error, Exception):
                # Ctrl+C hits the thread that happens to commit; the others' work goes on without it.
                self._line.extendleft(reversed(jobs))
                raise
            for job in jobs:
                job.error = job.error or error
        for job in jobs:
            job.done = True

    def _carry_out(self, conn: sqlite3.Connection, job: _Job[Any], *, alone: bool) -> None:
        if alone:
            job.result = job.work(conn)
            return
        conn.execute("SAVEPOINT one")
        try:
            job.result = job.work(conn)
        except Exception as error:
            if not conn.in_transaction:  # SQLite has given up the whole of it: the disk is full
                raise
            conn.execute("ROLLBACK TO one")
            job.error = error
        conn.execute("RELEASE one")
