"""The Overview's verdict and its lists; pure. Its numbers and graphs are in `pulse`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from console.readings.verdict import brief, verdict, worker_in_words
from console.rows.base import STATE_TONES, Cell, Column, Tone, short_name, state_cell
from console.rows.schedules import badge
from console.text import DOT, age, clean, plural, until, when

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.model import Headline, QueueTask, Run, Schedule, Snapshot

    Line = tuple[Cell, ...]

RUNNING_COLUMNS = (Column("Task", 19), Column("Market", 12), Column("For", 4, "right"), Column("Progress", 0))
SCHEDULE_COLUMNS = (
    Column("Schedule", 18),
    Column("Next", 8, "right"),
    Column("At", 16, priority=2),
    Column("Last", 0),
)
RUN_COLUMNS = (Column("Ago", 4, "right"), Column("State", 11), Column("What", 12), Column("Outcome", 0))
HEADLINE_COLUMNS = (Column("Ago", 4, "right"), Column("Source", 18, priority=2), Column("Title", 0))
_TONES = {"good": Tone.GOOD, "warn": Tone.WARN, "bad": Tone.BAD}
_SIGNS = {"good": "●", "warn": "▲", "bad": "■"}


def verdict_lines(snapshot: Snapshot, width: int, *, starting: bool = False) -> list[Line]:
    """Is it well? In one sentence; below it, the key that helps and how much else there is.

    Args:
        snapshot: what is known.
        width: in cells; a longer sentence goes on below.
        starting: a worker has been started here, and is not seen yet.
    """
    tone, text = verdict(snapshot)
    first = snapshot.problems[0].code if snapshot.problems else ""
    hint = {
        "worker_down": "One is starting." if starting else "Press w to start one.",
        "dead_letters": "Press 3 to see why.",
        "queue_paused": "Press 2, then p, to let it go on.",
        "schedule_missed": "Press 4, then m, to answer them.",
        "schedule_overdue": "Press 4 to look at it.",
        "schedule_error": "Press 4 to see why.",
    }.get(first, "")
    if not snapshot.problems and snapshot.retrying:
        hint = f"Why: {clean(snapshot.retrying[0].error or 'it did not say', 300)}"
    elif not snapshot.problems and not snapshot.running and not snapshot.library.documents:
        hint = "Press c to collect a market."
    more = len(snapshot.problems) - 1
    rest = (
        f"And {plural(more, 'more thing')} to look at: {clean(snapshot.problems[1].text, 80)}."
        if more > 0
        else ""
    )
    below = "  ".join(words for words in (hint, rest) if words)
    said = textwrap.wrap(text, max(width - 2, 20))
    lines = [
        (Cell(f"{'  ' if at else _SIGNS[tone] + ' '}{part}", _TONES[tone]),) for at, part in enumerate(said)
    ]
    return [*lines, (Cell(f"  {below}"),)]


def worker_cell(snapshot: Snapshot) -> Cell:
    """The worker's state with a sign."""
    tone, text = worker_in_words(snapshot)
    return Cell(f"{_SIGNS[tone]} {text}", _TONES[tone])


def running_cells(task: QueueTask, now: datetime, progress: str, *, orphaned: bool) -> tuple[Cell, ...]:
    """A running task, in the order of RUNNING_COLUMNS; orphaned, if its worker is gone."""
    doing = Cell(progress or "has told no progress yet", Tone.ACCENT if progress else Tone.QUIET)
    if task.cancel:
        doing = Cell("asked to stop", Tone.WARN)
    if orphaned:
        doing = Cell(f"its worker is gone; the next one takes it over  {progress}".rstrip(), Tone.WARN)
    return (
        Cell(clean(short_name(task.name), 60)),
        Cell(clean(task.subject, 40)),
        Cell(age((now - task.since).total_seconds()), Tone.QUIET),
        doing,
    )


def schedule_cells(schedule: Schedule, now: datetime, *, utc: bool = False) -> tuple[Cell, ...]:
    """A schedule, in the order of SCHEDULE_COLUMNS."""
    mark = badge(schedule)
    ended = (
        f"{schedule.last_state or 'fired'} {age((now - schedule.last_at).total_seconds())} ago"
        if schedule.last_at
        else ""
    )
    missed = f"missed {schedule.missed}" if schedule.missed else ""
    state = "" if mark.tone is Tone.GOOD or mark.text.startswith("missed") else mark.text
    words = ", ".join(word for word in (state, missed, ended) if word) or "has not run yet"
    tone = (
        mark.tone
        if state
        else Tone.WARN
        if missed
        else STATE_TONES.get(schedule.last_state or "", Tone.QUIET)
    )
    return (
        Cell(clean(schedule.name, 60)),
        Cell(DOT if schedule.paused else until(schedule.next_at, now)),
        Cell(DOT if schedule.paused else when(schedule.next_at, now, utc=utc), Tone.QUIET),
        Cell(words, tone),
    )  # fmt: skip


def run_cells(run: Run, now: datetime) -> tuple[Cell, ...]:
    """A run, in the order of RUN_COLUMNS."""
    return (
        Cell(age((now - run.finished_at).total_seconds()), Tone.QUIET),
        state_cell(run.state),
        Cell(clean(run.subject or short_name(run.name), 60)),
        Cell(brief(run), Tone.QUIET),
    )


def headline_cells(headline: Headline, now: datetime) -> tuple[Cell, ...]:
    """A document, in the order of HEADLINE_COLUMNS."""
    return (
        Cell(age((now - headline.fetched_at).total_seconds()), Tone.QUIET),
        Cell(clean(headline.source.partition("/")[0], 60), Tone.QUIET),
        Cell(clean(headline.title)),
    )


def next_schedule(snapshot: Snapshot, now: datetime, room: int) -> str:
    """Which schedule fires next, and when; without its name where there is no room for that."""
    ahead = [one for one in snapshot.schedules if one.next_at is not None and not one.paused]
    if not ahead:
        return "no schedule"
    first = min(ahead, key=lambda one: one.next_at or now)
    text = f"next {clean(first.name, 24)} {until(first.next_at, now)}"
    return text if len(text) <= room else f"next {until(first.next_at, now)}"
