"""How fast the queue moves, when it will be empty, and what has changed: the Overview's numbers in words and graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.readings.forecast import Outlook, forecast
from console.rows import plots
from console.rows.base import Cell, Tone, short_name
from console.text import age, clean, number, plural, rates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from console.readings.model import Minute, Snapshot
    from console.readings.news import News

    Line = tuple[Cell, ...]

BETWEEN = Cell("  ·  ", Tone.QUIET)


def depth_line(snapshot: Snapshot) -> Line:
    """How many tasks are where."""
    depth = snapshot.depth
    oldest = depth.oldest_pending_at
    waiting = f", oldest {age((snapshot.at - oldest).total_seconds())}" if oldest else ""
    return (
        Cell(f"{number(depth.pending)} waiting{waiting}", Tone.PLAIN if depth.pending else Tone.QUIET), BETWEEN,
        Cell(f"{number(depth.running)} running", Tone.ACCENT if depth.running else Tone.QUIET), BETWEEN,
        Cell(f"{number(depth.scheduled)} scheduled", Tone.PLAIN if depth.scheduled else Tone.QUIET), BETWEEN,
        Cell(plural(depth.dead_letters, "dead letter"), Tone.BAD if depth.dead_letters else Tone.QUIET),
    )  # fmt: skip


def forecast_line(snapshot: Snapshot) -> Line:
    """When nothing will wait any more, or why not."""
    found = forecast(snapshot)
    came, went = rates(found.arriving, found.ending)
    match found.outlook:
        case Outlook.EMPTY:
            if not any(found.seen):
                return (Cell("Nothing waits, nothing moves", Tone.QUIET),)
            moved = f": in the last hour {number(found.seen[0])} arrived, {number(found.seen[1])} ended"
            return (Cell("Nothing waits", Tone.GOOD), Cell(moved, Tone.QUIET))
        case Outlook.DRAINING:
            told = f"Empty in ~{age(max(found.empty_in or 0, 1))}"
            return (Cell(told, Tone.GOOD), Cell(f" at {went}, {came} arrive", Tone.QUIET))
        case Outlook.GROWING:
            return (Cell("Growing", Tone.WARN), Cell(f": {came} arrive, {went} end", Tone.QUIET))
        case Outlook.LEVEL:
            return (Cell("Level"), Cell(f": {came} arrive and end", Tone.QUIET))
        case Outlook.STILL:
            coming = f", {came} arrive" if found.arriving else ""
            return (Cell("Stands still", Tone.WARN), Cell(f": {found.cause}{coming}"))


def waiting_note(minutes: Sequence[Minute]) -> str:
    """Beside the title of the graph of the depth."""
    known = [minute.depth for minute in minutes if minute.depth is not None]
    return f"most {number(max(known))}" if known else "not seen: no worker"


def waiting_graph(
    minutes: Sequence[Minute], start: str, width: int, height: int, *, ascii_only: bool = False
) -> list[Line]:
    """How many tasks waited, over time."""
    axis = plots.Axis(start, gap="no worker")
    return plots.area([minute.depth for minute in minutes], width, height, axis, ascii_only=ascii_only)


def ended_note(minutes: Sequence[Minute]) -> str:
    """Beside the title of the graph of what ended."""
    done, failed, retried = (
        sum(getattr(minute, name) for minute in minutes) for name in ("completed", "failed", "retried")
    )
    return f"{number(done)} done, {number(failed)} failed, {number(retried)} retried"


def ended_graph(minutes: Sequence[Minute], start: str, width: int, height: int) -> list[Line]:
    """How many tasks ended, over time; a failure is red and crossed."""
    return plots.bars(
        [minute.completed + minute.failed for minute in minutes], width, height, plots.Axis(start),
        marks=[minute.failed for minute in minutes],
    )  # fmt: skip


def news_lines(news: News, width: int) -> list[Line]:
    """What has changed, as many facts on a line as there is room for; failures first."""
    facts: list[Cell] = []
    for cause in news.new_causes:
        kind = f"{clean(short_name(cause.error_type), 40)}: " if cause.error_type else ""
        times = f" ({number(cause.count)}×)" if cause.count > 1 else ""
        facts.append(Cell(f"new: {kind}{clean(cause.error, 60)}{times}", Tone.BAD))
    if more := news.causes - len(news.new_causes):
        facts.append(Cell(f"and {plural(more, 'more new cause')}", Tone.BAD))
    if news.failed:
        facts.append(Cell(f"{plural(news.failed, 'task')} failed for good", Tone.BAD))
    if news.missed:
        facts.append(Cell(f"{plural(news.missed, 'tick')} missed", Tone.WARN))
    if news.collections:
        facts.append(Cell(f"{plural(news.collections, 'collection')} ended", Tone.GOOD))
    if news.acts:
        who = ", ".join(clean(actor, 30) for actor in news.actors[:3])
        facts.append(Cell(f"{plural(news.acts, 'act')} by {who}"))
    if news.proposals:
        facts.append(Cell(f"{plural(news.proposals, 'feed')} proposed: topic-worker proposals"))
    if news.workers:
        facts.append(Cell(f"{plural(news.workers, 'worker')} started", Tone.QUIET))
    return _flowing(facts, width)


def _flowing(facts: Sequence[Cell], width: int) -> list[Line]:
    lines: list[list[Cell]] = []
    left = 0
    for fact in facts:
        if lines and len(fact.text) + len(BETWEEN.text) <= left:
            lines[-1] += [BETWEEN, fact]
            left -= len(fact.text) + len(BETWEEN.text)
        else:
            lines.append([fact])
            left = width - len(fact.text)
    return [tuple(line) for line in lines]


def news_title(news: News, now: datetime) -> str:
    """Since when."""
    return f"{age((now - news.since).total_seconds())} ago; d dismisses"
