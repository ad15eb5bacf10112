"""The two threads beside the screen: one that reads, one that acts. Neither ever blocks the event loop.

The reader looks whenever somebody has committed (`PRAGMA data_version`), and answers the questions of the
screens between two looks. A question that takes long is a generator of answers: between two of them everything
else goes on, and a newer question of its slot ends it. Both are daemon threads: Textual's own workers are joined at exit, so a query
that hangs would keep the operator from quitting.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from console.actions import ActionRefused as Refusal
from console.faults import record
from console.messages import ActionRefused, Answered, Faulted, SnapshotTaken
from console.readings.errors import ReadingError
from console.readings.still import tells_the_same
from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message import Message

    from console.actions import Actions
    from console.readings import Readings
    from console.readings.model import Snapshot

    Post = Callable[[Message], object]

# How often it is asked whether something was committed: 0.05 ms, and as fresh as an eye needs.
LOOK_S = 0.2
# While tasks run somebody commits all the time, and nobody reads faster than this; what the operator does shows at once.
REST_S = 1.0
# With so many tasks that run, each look has many lines drawn anew, which a slow line must carry.
MANY, MANY_REST_S = 10, 2.0
# Where nothing has happened for so long, both are done less often.
CALM_S, CALM_LOOK_S, CALM_REST_S = 30.0, 0.5, 2.0
JOIN_S = 1.0
Answer = TypeVar("Answer")


class Poller(threading.Thread):
    """The reader thread.

    Args:
        readings: opens what is read; called and used by this thread only.
        post: gives a message to the app.
    """

    def __init__(self, readings: Callable[[], Readings], post: Post) -> None:
        super().__init__(name="poller", daemon=True)
        self._open, self._post = readings, post
        self._readings: Readings = None  # type: ignore[assignment]  # until the thread runs
        self._questions: dict[str, tuple[int, Callable[[Readings], Any], Callable[[Any], None]]] = {}
        self._numbers: dict[str, int] = {}
        self._going: dict[str, tuple[int, Iterator[Any], Callable[[Any], None]]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._read_at = self._told_at = self._happened_at = float("-inf")
        self._last: Snapshot | None = None
        self._hurried, self._rest = False, REST_S

    def ask(
        self,
        slot: str,
        question: Callable[[Readings], Answer | Iterator[Answer]],
        tell: Callable[[Answer], None],
    ) -> None:
        """Asks for a reading.

        Args:
            slot: a question that still waits under the same name is replaced, and its answer is void.
            question: carried out on the reader's thread.
            tell: is given the answer on the app's thread; where the question gives an iterator, each of
                its answers.
        """
        with self._lock:
            number = self._numbers[slot] = self._numbers.get(slot, 0) + 1
            self._questions[slot] = (number, question, tell)
        self._wake.set()

    def forget(self, slot: str) -> None:
        """Makes the answer to what was asked last void."""
        with self._lock:
            self._numbers[slot] = self._numbers.get(slot, 0) + 1
            self._questions.pop(slot, None)

    def is_current(self, answered: Answered) -> bool:
        """Whether an answer is to the newest question of its slot."""
        return self._numbers.get(answered.slot) == answered.number

    def hurry(self) -> None:
        """Looks now: the operator has done something, and wants to see it."""
        self._hurried = True
        self._wake.set()

    def stop(self) -> None:
        """Ends the thread; a query that runs is interrupted."""
        self._stopped = True
        self._wake.set()
        if self._readings is not None:
            self._readings.interrupt()
        self.join(JOIN_S)

    def run(self) -> None:
        """Looks and answers until it is stopped."""
        self._readings = self._open()
        while not self._stopped:
            started = time.monotonic()
            self._answer_all()
            self._look()
            if not self._go_on():
                pace = CALM_LOOK_S if self._is_calm else LOOK_S
                self._wake.wait(max(pace - (time.monotonic() - started), 0.01))
                self._wake.clear()
        self._readings.close()

    @property
    def _is_calm(self) -> bool:
        """Whether nothing has happened for a while."""
        return time.monotonic() - self._happened_at > CALM_S

    def _look(self) -> None:
        if self._stopped:
            return
        now = time.monotonic()
        rested = now - self._told_at >= (CALM_REST_S if self._is_calm else REST_S)
        if now - self._read_at < self._rest and not self._hurried:
            return
        self._hurried = False
        try:
            if self._readings.changed():
                self._read_at = self._told_at = now
                snapshot = self._readings.snapshot()
                if self._last is None or not tells_the_same(self._last, snapshot):
                    self._happened_at = now
                self._last = snapshot
                self._rest = REST_S if snapshot.depth.running < MANY else MANY_REST_S
                self._post(SnapshotTaken(snapshot))
            elif rested and (same := self._readings.again()) is not None:
                self._told_at = now
                self._post(SnapshotTaken(same))
        except Exception as error:  # noqa: BLE001 - logged whole, shown short; the reader goes on
            self._fault(error)

    def _answer_all(self) -> None:
        with self._lock:
            waiting, self._questions = self._questions, {}
        for slot, (number, question, tell) in waiting.items():
            if self._stopped:
                return
            self._going.pop(slot, None)
            try:
                answer = question(self._readings)
                if isinstance(answer, Iterator):
                    self._going[slot] = (number, answer, tell)
                else:
                    self._post(Answered(slot, number, tell, answer))
            except ReadingError as error:
                self._post(ActionRefused(str(error)))
            except Exception as error:  # noqa: BLE001 - as above
                self._fault(error)

    def _go_on(self) -> bool:
        """One more answer to each question that takes long; whether any is left."""
        for slot, (number, answers, tell) in list(self._going.items()):
            try:
                if self._numbers.get(slot) != number:
                    del self._going[slot]
                    continue
                self._post(Answered(slot, number, tell, next(answers)))
            except StopIteration:
                del self._going[slot]
            except ReadingError as error:
                del self._going[slot]
                self._post(ActionRefused(str(error)))
            except Exception as error:  # noqa: BLE001 - as above
                del self._going[slot]
                self._fault(error)
        return bool(self._going)

    def _fault(self, error: Exception) -> None:
        if not self._stopped:
            record("the reader", error)
            self._post(Faulted(clean(f"{type(error).__name__}: {error}")))


class Actor(threading.Thread):
    """The thread that acts: one act after the other, in the order of the keys.

    Args:
        actions: used by this thread only.
        post: gives a message to the app.
    """

    def __init__(self, actions: Actions, post: Post) -> None:
        super().__init__(name="actor", daemon=True)
        self._actions, self._post = actions, post
        self._acts: queue.SimpleQueue[tuple[Callable[[Actions], Any], Callable[[Any], None]] | None] = (
            queue.SimpleQueue()
        )

    def do(self, act: Callable[[Actions], Answer], tell: Callable[[Answer], None]) -> None:
        """Carries out an act.

        Args:
            act: carried out on this thread.
            tell: is given its result on the app's thread.
        """
        self._acts.put((act, tell))

    def stop(self) -> None:
        """Ends the thread once what was asked is done; one that hangs is not waited for."""
        self._acts.put(None)
        self.join(JOIN_S)

    def run(self) -> None:
        """Acts until it is stopped."""
        while (asked := self._acts.get()) is not None:
            act, tell = asked
            try:
                self._post(Answered("", 0, tell, act(self._actions)))
            except Refusal as error:
                self._post(ActionRefused(str(error)))
            except Exception as error:  # noqa: BLE001 - logged whole, shown short; the next act is tried
                record("an act", error)
                self._post(Faulted(clean(f"{type(error).__name__}: {error}")))
        self._actions.close()
