"""The handle through which a running task says how far it is, and hears that it should stop.

A thread cannot be stopped from outside. So in thread workers a task stops where it next tells its progress: when an
operator has asked it to, or when it has taken longer than its `timeout`. In process workers a timeout interrupts it
anywhere (Huey sets an alarm).
"""

from __future__ import annotations

import contextvars
import datetime as dt
import logging
import time
from typing import TYPE_CHECKING

from huey.exceptions import TaskTimeout

from worker.queue.cancelled import TaskCancelledError
from worker.queue.errors import BusyError, ClaimLostError
from worker.queue.message import decode
from worker.queue.unit import RunState

if TYPE_CHECKING:
    from huey.api import Task
    from huey.registry import Message

    from worker.queue.storage import DurableStorage
    from worker.queue.unit import Unit

logger = logging.getLogger("worker.queue")

MIN_INTERVAL_S = 0.5
MAX_NOTE = 200

_UPDATE = """UPDATE claim SET done = ?, total = ?, note = ?, progress_at = ? WHERE id = ? RETURNING cancel"""

_TICK = "SELECT coalesce(last_at, tick_at) FROM tick WHERE task_id = ? ORDER BY tick_at DESC LIMIT 1"

_EARLIER = """
SELECT data FROM claim WHERE queue = ? AND name = ? AND subject IS ? AND (claimed_at, id) < (?, ?)
ORDER BY claimed_at, id"""


class RunHandle:
    """What a task may say about its own run. Outside a worker it says it to nobody.

    Usable from any thread that the task starts. A task gets its own through `current_run()`, and so does all that
    asyncio runs for it. A thread has it where it was started with `contextvars.copy_context().run`; only then do
    its log lines carry the task's id.

    Args:
        storage: where progress is written.
        unit: the execution.
        task: whose timeout counts.
    """

    def __init__(
        self, storage: DurableStorage | None = None, unit: Unit | None = None, task: Task | None = None
    ) -> None:
        self._storage, self._unit, self._task = storage, unit, task
        self._written = float("-inf")

    @property
    def task_id(self) -> str | None:
        """Huey's id of the task; the same over redeliveries and retries."""
        return self._unit.claim.task_id if self._unit else None

    @property
    def due_at(self) -> dt.datetime | None:
        """The tick of the schedule that this run answers, in UTC, however late it is; None for any other run."""
        if self._storage is None or self.task_id is None:
            return None
        rows = self._storage.sql(_TICK, (self.task_id,), results=True)
        return dt.datetime.fromtimestamp(rows[0][0], dt.UTC) if rows else None

    @property
    def retried_at(self) -> float | None:
        """When an operator had it run again after it had become a dead letter, in Unix seconds; None where none did."""
        if self._storage is None or self.task_id is None:
            return None
        return self._storage.letters.retried_at(self.task_id)

    def earlier(self) -> tuple[Message, ...]:
        """The calls of the same task about the same subject that were taken before this one and have not ended.

        A task that would only do beside one of them what it does already can `skip` without a loss: where that one's
        worker dies, it is given out again.
        """
        if self._storage is None or self._unit is None:
            return ()
        claim = self._unit.claim
        params = (self._storage.name, claim.name, claim.subject, claim.claimed_at, claim.id)
        return tuple(decode(data) for (data,) in self._storage.sql(_EARLIER, params, results=True))

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Tells the operator how far the task is; written at most twice a second.

        Args:
            done: how many steps are done.
            total: of how many, if that is known.
            note: a few words, for example `heise.de, 12 of 40`.

        Raises:
            TaskTimeout: the task has taken longer than its timeout.
            TaskCancelledError: the operator asked the task to stop.
            ClaimLostError: another worker has the task by now.
        """
        storage, unit, task = self._storage, self._unit, self._task
        if task is not None and task.is_timed_out:
            raise TaskTimeout(f"took longer than its timeout of {task.timeout:g} s")
        if storage is None or unit is None or time.monotonic() < self._written + MIN_INTERVAL_S:
            return
        self._written = time.monotonic()
        params = (done, total, note[:MAX_NOTE] or None, storage.now(), unit.claim.id)
        try:
            with storage.db(commit=True) as cursor:
                rows = cursor.execute(_UPDATE, params).fetchall()
        except BusyError as error:
            logger.debug("progress not written: %s", error)
            return
        if not rows:
            raise ClaimLostError(f"task {self.task_id} was given to another worker")
        if rows[0][0]:
            raise TaskCancelledError

    def skip(self, why: str) -> None:
        """Says that the task had nothing to do; the run then ends as skipped, with the reason.

        Args:
            why: one sentence for the operator.
        """
        if self._unit is not None:
            self._unit.state, self._unit.why = RunState.SKIPPED, why


_current: contextvars.ContextVar[RunHandle | None] = contextvars.ContextVar("run", default=None)


def current_run() -> RunHandle:
    """The handle of the task that runs here; a silent one outside a worker."""
    return _current.get() or RunHandle()


def bind(handle: RunHandle) -> contextvars.Token[RunHandle | None]:
    """Makes the handle the current one; give the token to `unbind`."""
    return _current.set(handle)


def unbind(token: contextvars.Token[RunHandle | None]) -> None:
    """Takes back `bind`."""
    _current.reset(token)
