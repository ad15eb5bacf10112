"""A titled part of the Overview: some lines of toned text, drawn to the width there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region
from textual.widget import Widget

from console.rows.base import Cell, Tone, fitted
from console.widgets.lines import Line, draw, head_line, row_line
from console.widgets.looks import TITLE, look

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.geometry import Size
    from textual.strip import Strip

    from console.rows.base import Column

    Content = Callable[[int], Sequence[Line]]


class Panel(Widget):
    """The part.

    Args:
        title: its heading; empty for none.
        leads_to: the screen that has all of it, where a click goes; empty for none.
        ascii_only: draw with plain characters.
        id: the widget's.
    """

    def __init__(
        self,
        title: str = "",
        *,
        leads_to: str = "",
        ascii_only: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id)
        self._title, self._leads_to, self._ascii = title, leads_to, ascii_only
        self._content: Content = lambda _: ()
        self._lines: tuple[Line, ...] = ()
        self._note = ""

    def show(self, content: Content, note: str = "") -> None:
        """Shows lines; only those that differ are repainted.

        Args:
            content: gives the lines for a width in cells.
            note: stands beside the title.
        """
        self._content = content
        if note != self._note:
            self._note = note
            self.refresh()
        self._lay()

    def show_rows(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Cell]],
        *,
        empty: str,
        note: str = "",
        heads: bool = False,
    ) -> None:
        """Shows rows in columns, or what to say when there are none.

        Args:
            columns: of the rows.
            rows: their cells.
            empty: what to say.
            note: stands beside the title.
            heads: whether the columns have headings; then the last line says how many rows there is no room for.
        """

        def content(width: int) -> Sequence[Line]:
            if not rows:
                return [(Cell(empty, Tone.QUIET),)]
            places = fitted(columns, width)
            lines = [row_line(cells, columns, places) for cells in rows]
            if not heads:
                return lines
            room = max(self.size.height - 2, 1)
            rest = [(Cell(f"and {len(lines) - room + 1} more", Tone.QUIET),)] if len(lines) > room else []
            return [head_line(columns, places), *lines[: room - len(rest)], *rest]

        self.show(content, note)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as its lines, where the stylesheet says `auto`."""
        del container, viewport
        return len(self._content(width)) + (1 if self._title else 0)

    def _lay(self) -> None:
        old, self._lines = self._lines, tuple(self._content(self.size.width)) if self.size.width else ()
        if len(old) != len(self._lines):
            self.refresh(layout=True)
        above = 1 if self._title else 0
        # What there is no room for must not be repainted: it would be the line of another widget.
        for y in range(min(max(len(old), len(self._lines)), self.size.height - above)):
            if old[y : y + 1] != self._lines[y : y + 1]:
                self.refresh(Region(0, y + above, self.size.width, 1))

    async def on_click(self) -> None:
        """To the screen that has all of it, unless text was selected."""
        if self._leads_to and not self.screen.get_selected_text():
            await self.run_action(f"app.go('{self._leads_to}')")

    def on_resize(self) -> None:
        """The lines are laid out for the new width."""
        self._lay()

    def render_line(self, y: int) -> Strip:
        """One line, as Textual asks for it."""
        if self._title and y == 0:
            heading = Cell(self._title)
            line: Line = (heading, Cell(f"  {self._note}", Tone.QUIET)) if self._note else (heading,)
            style = look(self, TITLE)
            strip = draw(self, line[:1], len(self._title), over=style, ascii_only=self._ascii)
            rest = draw(self, line[1:], self.size.width - len(self._title), ascii_only=self._ascii)
            return strip.join([strip, rest])
        index = y - (1 if self._title else 0)
        return draw(
            self,
            self._lines[index] if index < len(self._lines) else (),
            self.size.width,
            ascii_only=self._ascii,
        )
