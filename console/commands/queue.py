"""`queue list|show|cancel|priority|edit|quarantine|pause|resume|clear`."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Exit, plain, table, unpacked
from console.commands.schedules import end_of_pause
from console.commands.start import POLL_S
from console.rows import queue as rows
from console.text import clean, plural, stamp
from worker.queue.arguments import parse
from worker.queue.change import Chosen
from worker.queue.errors import MessageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.commands.output import Context
    from console.readings.model import QueueTaskDetail


def list_(context: Context) -> Exit:
    """What runs, is ready, is scheduled."""
    window = context.readings.queue(context.options.filter).first(context.options.limit)
    now = context.now()
    drawn = "" if context.json else table(
        rows.COLUMNS, [rows.cells(task, now, ascii_only=context.options.ascii) for task in window.rows],
        empty="The queue is empty.", width=shutil.get_terminal_size().columns,
    )  # fmt: skip
    context.answer(window.rows, drawn)
    return Exit.DONE


def show(context: Context) -> Exit:
    """One task."""
    key = context.readings.task_key(context.options.id)
    detail = context.readings.task(key) if key else None
    if detail is None:
        raise CommandError(f"no task {context.options.id!r} waits or runs; try: topic-console runs list")
    context.answer(
        plain(detail.task) | {"args": unpacked(detail.args), "retries_left": detail.retries_left},
        in_words(detail),
    )
    return Exit.DONE


def in_words(detail: QueueTaskDetail) -> str:
    """A task for people, a fact a line."""
    task = detail.task
    facts = {
        "task": clean(task.name),
        "id": clean(task.task_id),
        "market": clean(task.subject),
        "state": f"{task.state}, {rows.progress(task, 12) or rows.waits_for(task)}",
        "attempt": str(task.attempt),
        "priority": f"{task.priority:g}",
        "enqueued": stamp(task.enqueued_at),
        "due": stamp(task.due_at) if task.due_at else "",
        "arguments": clean(detail.args, 2_000),
    }
    return "\n".join(f"{name:<10} {value}" for name, value in facts.items() if value)


def cancel(context: Context) -> Exit:
    """Takes waiting tasks away, asks running ones to stop."""
    tasks = _chosen(context, "cancel")
    context.confirm(f"Cancel {plural(len(tasks), 'task')}?")
    return context.done(context.actions.cancel(tasks, {"filter": context.options.filter}))


def run(context: Context) -> Exit:
    """Lets scheduled tasks run at once."""
    tasks = _chosen(context, "run")
    return context.done(context.actions.run_now(tasks, {"filter": context.options.filter}))


def _chosen(context: Context, act: str) -> Sequence[str] | Chosen:
    """The tasks that are named, or those that a filter finds."""
    options = context.options
    if bool(options.ids) == bool(options.filter):
        raise CommandError(f"say which: topic-console queue {act} ID..., or --filter TEXT", Exit.UNUSABLE)
    return options.ids or _found(context, options.filter)


def _found(context: Context, text: str) -> Chosen:
    """The tasks that a filter finds now."""
    numbers = list(context.readings.queue(text).freeze())[-1].numbers
    return Chosen(*(numbers.get(prefix, ()) for prefix in "rps"))


def priority(context: Context) -> Exit:
    """Lets a waiting task run sooner or later than others."""
    return context.done(context.actions.set_priority([context.options.id], to=context.options.priority))


def edit(context: Context) -> Exit:
    """Gives a waiting task other arguments."""
    options = context.options
    try:
        parse(options.args)
    except MessageError as error:
        raise CommandError(f"arguments: {error}", Exit.UNUSABLE) from error
    context.confirm(f"Run task {clean(options.id, 60)} with other arguments?")
    return context.done(context.actions.edit_task(options.id, options.args))


def quarantine(context: Context) -> Exit:
    """Makes dead letters of waiting tasks whose name no worker knows."""
    tasks = context.options.ids or _found(context, "is:unknown !is:running")
    context.confirm(f"Make dead letters of {plural(len(tasks), 'task')} whose name no worker knows?")
    return context.done(context.actions.quarantine(tasks))


def pause(context: Context) -> Exit:
    """Lets no worker take anything more; `--wait` until nothing runs."""
    options = context.options
    code = context.done(context.actions.pause_queue(end_of_pause(context), options.note))
    while options.wait and context.readings.snapshot().depth.running:
        time.sleep(POLL_S)
    return code


def resume(context: Context) -> Exit:
    """Lets workers take tasks again."""
    return context.done(context.actions.resume_queue())


def clear(context: Context) -> Exit:
    """Takes away every task that waits now."""
    mark = context.actions.queue_mark()
    context.confirm(
        f"Clear {plural(mark.pending + mark.scheduled, 'waiting task')} from {context.home.root}?"
    )
    return context.done(context.actions.clear_queue(mark))
