"""Of an update of the screen only the cells that differ from what stands on the terminal are written.

Textual writes a changed part of a line from the left edge of its widget on, and a text of which one line has changed
with all its lines; there is no public way to have it otherwise. Over a slow line that is ten times what has changed.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.control import Control
from textual._compositor import ChopsUpdate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console, RenderableType
    from rich.segment import Segment
    from textual.strip import Strip


class Shown:
    """What stands on the terminal, as far as it is known: of each line, the pieces that were written last."""

    def __init__(self) -> None:
        self._lines: dict[int, tuple[tuple[int, ...], dict[int, Strip]]] = {}

    def differing(self, update: RenderableType | None) -> RenderableType | None:
        """An update with only the cells that differ; one of the whole screen as it is."""
        if isinstance(update, ChopsUpdate):
            return _Differing(self, update)
        if update is not None:
            self._lines.clear()
        return update

    def on_line(self, y: int, pieces: Mapping[int, Strip | None]) -> dict[int, Strip]:
        """The pieces of a line by their places; none where it was cut into others before."""
        places = tuple(pieces)
        known = self._lines.get(y)
        if known is None or known[0] != places:
            known = self._lines[y] = (places, {})
        return known[1]


class _Differing(ChopsUpdate):
    """An update of parts of the screen, of which only what differs is written."""

    def __init__(self, shown: Shown, update: ChopsUpdate) -> None:
        super().__init__(update.chops, update.spans, update.chop_ends)
        self._shown = shown

    def render_segments(self, console: Console) -> str:
        """The sequences to write; from now on they count as written."""
        written: list[str] = []
        for y, start, end in self.spans:
            pieces = self.chops[y]
            known = self._shown.on_line(y, pieces)
            for right, (x, piece) in zip(self.chop_ends[y], pieces.items(), strict=False):
                if piece is None or x >= end or right <= start:
                    continue
                first, last = _differing(known.get(x), piece)
                known[x] = piece
                if first < last:
                    written += [
                        Control.move_to(x + first, y).segment.text,
                        piece.crop(first, last).render(console),
                    ]
        return "".join(written)


def _differing(old: Strip | None, new: Strip) -> tuple[int, int]:
    """From the first cell that differs to the one after the last."""
    if old == new:
        return 0, 0
    # What takes two cells, or none of its own, is not to be cut from what stands before it.
    if old is None or any(cell_len(sign) != 1 for sign in old.text + new.text):
        return 0, new.cell_length
    return _common(old, new), new.cell_length - _common(reversed(old), reversed(new), -1)


def _common(old: Iterable[Segment], new: Iterable[Segment], step: int = 1) -> int:
    """How many cells are the same from the beginning on, or with a step of -1 from the end."""
    cells = 0
    for one, other in zip(old, new, strict=False):
        if one.style != other.style:
            break
        pairs = zip(one.text[::step], other.text[::step], strict=False)
        cells += sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        if one.text != other.text:
            break
    return cells
