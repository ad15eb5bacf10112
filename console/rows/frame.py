"""The two lines above every screen: the screens' names, and where and how it is; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from console.rows import overview
from console.rows.base import Cell, Tone
from console.text import ELLIPSIS, number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from console.keys import Action
    from console.readings.model import Snapshot

    Line = tuple[Cell, ...]

GAP = Cell("  ", Tone.QUIET)
# Fewer characters of a path tell nobody which home it is.
MIN_HOME = 10


@dataclass(frozen=True, slots=True)
class Tab:
    """A screen's name in the first line.

    Attributes:
        action: leads there.
        cells: the key, and the name where there is room for it.
    """

    action: Action
    cells: Line

    @property
    def width(self) -> int:
        """In cells."""
        return sum(cell_len(part.text) for part in self.cells)


@dataclass(frozen=True, slots=True)
class Corner:
    """What stands in the right corner: where this is, and what time.

    Attributes:
        home: the data folder, as people write it.
        marks: words that must be seen: the environment, read-only.
        clock: hours and minutes with the zone.
    """

    home: str = ""
    marks: tuple[str, ...] = ()
    clock: str = ""

    @property
    def marked(self) -> str:
        """The marks as they are drawn."""
        return "".join(f" {word} " for word in self.marks if word)

    @property
    def width(self) -> int:
        """What it needs at least, in cells; the home may be shortened."""
        home = min(len(self.home), MIN_HOME) + len(GAP.text) + 1 if self.home else 0
        return home + cell_len(self.marked) + len(GAP.text) + cell_len(self.clock)

    def shortened(self, room: int) -> str:
        """The home in so many cells, its end rather than its beginning; empty where that says nothing."""
        left = room - self.width + min(len(self.home), MIN_HOME)
        if len(self.home) <= left:
            return self.home
        return ELLIPSIS + self.home[len(self.home) - left + 1 :] if left >= MIN_HOME else ""


def tabs(screens: Sequence[Action], here: str, width: int, corner: int) -> tuple[list[Tab], bool]:
    """The names of the screens in the best form there is room for.

    Args:
        screens: the actions that lead to them.
        here: the action of the screen that is shown.
        width: of the line, in cells.
        corner: cells that the corner needs, in this line or the next.

    Returns:
        The names, and whether the corner fits beside them.
    """
    spaced = [_tab(action, " ") for action in screens]
    close = [_tab(action, "") for action in screens]
    for form in (spaced, close):
        if _length(form) + corner <= width:
            return form, True
    if _length(close) <= width:
        return close, False
    return [
        _tab(action, " ") if action.id == here else Tab(action, (_key(action),)) for action in screens
    ], True


def _key(action: Action) -> Cell:
    return Cell(action.keys[0], Tone.PLAIN)


def _tab(action: Action, between: str) -> Tab:
    return Tab(action, (_key(action), Cell(between + action.title, Tone.QUIET)))


def _length(form: Sequence[Tab]) -> int:
    return sum(tab.width + 1 for tab in form) + 1


def facts(snapshot: Snapshot, now: datetime, room: int) -> Line:
    """How it is: worker, depth, dead letters, next schedule; where there is little room, only what is not nothing.

    Args:
        snapshot: what is known.
        now: the time, for what is to come.
        room: in cells.
    """
    depth = snapshot.depth
    counts = (
        (depth.pending, "waiting", Tone.PLAIN),
        (depth.running, "running", Tone.ACCENT),
        (depth.dead_letters, "dead", Tone.BAD),
    )
    worker = overview.worker_cell(snapshot)
    runs = worker.text.endswith(" running")  # which its sign says as well
    short = Cell(
        worker.text.removesuffix(" running") if runs else worker.text.replace("worker ", "", 1), worker.tone
    )
    some = [count for count in counts if count[0]]
    spared = _facts(worker, some)
    # That nothing runs is least worth saying; that nothing waits and nothing is dead is what one looks for.
    most = [count for count in counts if count[0] or count[1] != "running"]
    for line in (
        _facts(worker, counts), _facts(worker, most), _facts(short, most), spared, _facts(short, some)
    ):  # fmt: skip
        left = room - sum(cell_len(part.text) for part in line)
        following = overview.next_schedule(snapshot, now, left)
        if cell_len(following) <= left:
            return (*line, Cell(following, Tone.QUIET))
    return spared


def _facts(worker: Cell, counts: Sequence[tuple[int, str, Tone]]) -> Line:
    cells = [Cell(" "), worker, GAP]
    for amount, word, tone in counts:
        cells += [Cell(f"{number(amount)} {word}", tone if amount else Tone.QUIET), GAP]
    return tuple(cells)
