"""Schedules and their ticks, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.readings.model import Outcome
from console.rows.base import Cell, Column, Tone
from console.rows.details import facts, heading
from console.text import DOT, age, ago, clean, cron_in_words, local, number, precise, until, when
from worker.queue.catch_up import ON_TIME_S, CatchUp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from console.readings.model import Schedule, ScheduleDetail, Tick

    Line = tuple[Cell, ...]

COLUMNS = (
    Column("Schedule", 18),
    Column("State", 10),
    Column("Next", 8, "right"),
    Column("At", 16, priority=2),
    Column("Last", 5, "right", priority=2),
    Column("Last runs", 10),
    Column("Runs", 0, priority=3),
)
TICK_COLUMNS = (
    Column("Schedule", 18, priority=2),
    Column("Tick", 16),
    Column("State", 12),
    Column("Ticks", 6, "right", priority=3),
    Column("Noticed", 7, "right", priority=3),
    Column("Why", 0),
)
MISSED = 12  # ticks that a schedule's detail names
# What came of a tick as one sign that is told from the others without colour, also in plain characters.
SIGNS = {
    Outcome.OK: ("●", Tone.GOOD),
    Outcome.LATE: ("◐", Tone.GOOD),
    Outcome.SKIPPED: ("»", Tone.QUIET),
    Outcome.FAILED: ("✗", Tone.BAD),
    Outcome.WAITING: ("▸", Tone.ACCENT),
    Outcome.CANCELLED: ("–", Tone.QUIET),
    Outcome.MISSED: ("○", Tone.WARN),
    Outcome.WAIVED: ("·", Tone.QUIET),
}
_WORDS = {Outcome.LATE: "ok, late", Outcome.WAITING: "not ended", Outcome.WAIVED: "not wanted"}
_STATES = {"caught_up": "caught up"}


def key(schedule: Schedule) -> str:
    """What tells this row from the others."""
    return schedule.name


def cells(
    schedule: Schedule, now: datetime, *, ascii_only: bool = False, utc: bool = False
) -> tuple[Cell, ...]:
    """The row's cells, in the order of COLUMNS."""
    del ascii_only
    return (
        Cell(clean(schedule.name, 60)),
        badge(schedule),
        Cell(DOT if schedule.paused else until(schedule.next_at, now)),
        Cell(_resumes(schedule, now, utc=utc) if schedule.paused else when(schedule.next_at, now, utc=utc)),
        Cell(ago(schedule.last_at, now), Tone.QUIET),
        Cell(strip(schedule.strip), _worst(schedule.strip)),
        Cell(in_words(schedule), Tone.QUIET),
    )


def _resumes(schedule: Schedule, now: datetime, *, utc: bool) -> str:
    """When a pause ends, in the width of a moment: `until 02:21`, `until Fri 02:21`."""
    if schedule.paused_until is None:
        return "until resumed"
    end, here = local(schedule.paused_until, utc=utc), local(now, utc=utc)
    days = (end.date() - here.date()).days
    return (
        f"until {end:%H:%M}"
        if days == 0
        else f"until {end:%a %H:%M}"
        if days < 7
        else f"until {end:%Y-%m-%d}"
    )


def in_words(schedule: Schedule) -> str:
    """When it runs: `At 02:00, Europe/Berlin`."""
    return clean(f"{cron_in_words(schedule.cron)}, {schedule.timezone}")


def badge(schedule: Schedule) -> Cell:
    """The schedule's state as a word."""
    if schedule.error:
        return Cell("ERROR", Tone.BAD)
    if schedule.paused:
        return Cell("paused", Tone.WARN)
    if schedule.overdue:
        return Cell("OVERDUE", Tone.BAD)
    if schedule.missed:
        return Cell(f"missed {number(schedule.missed) if schedule.missed < 1000 else '1k+'}", Tone.WARN)
    return Cell("on", Tone.GOOD)


def strip(outcomes: Sequence[Outcome]) -> str:
    """What came of the last ticks, a sign each, the newest on the right; a dot where there was none yet."""
    return "".join(SIGNS[one][0] for one in outcomes) or DOT


def _worst(outcomes: Sequence[Outcome]) -> Tone:
    """The tone of a strip where it has room for one only: that of the newest, and trouble before it counts."""
    if not outcomes:
        return Tone.QUIET
    if outcomes[-1] in {Outcome.SKIPPED, Outcome.FAILED, Outcome.MISSED}:
        return SIGNS[outcomes[-1]][1]
    return Tone.WARN if {Outcome.FAILED, Outcome.MISSED} & set(outcomes) else Tone.GOOD


def strip_cells(outcomes: Sequence[Outcome]) -> tuple[Cell, ...]:
    """The same with a tone for each."""
    return tuple(Cell(*SIGNS[one]) for one in outcomes)


def legend(outcomes: Sequence[Outcome]) -> str:
    """What the signs of a strip mean, those that occur in it."""
    return "  ".join(f"{SIGNS[one][0]} {_WORDS.get(one, str(one))}" for one in SIGNS if one in outcomes)


def tick_cells(tick: Tick, now: datetime, *, utc: bool = False) -> tuple[Cell, ...]:
    """The cells of a tick, in the order of TICK_COLUMNS."""
    return (
        Cell(clean(tick.schedule, 60)),
        Cell(when(tick.at, now, utc=utc)),
        Cell(_STATES.get(tick.state, clean(tick.state, 20)), SIGNS[tick.outcome][1]),
        Cell(number(tick.count) if tick.count > 1 else DOT, Tone.QUIET),
        Cell(ago(tick.noticed_at, now), Tone.QUIET),
        Cell(clean(tick.why, 300), Tone.QUIET),
    )


def tick_words(tick: Tick, now: datetime, *, utc: bool = False) -> str:
    """A tick on one line: when, how many it stands for, and why it got no run."""
    folded = f" to {when(tick.last_at, now, utc=utc)}, {number(tick.count)} ticks" if tick.count > 1 else ""
    return f"{SIGNS[tick.outcome][0]} {when(tick.at, now, utc=utc)}{folded}  {clean(tick.why, 300)}".rstrip()


def of_schedule(detail: ScheduleDetail, now: datetime, *, utc: bool = False) -> list[Line]:
    """A schedule, its next times and what became of its last ticks."""
    schedule = detail.schedule
    mark = badge(schedule)
    lines = heading(clean(schedule.name, 80))
    lines += [(Cell(f"{'state':<11}", Tone.QUIET), Cell(mark.text, mark.tone))]
    lines += facts(
        (
            ("paused", _pause(schedule, now, utc=utc)),
            ("error", clean(schedule.error, 400)),
            ("runs", in_words(schedule)),
            ("cron", clean(schedule.cron)),
            ("last", f"{precise(schedule.last_at, utc=utc)}, {ago(schedule.last_at, now)} ago" if schedule.last_at else "never"),
            ("ended", schedule.last_state or ""),
            ("catch up", _policy(detail)),
            ("task", clean(schedule.task_name)),
        )
    )  # fmt: skip
    lines += _unanswered(detail, now, utc=utc)
    if detail.recent:
        outcomes = [tick.outcome for tick in reversed(detail.recent)]
        lines += [(), (Cell("Last runs", Tone.ACCENT),), strip_cells(outcomes)]
        lines.append((Cell(legend(outcomes), Tone.QUIET),))
    if detail.coming:
        after = " after the pause" if schedule.paused else ""
        lines += [(), (Cell(f"Next{after}", Tone.ACCENT),)]
        lines += [
            (Cell(f"{when(at, now, utc=utc):<17}"), Cell(until(at, now), Tone.QUIET)) for at in detail.coming
        ]
    return lines


def _policy(detail: ScheduleDetail) -> str:
    """What becomes of a tick that passes while no worker runs."""
    if detail.catch_up == CatchUp.NONE:
        return f"none; {age(ON_TIME_S)} late is on time"
    return f"{detail.catch_up}, within {age(detail.catch_up_window_s)}"


def _pause(schedule: Schedule, now: datetime, *, utc: bool) -> str:
    if not schedule.paused:
        return ""
    end = (
        f"until {when(schedule.paused_until, now, utc=utc)}"
        if schedule.paused_until
        else "until it is resumed"
    )
    by = f", by {clean(schedule.paused_by, 60)}" if schedule.paused_by else ""
    note = f": {clean(schedule.pause_note, 200)}" if schedule.pause_note else ""
    return f"{end}{by}{note}"


def _unanswered(detail: ScheduleDetail, now: datetime, *, utc: bool) -> list[Line]:
    """The ticks that got no run, the newest first, and the key that answers them."""
    if not detail.missed:
        return []
    missed = detail.schedule.missed
    title = f"Missed {number(missed)}" if missed else "Passed while it was paused"
    lines: list[Line] = [(), (Cell(title, Tone.ACCENT), Cell("  m answers them", Tone.QUIET))]
    lines += [
        (Cell(tick_words(tick, now, utc=utc), SIGNS[tick.outcome][1]),)
        for tick in detail.missed[: -MISSED - 1 : -1]
    ]
    more = len(detail.missed) - MISSED
    return [*lines, (Cell(f"and {number(more)} more", Tone.QUIET),)] if more > 0 else lines
