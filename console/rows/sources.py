"""A source of a market, as a row and in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.readings.model import SourceState
from console.rows.base import Cell, Column, Tone
from console.rows.details import facts, heading
from console.text import DOT, ago, clean, dot, number, plural, precise, until

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.model import Source
    from console.rows.details import Line

COLUMNS = (
    Column("State", 8),
    Column("Source", 0, least=26),
    Column("Market", 11, priority=2),
    Column("Kind", 7, priority=3),
    Column("Good", 5, "right"),
    Column("Err", 3, "right"),
    Column("/week", 5, "right", priority=2),
    Column("Kept", 6, "right", priority=3),
    Column("Took", 5, "right", priority=3),
    Column("Due", 7, "right", priority=2),
)
TONES = {
    SourceState.OK: Tone.GOOD,
    SourceState.WAITING: Tone.WARN,
    SourceState.FAILING: Tone.BAD,
    SourceState.GONE: Tone.BAD,
    SourceState.DISABLED: Tone.QUIET,
}


def key(source: Source) -> str:
    """What tells this row from the others."""
    return f"{source.market}\n{source.key}"


def cells(source: Source, now: datetime, *, ascii_only: bool = False) -> tuple[Cell, ...]:
    """The row's cells, in the order of COLUMNS."""
    del ascii_only
    return (
        state(source),
        Cell(clean(source.key, 120)),
        Cell(clean(source.market, 40)),
        Cell(clean(source.kind, 12), Tone.QUIET),
        Cell(ago(source.last_success, now) if source.last_success else "never"),
        Cell(dot(source.errors_in_row), Tone.BAD if source.errors_in_row else Tone.QUIET),
        Cell(DOT if source.per_week is None else a_week(source.per_week)),
        Cell(dot(source.documents), Tone.QUIET),
        Cell(DOT if source.latency is None else took(source.latency), Tone.QUIET),
        Cell(due(source, now), Tone.QUIET),
    )


def state(source: Source) -> Cell:
    """How it is doing, as a word."""
    if source.unlisted_at is not None and source.state is not SourceState.DISABLED:
        return Cell("unlisted", Tone.QUIET)
    return Cell(str(source.state), TONES[source.state])


def a_week(count: float) -> str:
    """How many entries a week: `0.5`, `12`, `1,200`."""
    return f"{count:.1f}" if 0 < count < 1 else number(round(count))


def took(seconds: float) -> str:
    """How long an answer took: `80ms`, `1.2s`."""
    return f"{seconds * 1000:.0f}ms" if seconds < 1 else f"{seconds:.1f}s"


def due(source: Source, now: datetime) -> str:
    """When it is asked again by a scheduled run; a dot where none will."""
    if source.state is SourceState.DISABLED or source.unlisted_at is not None:
        return DOT
    at = asked_at(source)
    return until(at, now) if at is not None and at > now else "now"


def asked_at(source: Source) -> datetime | None:
    """Before when a scheduled run does not ask it."""
    return max((one for one in (source.next_due, source.held_until) if one), default=None)


def since(source: Source) -> datetime:
    """When it was last asked."""
    return source.last_attempt


def size_in_words(count: int) -> str:
    """Bytes: `512 B`, `55 kB`, `1.2 MB`."""
    if count < 1_000:
        return f"{count} B"
    return f"{count / 1_000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def in_full(source: Source, now: datetime, *, utc: bool = False) -> list[Line]:
    """A source in words."""

    def at(time: datetime | None) -> str:
        return f"{precise(time, utc=utc)}, {ago(time, now)} ago" if time else ""

    lines = heading(clean(source.name, 80), clean(source.market, 40))
    mark = state(source)
    lines += [(Cell(f"{'state':<11}", Tone.QUIET), Cell(mark.text, mark.tone))]
    if source.errors_in_row:
        lines += [(Cell(f"{'error':<11}", Tone.QUIET), Cell(clean(source.last_error, 1_000), Tone.BAD))]
    return lines + facts(
        (
            ("why", _why(source, now, utc=utc)),
            ("since", plural(source.errors_in_row, "failure") + " in a row" if source.errors_in_row else ""),
            ("last good", at(source.last_success) or "never"),
            ("last asked", at(source.last_attempt)),
            ("due", _due(source, now, utc=utc)),
            ("a week", "" if source.per_week is None else f"{a_week(source.per_week)} entries, by their own dates"),
            ("last feed", _feed(source)),
            ("kept", f"{plural(source.documents, 'document')} so far"),
            ("read over", clean(source.warning, 300)),
            ("last error", f"{clean(source.last_error, 300)}, {ago(source.last_error_at, now)} ago"
             if source.last_error and source.last_error_at and not source.errors_in_row else ""),
            ("moved to", _moved(source)),
            ("validators", ", ".join(clean(one, 60) for one in (source.etag, source.last_modified) if one)),
            ("kind", clean(source.kind)),
            ("address", clean(source.url, 400)),
        )
    ) + [(), (Cell(clean(source.key, 400), Tone.QUIET),)]  # fmt: skip


def _why(source: Source, now: datetime, *, utc: bool) -> str:
    if source.state is SourceState.DISABLED:
        note = f": {clean(source.note, 200)}" if source.note else ""
        return f"disabled by {clean(source.disabled_by, 60)}, {ago(source.disabled_at, now)} ago{note}"
    if source.unlisted_at is not None:
        return f"the market's file names it no more, since {precise(source.unlisted_at, utc=utc)}"
    if source.gone_at is not None:
        return f"it says 410 Gone since {precise(source.gone_at, utc=utc)}: take it out of the market's file"
    if source.held_until is not None and source.held_until > now:
        until_then = precise(source.held_until, utc=utc)
        return f"its answer asked for patience: no collection asks it before {until_then}; r on it does"
    return ""


def _due(source: Source, now: datetime, *, utc: bool) -> str:
    if due(source, now) == DOT:
        return ""
    at = asked_at(source)
    return (
        f"{precise(at, utc=utc)}, {until(at, now)}"
        if at is not None and at > now
        else "with the next collection"
    )


def _feed(source: Source) -> str:
    if source.latency is None:
        return ""
    status = f", {source.status}" if source.status and not source.errors_in_row else ""
    return f"{plural(source.items, 'entry', 'entries')}, {size_in_words(source.size)}, {took(source.latency)}{status}"


def _moved(source: Source) -> str:
    if source.moved_to is None:
        return ""
    how = (
        "asked there now; name it in the market's file"
        if source.moved_seen >= 3
        else f"seen {source.moved_seen}×"
    )
    return f"{clean(source.moved_to, 300)} ({how})"
