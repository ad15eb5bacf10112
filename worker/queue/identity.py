"""Who this process is among the workers, and how others know that it lives.

A living worker holds an flock on `tasks.db.workers/<id>.lock`. The kernel frees it at any death, so it
is immune to reused process ids, clock steps and suspended machines; the heartbeat in `tasks.db` is for
the people who watch and for workers on another host.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import weakref
from typing import TYPE_CHECKING

from worker.queue.errors import QueueError
from worker.queue.wake import Bell, Ear, StopFlag

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock; liveness is then the heartbeat alone
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from pathlib import Path

    from worker.queue.storage import DurableStorage

logger = logging.getLogger("worker.queue")

# Without a readable lock, a worker is taken for dead after this many promised heartbeats.
LEASE_HEARTBEATS = 15


def workers_folder(tasks_db: Path) -> Path:
    """Where the workers of a `tasks.db` keep their locks and sockets."""
    return tasks_db.with_name(tasks_db.name + ".workers")


def is_alive(tasks_db: Path, worker_id: int) -> bool | None:
    """Whether the worker's process lives; None where that cannot be known here.

    Reads only: it tries the worker's lock for a moment, in shared mode.
    """
    if fcntl is None:
        return None
    try:
        descriptor = os.open(workers_folder(tasks_db) / f"{worker_id}.lock", os.O_RDONLY)
    except OSError:
        # Not even a missing file is a proof: a folder that somebody tidied up must not kill the living.
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    else:
        return False
    finally:
        os.close(descriptor)


class Identity:
    """This process as a worker: its row, its lock, its socket, its heartbeat.

    Args:
        storage: whose `tasks.db` it works on.

    Attributes:
        wish: what an operator asks of it: `hold` (take nothing) or `drain` (take nothing and end); None: to work.
    """

    def __init__(self, storage: DurableStorage) -> None:
        self._storage = storage
        self._id: int | None = None
        self._pid = 0
        self._counter = 0
        self._lock_fd: int | None = None
        self._ear: Ear | None = None
        self._deaf: list[Ear] = []
        self._role = ("thread", 1)
        self.wish: str | None = None
        self._bell: Bell | None = None
        self._stop_beating = threading.Event()
        self._beating: threading.Thread | None = None
        _identities.add(self)

    @property
    def id(self) -> int | None:
        """The worker's id, or None while this process is no worker."""
        return self._id if self._pid == os.getpid() else None

    @property
    def address(self) -> str:
        """`host:pid`, for people."""
        return f"{socket.gethostname()}:{os.getpid()}"

    @property
    def bell(self) -> Bell:
        """Wakes all idle workers."""
        if self._bell is None:
            self._bell = Bell(workers_folder(self._storage.filename))
        return self._bell

    def hush(self) -> None:
        """Closes the bell's socket; the next ring opens it again."""
        if self._bell is not None:
            self._bell.close()

    def ensure(self, *, kind: str = "thread", threads: int = 1) -> int:
        """Registers this process as a worker, if it is none yet.

        Args:
            kind: `thread`, `process`, `supervisor` or `greenlet`.
            threads: how many tasks it can run at once.

        Returns:
            Its id.
        """
        if self.id is not None:
            return self.id
        self._role = (kind, threads)
        with self._storage.lock:
            if self.id is None:
                self._enlist()
        self._stop_beating = threading.Event()
        self._beating = threading.Thread(
            target=self._beat, args=(self._stop_beating,), name="heartbeat", daemon=True
        )
        self._beating.start()
        assert self._id is not None
        return self._id

    def _enlist(self) -> None:
        """Takes a new id; the storage's lock is held."""
        storage, folder, now = self._storage, workers_folder(self._storage.filename), self._storage.now()
        with storage.db(commit=True) as cursor:
            folder.mkdir(mode=0o700, exist_ok=True)
            cursor.execute(
                "INSERT INTO worker (queue, host, pid, parent, kind, threads, started_at, heartbeat_at, heartbeat_s)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    storage.name, socket.gethostname(), os.getpid(), os.getppid(), *self._role, now, now,
                    storage.heartbeat,
                ),
            )  # fmt: skip
            worker_id = int(cursor.lastrowid)
            # Before the row can be seen, so that nobody takes us for dead.
            self._hold_lock(folder / f"{worker_id}.lock")
        if self._ear is not None:
            self._deaf.append(self._ear)  # idle threads still wait on it, for a second at most
        self._ear = Ear(folder, f"{worker_id}.sock")
        self._id, self._pid, self._counter = worker_id, os.getpid(), 0

    def _hold_lock(self, path: Path) -> None:
        if fcntl is None:
            return
        if self._lock_fd is not None:
            os.close(self._lock_fd)
        self._lock_fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock_fd, fcntl.LOCK_EX)

    def _keep_lock(self) -> None:
        """Makes the lock anew when its file was taken away, by somebody who tidied up."""
        path = workers_folder(self._storage.filename) / f"{self._id}.lock"
        if self._lock_fd is not None and not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            self._hold_lock(path)

    def next_claim_id(self) -> int:
        """A claim's id: never used before, and it names this worker."""
        if self._id is None:
            raise QueueError("only a registered worker can claim a task")
        self._counter += 1
        return self._id << 32 | self._counter

    def is_dead(self, worker_id: int, heartbeat_at: float, heartbeat_s: float) -> bool:
        """Whether the claims of a worker may be taken from it."""
        if worker_id == self.id:
            return False
        alive = is_alive(self._storage.filename, worker_id)
        if alive is None:
            return self._storage.now() - heartbeat_at > LEASE_HEARTBEATS * heartbeat_s
        return not alive

    def wait(self, seconds: float, stop: StopFlag) -> None:
        """Sleeps until a task may be ready."""
        if self._ear is None:
            stop.wait(seconds)
        else:
            self._ear.wait(seconds, stop)

    def announce(self, state: str) -> None:
        """Says in the worker's row what it does: `running` or `stopping`."""
        if self.id is not None:
            with contextlib.suppress(QueueError):
                self._storage.sql("UPDATE worker SET state = ? WHERE id = ?", (state, self.id), commit=True)

    def _beat(self, stop: threading.Event) -> None:
        storage = self._storage
        while not stop.wait(storage.heartbeat):
            try:
                with storage.lock:
                    self._show_life()
                storage.claims.give_back_late()
                storage.trouble.over()
            except (QueueError, OSError) as error:
                storage.trouble.tell(error)

    def _show_life(self) -> None:
        storage = self._storage
        with storage.db(commit=True) as cursor:
            cursor.execute(
                "UPDATE worker SET heartbeat_at = ? WHERE id = ? RETURNING wish", (storage.now(), self._id)
            )
            row = cursor.fetchone()
            if row is not None and self._role[0] == "process":
                # What is asked of a supervisor holds for its processes.
                query = "SELECT max(wish) FROM worker WHERE id = ? OR (pid = ? AND host = ? AND kind = 'supervisor')"
                row = cursor.execute(query, (self._id, os.getppid(), socket.gethostname())).fetchone()
        if row is None:
            logger.warning(
                "worker %s was silent for so long that it was taken for dead: its tasks were given to others",
                self.address,
            )
            self._enlist()
        else:
            self._hear(row[0])
        self._keep_lock()

    def _hear(self, wish: str | None) -> None:
        """Follows what an operator asks of this worker; a drain that was begun is not stopped by silence."""
        if wish == self.wish or self.draining:
            return
        self.wish = wish
        state = {"hold": "holding", "drain": "draining"}.get(wish or "", "running")
        self._storage.sql("UPDATE worker SET state = ? WHERE id = ?", (state, self._id), commit=True)
        logger.warning("worker %s is %s now, as an operator asked", self.address, state)
        self.bell.ring()

    @property
    def resting(self) -> bool:
        """Whether this worker takes nothing now, because it was asked to hold or to drain."""
        return self.wish is not None

    @property
    def draining(self) -> bool:
        """Whether it ends once nothing runs."""
        return self.wish == "drain"

    def drain(self) -> None:
        """Takes nothing more from now on, and has its processes take nothing more."""
        if self.id is not None and not self.draining:
            self.wish = "drain"
            self._storage.sql(
                "UPDATE worker SET wish = 'drain', state = 'draining' WHERE id = ?", (self.id,), commit=True
            )

    def holds_something(self) -> bool:
        """Whether this worker or one of its processes has a task in its hands."""
        query = """SELECT 1 FROM claim JOIN worker ON worker.id = claim.worker
            WHERE worker.id = ? OR (worker.parent = ? AND worker.host = ?) LIMIT 1"""
        return bool(self._storage.sql(query, (self.id, os.getpid(), socket.gethostname()), results=True))

    def retire(self) -> None:
        """Ends being a worker: nothing is claimed any more, the row and the lock go away."""
        if self.id is None:
            return
        worker_id, folder = self.id, workers_folder(self._storage.filename)
        self._stop_beating.set()
        if self._beating is not None and self._beating is not threading.current_thread():
            self._beating.join(timeout=self._storage.heartbeat)
        with contextlib.suppress(QueueError):
            self._storage.sql("DELETE FROM worker WHERE id = ?", (worker_id,), commit=True)
        self._forget(remove_socket=True)
        (folder / f"{worker_id}.lock").unlink(missing_ok=True)

    def _forget(self, *, remove_socket: bool) -> None:
        for ear in (*self._deaf, *([self._ear] if self._ear is not None else [])):
            ear.close(remove=remove_socket)
        self._deaf, self._ear = [], None
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None
        self.hush()
        self._id = None

    def forget_parent(self) -> None:
        """In a forked child: lets go of the parent's lock and socket, which the parent still holds."""
        self._forget(remove_socket=False)
        self._beating = None


_identities: weakref.WeakSet[Identity] = weakref.WeakSet()


def _after_fork() -> None:
    for identity in list(_identities):
        identity.forget_parent()


if hasattr(os, "register_at_fork"):
    # A child that kept the lock open would make its dead parent look alive.
    os.register_at_fork(after_in_child=_after_fork)
