"""`schedules list|run|pause|resume`."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Exit, table
from console.rows import schedules as rows

if TYPE_CHECKING:
    from console.commands.output import Context

_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def list_(context: Context) -> Exit:
    """When each ran, when it will."""
    snapshot = context.readings.snapshot()
    if snapshot.unreadable:
        raise CommandError(snapshot.unreadable, Exit.UNUSABLE)
    drawn = "" if context.json else table(
        rows.COLUMNS, [rows.cells(one, snapshot.at) for one in snapshot.schedules],
        empty="No schedules yet: they are known once a worker has started. Run: topic-worker",
        width=shutil.get_terminal_size().columns,
    )  # fmt: skip
    context.answer(snapshot.schedules, drawn)
    return Exit.DONE


def run(context: Context) -> Exit:
    """Runs a schedule's task once, now."""
    return context.done(context.actions.run_schedule(context.options.name))


def pause(context: Context) -> Exit:
    """Stops a schedule from firing, for a while or until it is resumed."""
    options = context.options
    until = context.now() + span(options.span) if options.span else None
    return context.done(context.actions.pause_schedule(options.name, until, options.note))


def resume(context: Context) -> Exit:
    """Lets a paused schedule fire again."""
    return context.done(context.actions.resume_schedule(context.options.name))


def span(text: str) -> timedelta:
    """A span that was typed, such as `2h`.

    Raises:
        CommandError: it is none.
    """
    found = _SPAN.fullmatch(text)
    if found is None:
        raise CommandError(f"--for: expected a span such as 30m, 2h or 1d, found {text!r}", Exit.UNUSABLE)
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
