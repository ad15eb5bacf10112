"""The library: every document once, who else told it, and how each source is doing.

One transaction holds all that one source gave: documents, links to stories already known, full-text
index, tallies, health and validators. A run that is killed leaves whole sources, and a validator is
never remembered without the documents it stands for.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from worker.research.library_file import LibraryFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.research.document import Document
    from worker.research.sources import Source
    from worker.sqlite import sqlite3

MAX_QUERY_WORDS: Final = 32


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one source gave in one run.

    Attributes:
        items: entries in its feed, known ones included.
        seconds: of the fetch.
        bytes: of the body, unpacked.
        moved_to: where permanent redirects lead; None where there are none.
        warning: what the parser read over.
    """

    documents: tuple[Document, ...]
    items: int
    status: int
    seconds: float
    bytes: int
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What was new in a harvest: documents, and links to stories another source had told."""

    documents: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Validators:
    """What a conditional request sends back, byte for byte."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How one source of a market is doing; times are aware UTC, latency in seconds."""

    market: str
    key: str
    name: str
    url: str
    last_attempt: datetime
    last_success: datetime | None
    last_error: str | None
    errors_in_row: int
    status: int | None
    items: int
    documents: int
    latency: float | None
    warning: str | None
    moved_to: str | None
    gone_at: datetime | None


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


class Library(LibraryFile):
    """What has been collected; see `LibraryFile` for how it is opened."""

    # -- sources --

    def validators(self, market: str) -> dict[str, Validators]:
        """What each source's last stored answer gave, by the source's key."""
        found = self.rows("SELECT key, etag, last_modified FROM source WHERE market = ?", market)
        return {row["key"]: Validators(row["etag"], row["last_modified"]) for row in found}

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
        guids = Counter(document.guid for document in harvest.documents if document.guid)
        with self.transaction() as conn:
            newest = conn.execute("SELECT coalesce(max(id), 0) FROM document").fetchone()[0]
            documents = duplicates = 0
            for document in harvest.documents:
                # A GUID that several entries of one feed carry identifies none of them.
                known = _known(conn, document, by_guid=guids.get(document.guid or "") == 1)
                if known is None:
                    _insert(conn, market, document)
                    documents += 1
                else:
                    duplicates += _link(conn, market, document, known, now)
            conn.execute(
                "INSERT INTO document_fts (rowid, title, summary, content) "
                "SELECT id, title, summary, content FROM document WHERE id > ?",
                (newest,),
            )
            _count(conn, {"documents": documents, f"documents:{market}": documents, "duplicates": duplicates})
            _succeeded(conn, market, source, harvest, documents, now)
        return Stored(documents, duplicates)

    def note_unchanged(self, market: str, source: Source, *, seconds: float, now: datetime) -> None:
        """The source answered that nothing has changed; its validators stay as they are."""
        with self.transaction() as conn:
            conn.execute(
                "UPDATE source SET last_attempt = ?, last_success = ?, errors_in_row = 0, status = 304, "
                "latency = ?, gone_at = NULL WHERE (market, key) = (?, ?)",
                (now.timestamp(), now.timestamp(), seconds, market, source.key),
            )

    def note_failure(
        self, market: str, source: Source, sentence: str, *, status: int | None, now: datetime
    ) -> None:
        """The source could not be collected; its validators stay as they are."""
        at = now.timestamp()
        with self.transaction() as conn:
            conn.execute(
                "INSERT INTO source (market, key, name, url, last_attempt, last_error, last_error_at, "
                "errors_in_row, status, gone_at) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?) "
                "ON CONFLICT (market, key) DO UPDATE SET last_attempt = excluded.last_attempt, "
                "last_error = excluded.last_error, last_error_at = excluded.last_error_at, "
                "errors_in_row = errors_in_row + 1, status = excluded.status, "
                "gone_at = CASE WHEN excluded.gone_at IS NULL THEN NULL "
                "ELSE coalesce(gone_at, excluded.gone_at) END",
                (
                    market,
                    source.key,
                    source.name,
                    source.url,
                    at,
                    sentence,
                    at,
                    status,
                    at if status == 410 else None,
                ),
            )

    def sources(self, market: str) -> tuple[SourceHealth, ...]:
        """How every source of the market is doing, by key."""
        names = ", ".join(SourceHealth.__slots__)
        return tuple(
            SourceHealth(**_with_times(row, "last_attempt", "last_success", "gone_at"))
            for row in self.rows(f"SELECT {names} FROM source WHERE market = ? ORDER BY key", market)
        )

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
        return tuple(Hit(**_with_times(row, "published_at", "fetched_at")) for row in found)


def moment(seconds: float) -> datetime:
    """A stored time as an aware one."""
    return datetime.fromtimestamp(seconds, UTC)


def _with_times(row: sqlite3.Row, *names: str) -> dict[str, Any]:
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row iterates over its values
    for name in names:
        values[name] = None if values[name] is None else moment(values[name])
    return values


def _known(conn: sqlite3.Connection, document: Document, *, by_guid: bool) -> sqlite3.Row | None:
    """The stored story this one repeats, with the reason that tells so."""
    found: sqlite3.Row | None = conn.execute(
        "SELECT id, source, market, iif(canonical_key = ?1, 'url', 'content') AS reason "
        "FROM document WHERE canonical_key = ?1 OR content_hash = ?2 LIMIT 1",
        (document.canonical_key, document.content_hash),
    ).fetchone()
    if found is None and by_guid:
        found = conn.execute(
            "SELECT id, source, market, 'guid' AS reason FROM document WHERE source = ? AND guid = ? LIMIT 1",
            (document.source, document.guid),
        ).fetchone()
    return found


def _insert(conn: sqlite3.Connection, market: str, document: Document) -> None:
    values = document.model_dump(exclude={"market", "canonical_url"}) | {
        "country": document.market,
        "market": market,
        "url": document.canonical_url,
        "entities": json.dumps(document.entities, ensure_ascii=False),
        "keywords": json.dumps(document.keywords, ensure_ascii=False),
        "published_at": document.published_at and document.published_at.timestamp(),
        "fetched_at": document.fetched_at.timestamp(),
    }
    names = ", ".join(values)
    conn.execute(f"INSERT INTO document ({names}) VALUES (:{', :'.join(values)})", values)


def _link(
    conn: sqlite3.Connection, market: str, document: Document, known: sqlite3.Row, now: datetime
) -> int:
    """Links the story to the one it repeats, once; 1 where the link is new."""
    if (known["source"], known["market"]) == (document.source, market):
        return 0
    done = conn.execute(
        "INSERT OR IGNORE INTO duplicate (document, source, market, url, reason, seen_at) VALUES (?, ?, ?, ?, ?, ?)",
        (known["id"], document.source, market, document.canonical_url, known["reason"], now.timestamp()),
    )
    return done.rowcount


def _count(conn: sqlite3.Connection, added: dict[str, int]) -> None:
    conn.executemany(
        "INSERT INTO tally (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n",
        [(name, n) for name, n in added.items() if n],
    )


def _succeeded(
    conn: sqlite3.Connection, market: str, source: Source, harvest: Harvest, documents: int, now: datetime
) -> None:
    values: Sequence[tuple[str, object]] = (
        ("name", source.name),
        ("url", source.url),
        ("etag", harvest.etag),
        ("last_modified", harvest.last_modified),
        ("last_attempt", now.timestamp()),
        ("last_success", now.timestamp()),
        ("errors_in_row", 0),
        ("status", harvest.status),
        ("items", harvest.items),
        ("latency", harvest.seconds),
        ("bytes", harvest.bytes),
        ("warning", harvest.warning),
        ("moved_to", harvest.moved_to),
        ("gone_at", None),
    )
    names = [name for name, _ in values]
    conn.execute(
        f"INSERT INTO source (market, key, documents, {', '.join(names)}) "
        f"VALUES (?, ?, ?{', ?' * len(names)}) ON CONFLICT (market, key) DO UPDATE SET "
        f"documents = documents + excluded.documents, {', '.join(f'{n} = excluded.{n}' for n in names)}",
        (market, source.key, documents, *(value for _, value in values)),
    )
