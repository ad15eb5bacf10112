"""Two texts side by side, line by line: what went, what came."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from console.rows.base import Cell, Tone
from console.text import clean_lines

if TYPE_CHECKING:
    from console.rows.details import Line

_TONES = {"-": Tone.BAD, "+": Tone.GOOD}


def diff_lines(before: str, after: str) -> list[Line]:
    """The lines of both, each with the sign of where it is from; empty where nothing differs."""
    old, new = clean_lines(before).splitlines(), clean_lines(after).splitlines()
    if old == new:
        return []
    lines = [line for line in difflib.ndiff(old, new) if not line.startswith("?")]
    return [(Cell(line.rstrip() or " ", _TONES.get(line[:1], Tone.PLAIN)),) for line in lines]
