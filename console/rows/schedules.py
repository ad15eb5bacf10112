"""A schedule, as a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.rows.base import STATE_TONES, Cell, Column, Tone
from console.text import DOT, ago, clean, cron_in_words, dot, until, when

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.model import Schedule

COLUMNS = (
    Column("Schedule", 20),
    Column("State", 8),
    Column("Next", 9, "right"),
    Column("At", 16, priority=2),
    Column("Last", 5, "right"),
    Column("Ended", 11, priority=2),
    Column("Missed", 6, "right", priority=2),
    Column("Runs", 0, priority=3),
)


def key(schedule: Schedule) -> str:
    """What tells this row from the others."""
    return schedule.name


def cells(
    schedule: Schedule, now: datetime, *, ascii_only: bool = False, utc: bool = False
) -> tuple[Cell, ...]:
    """The row's cells, in the order of COLUMNS."""
    del ascii_only
    ended = schedule.last_state
    return (
        Cell(clean(schedule.name, 60)),
        badge(schedule),
        Cell(DOT if schedule.paused else until(schedule.next_at, now)),
        Cell(DOT if schedule.paused else when(schedule.next_at, now, utc=utc)),
        Cell(ago(schedule.last_at, now), Tone.QUIET),
        Cell(ended or DOT, STATE_TONES.get(ended or "", Tone.QUIET)),
        Cell(dot(schedule.missed), Tone.WARN if schedule.missed else Tone.QUIET),
        Cell(clean(f"{cron_in_words(schedule.cron)}, {schedule.timezone}"), Tone.QUIET),
    )


def badge(schedule: Schedule) -> Cell:
    """The schedule's state as a word."""
    if schedule.error:
        return Cell("ERROR", Tone.BAD)
    if schedule.paused:
        return Cell("paused", Tone.WARN)
    if schedule.overdue:
        return Cell("OVERDUE", Tone.BAD)
    return Cell("on", Tone.GOOD)
