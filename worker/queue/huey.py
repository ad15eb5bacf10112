"""DurableHuey: Huey on SQLite that loses no task.

A drop-in for `SqliteHuey`. The guarantees live here and in the storage, not in a command line, so Huey's
own consumer has them too.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any

from huey import signals as S  # noqa: N812 - Huey's own name for it
from huey.api import PeriodicTask, Result, ResultGroup, SqliteHuey, Task, TaskWrapper, chord, group
from huey.exceptions import HueyException, TaskLockedException
from huey.utils import normalize_expire_time

from worker.queue import progress
from worker.queue.cron import Cron
from worker.queue.errors import ClaimLostError, QueueError, TaskCrashedError
from worker.queue.message import Envelope, JsonSerializer, new_task_id
from worker.queue.rate_limit import DurableRateLimit
from worker.queue.storage import DurableStorage
from worker.queue.unit import Claim, RunState, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from worker.queue.catch_up import ScheduleSpec
    from worker.queue.consumer import DurableConsumer
    from worker.queue.retention import Retention

logger = logging.getLogger("worker.queue")

_ENDS = {
    S.SIGNAL_REVOKED: (RunState.CANCELLED, "revoked before it started"),
    S.SIGNAL_EXPIRED: (RunState.CANCELLED, "expired before it started"),
    S.SIGNAL_CANCELED: (RunState.CANCELLED, "cancelled"),
    S.SIGNAL_INTERRUPTED: (RunState.INTERRUPTED, "the worker was stopped"),
}


class DurableTask(Task):
    """A task whose id sorts by time, so that neighbours in time are neighbours in every index."""

    def create_id(self) -> str:
        """A fresh id."""
        return new_task_id()


class DurableHuey(SqliteHuey):
    """Huey whose tasks survive the death of their worker.

    Args:
        name: the queue's name.
        filename: `tasks.db`, or a function that gives its path when it is first needed.
        dlq_filename: `dlq.db`, likewise; default: beside `tasks.db`.
        describe: says in a word or two what a call is about, for people: `(name, args, kwargs) -> str | None`.
        schedules: gives, when a worker starts, what the configuration says of the periodic tasks by name.
        retention: gives, when a worker starts, how long history is kept.
        watch: gives, when a worker starts, what looks after the queue each second.
        options: as `SqliteHuey` and `DurableStorage` take them. `serializer` and `compression` are ours:
            messages are JSON, and readable in the database.
    """

    storage_class = DurableStorage

    def __init__(
        self,
        name: str = "huey",
        *args: Any,
        describe: Callable[[str, tuple[Any, ...], dict[str, Any]], str | None] | None = None,
        schedules: Callable[[], Mapping[str, ScheduleSpec]] | None = None,
        retention: Callable[[], Retention] | None = None,
        watch: Callable[[DurableStorage], Callable[[], object]] | None = None,
        **options: Any,
    ) -> None:
        self._describe, self.configured_schedules, self.configured_retention = describe, schedules, retention
        self.configured_watch = watch
        # Called when a consumer is created, whoever creates it; for settings that only a worker needs.
        self.on_consumer: Callable[[], None] | None = None
        options.setdefault("serializer", JsonSerializer())
        options.setdefault("storage_class", self.storage_class)
        super().__init__(name, *args, **options)

    @property
    def durable(self) -> DurableStorage | None:
        """The storage, unless Huey's immediate mode has replaced it by one in memory."""
        return self.storage if isinstance(self.storage, DurableStorage) else None

    def create_consumer(self, **options: Any) -> DurableConsumer:
        """The consumer that Huey's own command runs."""
        from worker.queue.consumer import DurableConsumer  # noqa: PLC0415 - enqueuers need none

        if self.on_consumer is not None:
            self.on_consumer()
        return DurableConsumer(self, **options)

    def task(self, *args: Any, **options: Any) -> Any:
        """Huey's decorator; the tasks get ids that sort by time."""
        options.setdefault("task_base", DurableTask)
        return super().task(*args, **options)

    def periodic_task(self, validate_datetime: Any, *args: Any, **options: Any) -> Any:
        """Huey's decorator; given a `Cron`, its ticks are exact and in its own time zone."""
        if isinstance(validate_datetime, Cron):
            options["cron"] = validate_datetime
        return super().periodic_task(validate_datetime, *args, **options)

    def rate_limit(self, name: str, limit: int, per: int, retry: bool = True) -> DurableRateLimit:
        """Huey's limit of so many in so many seconds, which holds across workers, too."""
        return DurableRateLimit(self, name, limit, per, retry=retry)

    # -- in and out ---------------------------------------------------------------------------

    def serialize_task(self, task: Task) -> Envelope:
        """The task's message, labelled for the queue's columns."""
        message = self._registry.create_message(task)
        sealed = Envelope(self.serializer.serialize(message))
        sealed.task_id, sealed.name, sealed.priority = message.id, message.name, message.priority or 0
        sealed.eta = self._aware(task.eta) if task.eta else None
        if self._describe is not None:
            sealed.subject = self._describe(message.name, tuple(message.args), message.kwargs)
        return sealed

    def _aware(self, moment: dt.datetime) -> dt.datetime:
        """Huey's naive times with their zone, so that a worker under another TZ reads the same moment."""
        if moment.tzinfo is not None:
            return moment
        return moment.replace(tzinfo=dt.UTC) if self.utc else moment.astimezone()

    def get_task_wrapper_class(self) -> type[TaskWrapper]:
        """Huey's hook for what a decorator makes of a function."""
        return DurableTaskWrapper

    def _pipeline_results(self, task: Task) -> list[Result]:
        """Huey's hook for the handles that an enqueue returns."""
        results = super()._pipeline_results(task)
        return [DurableResult(self, result.task) for result in results]

    def enqueue(self, task: Any) -> Any:
        """Stores a task, a group or a chord; what has several members is stored whole or not at all."""
        storage = self.durable
        if isinstance(task, (group, chord)) and storage is not None:
            with storage.batch():
                return super().enqueue(task)
        return super().enqueue(task)

    def enqueue_many(self, tasks: Iterable[Task]) -> None:
        """Stores several tasks in one transaction: all of them or none."""
        batch = list(tasks)
        for task in batch:
            if task.expires:
                task.resolve_expires(self.utc)
            self._emit(S.SIGNAL_ENQUEUED, task)
        storage = self.durable
        if storage is None or self._immediate:
            for task in batch:
                self.enqueue(task)
            return
        storage.enqueue_many([(self.serialize_task(task), task.priority) for task in batch])

    def dequeue(self) -> Task | None:
        """The next task, claimed; a message that cannot be read becomes a dead letter."""
        storage = self.durable
        if storage is None:
            return super().dequeue()
        while (claim := storage.claim_next()) is not None:
            try:
                task = self.deserialize_task(claim.data)
            except Exception as error:  # noqa: BLE001 - whatever is in the bytes, the worker goes on
                self._bury_unreadable(storage, claim, error)
                continue
            task.claim = claim
            return task
        return None

    def _bury_unreadable(self, storage: DurableStorage, claim: Claim, error: Exception) -> None:
        unknown = isinstance(error, HueyException) and not isinstance(error, QueueError)
        if unknown:
            error = QueueError(f"no task of this name is registered with the worker: {claim.name}")
        logger.error("task %s (%s) becomes a dead letter: %s", claim.task_id, claim.name, error)
        unit = storage.open_unit(claim)
        unit.state, unit.exception = RunState.DEAD, error
        try:
            storage.runs.bury(unit, reason="unknown_task" if unknown else "unreadable")
            storage.settle(unit, storage.runs.statements(unit))
        except BaseException:
            storage.abandon(unit)
            storage.claims.give_back(claim, counted=False)
            raise

    def add_schedule(self, task: Task) -> None:
        """Stores a task that waits for its eta."""
        storage = self.durable
        if storage is None:
            super().add_schedule(task)
            return
        eta = self._aware(task.eta) if task.eta else dt.datetime.fromtimestamp(0, dt.UTC)
        storage.add_to_schedule(self.serialize_task(task), eta)
        logger.info("Added task %s to schedule, eta %s", task.id, eta)
        self._emit(S.SIGNAL_SCHEDULED, task)

    def read_schedule(self, timestamp: dt.datetime | None = None) -> list[Task]:
        """Huey's interface; our scheduler uses `move_due`, which loses nothing."""
        moment = self._get_timestamp() if timestamp is None else timestamp
        tasks: list[Task] = super().read_schedule(self._aware(moment) if self.durable else moment)
        return tasks

    def reseal(self, data: bytes) -> bytes:
        """The message to queue when a scheduled one is due: a relative expiry begins now, as in Huey."""
        if b'"expires"' not in data:
            return data
        try:
            task = self.deserialize_task(data)
        except Exception:  # noqa: BLE001 - it will be buried, with its bytes, when it is taken
            return data
        task.expires_resolved = normalize_expire_time(task.expires, self.utc) if task.expires else None
        return bytes(self.serialize_task(task))

    # -- execution ----------------------------------------------------------------------------

    def execute(self, task: Task, timestamp: dt.datetime | None = None) -> Any:
        """Runs a claimed task; all that follows from it is stored in one transaction.

        Raises:
            Exception: the outcome could not be stored; the task was given back and will run again.
        """
        storage, claim = self.durable, getattr(task, "claim", None)
        if storage is None or claim is None:
            return super().execute(task, timestamp)
        task.claim = None  # one claim, one execution
        if not storage.quarantine.admit(claim):
            return None
        unit = storage.open_unit(claim)
        token = progress.bind(progress.RunHandle(storage, unit, task))
        try:
            value = super().execute(task, timestamp)
            self._settle(storage, unit, task)
        except ClaimLostError:
            storage.abandon(unit)
            storage.refuse(unit)
            return None
        except BaseException:
            storage.abandon(unit)
            storage.claims.give_back(claim, counted=True)
            raise
        finally:
            progress.unbind(token)
            storage.quarantine.release(claim)
        return value

    def _settle(self, storage: DurableStorage, unit: Unit, task: Task) -> None:
        claim = unit.claim
        if unit.state is RunState.INTERRUPTED:
            storage.abandon(unit)
            storage.claims.give_back(claim, counted=False, ended=unit)
            return
        if unit.state is None and not unit.bounced:
            unit.state = self._verdict(unit, task)
        if unit.state is RunState.DEAD:
            if not storage.claims.is_ours(claim):
                raise ClaimLostError(claim.task_id)
            storage.runs.bury(unit, reason="failed")
        storage.settle(unit, storage.runs.statements(unit))

    def _verdict(self, unit: Unit, task: Task) -> RunState:
        if unit.exception is None:
            return RunState.COMPLETED
        if unit.retrying:
            return RunState.RETRYING
        if isinstance(task, PeriodicTask) and isinstance(unit.exception, TaskLockedException):
            unit.why = f"{unit.exception}; the next tick comes anyway"
            return RunState.SKIPPED
        return RunState.DEAD

    def _unit(self) -> Unit | None:
        storage = self.durable
        return storage.unit() if storage is not None else None

    def _timeout_context(self, task: Task) -> Any:
        """Huey opens this exactly around the task's own code, which makes it the body's boundary."""
        inner = super()._timeout_context(task)
        unit, storage = self._unit(), self.durable
        return inner if unit is None or storage is None else _Body(storage, unit, inner)

    def _run_post_execute(self, task: Task, task_value: Any, exception: BaseException | None) -> None:
        unit = self._unit()
        if unit is not None:
            unit.value, unit.exception = task_value, exception
            if exception is not None and unit.state is RunState.SKIPPED:
                unit.state = None  # it said that there was nothing to do, and then failed
            elif exception is not None and unit.state is RunState.CANCELLED:
                unit.why = str(exception) or unit.why
        super()._run_post_execute(task, task_value, exception)

    def _requeue_task(self, task: Task, timestamp: dt.datetime, retry_eta: dt.datetime | None = None) -> None:
        unit = self._unit()
        if unit is not None:
            unit.retrying, unit.state = True, None
        super()._requeue_task(task, timestamp, retry_eta)
        if unit is not None:
            unit.retry_at = self._aware(task.eta).timestamp() if task.eta else None

    def _emit(self, signal: str, task: Task, *args: Any, **kwargs: Any) -> None:
        unit = self._unit()
        if unit is not None and task.id == unit.claim.task_id:
            if signal in _ENDS and unit.state is None:
                unit.state, unit.why = _ENDS[signal]
            elif signal == S.SIGNAL_SCHEDULED and not unit.retrying:
                unit.bounced = True
        super()._emit(signal, task, *args, **kwargs)


class DurableTaskWrapper(TaskWrapper):
    """What a decorator makes of a function; calls are enqueued."""

    def map(self, it: Iterable[Any]) -> ResultGroup | None:
        """A call for each item, stored in one transaction: all of them or none."""
        storage = self.huey.durable
        if storage is None:
            return super().map(it)
        with storage.batch():
            return super().map(it)


class DurableResult(Result):
    """The handle of an enqueued task."""

    def reschedule(self, *args: Any, **options: Any) -> Any:
        """Revokes the task and enqueues it anew, in one transaction: it is never only revoked."""
        storage = self.huey.durable
        if storage is None:
            return super().reschedule(*args, **options)
        with storage.batch():
            return super().reschedule(*args, **options)


class _Body:
    """The context of a task's own code.

    Args:
        storage: records nothing while the body runs.
        unit: the execution.
        inner: Huey's timeout.
    """

    __slots__ = ("_inner", "_storage", "_unit")

    def __init__(self, storage: DurableStorage, unit: Unit, inner: Any) -> None:
        self._storage, self._unit, self._inner = storage, unit, inner

    def __enter__(self) -> None:
        self._storage.enter_body(self._unit)
        self._inner.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        try:
            handled = bool(self._inner.__exit__(kind, error, trace))
            if error is not None and not handled and not isinstance(error, (Exception, KeyboardInterrupt)):
                # Huey catches Exception only: SystemExit would end the worker's thread and the task with it.
                raise TaskCrashedError(f"the task raised {type(error).__name__}: {error}") from error
            return handled
        finally:
            self._storage.leave_body(self._unit)
