"""A task in the queue, as a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.readings.model import Evidence, QueueTask, TaskState
from console.rows.base import Cell, Column, Tone, short_name, state_cell
from console.text import DOT, age, bar, clean, until

if TYPE_CHECKING:
    from datetime import datetime

BAR_WIDTH = 8
COLUMNS = (
    Column("State", 9),
    Column("Task", 19),
    Column("Market", 12, priority=2),
    Column("When", 8, "right"),
    Column("Try", 3, "right", priority=3),
    Column("Prio", 4, "right", priority=3),
    Column("What it does", 0, priority=2),
)


def key(task: QueueTask) -> str:
    """What tells this row from the others."""
    return task.key


def same(task: QueueTask) -> str:
    """What stays the same from waiting to running to waiting for another attempt."""
    return task.task_id or task.key


def since(task: QueueTask) -> datetime:
    """Since when it waits or runs."""
    return task.since


def cells(task: QueueTask, now: datetime, *, ascii_only: bool = False) -> tuple[Cell, ...]:
    """The row's cells, in the order of COLUMNS."""
    return (
        state_cell(task.state),
        Cell(clean(short_name(task.name), 60)),
        Cell(clean(task.subject, 40) or DOT),
        _when(task, now),
        Cell(str(task.attempt), Tone.WARN if task.attempt > 1 else Tone.QUIET),
        Cell(f"{task.priority:g}" if task.priority else DOT, Tone.QUIET),
        _doing(task, ascii_only=ascii_only),
    )


def _when(task: QueueTask, now: datetime) -> Cell:
    if task.state is TaskState.SCHEDULED:
        return Cell(until(task.due_at, now), Tone.QUIET)
    return Cell(age((now - task.since).total_seconds()))


def _doing(task: QueueTask, *, ascii_only: bool) -> Cell:
    if orphan := held_by(task):
        return Cell(orphan, Tone.BAD)
    if task.cancel:
        return Cell("asked to stop", Tone.WARN)
    if not task.known:
        return Cell("no worker knows this task", Tone.BAD)
    if task.state is TaskState.RUNNING:
        return Cell(progress(task, BAR_WIDTH, ascii_only=ascii_only), Tone.ACCENT)
    return Cell(waits_for(task), Tone.QUIET)


def held_by(task: QueueTask) -> str:
    """What is wrong with the worker that holds a running task, and how sure that is; empty: nothing."""
    match task.evidence:
        case Evidence.DEAD:
            return "its worker died: the next one takes it"
        case Evidence.SILENT:
            return "its worker is silent: hung, or its host is gone"
        case Evidence.UNKNOWN:
            return "held by a worker that nobody knows"
    return ""


def progress(task: QueueTask, width: int, *, ascii_only: bool = False) -> str:
    """A running task's bar, numbers and note; empty while it has said nothing."""
    if task.done is None:
        return ""
    drawn = bar(task.done, task.total, width, ascii_only=ascii_only)
    note = clean(task.note, 80)
    if task.total and note.endswith(f"{task.done} of {task.total}"):
        return f"{drawn} {note}"  # the note tells the numbers itself
    of = f"{task.done}/{task.total}" if task.total else str(task.done)
    return f"{drawn} {of} {note}".rstrip()


def waits_for(task: QueueTask) -> str:
    """Why a task does not run yet."""
    if task.state is TaskState.SCHEDULED:
        return f"attempt {task.attempt}, after a failure" if task.reason == "retry" else "not due yet"
    if task.deliveries:
        return f"given back {task.deliveries}×, its worker died"
    return "ready"
