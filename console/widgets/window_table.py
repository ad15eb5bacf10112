"""A list of any length, of which only a window is held: some hundred rows around what is seen.

Textual's `DataTable` measures every cell it holds and repaints all that is visible when one changes: 100,000
rows take half a minute. This table draws lines (Textual's Line API), asks for more rows when the cursor nears
an edge of its window, and repaints just the lines that differ. The cursor stays with its row, not with its
number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console import keys
from console.readings.marks import Marks
from console.readings.pages import Edge
from console.rows.base import GAP, Cell, Tone, fitted
from console.widgets.lines import Line, draw, head_line, row_line
from console.widgets.looks import lit
from console.widgets.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from textual import events

    from console.readings.pages import Cursor, Sort, Window
    from console.rows.base import Column

RowT = TypeVar("RowT")

PAGE = 200
MOST_ROWS = 800
# Rows between the cursor and an edge of the window at which more are asked for.
NEAR = 60
NOTHING_MATCHES = "Nothing matches the filter.\nesc drops it."
MARK, UP, DOWN = "●", "↑", "↓"
# Before the first column: where a mark stands.
GUTTER = 1


class WindowTable(Steps, ScrollView, Generic[RowT], can_focus=True):
    """The table.

    Args:
        columns: of the rows.
        draw_cells: a row's cells, as of a moment.
        key: what tells a row from the others.
        same: what stays when a row's key changes: a task that waits and then runs is the same; None: the key.
        empty: what to say when there are no rows, and what to do then.
        sorts: its orders; the first is that in which it comes by itself.
        since: a row's time, for the oldest of those that are marked.
        ascii_only: draw with plain characters.
        id: the widget's.
    """

    BINDINGS = keys.bindings(keys.Scope.MOVE)  # type: ignore[assignment]  # a list of one kind of binding

    class MoreWanted(Message):
        """Rows beyond the window are wanted.

        Attributes:
            table: which asks.
            edge: which rows.
        """

        def __init__(self, table: WindowTable[Any], edge: Edge) -> None:
            super().__init__()
            self.table, self.edge = table, edge

    class Highlighted(Message):
        """The cursor stands on another row, or its row has changed.

        Attributes:
            table: whose cursor.
        """

        def __init__(self, table: WindowTable[Any]) -> None:
            super().__init__()
            self.table = table

    class SortWanted(Message):
        """A heading was clicked: the list is wanted in another order.

        Attributes:
            table: whose heading.
            column: its title.
        """

        def __init__(self, table: WindowTable[Any], column: str) -> None:
            super().__init__()
            self.table, self.column = table, column

    class Opened(Message):
        """The row under the cursor is to be opened.

        Attributes:
            table: whose row.
        """

        def __init__(self, table: WindowTable[Any]) -> None:
            super().__init__()
            self.table = table

    def __init__(
        self,
        columns: Sequence[Column],
        draw_cells: Callable[[RowT, datetime], Sequence[Cell]],
        key: Callable[[RowT], str],
        *,
        empty: str,
        same: Callable[[RowT], str] | None = None,
        sorts: Sequence[Sort] = (),
        since: Callable[[RowT], datetime] | None = None,
        ascii_only: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id)
        self.columns, self.draw_cells, self._key = tuple(columns), draw_cells, key
        self._same = same or key
        self._empty, self._ascii, self.since = empty, ascii_only, since
        self.sorts, self._sort = tuple(sorts), 0
        self.marks: Marks[RowT] = Marks(key, since)
        self.nothing_matches = False
        self.window: Window[RowT] | None = None
        self._cursor = 0
        self._held: RowT | None = None
        self._now: datetime | None = None
        self._drawn: dict[int, Line] = {}
        self._asked: Edge | None = None

    # -- what it shows --------------------------------------------------------------------------

    @property
    def rows(self) -> tuple[RowT, ...]:
        """The rows that are held."""
        return self.window.rows if self.window else ()

    @property
    def highlighted(self) -> RowT | None:
        """The row under the cursor; while one is held, that one, though it may have left the list."""
        row = self.rows[self._cursor] if self._cursor < len(self.rows) else None
        held = self._held
        return row if held is None or (row is not None and self._same(row) == self._same(held)) else held

    def hold(self, *, held: bool) -> None:
        """Keeps the row under the cursor for what is done next, whatever becomes of it; or no longer."""
        self._held = self.highlighted if held else None

    @property
    def sort(self) -> Sort | None:
        """The order it is shown in; None where it has only one."""
        return self.sorts[self._sort] if self.sorts else None

    def sort_by(self, sort_id: str) -> None:
        """Chooses an order by its id; what is no order of this list changes nothing."""
        self._sort = next((at for at, sort in enumerate(self.sorts) if sort.id == sort_id), self._sort)

    def sort_next(self, column: str | None = None) -> None:
        """Chooses the next order, or the next that goes by a column."""
        count = len(self.sorts)
        following = [(self._sort + step) % count for step in range(1, count + 1)]
        self._sort = next((at for at in following if column in {None, self.sorts[at].column}), self._sort)

    @property
    def chosen(self) -> Marks[RowT]:
        """What an act is to be done to: the marked rows, else the one under the cursor."""
        row = self.highlighted
        if len(self.marks) or row is None:
            return self.marks
        return Marks.of(row, self._key, self.since)

    @property
    def place(self) -> Cursor | None:
        """Where the row under the cursor is."""
        places = self.window.places if self.window else ()
        return places[self._cursor] if self._cursor < len(places) else None

    def remark(self) -> None:
        """What is marked has changed."""
        self._repaint()

    def show(self, window: Window[RowT], now: datetime) -> None:
        """Shows what its place holds now; the cursor follows its row."""
        if self._now is None or self.window is None:
            self._now = now
            self._take(window, 0)
            return
        self._now = now
        held = self.highlighted
        before = self._cursor
        after = self._index_of(window, held)
        self._asked = None
        stays_on_top = self.scroll_offset.y == 0 and window.at_start
        self._take(window, before if after is None else after)
        if after is not None and not stays_on_top:
            self._scroll(self.scroll_offset.y + after - before)
        self._keep_in_sight()

    def jump(self, window: Window[RowT], edge: Edge) -> None:
        """Shows the list's first or last rows."""
        self._asked = None
        self._take(window, 0 if edge is Edge.FIRST else len(window.rows) - 1)
        self._keep_in_sight()

    def extend(self, window: Window[RowT], edge: Edge) -> None:
        """Takes in the rows after or before those that are held."""
        self._asked = None
        if self.window is None:
            return
        held = len(self.window.rows)
        if edge is Edge.AFTER:
            joined = self.window.followed_by(window, MOST_ROWS)
            moved = len(joined.rows) - held - len(window.rows)
        else:
            joined = self.window.preceded_by(window, MOST_ROWS)
            moved = len(window.rows)
        self._take(joined, self._cursor + moved)
        self._scroll(self.scroll_offset.y + moved)

    def not_yet(self) -> None:
        """What was asked for cannot be read now; it may be asked for again."""
        self._asked = None

    def tick(self, now: datetime) -> None:
        """Lets the ages go on."""
        self._now = now
        self._repaint()

    def forget(self) -> None:
        """Drops what it shows; the next window starts at the top."""
        self.window, self._cursor, self._asked, self._held = None, 0, None, None
        self._scroll(0)
        self.refresh()

    def _take(self, window: Window[RowT], cursor: int) -> None:
        old, self.window = self.window, window
        self._cursor = max(0, min(cursor, len(window.rows) - 1))
        if old is None or len(old.rows) != len(window.rows):
            self.virtual_size = Size(0, len(window.rows) + 1)
        self._repaint()
        self.post_message(self.Highlighted(self))

    def _index_of(self, window: Window[RowT], row: RowT | None) -> int | None:
        if row is None:
            return None
        wanted = self._same(row)
        return next((at for at, one in enumerate(window.rows) if self._same(one) == wanted), None)

    # -- drawing --------------------------------------------------------------------------------

    @property
    def _places(self) -> list[tuple[int, int]]:
        """The columns there is room for, as (index, width)."""
        return fitted(self.columns, self.size.width - GUTTER)

    def _line(self, y: int) -> Line:
        """What stands on a line of the widget."""
        blank = Cell(" " * GUTTER)
        if not self.rows:
            lines = self._nothing().splitlines()
            return (blank, Cell(lines[y - 2], Tone.QUIET)) if 2 <= y < 2 + len(lines) else ()
        if y == 0:
            sort = self.sort
            arrow = (sort.column, DOWN if sort.descending else UP) if sort is not None else None
            return (blank, *head_line(self.columns, self._places, arrow))
        index = self.scroll_offset.y + y - 1
        if index >= len(self.rows) or self._now is None:
            return ()
        row = self.rows[index]
        mark = Cell(MARK, Tone.ACCENT) if len(self.marks) and self._key(row) in self.marks else blank
        return (mark, *row_line(self.draw_cells(row, self._now), self.columns, self._places))

    def _nothing(self) -> str:
        window = self.window
        if window is None:
            return "Reading…"
        if window.searching:
            return "Searching…\nWhat is found appears here; esc drops the filter."
        return NOTHING_MATCHES if self.nothing_matches else self._empty

    def _repaint(self) -> None:
        """Repaints the lines that differ from what is on the screen; nothing where none does."""
        regions = [
            Region(0, y, self.size.width, 1)
            for y in range(self.size.height)
            if self._drawn.get(y) != self._line_with_cursor(y)
        ]
        if regions:
            self.refresh(*regions)

    def _line_with_cursor(self, y: int) -> Line:
        line = self._line(y)
        return (*line, Cell("cursor")) if self._is_cursor(y) else line

    def _is_cursor(self, y: int) -> bool:
        return y > 0 and bool(self.rows) and self.scroll_offset.y + y - 1 == self._cursor

    def render_line(self, y: int) -> Strip:
        """One line, as Textual asks for it."""
        line, under_cursor = self._line(y), self._is_cursor(y)
        self._drawn[y] = (*line, Cell("cursor")) if under_cursor else line
        gutter = draw(self, line[:1], GUTTER, ascii_only=self._ascii)
        over = None
        if under_cursor:
            over = lit(self, focused=self.has_focus)
        width = self.size.width - GUTTER
        return Strip.join([gutter, draw(self, line[1:], width, over=over, ascii_only=self._ascii)])

    def on_resize(self) -> None:
        """Everything is drawn anew."""
        self._drawn.clear()
        self.refresh()
        self._keep_in_sight()

    # -- moving ---------------------------------------------------------------------------------

    def _scroll(self, y: int) -> None:
        self.scroll_to(y=max(y, 0), animate=False, immediate=True)

    def _keep_in_sight(self) -> None:
        seen = max(self.size.height - 1, 1)
        top = self.scroll_offset.y
        if self._cursor < top:
            self._scroll(self._cursor)
        elif self._cursor >= top + seen:
            self._scroll(self._cursor - seen + 1)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Everything moves; and an edge may be near."""
        super().watch_scroll_y(old_value, new_value)
        self._want_more(int(new_value), int(new_value) + self.size.height)

    def _move(self, index: int) -> None:
        if not self.rows:
            return
        self._cursor = max(0, min(index, len(self.rows) - 1))
        self._keep_in_sight()
        self._repaint()
        self._want_more(self._cursor, self._cursor)
        self.post_message(self.Highlighted(self))

    def _want_more(self, top: int, bottom: int) -> None:
        if self.window is None or self._asked is not None or not self.rows:
            return
        if bottom > len(self.rows) - NEAR and not self.window.at_end:
            self._want(Edge.AFTER)
        elif top < NEAR and not self.window.at_start:
            self._want(Edge.BEFORE)

    def _want(self, edge: Edge) -> None:
        self._asked = edge
        self.post_message(self.MoreWanted(self, edge))

    def action_first(self) -> None:
        """To the list's first row."""
        if self.window is not None and not self.window.at_start:
            self._want(Edge.FIRST)
        else:
            self._move(0)

    def action_last(self) -> None:
        """To the list's last row."""
        if self.window is not None and not self.window.at_end:
            self._want(Edge.LAST)
        else:
            self._move(len(self.rows) - 1)

    def action_open(self) -> None:
        """Opens the row under the cursor."""
        if self.highlighted is not None:
            self.post_message(self.Opened(self))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a double click opens."""
        index = self.scroll_offset.y + event.y - 1
        if event.y == 0 and self.sorts:
            self._head_clicked(event.x - GUTTER)
        elif event.y > 0 and index < len(self.rows):
            self._move(index)
            if event.chain == 2:
                self.action_open()

    def _head_clicked(self, x: int) -> None:
        left = 0
        for at, width in self._places:
            if left <= x < left + width:
                self.post_message(self.SortWanted(self, self.columns[at].title))
            left += width + GAP

    def on_focus(self) -> None:
        """The cursor looks different."""
        self.refresh()

    on_blur = on_focus
