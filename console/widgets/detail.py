"""A row in full: what is said of a fact stays in its own column, however narrow the pane."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from console.rows.details import FACT

# With fewer cells beside the names, a line is better cut where it ends.
LEAST = 12


class DetailText(Static):
    """The text. It is wrapped anew when the room changes."""

    def __init__(self) -> None:
        super().__init__(id="detail-text", markup=False)
        self._told, self._wrapped_at = Content(), 0

    def tell(self, told: Content) -> None:
        """Shows a row; repaints only what differs."""
        width = self.size.width
        if (told, width) != (self._told, self._wrapped_at):
            self._told, self._wrapped_at = told, width
            self.update(hung(told, width))

    def on_resize(self) -> None:
        """The room has changed."""
        self.tell(self._told)


def hung(told: Content, width: int) -> Content:
    """The text with each fact wrapped in its column.

    Args:
        told: lines; one of a fact begins with its name in `FACT` characters of one tone.
        width: of the pane, in cells.
    """
    if width < FACT + LEAST:
        return told
    return Content("\n").join(_hung(line, width) for line in told.split(allow_blank=True))


def _hung(line: Content, width: int) -> Content:
    is_fact = bool(line.spans) and (line.spans[0].start, line.spans[0].end) == (0, FACT)
    if not is_fact or line.cell_length <= width:
        return line
    name, value = line.divide([FACT])
    if " " not in value.plain and value.cell_length <= width:
        # A name or an address that can be whole is not broken.
        return Content("\n").join([name, value.pad_left(width - value.cell_length)])
    first, *rest = value.wrap(width - FACT)
    return Content("\n").join([name + first, *(part.pad_left(FACT) for part in rest)])
