"""The sources of all markets: which are well, which are not, and why."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING, Any

from console import keys
from console.readings.model import SourceState
from console.readings.sources import SORTS
from console.rows import sources
from console.screens.listing import ListScreen
from console.widgets.lines import as_content
from console.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.content import Content

    from console.readings import Listing, Readings
    from console.readings.model import Source


class SourcesScreen(ListScreen):
    """The list of sources."""

    here = "go_sources"
    scope = keys.Scope.SOURCES
    heading = "Sources"
    filter_hint = "words  market:  err:  is:failing waiting gone disabled  age>1d  !inverts"
    BINDINGS = keys.bindings(keys.Scope.SOURCES)

    def tables(self) -> Iterable[WindowTable[Any]]:
        """One."""
        yield WindowTable(
            sources.COLUMNS, sources.cells, sources.key, sorts=SORTS, since=sources.since,
            empty="No sources yet: they are known once a market has been collected.\nGo to the Overview (1) and press c.",
            ascii_only=self.console.ascii_only, id="sources-table",
        )  # fmt: skip

    def listing(self, readings: Readings) -> Listing[Source]:
        """All sources, filtered."""
        return readings.sources(self.filter_text, self.table.sort.id if self.table.sort else "worst")

    def describe(self, readings: Readings, row: Source) -> Content | None:
        """A source in words."""
        source = readings.source(row.market, row.key)
        if source is None:
            return None
        lines = sources.in_full(source, self.console.clock(), utc=self.console.utc)
        return as_content(lines, ascii_only=self.console.ascii_only)

    def action_run_now(self) -> None:
        """Collects the source under the cursor alone."""
        source: Source | None = self.table.highlighted
        if source is not None:
            self.console.act(lambda actions: actions.collect(source.market, source=source.key))
        else:
            self.console.action_collect()

    def action_pause(self) -> None:
        """Disables the source under the cursor, or enables it again."""
        source: Source | None = self.table.highlighted
        if source is None:
            return
        if source.state is SourceState.DISABLED:
            self.console.act(lambda actions: actions.enable_sources(source.market, [source.key]))
        else:
            self.console.act(lambda actions: actions.disable_sources(source.market, [source.key]))

    def action_open_link(self) -> None:
        """Opens its address in a browser."""
        source: Source | None = self.table.highlighted
        if source is not None and source.url.startswith(("http://", "https://")):
            self.console.mark(lambda _: webbrowser.open(source.url), lambda _: None)
