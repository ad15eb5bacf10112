"""Drawing lines of toned text with Textual's Line API; shared by the widgets that show readings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip

from console.rows.base import GAP, Cell, Tone
from console.text import ELLIPSIS, ascii_signs, cell
from console.widgets.looks import TONES, toned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from textual.widget import Widget

    from console.rows.base import Column

Line = tuple[Cell, ...]


def row_line(cells: Sequence[Cell], columns: Sequence[Column], places: Sequence[tuple[int, int]]) -> Line:
    """A row as one line, its cells in their columns.

    Args:
        cells: of all columns.
        columns: all of them.
        places: index and width of those that are shown.
    """
    last = len(places) - 1
    return tuple(
        Cell(cell(cells[at].text, width, columns[at].align) + ("" if number == last else " " * GAP), cells[at].tone)
        for number, (at, width) in enumerate(places)
    )  # fmt: skip


def head_line(
    columns: Sequence[Column], places: Sequence[tuple[int, int]], arrow: tuple[str, str] | None = None
) -> Line:
    """The headings.

    Args:
        columns: all of them.
        places: index and width of those that are shown.
        arrow: a column's title, and the sign that says that the list goes by it.
    """
    return row_line([_heading(column, arrow) for column in columns], columns, places)


def _heading(column: Column, arrow: tuple[str, str] | None) -> Cell:
    if arrow is None or column.title != arrow[0]:
        return Cell(column.title, Tone.QUIET)
    # Where there is no room for both, the sign is what tells.
    title = f"{column.title} {arrow[1]}"
    tight = column.width and len(title) > column.width
    return Cell(f"{column.title[: column.width - 1]}{arrow[1]}" if tight else title, Tone.ACCENT)


def draw(
    widget: Widget,
    line: Line,
    width: int,
    *,
    over: Style | None = None,
    ascii_only: bool = False,
    ages: bool = True,
) -> Strip:
    """A line as a strip of exactly `width` cells.

    Args:
        widget: on whose ground it is drawn.
        line: what to draw.
        width: in cells; what is too long is cut.
        over: a style that wins over the tones, for the row under the cursor.
        ascii_only: draw with plain characters.
        ages: whether it is dimmed on a screen whose facts are old.
    """
    base = over or toned(widget, Tone.PLAIN, ages=ages)
    segments = [
        Segment(
            ascii_signs(part.text) if ascii_only else part.text, over or toned(widget, part.tone, ages=ages)
        )
        for part in line
    ]
    strip = Strip(segments)
    if strip.cell_length > width > 0:
        more = ascii_signs(ELLIPSIS) if ascii_only else ELLIPSIS
        strip = Strip.join([strip.crop(0, width - 1), Strip([Segment(more, base)])])
    return strip.adjust_cell_length(width, base).simplify()


def wrapped(line: Line, width: int, indent: int, most: int) -> list[Line]:
    """A line cut into several of `width` cells.

    Args:
        line: what to cut.
        width: in cells.
        indent: so far the second and further ones are moved to the right.
        most: how many there are to be; what is beyond them is left out.
    """
    from rich.cells import chop_cells  # noqa: PLC0415 - of a line that is too long only

    lines: list[list[Cell]] = [[]]
    left = width
    for part in line:
        rest = part.text
        while rest:
            fits = chop_cells(rest, left)[0] if left > 0 else ""
            if fits and cell_len(fits) <= left:
                lines[-1].append(Cell(fits, part.tone))
                left -= cell_len(fits)
                rest = rest[len(fits) :]
            if rest:
                if len(lines) >= most:
                    return [tuple(one) for one in lines]
                lines.append([Cell(" " * indent)])
                left = max(width - indent, 2)
    return [tuple(one) for one in lines]


def found_in(line: Line, sought: str) -> Line:
    """The line with a text marked wherever it stands in one of its parts; capitals make no difference."""
    if not sought:
        return line
    parts: list[Cell] = []
    for part in line:
        rest, lower = part.text, part.text.lower()
        # Where lower case has another length, places cannot be told.
        at = lower.find(sought.lower()) if len(lower) == len(rest) else -1
        while at >= 0:
            parts += [Cell(rest[:at], part.tone), Cell(rest[at : at + len(sought)], Tone.MARK)]
            rest, lower = rest[at + len(sought) :], lower[at + len(sought) :]
            at = lower.find(sought.lower())
        parts.append(Cell(rest, part.tone))
    return tuple(parts)


def as_content(lines: Sequence[Line], *, ascii_only: bool = False) -> Content:
    """Lines for a widget that wraps them itself. Never markup: foreign brackets stay what they are."""
    parts: list[tuple[str, str]] = []
    for number, line in enumerate(lines):
        if number:
            parts.append(("\n", ""))
        parts += [(ascii_signs(part.text) if ascii_only else part.text, TONES[part.tone]) for part in line]
    return Content.assemble(*parts)
