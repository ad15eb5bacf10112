"""Keeping the feeds that were found for a market, and which sites were searched for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from worker.research.library_file import moment
from worker.research.sources import Source
from worker.research.urls import host_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from worker.research.discovery import Found
    from worker.research.library import Library

# So many of the newest documents are looked at for outlets.
_NEWEST: Final = 5_000
_ITSELF: Final = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A feed that a market could take in; `why` says what led to its site."""

    market: str
    key: str
    url: str
    title: str
    site: str
    why: str
    entries: int
    newest: datetime | None
    per_week: float | None
    found_at: datetime


def cited(library: Library, market: str, since: datetime) -> list[str]:
    """The hosts of the newest documents that came by others' lists: searches, posts and trends."""
    rows = library.rows(
        "SELECT url FROM document WHERE market = ? AND fetched_at >= ? AND source IN "
        "(SELECT key FROM source WHERE market = ? AND kind <> 'feed') ORDER BY id DESC LIMIT ?",
        market,
        since.timestamp(),
        market,
        _NEWEST,
    )
    return [host for row in rows if row["url"] and (host := host_of(row["url"]))]


def searched(library: Library, market: str, since: datetime) -> set[str]:
    """The sites that were searched for feeds since then."""
    rows = library.rows(
        "SELECT site FROM looked WHERE market = ? AND at >= ? AND site <> ?",
        market,
        since.timestamp(),
        _ITSELF,
    )
    return {row["site"] for row in rows}


def last_look(library: Library, market: str) -> datetime | None:
    """When feeds were last searched for; None: never."""
    rows = library.rows("SELECT at FROM looked WHERE market = ? AND site = ?", market, _ITSELF)
    return moment(rows[0]["at"]) if rows else None


def keep(
    library: Library,
    market: str,
    site: str,
    why: str,
    found: Iterable[Found],
    *,
    now: datetime,
) -> list[Proposal]:
    """Remembers what a site has; those that are new. What an operator has declined is not proposed again.

    Raises:
        LibraryError: nothing of it was stored.
    """
    at = now.timestamp()
    new = []
    with library.transaction() as conn:
        conn.execute("INSERT OR REPLACE INTO looked (market, site, at) VALUES (?, ?, ?)", (market, site, at))
        for one in found:
            source = Source.at(one.url)
            newest = one.newest.timestamp() if one.newest else None
            added = conn.execute(
                "INSERT OR IGNORE INTO proposal (market, key, url, title, site, why, entries, newest, per_week, "
                "found_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (market, source.key, one.url, one.title, site, why, one.entries, newest, one.per_week, at),
            ).rowcount
            if added:
                new.append(
                    Proposal(
                        market, source.key, one.url, one.title, site, why, one.entries, one.newest,
                        one.per_week, now,
                    )
                )  # fmt: skip
    return new


def note_look(library: Library, market: str, now: datetime) -> None:
    """Remembers that feeds were searched for.

    Raises:
        LibraryError: it could not be stored.
    """
    with library.transaction() as conn:
        conn.execute(
            "INSERT OR REPLACE INTO looked (market, site, at) VALUES (?, ?, ?)",
            (market, _ITSELF, now.timestamp()),
        )


def waiting(library: Library, market: str) -> list[Proposal]:
    """What waits for an operator's word, the liveliest first."""
    rows = library.rows(
        "SELECT market, key, url, title, site, why, entries, newest, per_week, found_at FROM proposal "
        "WHERE market = ? AND declined_at IS NULL ORDER BY per_week DESC, key",
        market,
    )
    return [
        Proposal(
            **dict(row)
            | {
                "newest": moment(row["newest"]) if row["newest"] is not None else None,
                "found_at": moment(row["found_at"]),
            }
        )
        for row in rows
    ]


def decline(library: Library, market: str, keys: Iterable[str], now: datetime) -> int:
    """Takes feeds from those that wait, for good; how many there were.

    Raises:
        LibraryError: nothing of it was stored.
    """
    with library.transaction() as conn:
        return conn.execute(
            "UPDATE proposal SET declined_at = ? WHERE market = ? AND declined_at IS NULL "
            "AND key IN (SELECT value FROM json_each(?))",
            (now.timestamp(), market, json.dumps(list(keys))),
        ).rowcount
