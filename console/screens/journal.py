"""What operators did, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console import keys
from console.readings.journal import SORTS
from console.rows import journal
from console.screens.listing import ListScreen
from console.text import plural
from console.widgets.lines import as_content
from console.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.content import Content

    from console.readings import Listing, Readings
    from console.readings.journal import JournalEntry


class JournalScreen(ListScreen):
    """The acts, newest first."""

    here = "go_journal"
    scope = keys.Scope.JOURNAL
    heading = "Journal"
    filter_hint = "words  is:cancel retry pause undone  age<1d  !inverts"
    BINDINGS = keys.bindings(keys.Scope.JOURNAL)

    def tables(self) -> Iterable[WindowTable[Any]]:
        """One."""
        yield WindowTable(
            journal.COLUMNS, journal.cells, journal.key, sorts=SORTS,
            empty="No operator has changed anything yet.\nWhat is changed from here or by command stands here, and u undoes it.",
            ascii_only=self.console.ascii_only, id="journal-table",
        )  # fmt: skip

    def listing(self, readings: Readings) -> Listing[JournalEntry]:
        """Both journals, filtered."""
        return readings.journal(self.filter_text, self.sort_id)

    def describe(self, readings: Readings, row: JournalEntry) -> Content | None:
        """An act with what undo would do."""
        detail = readings.journal_entry(row.id)
        if detail is None:
            return None
        lines = journal.of_entry(detail, self.console.clock(), utc=self.console.utc)
        return as_content(lines, ascii_only=self.console.ascii_only)

    # -- keys -----------------------------------------------------------------------------------

    def action_undo(self) -> None:
        """Takes the act under the cursor back; many things are asked about first."""
        entry: JournalEntry | None = self.table.highlighted
        if entry is None:
            return
        if entry.action == "undo" or entry.undone_by:
            self.console.refuse(
                "That has been undone already."
                if entry.undone_by
                else "An undo cannot be undone: do again what it took back."
            )
            return
        self.console.asking.confirm(
            f"Undo: {journal.did(entry)}, {plural(entry.count, 'thing')}?",
            count=entry.count,
            sample=list(entry.sample),
            agreed=lambda: self.console.act(lambda actions: actions.undo(entry.id)),
        )
