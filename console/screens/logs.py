"""The worker's log, as it grows: filtered, searched, wrapped, paused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import on
from textual.content import Content
from textual.widgets import Input

from console import keys
from console.readings.log_lines import Level, LogQuery
from console.rows import logs
from console.screens.listing import ListScreen
from console.text import clean, number, plural
from console.widgets.lines import as_content
from console.widgets.log_view import LogView

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from textual.widget import Widget

    from console.export import Report
    from console.readings import Readings
    from console.readings.log_lines import LogLine
    from console.readings.logs import LogPart
    from console.readings.model import Snapshot
    from console.widgets.lines import Line

LINES = 2_000
LEVELS = (Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR)
NO_LOG = "There is no log yet: a worker writes it.\nPress w to start one."
NO_LINE = "Nothing is logged here yet."
NO_MATCH = "No line matches.\nesc drops the filter, v shows all levels."


class LogsScreen(ListScreen):
    """The newest lines, the newest last."""

    here = "go_logs"
    scope = keys.Scope.LOGS
    heading = "Logs"
    filter_hint = "words  market:  err:  id:  is:warning error  age<5m  !inverts"
    BINDINGS = keys.bindings(keys.Scope.LOGS)

    def report(self, name: str) -> Report:
        """The lines that are held, as far as the filter shows them."""
        from console.export import Report  # noqa: PLC0415 - the first paint need not wait for it

        query = self._query
        about = f"filter: {query.text}" if query.text else ""
        return Report(
            name, lambda readings: readings.log(query, LINES).lines, logs.COLUMNS, logs.table_cells, about
        )

    def tables(self) -> Iterable[Any]:
        """One view."""
        self._query, self._paused, self._part, self._utc = LogQuery(), False, None, self.console.utc
        self.view = LogView(self._line, logs.key, empty=NO_LINE, ascii_only=self.console.ascii_only, id="log")
        yield self.view

    _part: LogPart | None

    def body(self) -> Iterable[Widget]:
        """A second prompt, for what is sought without hiding the rest."""
        self.sought = Input(placeholder="find", id="find", compact=True)
        self.sought.cursor_blink = False
        self.sought.display = False
        yield from super().body()
        yield self.sought

    def _line(self, line: LogLine) -> Line:
        return logs.cells(line, utc=self.console.utc)

    # -- reading --------------------------------------------------------------------------------

    def draw(self, snapshot: Snapshot | None, now: datetime) -> None:
        """Other times are shown where another zone is wanted."""
        if self._utc != self.console.utc:
            self._utc = self.console.utc
            self.view.redraw()
        super().draw(snapshot, now)

    def _is_due(self, snapshot: Snapshot) -> bool:
        del snapshot
        return True

    def read(self) -> None:
        """Reads what has been written since."""
        query = self._query
        self.console.ask(self.named("window"), lambda readings: readings.log(query, LINES), self._take)

    def _take(self, part: LogPart) -> None:
        self._part = part
        unfiltered = self._query == LogQuery()
        self.view.empty = NO_LOG if not part.exists else NO_LINE if unfiltered else NO_MATCH
        if not self._paused:
            self.view.show(part.lines)
        self._caption()

    def filtered(self) -> None:
        """The filter has changed."""
        self._ask_for(replace(self._query, text=self.filter_text))

    def _ask_for(self, query: LogQuery) -> None:
        self._query = query
        self.view.forget()
        self._paused = False
        self.read()
        self._caption()

    def _caption(self) -> None:
        parts = [self.heading, self._doing()]
        if self._part is not None and self._part.lines:
            count = len(self._part.lines)
            parts.append(plural(count, "line") if self._part.complete else f"the last {number(count)} lines")
        parts += [
            f"{self._query.level.name.lower()} and graver" if self._query.level > Level.DEBUG else "",
            f"filter: {clean(self.filter_text, 80)}" if self.filter_text else "",
            f"find: {clean(self.view.sought, 40)}" if self.view.sought else "",
        ]
        text = "  ".join(filter(None, parts)) if not self._fault else clean(self._fault, 200)
        if text != str(self.caption.content):
            self.caption.update(Content(text), layout=False)

    def _doing(self) -> str:
        if not self._paused:
            return "following" if self.view.at_end else "G follows"
        held = {logs.key(line) for line in self.view.lines}
        new = sum(logs.key(line) not in held for line in self._part.lines) if self._part else 0
        return f"PAUSED, {plural(new, 'new line')}: p goes on" if new else "PAUSED: p goes on"

    def describe(self, readings: Readings, row: LogLine) -> Content | None:
        """A line in full."""
        del readings
        lines = logs.in_full(row, utc=self.console.utc)
        return as_content(lines, ascii_only=self.console.ascii_only)

    def on_window_table_highlighted(self, event: Any) -> None:
        """The caption says whether new lines are followed."""
        super().on_window_table_highlighted(event)
        self._caption()

    # -- keys -----------------------------------------------------------------------------------

    def show_task(self, task_id: str) -> None:
        """Only the lines of one task; a screen that has just been made is not there yet."""
        self.call_later(self._filter, f"id:{clean(task_id, 100)}")

    def _filter(self, text: str) -> None:
        self.prompt.value, self.prompt.display = text, True

    def action_only_task(self) -> None:
        """Only the lines of the task under the cursor."""
        line = self.view.highlighted
        if line is None or not line.task_id:
            self.console.refuse("This line belongs to no task.")
        else:
            self.show_task(line.task_id)

    def action_pause(self) -> None:
        """Holds the view still, or lets it go on."""
        self._paused = not self._paused
        if self._part is not None and not self._paused:
            self.view.show(self._part.lines)
        self._caption()

    def action_level(self) -> None:
        """Only graver lines, or all again."""
        following = LEVELS[(LEVELS.index(self._query.level) + 1) % len(LEVELS)]
        self._ask_for(replace(self._query, level=following))

    def action_wrap(self) -> None:
        """Wraps long lines, or cuts them."""
        self.view.wrap(wanted=not self.view.wraps)

    def action_find(self) -> None:
        """Opens the prompt for what is sought."""
        self.sought.display = True
        self.set_focus(self.sought)

    def action_find_next(self) -> None:
        """To the next line with what is sought."""
        self._found(self.view.seek_next())

    def action_find_previous(self) -> None:
        """To the one before."""
        self._found(self.view.seek_next(backward=True))

    def _found(self, found: bool) -> None:
        if not found and self.view.sought:
            self.console.refuse(f"No line here has {self.view.sought!r}.")
        self._caption()

    @on(Input.Submitted, "#find")
    def seek(self) -> None:
        """What is sought was entered: the view has the keys again."""
        self.sought.display = False
        self.set_focus(self.view)
        self._found(self.view.seek(self.sought.value))

    def action_back(self) -> None:
        """Drops what is sought before the filter."""
        if self.is_open or not (self.sought.display or self.view.sought):
            super().action_back()
            return
        self.sought.display, self.sought.value = False, ""
        self.view.seek("")
        self.set_focus(self.view)
        self._caption()
