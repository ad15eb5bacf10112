"""A screen with one list: a filter above it, the opened row beside it or in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from console import keys
from console.readings import ReadingError
from console.readings.filters import parse
from console.screens.base import ConsoleScreen
from console.text import clean, number
from console.widgets.window_table import PAGE, Edge, WindowTable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from textual.widget import Widget

    from console.readings import Listing, Readings, Window
    from console.readings.model import Snapshot


class ListScreen(ConsoleScreen):
    """The screen. A subclass says what its lists are and what of a row is told.

    Attributes:
        heading: what the list is called.
        can_filter: whether `/` makes sense here.
    """

    BINDINGS = keys.bindings(keys.Scope.LIST)  # type: ignore[assignment]  # a list of one kind of binding
    heading: ClassVar[str]
    can_filter: ClassVar[bool] = True

    def tables(self) -> Iterable[WindowTable[Any]]:
        """The screen's lists; the first is shown first."""
        raise NotImplementedError

    def listing(self, readings: Readings) -> Listing[Any]:
        """The list behind the current table; called on the reader's thread."""
        raise NotImplementedError

    def describe(self, readings: Readings, row: Any) -> Content | None:
        """A row in full, None when it is gone; called on the reader's thread."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        """Title and filter above; list and detail below."""
        self.filter_text, self._fault = "", ""
        self.caption = Static(id="caption", markup=False)
        self.prompt = Input(
            placeholder="words  task:  market:  err:  id:  is:  age>5m  !inverts", id="filter", compact=True
        )
        self.prompt.cursor_blink = False
        self.detail_text = Static(id="detail-text", markup=False)
        self.detail = VerticalScroll(self.detail_text, id="detail")
        every = tuple(self.tables())
        self.table = every[0]
        for other in every[1:]:
            other.add_class("-hidden")
        yield self.caption
        yield self.prompt
        yield Horizontal(*every, self.detail, id="list")

    def on_mount(self) -> None:
        """The list has the keys."""
        super().on_mount()
        self.prompt.display = bool(self.prompt.value)
        self.table.focus()

    # -- the list -------------------------------------------------------------------------------

    def draw(self, snapshot: Snapshot | None, now: datetime) -> None:
        """A new snapshot has the list read again; the seconds between just let ages go on."""
        super().draw(snapshot, now)
        self.table.tick(now)
        self._caption()
        if snapshot is not None and snapshot is not self._seen:
            self._seen = snapshot
            self.read()

    _seen: Snapshot | None = None

    def read(self) -> None:
        """Reads anew what the list shows."""
        window, listing = self.table.window, self.listing
        place = window.places[0] if window and window.places and not window.at_start else None
        limit = max(len(window.rows), PAGE) if window else PAGE
        self.console.ask(
            self.named("window"),
            lambda readings: (
                listing(readings).again(place, limit) if place else listing(readings).first(limit)
            ),
            self._show,
        )
        self._read_detail()

    def _show(self, window: Window[Any]) -> None:
        self.table.show(window, self.console.clock())
        self._caption()

    def on_window_table_more_wanted(self, event: WindowTable.MoreWanted) -> None:
        """Reads on at an edge of the window."""
        table, edge, listing = event.table, event.edge, self.listing
        window = table.window
        if window is None or not window.places or table is not self.table:
            return
        first, last = window.places[0], window.places[-1]

        def question(readings: Readings) -> Window[Any]:
            match edge:
                case Edge.FIRST:
                    return listing(readings).first(PAGE)
                case Edge.LAST:
                    return listing(readings).last(PAGE)
                case Edge.AFTER:
                    return listing(readings).after(last, PAGE)
                case Edge.BEFORE:
                    return listing(readings).before(first, PAGE)

        take = table.jump if edge in {Edge.FIRST, Edge.LAST} else table.extend
        # The same slot as a plain re-read: whichever was asked last wins, so they never mix.
        self.console.ask(self.named("window"), question, lambda answer: take(answer, edge))

    def switch(self, table: WindowTable[Any]) -> None:
        """Shows another of the screen's lists."""
        self.console.forget(self.named("window"))
        self.show_table(table)
        table.focus()
        self.read()
        self._caption()

    def show_table(self, table: WindowTable[Any]) -> None:
        """Lets another list stand in the list's place."""
        self.table.add_class("-hidden")
        self.table = table
        table.remove_class("-hidden")

    def caption_text(self) -> str:
        """What the list is called now."""
        return self.heading

    def _caption(self) -> None:
        window = self.table.window
        total = f"  {number(window.total)}" if window and window.total is not None else ""
        hits = (
            f"  {len(window.rows)}{'' if window.at_end and window.at_start else '+'} found"
            if window and not total
            else ""
        )
        shown = f"  filter: {clean(self.filter_text, 80)}" if self.filter_text else ""
        text = f"{self.caption_text()}{total or hits}{shown}" if not self._fault else clean(self._fault, 200)
        if text != str(self.caption.content):
            self.caption.update(Content(text), layout=False)

    # -- the filter -----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where a filter makes no sense, none is offered."""
        return (action != "filter" or self.can_filter) and super().check_action(action, parameters)

    def action_filter(self) -> None:
        """Opens the filter."""
        self.prompt.display = True
        self.prompt.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The list follows what is typed."""
        try:
            parse(event.value)
        except ReadingError as error:
            self._fault = str(error)
            self._caption()
            return
        self._fault = ""
        if event.value != self.filter_text:
            self.filter_text = event.value
            self.filtered()

    def filtered(self) -> None:
        """The filter has changed."""
        self.table.nothing_matches = bool(self.filter_text)
        self.table.forget()
        self.read()

    def on_input_submitted(self) -> None:
        """The list has the keys again; the filter stays."""
        self.prompt.display = bool(self.filter_text)
        self.table.focus()

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
            self.detail.scroll_home(animate=False)
            self.detail.focus()
            self._read_detail()

    def _read_detail(self) -> None:
        row = self.table.highlighted
        if not (self.is_open or self.has_class("-wide")):
            return
        if row is None:
            self.detail_text.update("")
            return
        self.console.ask(
            self.named("detail"), lambda readings: self.describe(readings, row), self._show_detail
        )

    def _show_detail(self, content: Content | None) -> None:
        shown = content or Content("It is gone: it ended or was taken away.")
        if shown != self.detail_text.content:
            self.detail_text.update(shown)

    def action_back(self) -> None:
        """Closes the opened row, then drops the filter."""
        if self.is_open:
            self.remove_class("-open")
            self.table.focus()
        elif self.prompt.display or self.filter_text:
            self.prompt.display = False
            self.prompt.value = ""
            self.table.focus()
        else:
            self.leave()

    def leave(self) -> None:
        """Goes a level up, where there is one."""
