"""Short tasks in a row: a thread takes several at once, and stores what came of them together.

A transaction costs as much as a hundred short tasks, so a thread whose tasks take a fraction of a millisecond takes
as many as it can do in LINGER_S, and lets their outcomes wait that long for one another. A thread whose tasks are
longer takes one at a time and stores each outcome before the next task begins: nothing waits for anything.

What this costs: a process that dies runs again what its threads did in their last LINGER_S. What it must not cost: a
task that turns out to be long keeps nobody waiting. A watcher stores outcomes that have waited long enough, and gives
back what stands behind a long task. Kafka's producers call it `linger.ms`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.queue.unit import RunState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.queue.outcomes import OutcomeStorage
    from worker.queue.unit import Claim, Statement, Unit

logger = logging.getLogger("worker.queue")

LINGER_S = 0.01
LONG_S = 0.03
MOST = 32
# A claim that was taken this long ago may have been given to another worker while this process stood still.
STALE_S = 0.25


@dataclass(frozen=True, slots=True)
class Ended:
    """An execution that has ended, and what the history is to say of it."""

    unit: Unit
    statements: tuple[Statement, ...]


class Hand:
    """What one thread has in its hands: tasks that it has not begun, and outcomes that are not stored yet.

    The thread and the watcher share it. Neither waits for the database while it holds the lock.

    Args:
        most: how many tasks it may hold.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._ready: deque[Claim] = deque()
        self._ended: list[Ended] = []
        self._size = 1
        self._done = 0
        self._taken_at = self._began_at = 0.0

    @property
    def size(self) -> int:
        """How many tasks to take at once."""
        return self._size

    @property
    def taken_at(self) -> float:
        """When its tasks were taken; monotonic."""
        return self._taken_at

    def take(self, claims: Iterable[Claim]) -> bool:
        """Tasks that were just claimed.

        Returns:
            Whether the watcher has to know of them.
        """
        with self._lock:
            self._ready.extend(claims)
            self._taken_at = self._began_at = time.monotonic()
            self._done = 0
            return len(self._ready) > 1

    def begin(self) -> Claim | None:
        """The next task to run."""
        with self._lock:
            if not self._ready:
                return None
            self._began_at = time.monotonic()
            return self._ready.popleft()

    def end(self, ended: Ended) -> list[Ended] | None:
        """An execution has ended.

        Returns:
            What is to be stored now, this one last; None: it may wait for the next ones.
        """
        now, unit = time.monotonic(), ended.unit
        with self._lock:
            self._done += 1
            self._ended.append(ended)
            lingers = (
                self._ready
                and unit.state is RunState.COMPLETED
                and not unit.live
                and not unit.wake
                and now - self._taken_at < LINGER_S
            )
            if lingers:
                return None
            each = (now - self._taken_at) / self._done
            self._size = max(1, min(self._most, self._size * 2, int(LINGER_S / max(each, 1e-6))))
            ended_now, self._ended = self._ended, []
            return ended_now

    def empty(self) -> tuple[list[Ended], list[Claim]]:
        """Takes everything out of it."""
        with self._lock:
            ended, self._ended = self._ended, []
            ready, self._ready = list(self._ready), deque()
            return ended, ready

    def outstanding(self) -> list[Ended]:
        """Takes the outcomes out of it."""
        with self._lock:
            ended, self._ended = self._ended, []
            return ended

    def overdue(self, now: float) -> tuple[list[Ended], list[Claim], bool]:
        """Takes out what has waited for too long; says whether anything is left to watch."""
        ended: list[Ended] = []
        ready: list[Claim] = []
        with self._lock:
            if self._ended and now - self._taken_at >= LINGER_S:
                ended, self._ended = self._ended, []
            if self._ready and now - self._began_at >= LONG_S:
                ready, self._ready = list(self._ready), deque()
                self._size = 1
            return ended, ready, bool(self._ended or self._ready)


class Hands:
    """The hands of a process, and the watcher over them.

    Args:
        storage: stores their outcomes, and gives their tasks back.
        most: how many tasks a thread may hold.
    """

    def __init__(self, storage: OutcomeStorage, most: int = MOST) -> None:
        self._most = most
        self._storage = weakref.proxy(storage)
        self._all: weakref.WeakSet[Hand] = weakref.WeakSet()
        self._work = threading.Event()
        self._storing = threading.Lock()
        self._pid = 0

    def new(self) -> Hand:
        """A hand for this thread."""
        hand = Hand(self._most)
        self._all.add(hand)
        return hand

    def watch(self) -> None:
        """There is something to watch."""
        if self._pid != os.getpid():  # the first time, or in a forked worker, where no thread survives
            self._pid, self._storing, self._work = os.getpid(), threading.Lock(), threading.Event()
            threading.Thread(target=self._run, args=(self._work,), name="outcomes", daemon=True).start()
        if not self._work.is_set():
            self._work.set()

    def _run(self, work: threading.Event) -> None:
        try:
            while True:
                work.wait()
                work.clear()
                time.sleep(LINGER_S)
                if self._look():
                    work.set()
        except ReferenceError:  # the storage is gone
            return

    def _look(self) -> bool:
        """Deals with what is overdue; says whether more may become so."""
        more = False
        for hand in list(self._all):
            with self._storing:
                ended, ready, left = hand.overdue(time.monotonic())
                self._put_away(ended, ready)
            more |= left
        return more

    def _put_away(self, ended: list[Ended], ready: list[Claim]) -> None:
        try:
            if ended:
                self._storage.store_ended(ended)
            for claim in ready:
                self._storage.claims.give_back(claim, counted=False)
        except Exception:
            logger.exception("outcomes cannot be stored; their tasks will run again")

    def close(self) -> None:
        """Stores every outcome and gives back every task that has not begun; for the end of a worker."""
        for hand in list(self._all):
            with self._storing:
                self._put_away(*hand.empty())
