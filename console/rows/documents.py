"""What a search found, or a collected document: as a row, and in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.rows.base import Cell, Column, Tone
from console.rows.details import facts, heading
from console.text import ago, clean, precise

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.collected import DocumentDetail
    from console.readings.model import Found
    from console.rows.details import Line

COLUMNS = (
    Column("Seen", 4, "right"),
    Column("Source", 18, priority=2),
    Column("Title", 0),
    Column("Found", 36, priority=3),
)


def key(found: Found) -> str:
    """What tells this row from the others."""
    return f"{found.kind}{found.id}"


def cells(found: Found, now: datetime, *, ascii_only: bool = False) -> tuple[Cell, ...]:
    """The row's cells, in the order of COLUMNS."""
    del ascii_only
    source = "topic" if found.kind == "topic" else (found.source or "").partition("/")[0]
    return (
        Cell(ago(found.at, now), Tone.QUIET),
        Cell(clean(source, 60), Tone.ACCENT if found.kind == "topic" else Tone.QUIET),
        Cell(clean(found.title, 300)),
        Cell(clean(found.snippet, 200), Tone.QUIET),
    )


def snippet(found: Found) -> Line:
    """The text around what was found, in which the words themselves stand out."""
    return tuple(
        Cell(
            f"{' ' * text[:1].isspace()}{clean(text, 400)}{' ' * text[-1:].isspace()}",
            Tone.ACCENT if hit else Tone.PLAIN,
        )
        for text, hit in found.context
    )


def in_full(detail: DocumentDetail, found: Found, now: datetime, *, utc: bool = False) -> list[Line]:
    """A document with its text's beginning; `found` carries what the search saw of it."""
    one = detail.document
    lines = heading(clean(one.title, 300))
    if found.context:
        lines += [snippet(found), ()]
    published = one.published_at
    return [*lines, *facts(
        (
            ("source", clean(one.source, 120)),
            ("published", f"{precise(published, utc=utc)}, {ago(published, now)} ago" if published else "not said"),
            ("first seen", f"{precise(one.at, utc=utc)}, {ago(one.at, now)} ago"),
            ("market", clean(one.market, 60)),
            ("language", clean(one.language, 12)),
            ("author", clean(detail.author, 80)),
            ("also in", clean(", ".join(detail.others), 300)),
            ("topics", clean(", ".join(detail.topics), 300)),
            ("address", clean(one.url, 300)),
        )
    ), (), (Cell(clean(detail.text, 3_000)),)]  # fmt: skip
