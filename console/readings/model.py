"""What a reading is: frozen facts, with aware UTC datetimes, seconds and enums; nothing to draw.

Foreign strings (names, notes, errors, arguments, titles) are raw: `console.text` cleans them for `console.rows`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.installation import Installation as Installation  # noqa: PLC0414 - a reading like the others

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from console.readings.canaries import Canary
    from console.readings.topics import Delivery, Standing


class WorkerState(StrEnum):
    """How a worker is doing, from its lock (same host) and its heartbeat."""

    RUNNING = "running"
    HOLDING = "holding"  # takes nothing, as an operator asked
    DRAINING = "draining"  # takes nothing, and ends once nothing runs
    STOPPING = "stopping"
    SILENT = "silent"  # no heartbeat for two promised intervals; perhaps hung
    DEAD = "dead"  # its lock is free: the process is gone


class Evidence(StrEnum):
    """What is known of the worker that holds a running task."""

    ALIVE = "alive"  # its lock is held and its heart beats
    SILENT = "silent"  # its lock is held, or cannot be seen from here, and its heart does not beat
    DEAD = "dead"  # its lock is free: the process is gone
    UNKNOWN = "unknown"  # no worker of that number is registered


class TaskState(StrEnum):
    """Where a task waits or runs."""

    RUNNING = "running"
    PENDING = "pending"
    SCHEDULED = "scheduled"


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process."""

    id: int
    host: str
    pid: int
    kind: str
    threads: int
    state: WorkerState
    started_at: datetime
    heartbeat_at: datetime
    heartbeat_s: float


@dataclass(frozen=True, slots=True)
class QueueTask:
    """A task that runs, is ready, or waits for its time."""

    key: str  # r<claim id> | p<task row id> | s<schedule row id>: unique in the list
    state: TaskState
    task_id: str
    name: str
    subject: str | None
    priority: float
    attempt: int
    deliveries: int
    enqueued_at: datetime
    since: datetime  # running: claimed; pending: ready; scheduled: enqueued
    due_at: datetime | None = None  # scheduled only
    reason: str | None = None  # scheduled only: delay | retry
    worker: int | None = None  # running only
    done: int | None = None
    total: int | None = None
    note: str | None = None
    cancel: bool = False  # running only: it has been asked to stop
    evidence: Evidence | None = None  # running only
    known: bool = True  # whether a worker knows a task of this name


@dataclass(frozen=True, slots=True)
class QueueTaskDetail:
    """A task with what only its detail pane shows."""

    task: QueueTask
    args: str | None  # JSON text: {"args": [...], "kwargs": {...}}
    retries_left: int | None  # null: as the handler says
    tick: Tick | None = None  # of a schedule, which the task answers
    waits: str = ""  # why it does not run yet, where that is known


@dataclass(frozen=True, slots=True)
class Depth:
    """How many tasks are where; read from counters, never counted."""

    pending: int = 0
    scheduled: int = 0
    running: int = 0
    dead_letters: int = 0
    oldest_pending_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Minute:
    """What happened in one minute, or in some."""

    at: datetime
    enqueued: int = 0
    completed: int = 0  # completed and skipped
    failed: int = 0  # dead: no attempt left
    retried: int = 0
    depth: int | None = None  # the most that was ready; None: no worker was there to see it


class Outcome(StrEnum):
    """What came of a tick."""

    OK = "ok"
    LATE = "late"  # ok, but not on time: caught up, or replayed
    SKIPPED = "skipped"  # its run found that it had nothing to do, or not what it needs
    FAILED = "failed"
    WAITING = "waiting"  # its run has not ended
    CANCELLED = "cancelled"
    MISSED = "missed"  # no run has answered it
    WAIVED = "waived"  # nobody wants a run: acknowledged, or it passed during a pause


@dataclass(frozen=True, slots=True)
class Schedule:
    """One periodic task: when it ran, when it will."""

    name: str
    task_name: str
    cron: str | None
    timezone: str
    next_at: datetime | None
    last_at: datetime | None
    last_state: str | None  # state of the last tick's run, where it is known
    missed: int
    paused: bool
    paused_until: datetime | None
    pause_note: str | None
    paused_by: str | None
    error: str | None
    overdue: bool  # next_at is more than OVERDUE_AFTER_S in the past
    strip: tuple[Outcome, ...] = ()  # of the last ticks, oldest first


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick of a schedule in the register, or several that are folded into one row."""

    id: int
    schedule: str
    at: datetime
    last_at: datetime  # of several, the last; else the same
    count: int
    state: str  # fired | missed | caught_up | replayed | acknowledged | paused
    outcome: Outcome
    noticed_at: datetime
    why: str | None  # why it did not fire on time
    task_id: str | None


@dataclass(frozen=True, slots=True)
class ScheduleDetail:
    """A schedule with what only its detail pane shows."""

    schedule: Schedule
    catch_up: str
    catch_up_window_s: float
    coming: tuple[datetime, ...]  # the next times
    missed: tuple[Tick, ...]  # oldest first; ticks of a pause among them
    recent: tuple[Tick, ...]  # the last ones, newest first


@dataclass(frozen=True, slots=True)
class Cause:
    """Dead letters of one fingerprint."""

    fingerprint: str
    count: int
    first_seen: datetime
    last_seen: datetime
    error_type: str
    error: str
    name: str
    subject: str | None
    canary: Canary | None = None  # the latest


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter in a list."""

    id: int
    state: str  # dead | retrying
    task_id: str
    name: str
    subject: str | None
    reason: str
    error_type: str
    error: str
    fingerprint: str
    first_seen: datetime
    last_seen: datetime
    retries: int
    retried_as: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class LetterDetail:
    """A dead letter with all that is kept of it."""

    letter: Letter
    args: str | None
    traceback: str | None
    history: tuple[tuple[int, datetime, str], ...]  # attempt, when, error
    worker: str | None
    retried_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """One ended execution."""

    id: int
    task_id: str
    name: str
    subject: str | None
    state: str
    attempt: int
    worker: int | None
    enqueued_at: datetime
    ready_at: datetime
    started_at: datetime
    finished_at: datetime
    retry_at: datetime | None
    args: str | None
    result: str | None
    error_type: str | None
    error: str | None
    fingerprint: str | None = None  # of a failure: what groups it with others of its cause


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with what only its detail pane shows."""

    run: Run
    traceback: str | None
    attempts: int | None  # how many its task may take, where the handler is known
    others: tuple[Run, ...]  # the task's other runs, oldest first
    tick: Tick | None = None  # of a schedule, which the run answers


class SourceState(StrEnum):
    """How a source of a market is doing."""

    OK = "ok"
    FAILING = "failing"
    WAITING = "waiting"  # it answered that it is asked too often, or is too busy
    GONE = "gone"  # it answered 410
    DISABLED = "disabled"  # by an operator


@dataclass(frozen=True, slots=True)
class Source:
    """How one source of a market is doing."""

    market: str
    key: str
    name: str
    url: str
    state: SourceState
    kind: str
    last_attempt: datetime
    last_success: datetime | None
    last_error: str | None  # kept after a success
    last_error_at: datetime | None
    errors_in_row: int
    status: int | None
    items: int
    documents: int
    per_week: float | None
    latency: float | None
    size: int
    next_due: datetime | None
    held_until: datetime | None
    etag: str | None
    last_modified: str | None
    warning: str | None
    moved_to: str | None
    moved_seen: int
    gone_at: datetime | None
    unlisted_at: datetime | None  # since when the market's file names it no more
    disabled_at: datetime | None
    disabled_by: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Headline:
    """A collected document, as a line."""

    title: str
    source: str
    market: str
    fetched_at: datetime
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        kind: document or topic.
        at: when a document was first seen, when a topic was last ranked.
        copies: further sources that told a document's story; the sources of a topic.
        context: the text around the words, in pieces, each with whether it is one of them.
    """

    kind: str
    id: int
    title: str
    url: str | None
    source: str | None
    market: str
    language: str | None
    published_at: datetime | None
    at: datetime
    copies: int
    context: tuple[tuple[str, bool], ...]

    @property
    def snippet(self) -> str:
        """The text around the words."""
        return "".join(text for text, _ in self.context)


@dataclass(frozen=True, slots=True)
class Library:
    """What has been collected so far."""

    documents: int = 0
    latest: tuple[Headline, ...] = ()
    standings: tuple[Standing, ...] = ()  # what each market's latest ranking rests on
    deliveries: tuple[Delivery, ...] = ()  # the latest report and sync


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that needs the operator; `code` is a contract for scripts."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the frame and the Overview show, as of one moment."""

    at: datetime
    home: Path
    workers: tuple[Worker, ...] = ()
    depth: Depth = field(default_factory=Depth)
    paused: bool = False  # the whole queue: workers take nothing
    pause_note: str | None = None
    running: tuple[QueueTask, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    causes: tuple[Cause, ...] = ()  # the most frequent first, at most 20
    newest_causes: tuple[Cause, ...] = ()  # those whose letters are the newest, at most 20
    fingerprints: frozenset[str] = frozenset()  # of all causes
    minutes: tuple[Minute, ...] = ()  # the last 60, oldest first, gaps filled
    last_runs: tuple[Run, ...] = ()  # newest first, at most 10
    retrying: tuple[Run, ...] = ()  # those of them that failed and whose task is going to be tried again
    library: Library = field(default_factory=Library)
    problems: tuple[Problem, ...] = ()
    unreadable: str | None = (
        None  # a file that could not be read, in one sentence; the rest is then empty or old
    )
    number: int = 0  # of the reading: those that differ by the time alone have the same
