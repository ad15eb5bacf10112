"""A run, as a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.readings.verdict import outcome
from console.rows.base import Cell, Column, Tone, short_name, state_cell
from console.text import DOT, ago, clean, duration

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.model import Run

COLUMNS = (
    Column("Ended", 5, "right"),
    Column("State", 11),
    Column("Task", 19),
    Column("Market", 12, priority=2),
    Column("Try", 3, "right", priority=3),
    Column("Waited", 7, "right", priority=3),
    Column("Took", 7, "right", priority=3),
    Column("Outcome", 0, priority=2),
)


def key(run: Run) -> str:
    """What tells this row from the others."""
    return str(run.id)


def cells(run: Run, now: datetime, *, ascii_only: bool = False) -> tuple[Cell, ...]:
    """The row's cells, in the order of COLUMNS."""
    del ascii_only
    return (
        Cell(ago(run.finished_at, now), Tone.QUIET),
        state_cell(run.state),
        Cell(clean(short_name(run.name), 60)),
        Cell(clean(run.subject, 40) or DOT),
        Cell(str(run.attempt), Tone.WARN if run.attempt > 1 else Tone.QUIET),
        Cell(duration((run.started_at - run.ready_at).total_seconds()), Tone.QUIET),
        Cell(duration((run.finished_at - run.started_at).total_seconds())),
        Cell(outcome(run), Tone.QUIET),
    )
