"""The library: every document once, who else told it, and how each source is doing.

One transaction holds all that one source gave: documents, links to stories already known, full-text
index, tallies, health and validators. A run that is killed leaves whole sources, and a validator is
never remembered without the documents it stands for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from worker.research.library_file import moment
from worker.research.library_sources import Harvest, LibrarySources, SourceHealth, succeeded
from worker.research.shelving import Stored, shelve

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from worker.research.sources import Source

__all__ = ["Harvest", "Library", "SourceHealth", "Stored", "moment"]


class Library(LibrarySources):
    """What has been collected; see `LibraryFile` for how it is opened."""

    def store(self, market: str, source: Source, harvest: Harvest, *, now: datetime) -> Stored:
        """Stores what is new in the harvest, and the source's health with it.

        Args:
            market: the market's name.
            source: who gave it.
            harvest: what it gave.
            now: aware.

        Raises:
            LibraryError: nothing of it was stored.
        """
        with self.transaction() as conn:
            stored = shelve(conn, market, harvest.documents, now=now, tellings=harvest.tellings)
            succeeded(conn, market, source, harvest, stored.documents, now)
        return stored

    # -- documents --

    def unknown(self, keys: Iterable[str]) -> set[str]:
        """Those of some canonical keys that no story is known by."""
        rows = self.rows(
            "SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM document WHERE canonical_key = value) "
            "AND NOT EXISTS (SELECT 1 FROM alias WHERE key = value)",
            json.dumps(list(keys)),
        )
        return {row["value"] for row in rows}

    def tally(self, name: str) -> int:
        """A counter kept with every insert: "documents", "duplicates", "documents:<market>"."""
        found = self.rows("SELECT n FROM tally WHERE name = ?", name)
        return int(found[0][0]) if found else 0
