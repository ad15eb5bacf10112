"""`workers list|hold|drain|resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.commands.output import Exit
from console.rows.workers import in_a_line

if TYPE_CHECKING:
    from console.commands.output import Context

EMPTY = "No worker. Start one with: topic-worker"


def list_(context: Context) -> Exit:
    """The workers and how they are doing."""
    snapshot = context.readings.snapshot()
    lines = [in_a_line(worker, snapshot.at) for worker in snapshot.workers]
    context.answer(snapshot.workers, "\n".join(lines) or EMPTY)
    return Exit.DONE


def hold(context: Context) -> Exit:
    """Has workers take nothing new, and stay."""
    return context.done(context.actions.ask_workers("hold", context.options.ids))


def drain(context: Context) -> Exit:
    """Has workers take nothing new, and end once nothing runs."""
    return context.done(context.actions.ask_workers("drain", context.options.ids))


def resume(context: Context) -> Exit:
    """Has workers that hold take tasks again."""
    return context.done(context.actions.ask_workers("resume", context.options.ids))
