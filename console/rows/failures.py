"""Causes of failure and dead letters, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.rows.base import Cell, Column, Tone, short_name
from console.text import DOT, ago, clean, dot, number

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.canaries import Canary
    from console.readings.model import Cause, Letter

CAUSE_COLUMNS = (
    Column("Count", 6, "right"),
    Column("Error", 22),
    Column("Task", 19, priority=2),
    Column("First", 5, "right", priority=3),
    Column("Last", 5, "right"),
    Column("Message", 0, least=30),
)
LETTER_COLUMNS = (
    Column("Died", 5, "right"),
    Column("Task", 19, priority=3),
    Column("Market", 14),
    Column("Tries", 5, "right", priority=4),
    Column("Retried", 8, "right", priority=2),
    Column("Error", 20, priority=3),
    Column("Message", 0, least=30),
)


def cause_key(cause: Cause) -> str:
    """What tells this row from the others."""
    return cause.fingerprint


def cause_since(cause: Cause) -> datetime:
    """When it was first seen."""
    return cause.first_seen


def cause_cells(cause: Cause, now: datetime, *, ascii_only: bool = False) -> tuple[Cell, ...]:
    """The cells of a cause, in the order of CAUSE_COLUMNS."""
    del ascii_only
    return (
        Cell(number(cause.count), Tone.BAD),
        Cell(clean(short_name(cause.error_type), 60) or DOT),
        Cell(clean(short_name(cause.name), 60)),
        Cell(ago(cause.first_seen, now), Tone.QUIET),
        Cell(ago(cause.last_seen, now)),
        canary_cell(cause),
    )


def canary_cell(cause: Cause) -> Cell:
    """The message; before it, how far a canary retry of the cause is."""
    text = clean(cause.error, 300)
    if cause.canary is None or cause.canary.state in {"released", "cancelled"}:
        return Cell(text, Tone.QUIET)
    tone = Tone.WARN if cause.canary.going else Tone.BAD
    return Cell(f"{canary_in_words(cause.canary)}  {text}", tone)


def canary_in_words(canary: Canary) -> str:
    """How far a canary retry is."""
    match canary.state:
        case "waiting":
            return "waiting for canary"
        case "releasing":
            return f"canary: released {number(canary.released)} of {number(canary.count)}"
        case "released":
            return f"canary: released all {number(canary.released)}"
        case "stopped":
            return f"canary stopped: {clean(canary.why, 200)}"
    return f"canary cancelled after {number(canary.released)} of {number(canary.count)}"


def letter_key(letter: Letter) -> str:
    """What tells this row from the others."""
    return str(letter.id)


def letter_place(letter: Letter) -> str:
    """What the cursor follows: not a letter that is retried, which goes to the list's end, away from those to be dealt with."""
    return f"{letter.id} {letter.state}"


def letter_since(letter: Letter) -> datetime:
    """When it died."""
    return letter.last_seen


def letter_cells(letter: Letter, now: datetime, *, ascii_only: bool = False) -> tuple[Cell, ...]:
    """The cells of a dead letter, in the order of LETTER_COLUMNS."""
    del ascii_only
    return (
        Cell(ago(letter.last_seen, now)),
        Cell(clean(short_name(letter.name), 60)),
        Cell(clean(letter.subject, 40) or DOT),
        Cell(dot(letter.attempts), Tone.QUIET),
        Cell("retrying", Tone.WARN)
        if letter.state == "retrying"
        else Cell(dot(letter.retries), Tone.WARN if letter.retries else Tone.QUIET),
        Cell(clean(short_name(letter.error_type), 60) or DOT),
        Cell(clean(letter.error, 300), Tone.QUIET),
    )
