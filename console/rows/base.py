"""Columns and cells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence


class Tone(StrEnum):
    """What a cell's colour says; never the colour alone, the text says it too."""

    PLAIN = "plain"
    QUIET = "quiet"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    ACCENT = "accent"
    MARK = "mark"  # what was sought


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list.

    Attributes:
        title: its heading.
        width: in cells; 0 takes what the others leave.
        align: numbers and ages to the right.
        priority: when there is not room for all, 3 goes first, then 2; 1 stays, cut if it must be.
        least: of a column of width 0, the cells without which it says nothing.
    """

    title: str
    width: int
    align: Literal["left", "right"] = "left"
    priority: int = 1
    least: int = 16

    @property
    def need(self) -> int:
        """The cells it takes at least."""
        return self.width or self.least


GAP = 2
# A column that has to be cut keeps so many cells.
LEAST = 6


def fitted(columns: Sequence[Column], width: int) -> list[tuple[int, int]]:
    """The columns there is room for, as (index, width); the least important go first.

    Args:
        columns: in their order.
        width: of the line, in cells; what is left goes to the column of width 0.
    """
    chosen: list[int] = []
    left = width + GAP
    for at in sorted(range(len(columns)), key=lambda at: columns[at].priority):
        need = columns[at].need + GAP
        if need <= left or columns[at].priority == 1:
            chosen.append(at)
            left -= need
    # Where not even what must stay has room, the column that takes the rest is cut, not the end of the line.
    return [(at, columns[at].width or max(columns[at].least + left, LEAST)) for at in sorted(chosen)]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cleaned text and its tone."""

    text: str
    tone: Tone = Tone.PLAIN


STATE_TONES = {
    "running": Tone.ACCENT,
    "completed": Tone.GOOD,
    "retrying": Tone.WARN,
    "dead": Tone.BAD,
    "interrupted": Tone.WARN,
    "skipped": Tone.QUIET,
    "cancelled": Tone.QUIET,
    "pending": Tone.PLAIN,
    "scheduled": Tone.QUIET,
}


def state_cell(state: str) -> Cell:
    """A state as a word in its tone."""
    return Cell(state, STATE_TONES.get(state, Tone.PLAIN))


def short_name(name: str) -> str:
    """`collect_all_sources` of `worker.tasks.collect_all_sources`."""
    return name.rpartition(".")[2] or name
