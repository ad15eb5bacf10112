"""The Overview's numbers and its graph of the last hour; pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from console.readings.verdict import verdict, worker_in_words
from console.rows.base import Cell, Column, Tone, short_name
from console.text import age, clean, dot, number, plural, until, when

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from console.readings.model import Headline, Minute, QueueTask, Snapshot

    Line = tuple[Cell, ...]

RUNNING_COLUMNS = (Column("Task", 19), Column("Market", 12), Column("For", 4, "right"), Column("Progress", 0))
HEADLINE_COLUMNS = (Column("Ago", 4, "right"), Column("Title", 0), Column("Source", 24, priority=3))
RATE_MINUTES = 10
_TONES = {"good": Tone.GOOD, "warn": Tone.WARN, "bad": Tone.BAD}
_SIGNS = {"good": "●", "warn": "▲", "bad": "■"}
_EIGHTHS = " ▁▂▃▄▅▆▇█"


def verdict_line(snapshot: Snapshot) -> Line:
    """Is it well? In one sentence, with the key that helps."""
    tone, text = verdict(snapshot)
    first = snapshot.problems[0].code if snapshot.problems else ""
    hint = {"worker_down": "  Press w to start one.", "dead_letters": "  Press 3 to see why."}.get(first, "")
    if not snapshot.problems and not snapshot.library.documents:
        hint = "  Press c to collect a market."
    return (Cell(f"{_SIGNS[tone]} ", _TONES[tone]), Cell(text, _TONES[tone]), Cell(hint, Tone.PLAIN))


def worker_cell(snapshot: Snapshot) -> Cell:
    """The worker's state with a sign."""
    tone, text = worker_in_words(snapshot)
    return Cell(f"{_SIGNS[tone]} {text}", _TONES[tone])


def depth_line(snapshot: Snapshot) -> Line:
    """How many tasks are where."""
    depth = snapshot.depth
    oldest = depth.oldest_pending_at
    waiting = f", oldest {age((snapshot.at - oldest).total_seconds())}" if oldest else ""
    return (
        Cell(f"{number(depth.pending)} waiting{waiting}", Tone.PLAIN if depth.pending else Tone.QUIET),
        Cell("  ·  ", Tone.QUIET),
        Cell(f"{number(depth.running)} running", Tone.ACCENT if depth.running else Tone.QUIET),
        Cell("  ·  ", Tone.QUIET),
        Cell(f"{number(depth.scheduled)} scheduled", Tone.PLAIN if depth.scheduled else Tone.QUIET),
        Cell("  ·  ", Tone.QUIET),
        Cell(plural(depth.dead_letters, "dead letter"), Tone.BAD if depth.dead_letters else Tone.QUIET),
    )


def hour_line(snapshot: Snapshot) -> Line:
    """What happened in the last hour, and how fast it goes now."""
    done, failed, retried = (
        sum(getattr(minute, name) for minute in snapshot.minutes)
        for name in ("completed", "failed", "retried")
    )
    return (
        Cell(f"{dot(done)} done", Tone.GOOD if done else Tone.QUIET),
        Cell("  ·  ", Tone.QUIET),
        Cell(f"{dot(failed)} failed", Tone.BAD if failed else Tone.QUIET),
        Cell("  ·  ", Tone.QUIET),
        Cell(f"{dot(retried)} retried", Tone.WARN if retried else Tone.QUIET),
        Cell(f"  ·  {pace(snapshot)}", Tone.QUIET),
    )


def pace(snapshot: Snapshot) -> str:
    """Arrivals and completions a minute over the last whole minutes, and when the queue will be empty."""
    recent = snapshot.minutes[-RATE_MINUTES - 1 : -1]
    if not recent:
        return "nothing yet"
    came = sum(minute.enqueued for minute in recent) / len(recent)
    went = sum(minute.completed + minute.failed for minute in recent) / len(recent)
    text = f"{came:.1f}/min in, {went:.1f}/min out"
    waiting = snapshot.depth.pending
    if not waiting:
        return text
    return f"{text}, empty in {age(waiting / (went - came) * 60)}" if went > came else f"{text}, not draining"


def graph(minutes: Sequence[Minute], width: int, height: int) -> list[Line]:
    """The last hour, a column or two for each minute: what ended in it; with a failure it is red.

    Args:
        minutes: oldest first.
        width: in cells.
        height: in lines, at least one.
    """
    wide = max((width - 6) // max(len(minutes), 1), 1)
    shown = minutes[-((width - 6) // wide) :]
    totals = [minute.completed + minute.failed for minute in shown]
    most = max(totals, default=0)
    lines: list[Line] = []
    for level in range(height - 1, -1, -1):
        label = number(most) if level == height - 1 and most else "0" if level == 0 else ""
        cells = [Cell(f"{label:>5} ", Tone.QUIET)]
        for minute, total in zip(shown, totals, strict=True):
            eighths = min(max(math.ceil(total / most * height * 8) - level * 8, 0), 8) if most else 0
            sign = _EIGHTHS[eighths] if eighths else "▁" if level == 0 else " "
            tone = Tone.QUIET if not total else Tone.BAD if minute.failed else Tone.ACCENT
            cells.append(Cell(sign * wide, tone))
        lines.append(tuple(cells))
    return lines


def running_cells(task: QueueTask, now: datetime, progress: str) -> tuple[Cell, ...]:
    """A running task, in the order of RUNNING_COLUMNS."""
    return (
        Cell(clean(short_name(task.name), 60)),
        Cell(clean(task.subject, 40)),
        Cell(age((now - task.since).total_seconds()), Tone.QUIET),
        Cell("asked to stop" if task.cancel else progress or "no progress told", Tone.WARN if task.cancel else Tone.ACCENT),
    )  # fmt: skip


def headline_cells(headline: Headline, now: datetime) -> tuple[Cell, ...]:
    """A document, in the order of HEADLINE_COLUMNS."""
    return (
        Cell(age((now - headline.fetched_at).total_seconds()), Tone.QUIET),
        Cell(clean(headline.title)),
        Cell(clean(headline.source.partition("/")[0], 60), Tone.QUIET),
    )


def next_schedule(snapshot: Snapshot, now: datetime, *, utc: bool = False) -> str:
    """Which schedule fires next, and when."""
    ahead = [one for one in snapshot.schedules if one.next_at is not None and not one.paused]
    if not ahead:
        return "no schedule"
    first = min(ahead, key=lambda one: one.next_at or now)
    return f"{clean(first.name, 24)} {until(first.next_at, now)} ({when(first.next_at, now, utc=utc)})"
