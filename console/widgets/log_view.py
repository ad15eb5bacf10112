"""The end of a log: some thousand lines, drawn as lines, wrapped or cut; follows what is written while it is at the end."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView

from console import keys
from console.readings.pages import Window
from console.rows.base import Cell, Tone
from console.widgets.lines import Line, draw, found_in, wrapped
from console.widgets.looks import lit
from console.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from textual import events
    from textual.strip import Strip

    from console.readings.log_lines import LogLine

# The second and further lines of a wrapped one stand under its text.
INDENT = 9
MOST_WRAPPED = 40
# Of all lines only these are held as they are drawn: what is seen, and a little more.
DRAWN = 100


class LogView(ScrollView, can_focus=True):
    """The view; to its screen it is a list, with a cursor and a row under it.

    Args:
        draw_line: a line of the log as toned text.
        key: what tells it from the others.
        empty: what to say when there are no lines.
        ascii_only: draw with plain characters.
        id: the widget's.
    """

    BINDINGS = keys.bindings(keys.Scope.MOVE)  # type: ignore[assignment]  # a list of one kind of binding
    # What lists of rows have and this one has not.
    sorts, marks = (), ()

    def __init__(
        self,
        draw_line: Callable[[LogLine], Line],
        key: Callable[[LogLine], str],
        *,
        empty: str,
        ascii_only: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id)
        self._draw_line, self._key, self.empty, self._ascii = draw_line, key, empty, ascii_only
        self.lines: tuple[LogLine, ...] = ()
        self.window: Window[LogLine] | None = None
        self.wraps, self.sought = False, ""
        self._cursor = 0
        # Where each line begins, counted in lines of the screen, and where the last one ends.
        self._starts: list[int] = [0]
        self._heights: dict[str, int] = {}
        self._cut: LRUCache[str, list[Line]] = LRUCache(DRAWN)
        self._drawn: dict[int, object] = {}

    # -- what it shows --------------------------------------------------------------------------

    @property
    def rows(self) -> tuple[LogLine, ...]:
        """As other lists call their lines."""
        return self.lines

    @property
    def highlighted(self) -> LogLine | None:
        """The line under the cursor."""
        return self.lines[self._cursor] if self._cursor < len(self.lines) else None

    def hold(self, *, held: bool) -> None:
        """A line stays what it is: nothing need be kept of the one that is opened."""

    @property
    def at_end(self) -> bool:
        """Whether the cursor stands on the last line, so that new ones are followed."""
        return self._cursor >= len(self.lines) - 1

    def show(self, lines: Sequence[LogLine]) -> None:
        """Shows lines; the cursor stays with its own, or at the end."""
        held, follows = self.highlighted, self.at_end
        above = self._starts[self._cursor] - self.scroll_offset.y if held else 0
        self.lines = tuple(lines)
        self.window = Window(self.lines)
        places = {self._key(line): at for at, line in enumerate(self.lines)}
        last = max(len(self.lines) - 1, 0)
        self._cursor = last if follows or held is None else places.get(self._key(held), 0)
        self._heights = {key: height for key, height in self._heights.items() if key in places}
        self._lay()
        if not follows and self.lines:
            self._scroll(self._starts[self._cursor] - above)
        self._keep_in_sight()
        if held is not self.highlighted:
            self.post_message(WindowTable.Highlighted(self))  # type: ignore[arg-type]  # it is a list like one

    def forget(self) -> None:
        """Drops what it shows; what comes next is shown from its end."""
        self.lines, self._cursor, self.window = (), 0, None
        self._lay()

    def tick(self, _now: datetime) -> None:
        """Nothing of it changes with time."""

    def wrap(self, *, wanted: bool) -> None:
        """Wraps long lines, or cuts them."""
        self.wraps = wanted
        self.redraw()

    def redraw(self) -> None:
        """Draws all lines anew: the zone has changed, or what is sought."""
        self._cut.clear()
        self._heights.clear()
        self._lay()
        self._keep_in_sight()

    def _lay(self) -> None:
        self._starts = list(accumulate(map(self._height, self.lines), initial=0))
        self.virtual_size = Size(0, self._starts[-1])
        self._repaint()

    def _height(self, line: LogLine) -> int:
        if not self.wraps:
            return 1
        key = self._key(line)
        if key not in self._heights:
            self._heights[key] = len(self._cut_of(line))
        return self._heights[key]

    def _cut_of(self, line: LogLine) -> list[Line]:
        key = self._key(line)
        cut = self._cut.get(key)
        if cut is None:
            drawn = found_in(self._draw_line(line), self.sought)
            width = self.size.width
            cut = wrapped(drawn, width, INDENT, MOST_WRAPPED) if self.wraps and width else [drawn]
            self._cut[key] = cut
        return cut

    def _at(self, row: int) -> int:
        """Which line stands there."""
        return bisect_right(self._starts, row) - 1

    # -- finding --------------------------------------------------------------------------------

    def seek(self, text: str) -> bool:
        """Marks a text wherever it stands, and goes to the nearest line with it, backward; whether there is one."""
        self.sought = text
        self.redraw()
        last = min(self._cursor, len(self.lines) - 1)
        return not text or self._go_to_hit(range(last, -1, -1)) or self.seek_next()

    def seek_next(self, *, backward: bool = False) -> bool:
        """To the next line with what is sought, round the end; whether there is one."""
        count = len(self.lines)
        steps = range(1, count + 1)
        return bool(self.sought) and self._go_to_hit(
            [(self._cursor + (-step if backward else step)) % count for step in steps]
        )

    def _go_to_hit(self, candidates: Sequence[int]) -> bool:
        sought = self.sought.lower()
        for at in candidates:
            if sought in "".join(part.text for part in self._draw_line(self.lines[at])).lower():
                self._move(at)
                return True
        return False

    # -- drawing --------------------------------------------------------------------------------

    def _state(self, y: int) -> tuple[Line, bool]:
        """What stands on a line of the widget, and whether the cursor is on it."""
        if not self.lines:
            text = (self.empty if self.window is not None else "Reading…").splitlines()
            return ((Cell(text[y - 1], Tone.QUIET),) if 1 <= y <= len(text) else (), False)
        index = self.scroll_offset.y + y
        if index >= self._starts[-1]:
            return (), False
        at = self._at(index)
        return self._cut_of(self.lines[at])[index - self._starts[at]], at == self._cursor

    def _repaint(self) -> None:
        changed = [y for y in range(self.size.height) if self._drawn.get(y) != self._state(y)]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """One line, as Textual asks for it."""
        line, under_cursor = self._drawn[y] = self._state(y)
        over = None
        if under_cursor:
            over = lit(self, focused=self.has_focus)
        # The log is read by itself, however old the facts of the databases are.
        return draw(self, line, self.size.width, over=over, ascii_only=self._ascii, ages=False)

    def on_resize(self) -> None:
        """Everything is laid out anew."""
        self._drawn.clear()
        self.refresh()
        self.redraw()

    def on_focus(self) -> None:
        """The cursor looks different."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor looks different."""
        self.refresh()

    # -- moving ---------------------------------------------------------------------------------

    def _scroll(self, y: int) -> None:
        # Unforced, Textual does not scroll what had no scroll bar when it was last laid out: the first lines to arrive.
        self.scroll_to(y=max(y, 0), animate=False, immediate=True, force=True)

    def _keep_in_sight(self) -> None:
        if not self.lines:
            return
        height, top = max(self.size.height, 1), self.scroll_offset.y
        start, end = self._starts[self._cursor : self._cursor + 2]
        end = min(end, start + height)
        if start < top:
            self._scroll(start)
        elif end > top + height:
            self._scroll(end - height)

    def _move(self, index: int) -> None:
        if not self.lines:
            return
        self._cursor = max(0, min(index, len(self.lines) - 1))
        self._keep_in_sight()
        self._repaint()
        self.post_message(WindowTable.Highlighted(self))  # type: ignore[arg-type]  # as above

    def action_cursor_down(self) -> None:
        """One line down."""
        self._move(self._cursor + 1)

    def action_cursor_up(self) -> None:
        """One line up."""
        self._move(self._cursor - 1)

    def action_page_down(self) -> None:
        """A page down."""
        self._move(self._cursor + max(self.size.height - 1, 1))

    def action_page_up(self) -> None:
        """A page up."""
        self._move(self._cursor - max(self.size.height - 1, 1))

    def action_half_page_down(self) -> None:
        """Half a page down."""
        self._move(self._cursor + max(self.size.height // 2, 1))

    def action_half_page_up(self) -> None:
        """Half a page up."""
        self._move(self._cursor - max(self.size.height // 2, 1))

    def action_first(self) -> None:
        """To the oldest line that is held."""
        self._move(0)

    def action_last(self) -> None:
        """To the end, which is then followed."""
        self._move(len(self.lines) - 1)

    def action_open(self) -> None:
        """Shows the line in full."""
        if self.highlighted is not None:
            self.post_message(WindowTable.Opened(self))  # type: ignore[arg-type]  # as above

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a double click opens."""
        index = self.scroll_offset.y + event.y
        if index < self._starts[-1]:
            self._move(self._at(index))
            if event.chain == 2:
                self.action_open()
