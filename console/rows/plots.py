"""Graphs in a terminal's cells: an area or bars over time, and lines; with an axis and the maximum. Pure.

Braille gives two points across and four down in each cell; where plain characters are wanted, blocks do, which
`ascii_signs` turns into dots and hashes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.rows.base import Cell, Tone
from console.text import compact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Line = tuple[Cell, ...]
    Values = Sequence[float | None]

# Cells of the scale on the left, its line included.
SCALE = 7
# The dots of a braille cell from the bottom up, left column and right: https://www.unicode.org/charts/PDF/U2800.pdf
_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
_FILL = tuple(tuple(sum(column[:count]) for count in range(5)) for column in _DOTS)
_EIGHTHS = " ▁▂▃▄▅▆▇█"
GAP, MARK = "╌", "×"


@dataclass(frozen=True, slots=True)
class Axis:
    """What stands along the bottom.

    Attributes:
        start: of the time: `1h ago`.
        end: of it: `now`.
        gap: what a gap means; said where there is one.
    """

    start: str
    end: str = "now"
    gap: str = ""


def area(
    values: Values,
    width: int,
    height: int,
    axis: Axis,
    *,
    tone: Tone = Tone.ACCENT,
    ascii_only: bool = False,
    label: Callable[[float], str] = compact,
) -> list[Line]:
    """Values over time as a filled shape; None is a gap, not a zero.

    Args:
        values: oldest first.
        width: in cells.
        height: in lines, the axis included; two at least.
        axis: what to write along it.
        tone: of the shape.
        ascii_only: blocks instead of braille.
        label: writes the maximum.
    """
    room, rows = max(width - SCALE, 1), max(height - 1, 1)
    columns = room if ascii_only else room * 2
    shown = resampled(values, columns)
    most = max((value for value in shown if value is not None), default=0.0)
    steps = rows * (8 if ascii_only else 4)
    heights = [None if value is None else _steps(value, most, steps) for value in shown]
    draw = _blocks if ascii_only else _braille
    lines = [
        (_label(label(most) if level == rows - 1 and most else ""), Cell(draw(heights, level), tone))
        for level in range(rows - 1, -1, -1)
    ]
    per_cell = 1 if ascii_only else 2
    gaps = [
        all(one is None for one in shown[at * per_cell : (at + 1) * per_cell]) for at in range(room)
    ] if values else [True] * room  # fmt: skip
    return [*lines, axis_line(room, axis, gaps=gaps)]


def bars(
    values: Values,
    width: int,
    height: int,
    axis: Axis,
    *,
    marks: Values = (),
    label: Callable[[float], str] = compact,
) -> list[Line]:
    """Values over time as columns; where `marks` has something, the column is red and the axis has a cross.

    Args:
        values: oldest first.
        width: in cells.
        height: in lines, the axis included; two at least.
        axis: what to write along it.
        marks: one for each value; those that are not 0 are marked.
        label: writes the maximum.
    """
    room, rows = max(width - SCALE, 1), max(height - 1, 1)
    shown, marked = resampled(values, room), resampled(marks, room) if marks else [None] * room
    most = max((value for value in shown if value is not None), default=0.0)
    lines: list[Line] = []
    for level in range(rows - 1, -1, -1):
        cells = [_label(label(most) if level == rows - 1 and most else "")]
        for value, mark in zip(shown, marked, strict=True):
            eighths = min(max(_steps(value or 0, most, rows * 8) - level * 8, 0), 8)
            cells.append(Cell(_EIGHTHS[eighths], Tone.BAD if mark else Tone.GOOD))
        lines.append(joined(cells))
    return [*lines, axis_line(room, axis, marks=[bool(mark) for mark in marked])]


def lines(
    series: Sequence[tuple[Values, Tone]],
    width: int,
    height: int,
    axis: Axis,
    *,
    ascii_only: bool = False,
    label: Callable[[float], str] = compact,
) -> list[Line]:
    """Several values over time, each as a line of dots; the last series lies above the others.

    Args:
        series: values, oldest first, and their tone.
        width: in cells.
        height: in lines, the axis included; two at least.
        axis: what to write along it.
        ascii_only: one sign for each cell instead of braille: the number of the series, the last being 1.
        label: writes the maximum.
    """
    room, rows = max(width - SCALE, 1), max(height - 1, 1)
    across, down = (1, 1) if ascii_only else (2, 4)
    most = max((value for values, _ in series for value in values if value is not None), default=0.0)
    dots: dict[tuple[int, int], int] = {}
    tones: dict[tuple[int, int], Tone] = {}
    for place, (values, tone) in enumerate(series):
        for x, value in enumerate(_spread(values, room * across)):
            if value is not None and most:
                y = min(int(value / most * rows * down), rows * down - 1)
                cell = (x // across, y // down)
                dots[cell] = len(series) - place if ascii_only else dots.get(cell, 0) | _DOTS[x % 2][y % 4]
                tones[cell] = tone
    drawn: list[Line] = []
    for level in range(rows - 1, -1, -1):
        cells = [_label(label(most) if level == rows - 1 and most else "")]
        for x in range(room):
            sign = dots.get((x, level), 0)
            text = " " if not sign else str(sign) if ascii_only else chr(0x2800 + sign)
            cells.append(Cell(text, tones.get((x, level), Tone.QUIET)))
        drawn.append(joined(cells))
    return [*drawn, axis_line(room, axis)]


def axis_line(room: int, axis: Axis, *, gaps: Sequence[bool] = (), marks: Sequence[bool] = ()) -> Line:
    """The line at the bottom: where time begins and ends, gaps broken, marks crossed."""
    start, end = axis.start, axis.end
    if any(gaps) and axis.gap and room > len(start) + len(axis.gap) + len(end) + 8:
        start = f"{start} {GAP}{GAP} {axis.gap} "
    cells = [Cell(f"{'0':>{SCALE - 2}} └", Tone.QUIET)]
    for x in range(room):
        if x < len(start):
            cells.append(Cell(start[x], Tone.QUIET))
        elif x >= room - len(end):
            cells.append(Cell(end[x - room + len(end)], Tone.QUIET))
        elif x < len(marks) and marks[x]:
            cells.append(Cell(MARK, Tone.BAD))
        else:
            cells.append(Cell(GAP if x < len(gaps) and gaps[x] else "─", Tone.QUIET))
    return joined(cells)


def resampled(values: Values, count: int) -> list[float | None]:
    """So many values over the same time: each the highest of those it stands for, or one that is repeated."""
    if not values:
        return [None] * count
    found: list[float | None] = []
    for at in range(count):
        start = at * len(values) // count
        part = [
            one for one in values[start : max((at + 1) * len(values) // count, start + 1)] if one is not None
        ]
        found.append(max(part, default=None))
    return found


def _spread(values: Values, count: int) -> list[float | None]:
    """So many values over the same time, those between two known ones on the straight line that joins them."""
    if len(values) >= count or len(values) < 2:
        return resampled(values, count)
    found: list[float | None] = []
    for at in range(count):
        place = at * (len(values) - 1) / (count - 1)
        before, after = values[int(place)], values[min(int(place) + 1, len(values) - 1)]
        share = place - int(place)
        if before is None or after is None:
            near = before if share < 0.5 else after
            found.append(near)
        else:
            found.append(before + (after - before) * share)
    return found


def _steps(value: float, most: float, steps: int) -> int:
    """How high a value is drawn; what is not zero is seen."""
    return math.ceil(value / most * steps) if most and value > 0 else 0


def _blocks(heights: Sequence[int | None], level: int) -> str:
    return "".join(_EIGHTHS[min(max((height or 0) - level * 8, 0), 8)] for height in heights)


def _braille(heights: Sequence[int | None], level: int) -> str:
    signs = []
    for at in range(0, len(heights) - 1, 2):
        left, right = (min(max((heights[at + side] or 0) - level * 4, 0), 4) for side in (0, 1))
        dots = _FILL[0][left] + _FILL[1][right]
        signs.append(chr(0x2800 + dots) if dots else " ")
    return "".join(signs)


def _label(text: str) -> Cell:
    return Cell(f"{text:>{SCALE - 2}} {'┤' if text else '│'}", Tone.QUIET)


def joined(cells: Sequence[Cell]) -> Line:
    """Neighbours of one tone as one cell."""
    found: list[Cell] = []
    for cell in cells:
        if found and found[-1].tone is cell.tone:
            found[-1] = Cell(found[-1].text + cell.text, cell.tone)
        else:
            found.append(cell)
    return tuple(found)
