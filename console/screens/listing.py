"""A screen with one list: a filter above it, the opened row beside it or in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from console import keys
from console.readings import Edge, ReadingError
from console.readings.filters import parse
from console.screens.marking import MarkingScreen
from console.text import ELLIPSIS, ascii_signs, clean, number
from console.widgets.detail import DetailText
from console.widgets.filter_input import FilterInput
from console.widgets.pane import Pane
from console.widgets.window_table import MARK, PAGE, WindowTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from textual.widget import Widget
    from textual.widgets import Input

    from console.export import Report
    from console.readings import Cursor, Listing, Readings, Window
    from console.readings.model import Snapshot

# A search that took longer is repeated at most a twentieth of the time.
QUICK_S, SEARCH_REST = 0.05, 20
# Fewer characters of its name do not tell a list.
MIN_CAPTION = 20


class ListScreen(MarkingScreen):
    """The screen. A subclass says what its lists are and what of a row is told.

    Attributes:
        heading: what the list is called.
        can_filter: whether `/` makes sense here.
        filter_hint: what can be typed there, with what `is:` may say of these rows.
    """

    BINDINGS = keys.bindings(keys.Scope.LIST)  # type: ignore[assignment]  # a list of one kind of binding
    heading: ClassVar[str]
    can_filter: ClassVar[bool] = True
    filter_hint: ClassVar[str] = "words  task:  market:  err:  id:  is:  age>5m  !inverts"
    # A key that is pressed while the screen is built must not become a filter.
    AUTO_FOCUS = ""

    def tables(self) -> Iterable[WindowTable[Any]]:
        """The screen's lists; the first is shown first."""
        raise NotImplementedError

    def listing(self, readings: Readings) -> Listing[Any]:
        """The list behind the current table; called on the reader's thread."""
        raise NotImplementedError

    def describe(self, readings: Readings, row: Any) -> Content | None:
        """A row in full, None when it is gone; called on the reader's thread."""
        raise NotImplementedError

    def to_copy(self, readings: Readings, row: Any) -> Content | None:
        """A row as it is copied; called on the reader's thread."""
        return self.describe(readings, row)

    def report(self, name: str) -> Report:
        """The list as a file has it: all that the filter shows, in its order."""
        from console.export import Report  # noqa: PLC0415 - the first paint need not wait for it

        listing, text = self.listing, self.filter_text
        about = f"filter: {text}" if text else ""
        return Report(
            name,
            lambda readings: listing(readings).all_rows(),
            self.table.columns,
            self.table.draw_cells,
            about,
        )

    def body(self) -> Iterable[Widget]:
        """Title and filter above; list and detail below."""
        self.filter_text, self._fault = "", ""
        self.caption = Static(id="caption", markup=False)
        self.prompt = FilterInput(self.filter_hint)
        self.prompt.display = False
        self.detail_text = DetailText()
        self.detail = Pane(self.detail_text, id="detail")
        every = tuple(self.tables())
        self.table = every[0]
        for other in every[1:]:
            other.add_class("-hidden")
        for table in every:
            if table.sorts:
                table.sort_by(self.console.memory.text(self._sort_name(table)))
        yield self.caption
        yield self.prompt
        yield Horizontal(*every, self.detail, id="list")

    def on_mount(self) -> None:
        """The list has the keys."""
        super().on_mount()
        self.prompt.display = bool(self.prompt.value)
        self.set_focus(self.table)

    def on_resize(self) -> None:
        """Where there is room for it now, the row is shown beside the list."""
        self.call_after_refresh(self._read_detail)

    # -- the list -------------------------------------------------------------------------------

    def draw(self, snapshot: Snapshot | None, now: datetime) -> None:
        """A new snapshot has the list read again, which is then drawn with its ages; else just the ages go on."""
        super().draw(snapshot, now)
        self._caption()
        if snapshot is not None and snapshot.number != self._seen and self._is_due(snapshot):
            self.read()
        else:
            self.table.tick(now)
        self._seen = snapshot.number if snapshot is not None else None

    _seen: int | None = None

    def read(self) -> None:
        """Reads anew what the list shows."""
        window = self.table.window
        if window is None or not window.searching:
            place = window.places[0] if window and window.places and not window.at_start else None
            # The detail follows: the list tells of its cursor's row whenever it is shown anew.
            self._ask(Edge.AGAIN if place else Edge.FIRST, place, max(len(self.table.rows), PAGE))
        else:
            self._read_detail()

    def _is_due(self, snapshot: Snapshot) -> bool:
        """Whether a new snapshot has the list read: what had to be searched for is not searched for all the time."""
        window = self.table.window
        took = window.took if window else 0.0
        rest = (snapshot.at - self._read_at).total_seconds() if self._read_at else took * SEARCH_REST
        if due := took < QUICK_S or rest >= took * SEARCH_REST:
            self._read_at = snapshot.at
        return due

    _read_at: datetime | None = None

    def _ask(self, edge: Edge, place: Cursor | None, limit: int, *, fresh: bool = False) -> None:
        """Asks for rows; `fresh`: they take the place of what is shown, as soon as there are any.

        All are asked for under one name, so that whichever was asked last wins and they never mix.
        """
        table, listing = self.table, self.listing
        parts: list[Window[Any]] = []
        refresh = edge is Edge.AGAIN or (edge is Edge.FIRST and not fresh)

        def take(part: Window[Any]) -> None:
            first, now = not parts, self.console.clock()
            parts.append(part)
            if edge in {Edge.AFTER, Edge.BEFORE}:
                table.extend(part, edge)
            elif not first and not (refresh and table.rows):
                table.extend(part, Edge.BEFORE if edge is Edge.LAST else Edge.AFTER)
            elif fresh or edge is Edge.LAST:
                table.jump(part, edge)
            elif table.rows:
                # What is shown stays until all of it has been read anew.
                if not part.searching:
                    table.show(_joined(parts), now)
            else:
                table.show(part, now)
            self._caption()

        self.console.ask(
            self.named("window"), lambda readings: listing(readings).steps(edge, place, limit), take
        )

    def on_window_table_more_wanted(self, event: WindowTable.MoreWanted) -> None:
        """Reads on at an edge of the window."""
        table, edge = event.table, event.edge
        window = table.window
        if window is None or not window.places or table is not self.table:
            return
        if window.searching:
            table.not_yet()
            return
        place = {Edge.AFTER: window.places[-1], Edge.BEFORE: window.places[0]}.get(edge)
        self._ask(edge, place, PAGE, fresh=place is None)

    # -- order ------------------------------------------------------------------------

    def action_sort(self) -> None:
        """The next order of the list."""
        self._sorted(None)

    def on_window_table_sort_wanted(self, event: WindowTable.SortWanted) -> None:
        """A heading was clicked."""
        if event.table is self.table:
            self._sorted(event.column)

    def _sorted(self, column: str | None) -> None:
        if len(self.table.sorts) > 1:
            self.table.sort_next(column)
            self.console.remember(self._sort_name(self.table), self.sort_id)
            self._ask(Edge.FIRST, None, PAGE, fresh=True)

    def _sort_name(self, table: WindowTable[Any]) -> str:
        """What the order of one of the screen's lists is remembered by."""
        return f"sort {self.console.home.root} {table.id}"

    def switch(self, table: WindowTable[Any]) -> None:
        """Shows another of the screen's lists."""
        self.console.forget(self.named("window"))
        self.show_table(table)
        self.set_focus(table)
        self.read()
        self._caption()

    def show_table(self, table: WindowTable[Any]) -> None:
        """Lets another list stand in the list's place."""
        self.table.add_class("-hidden")
        self.table.hold(held=False)
        self.table = table
        table.remove_class("-hidden")

    def caption_text(self) -> str:
        """What the list is called now."""
        return self.heading

    def _caption(self) -> None:
        marked = len(self.table.marks)
        parts = [
            _amount(self.table.window, filtered=bool(self.filter_text)) if self.table.window else "",
            f"{MARK} {number(marked)} marked" if marked else "",
            f"filter: {clean(self.filter_text, 80)}" if self.filter_text else "",
        ]
        known = "".join(f"  {part}" for part in parts if part)
        # A long name gives way to the numbers.
        name = self.caption_text()
        room = max((self.caption.size.width or self.app.size.width) - len(known), MIN_CAPTION)
        name = name if len(name) <= room else name[: room - 1].rstrip() + ELLIPSIS
        text = name + known if not self._fault else clean(self._fault, 200)
        if self.console.ascii_only:
            text = ascii_signs(text)
        if text != str(self.caption.content):
            self.caption.update(Content(text), layout=False)

    # -- the filter -----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense here is not offered."""
        if action.startswith("mark") and not self.can_mark:
            return False
        if action == "sort" and len(self.table.sorts) < 2:
            return False
        # While a filter is typed, a slash is a slash.
        return (
            action != "filter" or (self.can_filter and not self.prompt.has_focus)
        ) and super().check_action(action, parameters)

    def action_filter(self) -> None:
        """Opens the filter."""
        self.prompt.display = True
        self.set_focus(self.prompt)

    def check_filter(self, text: str) -> None:
        """Raises ReadingError, with what is wrong, where the filter cannot be understood."""
        parse(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """The list follows what is typed."""
        if event.input is not self.prompt:
            return
        try:
            self.check_filter(event.value)
        except ReadingError as error:
            self._fault = str(error)
            self._caption()
            return
        self._fault = ""
        if event.value != self.filter_text:
            self.filter_text = event.value
            self.filtered()

    def filtered(self) -> None:
        """The filter has changed: what was marked under another is marked no longer."""
        self.table.nothing_matches = bool(self.filter_text)
        self._drop_marks()
        self._ask(Edge.FIRST, None, PAGE, fresh=True)
        self._read_detail()

    def on_input_submitted(self) -> None:
        """The list has the keys again; the filter stays."""
        self.prompt.display = bool(self.filter_text)
        self.set_focus(self.table)

    # -- one row --------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether the opened row stands in the list's place."""
        return self.has_class("-open")

    def on_window_table_highlighted(self, event: WindowTable.Highlighted) -> None:
        """The detail follows the cursor."""
        if event.table is self.table:
            self._read_detail()

    def on_window_table_opened(self, event: WindowTable.Opened) -> None:
        """The row is shown in full."""
        if event.table is self.table:
            self.add_class("-open")
            # Another row must not slip under the keys when this one ends while it is read.
            self.table.hold(held=True)
            self.detail.scroll_home(animate=False)
            self.set_focus(self.detail)
            self._read_detail()

    def _read_detail(self) -> None:
        row = self.table.highlighted
        if not (self.is_open or self.has_class("-wide")):
            return
        if row is None:
            self.detail_text.tell(Content())
            return
        self.console.ask(
            self.named("detail"), lambda readings: self.describe(readings, row), self._show_detail
        )

    def _show_detail(self, content: Content | None) -> None:
        self.detail_text.tell(content or Content("It is gone: it ended or was taken away."))

    def action_back(self) -> None:
        """Closes the opened row, then drops the marks, then the filter."""
        if self.is_open:
            self.remove_class("-open")
            self.table.hold(held=False)
            self.set_focus(self.table)
        elif len(self.table.marks) and not self.prompt.has_focus:
            self._drop_marks()
        elif self.prompt.display or self.filter_text:
            self.prompt.display = False
            self.prompt.value = ""
            self.set_focus(self.table)
        else:
            self.leave()

    def leave(self) -> None:
        """Goes a level up, where there is one."""


def _amount(window: Window[Any], *, filtered: bool) -> str:
    """How many rows there are, as far as that is known."""
    if window.total is not None:
        return number(window.total)
    if not filtered:
        return number(len(window.rows)) if window.at_start and window.at_end else ""
    found = f"{number(len(window.rows))}{'' if window.at_end and window.at_start else '+'} found"
    if window.searching and window.searched is not None:
        of = f" of {number(window.of)}" if window.of else ""
        return f"{found}, searched {number(window.searched)}{of} so far"
    return found


def _joined(parts: Sequence[Window[Any]]) -> Window[Any]:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.followed_by(part, len(whole.rows) + len(part.rows) or 1)
    return whole
