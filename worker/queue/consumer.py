"""Huey's consumer on our queue: woken at once, stopped gracefully by either signal."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huey.consumer import Consumer, Scheduler, Worker, WorkerRecycle

from worker.queue.canary import Canaries
from worker.queue.errors import NewerFileError, QueueError
from worker.queue.retention import Pruner, Retention
from worker.queue.retries import settle
from worker.queue.rollups import DepthRecord, Rollups
from worker.queue.schedules import Schedules

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from worker.queue.storage import DurableStorage

logger = logging.getLogger("worker.queue")

# Finish what runs, take nothing new, then end, however long it takes.
DRAIN_SIGNAL: signal.Signals | None = getattr(signal, "SIGUSR1", None)

# A file that is back by then was only moved aside for a moment.
GONE_S = 2.0


def _ignore_drain() -> None:
    """In a forked process: a service manager may signal all of them, and the supervisor answers."""
    if DRAIN_SIGNAL is not None and threading.current_thread() is threading.main_thread():
        signal.signal(DRAIN_SIGNAL, signal.SIG_IGN)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_size else None


class DurableWorker(Worker):
    """Takes tasks and runs them; sleeps on a socket instead of polling."""

    _parent: int | None = None
    delay: float

    def initialize(self) -> None:
        """Joins the workers; runs in the worker's own thread or process."""
        storage: DurableStorage = self.huey.storage
        if storage.identity.id is None:  # a process worker, after the fork
            storage.identity.ensure(kind="process")
            self._parent = os.getppid()
            _ignore_drain()
        storage.claim_ahead(wanted=True)
        super().initialize()

    def loop(self, now: dt.datetime | None = None) -> None:
        """One task, or one sleep; a database that cannot be read now is said once, not at every try."""
        if self._parent is not None and os.getppid() != self._parent:
            # Killed with SIGKILL, the parent could not stop us, and nobody would restart us.
            raise KeyboardInterrupt
        try:
            task = self.huey.dequeue()
        except QueueError as error:
            self.huey.storage.trouble.tell(error)
            task = None
        if task is None:
            self.sleep()
            return
        self.delay = self.default_delay
        self.task_count += 1
        try:
            self.huey.execute(task, now)
        except Exception:
            logger.exception("the outcome of task %s cannot be stored; it will run again", task.id)
        if self.max_tasks and self.task_count >= self.max_tasks:
            raise WorkerRecycle

    def sleep(self) -> None:
        """Waits for the bell; polls slowly beneath it."""
        self.delay = min(self.delay, self.max_delay)
        self.huey.storage.identity.wait(self.delay, self.stop_flag)
        self.delay *= self.backoff

    def shutdown(self) -> None:
        """Gives back what was claimed ahead; a process worker also leaves the workers."""
        storage: DurableStorage = self.huey.storage
        storage.claim_ahead(wanted=False)
        super().shutdown()
        if self._parent is not None:
            storage.claims.give_back_all()
            storage.identity.retire()


class DurableScheduler(Scheduler):
    """Moves due tasks, fires schedules, frees what dead workers held; once a second."""

    _parent: int | None = None

    def initialize(self) -> None:
        """Runs in the scheduler's own thread or process."""
        if self.huey.storage.identity.id is None:  # a process, after the fork
            self._parent = os.getppid()
            _ignore_drain()
        super().initialize()

    def loop(self, now: dt.datetime | None = None) -> None:  # noqa: ARG002 - Huey's signature; our clock is the storage's
        """One round; what fails in it is logged and tried again in the next."""
        started = time.monotonic()
        if self._parent is not None and os.getppid() != self._parent:
            raise KeyboardInterrupt  # as in DurableWorker: a scheduler of its own process must not outlive it
        storage: DurableStorage = self.huey.storage
        steps: list[tuple[str, Callable[[], object]]] = [
            ("due tasks", lambda: storage.move_due(self.huey.reseal)),
            ("dead workers", storage.claims.reap),
        ]
        if self.periodic:
            steps.append(("schedules", self.huey.schedules.fire))
        steps += [
            ("canary retries", self.huey.canaries.step),
            ("rollups", self.huey.rollups.step),
            ("depth", self.huey.depth_record.step),
            ("old history", self.huey.pruner.step),
        ]
        if self.huey.watch is not None:
            steps.append(("alerts", self.huey.watch))
        for what, step in steps:
            try:
                step()
            except QueueError as error:
                storage.trouble.tell(error)
            except Exception:
                logger.exception("cannot look after the %s; trying again", what)
        self.sleep_for_interval(started, self.interval)


class DurableConsumer(Consumer):
    """Workers and scheduler; SIGINT and SIGTERM both end them gracefully, a second one at once."""

    worker_class = DurableWorker
    scheduler_class = DurableScheduler

    def __init__(self, huey: Any, workers: int = 1, *, burst: bool = False, **options: Any) -> None:
        """As Huey's.

        Args:
            huey: whose tasks are run.
            workers: how many at once.
            burst: work until nothing is ready and nothing runs, then end.
            options: Huey's.

        Afterwards `lost_its_files` says whether it ended because a file was taken away, or taken over, under it.
        """
        super().__init__(huey, workers, **options)
        self._burst = burst
        self._drain_asked = False
        self._opened: dict[Path, tuple[int, int] | None] = {}
        self._missed_since: float | None = None
        self.lost_its_files = False
        for number in (signal.SIGINT, signal.SIGTERM):
            self._signal_actions[number] = (False, True)

    def start(self) -> None:
        """Opens the files, takes over what dead workers left, starts to work.

        Raises:
            QueueFileError: a file cannot be used.
        """
        self.prepare()
        storage: DurableStorage = self.huey.storage
        if not self.environment.forks:
            storage.identity.ensure(kind=self.worker_type, threads=self.workers)
        super().start()
        if self.environment.forks:
            storage.identity.ensure(kind="supervisor", threads=0)

    def prepare(self) -> None:
        """Opens the files and takes over what dead workers left.

        Raises:
            QueueFileError: a file cannot be used.
        """
        storage: DurableStorage = self.huey.storage
        storage.initialize_schema()
        _ = storage.letters.connection()
        self._opened = {path: _identity(path) for path in (Path(storage.filename), storage.letters.path)}
        self.huey.schedules = Schedules(self.huey, storage)
        configured = self.huey.configured_retention
        self.huey.canaries = Canaries(storage)
        self.huey.pruner = Pruner(storage, configured() if configured else Retention())
        self.huey.rollups, self.huey.depth_record = Rollups(storage), DepthRecord(storage)
        watch = self.huey.configured_watch
        self.huey.watch = watch(storage) if watch else None
        if self.periodic:
            self.huey.schedules.register()
        self._publish_handlers(storage)
        settle(storage)
        storage.claims.reap()

    def loop(self, health_check_ts: float | None = None) -> Any:
        """One look after the workers; in a burst, also whether anything is left to do."""
        if not self.lost_its_files and (lost := self._lost_file()):
            self._end(
                f"{lost} was taken away, emptied or replaced under this worker, which ends now: what it stores, "
                "nobody would find"
            )
        elif not self.lost_its_files and (taken := self._taken_over()):
            self._end(f"{taken}; this worker ends now, and a newer one takes back what it had begun")
        elif (self._burst and self._nothing_left()) or self._drained():
            logger.info("nothing is left to do")
            self.stop_flag.set()
            self.stop(graceful=True)
        return super().loop(health_check_ts)

    def _end(self, why: str) -> None:
        logger.error("%s", why)
        self.lost_its_files = True
        self.stop_flag.set()
        self.stop(graceful=True)

    def _taken_over(self) -> QueueError | None:
        """That a newer version has brought a file to its own schema."""
        storage: DurableStorage = self.huey.storage
        try:
            storage.refuse_newer()
            storage.letters.refuse_newer()
        except NewerFileError as error:
            return error
        except QueueError as error:
            storage.trouble.tell(error)
        return None

    def _lost_file(self) -> Path | None:
        """The file whose name has belonged to another one, or to none, for a while: SQLite goes on without a word."""
        lost = next((path for path, opened in self._opened.items() if _identity(path) != opened), None)
        if lost is None:
            self._missed_since = None
        elif self._missed_since is None:
            self._missed_since = time.monotonic()
        elif time.monotonic() - self._missed_since > GONE_S:
            return lost
        return None

    def _drained(self) -> bool:
        """Whether this worker was asked to end once nothing runs, and nothing does."""
        identity = self.huey.storage.identity
        try:
            if self._drain_asked:
                identity.drain()
            return bool(identity.draining and not identity.holds_something())
        except QueueError as error:
            self.huey.storage.trouble.tell(error)
            return False

    def _nothing_left(self) -> bool:
        """Whether nothing is ready and nothing runs; what is scheduled for later does not count."""
        storage: DurableStorage = self.huey.storage
        query = "SELECT 1 FROM depth WHERE queue = ? AND state IN ('pending', 'running') AND n > 0"
        try:
            storage.move_due(self.huey.reseal)
            return not storage.sql(query, (storage.name,), results=True)
        except QueueError as error:
            logger.warning("cannot see what is left to do: %s", error)
            return False

    def stop(self, graceful: bool = False) -> None:
        """Ends the workers; what they still hold goes back to the queue."""
        storage: DurableStorage = self.huey.storage
        storage.identity.announce("stopping")
        try:
            super().stop(graceful)
        finally:
            storage.hands.close()
            given = storage.claims.give_back_all()
            if given:
                logger.warning("%d unfinished tasks were given back", given)
            storage.identity.retire()

    def _set_signal_handlers(self) -> None:
        super()._set_signal_handlers()
        if DRAIN_SIGNAL is not None:
            signal.signal(DRAIN_SIGNAL, self._ask_drain)

    def _ask_drain(self, _signum: int, _frame: Any) -> None:
        self._drain_asked = True  # nothing else is safe in a signal handler

    def _handle_signal(self, signum: int, frame: Any) -> None:
        super()._handle_signal(signum, frame)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)

    def _publish_handlers(self, storage: DurableStorage) -> None:
        """Says which tasks this worker knows, for consoles that do not import them."""
        now = storage.now()
        with storage.db(commit=True) as cursor:
            cursor.execute("DELETE FROM handler WHERE queue = ?", (storage.name,))
            for name, task in self.huey._registry._registry.items():  # noqa: SLF001 - Huey offers no public way
                summary = (task.__doc__ or "").strip().partition("\n")[0]
                cursor.execute(
                    "INSERT INTO handler VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        storage.name,
                        name,
                        summary,
                        task.default_retries,
                        task.default_retry_delay,
                        task.default_retry_backoff,
                        task.default_priority,
                        task.default_timeout,
                        now,
                    ),
                )
