"""What the library knows of each source of a market: how it is doing, and what the next request sends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worker.research.library_file import LibraryFile, moment
from worker.research.polling import MOVED_FOR_GOOD, NO_WAIT, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from worker.research.dedup import Telling
    from worker.research.document import Document
    from worker.research.sources import Source
    from worker.sqlite import sqlite3


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one source gave in one run.

    Attributes:
        items: entries in its feed, known ones included.
        seconds: of the fetch.
        bytes: of the body, unpacked.
        moved_to: where permanent redirects lead; None where there are none.
        warning: what the parser read over.
        per_week: entries a week by their own dates; None where there are none.
        wait: how long it is left alone.
        address: what was asked, where that was not the source's own address but the one it moved to.
        tellings: of each document how its text is compared; None: not worked out yet.
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
    per_week: float | None = None
    wait: Wait = NO_WAIT
    address: str | None = None
    tellings: tuple[Telling, ...] | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier runs know of a source. Times are Unix seconds.

    Attributes:
        etag: what a conditional request sends back, byte for byte.
        last_modified: as `etag`.
        moved_to: where permanent redirects led last.
        moved_seen: in how many runs in a row.
    """

    etag: str | None = None
    last_modified: str | None = None
    last_attempt: float | None = None
    last_error: str | None = None
    errors_in_row: int = 0
    next_due: float | None = None
    held_until: float | None = None
    per_week: float | None = None
    moved_to: str | None = None
    moved_seen: int = 0
    gone_at: float | None = None

    @property
    def moved(self) -> str | None:
        """The address to ask in place of the source's own; None while it is not certain."""
        return self.moved_to if self.moved_seen >= MOVED_FOR_GOOD else None


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How one source of a market is doing; times are aware UTC, latency in seconds."""

    market: str
    key: str
    kind: str
    name: str
    url: str
    last_attempt: datetime
    last_success: datetime | None
    last_error: str | None
    errors_in_row: int
    status: int | None
    items: int
    documents: int
    per_week: float | None
    latency: float | None
    next_due: datetime | None
    held_until: datetime | None
    warning: str | None
    moved_to: str | None
    moved_seen: int
    gone_at: datetime | None
    unlisted_at: datetime | None


_TIMES = ("last_attempt", "last_success", "next_due", "held_until", "gone_at", "unlisted_at")


class LibrarySources(LibraryFile):
    """The sources' part of the library."""

    def known(self, market: str) -> dict[str, Known]:
        """What earlier runs know of each source of the market, by its key."""
        names = Known.__slots__
        rows = self.rows(f"SELECT key, {', '.join(names)} FROM source WHERE market = ?", market)
        return {row["key"]: Known(**{name: row[name] for name in names}) for row in rows}

    def sources(self, market: str) -> tuple[SourceHealth, ...]:
        """How every source of the market is doing, by key."""
        names = ", ".join(SourceHealth.__slots__)
        return tuple(
            SourceHealth(**with_times(row, *_TIMES))
            for row in self.rows(f"SELECT {names} FROM source WHERE market = ? ORDER BY key", market)
        )

    def note_listed(self, market: str, keys: Iterable[str], *, now: datetime) -> None:
        """Says which sources the market's file names now; the others are kept, and told apart."""
        wanted = json.dumps(list(keys))
        inside = "key IN (SELECT value FROM json_each(?))"
        changed = self.rows(
            f"SELECT 1 FROM source WHERE market = ? AND ({inside}) <> (unlisted_at IS NULL) LIMIT 1",
            market,
            wanted,
        )
        if not changed:  # nearly always: no write for nothing
            return
        with self.transaction() as conn:
            conn.execute(
                f"UPDATE source SET unlisted_at = iif({inside}, NULL, coalesce(unlisted_at, ?)) WHERE market = ?",
                (wanted, now.timestamp(), market),
            )

    def note_unchanged(
        self,
        market: str,
        source: Source,
        *,
        seconds: float,
        now: datetime,
        wait: Wait = NO_WAIT,
        moved_to: str | None = None,
        address: str | None = None,
    ) -> None:
        """The source answered that nothing has changed; its validators stay as they are.

        Args:
            market: the market's name.
            source: which one.
            seconds: of the fetch.
            now: aware.
            wait: how long it is left alone.
            moved_to: as a `Harvest` has it.
            address: likewise.
        """
        at = now.timestamp()
        with self.transaction() as conn:
            conn.execute(
                "UPDATE source SET last_attempt = ?, last_success = ?, errors_in_row = 0, status = 304, "
                "latency = ?, gone_at = NULL, next_due = ?, held_until = NULL WHERE (market, key) = (?, ?)",
                (at, at, seconds, at + wait.due_s, market, source.key),
            )
            _note_move(conn, market, source, moved_to, asked=address)

    def note_failure(
        self,
        market: str,
        source: Source,
        sentence: str,
        *,
        status: int | None,
        now: datetime,
        wait: Wait = NO_WAIT,
        moved: bool = False,
    ) -> None:
        """The source could not be collected; its validators stay as they are.

        Args:
            market: the market's name.
            source: which one.
            sentence: why.
            status: of the HTTP answer, where there was one.
            now: aware.
            wait: how long it is left alone.
            moved: the address that it moved to was asked, and is no good: its own is asked next.
        """
        at = now.timestamp()
        values: dict[str, object] = {
            "kind": str(source.kind),
            "name": source.name,
            "url": source.url,
            "last_attempt": at,
            "last_error": sentence,
            "last_error_at": at,
            "status": status,
            "next_due": at + wait.due_s,
            "held_until": at + wait.held_s if wait.held_s else None,
        }
        again = "moved_seen = 0, " if moved else ""
        names = ", ".join(values)
        with self.transaction() as conn:
            conn.execute(
                f"INSERT INTO source (market, key, errors_in_row, gone_at, {names}) "
                f"VALUES (?, ?, 1, ?{', ?' * len(values)}) ON CONFLICT (market, key) DO UPDATE SET "
                f"errors_in_row = errors_in_row + 1, {again}{', '.join(f'{n} = excluded.{n}' for n in values)}, "
                "gone_at = CASE WHEN excluded.gone_at IS NULL THEN NULL "
                "ELSE coalesce(gone_at, excluded.gone_at) END",
                (market, source.key, at if status == 410 else None, *values.values()),
            )


def succeeded(
    conn: sqlite3.Connection, market: str, source: Source, harvest: Harvest, documents: int, now: datetime
) -> None:
    """Notes what a source gave, in the transaction that stores it."""
    at = now.timestamp()
    values: dict[str, object] = {
        "kind": str(source.kind),
        "name": source.name,
        "url": source.url,
        "etag": harvest.etag,
        "last_modified": harvest.last_modified,
        "last_attempt": at,
        "last_success": at,
        "errors_in_row": 0,
        "status": harvest.status,
        "items": harvest.items,
        "per_week": harvest.per_week,
        "latency": harvest.seconds,
        "bytes": harvest.bytes,
        "warning": harvest.warning,
        "gone_at": None,
        "next_due": at + harvest.wait.due_s,
        "held_until": at + harvest.wait.held_s if harvest.wait.held_s else None,
    }
    names = ", ".join(values)
    conn.execute(
        f"INSERT INTO source (market, key, documents, {names}) VALUES (?, ?, ?{', ?' * len(values)}) "
        "ON CONFLICT (market, key) DO UPDATE SET "
        f"documents = documents + excluded.documents, {', '.join(f'{n} = excluded.{n}' for n in values)}",
        (market, source.key, documents, *values.values()),
    )
    _note_move(conn, market, source, harvest.moved_to, asked=harvest.address)


def _note_move(
    conn: sqlite3.Connection, market: str, source: Source, moved_to: str | None, *, asked: str | None
) -> None:
    """Counts the runs in a row that permanent redirects led to one and the same feed."""
    if asked is not None and moved_to is None:
        return  # it was asked where it moved to, and is still there
    conn.execute(
        "UPDATE source SET moved_seen = CASE WHEN ?1 IS NULL THEN 0 WHEN moved_to IS ?1 THEN moved_seen + 1 ELSE 1 END, "
        "moved_to = ?1 WHERE (market, key) = (?2, ?3)",
        (moved_to, market, source.key),
    )


def with_times(row: sqlite3.Row, *names: str) -> dict[str, Any]:
    """A row as a dict, some of its numbers as aware times."""
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row iterates over its values
    for name in names:
        values[name] = None if values[name] is None else moment(values[name])
    return values
