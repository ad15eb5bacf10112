"""The library: every document once, who else told it, and how each source is doing.

One transaction holds all that one source gave: documents, links to stories already known, full-text
index, tallies, health and validators. A run that is killed leaves whole sources, and a validator is
never remembered without the documents it stands for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from worker.research.library_file import moment
from worker.research.library_sources import Harvest, LibrarySources, SourceHealth, succeeded, with_times
from worker.research.shelving import Stored, shelve

if TYPE_CHECKING:
    from datetime import datetime

    from worker.research.sources import Source

__all__ = ["Harvest", "Hit", "Library", "SourceHealth", "Stored", "moment"]

MAX_QUERY_WORDS: Final = 32


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that a search found; `excerpt` is the text around the words."""

    id: int
    market: str
    source: str
    title: str
    url: str | None
    published_at: datetime | None
    fetched_at: datetime
    excerpt: str


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
            stored = shelve(conn, market, harvest.documents, now=now)
            succeeded(conn, market, source, harvest, stored.documents, now)
        return stored

    # -- documents --

    def tally(self, name: str) -> int:
        """A counter kept with every insert: "documents", "duplicates", "documents:<market>"."""
        found = self.rows("SELECT n FROM tally WHERE name = ?", name)
        return int(found[0][0]) if found else 0

    def search(self, query: str, limit: int = 20) -> tuple[Hit, ...]:
        """The documents with all of these words, best first; the last word may be a beginning.

        Any text is a query: what is no word is passed over.
        """
        words = re.findall(r"\w+", query)[:MAX_QUERY_WORDS]
        if not words:
            return ()
        # In quotes a word is never an operator: https://sqlite.org/fts5.html#full_text_query_syntax
        match = " ".join(f'"{word}"' for word in words).encode("utf-8", "ignore").decode() + "*"
        found = self.rows(
            "SELECT d.id, d.market, d.source, d.title, d.url, d.published_at, d.fetched_at, "
            "snippet(document_fts, -1, '', '', '…', 24) AS excerpt "
            "FROM document_fts JOIN document AS d ON d.id = document_fts.rowid "
            "WHERE document_fts MATCH ? ORDER BY rank LIMIT ?",
            match,
            max(0, min(limit, 1000)),
        )
        return tuple(Hit(**with_times(row, "published_at", "fetched_at")) for row in found)
