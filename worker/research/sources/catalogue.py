"""Which sources a market has, and what reads the answer of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.research.sources import Kind, Source
from worker.research.sources.feeds import parse_feed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from worker.research.markets import Market
    from worker.research.sources.entry import Feed


def sources_of(market: Market, bundled: Iterable[Source] = ()) -> dict[str, Source]:
    """All sources of a market by their keys, in the market's order; one named twice is one.

    Args:
        market: what it asks for.
        bundled: its own feeds, as they are served now.
    """
    named = (Source.at(url) for url in market.feeds)
    return {source.key: source for source in (*named, *bundled)}


def read(source: Source, body: bytes, address: str, *, now: datetime, content_type: str | None) -> Feed:
    """What an answer holds. Takes long for large ones: call it off the event loop.

    Args:
        source: who gave it.
        body: as fetched, unpacked.
        address: where it came from, after redirects.
        now: dates after it become it.
        content_type: the HTTP header.

    Raises:
        FeedError: it is not what this kind of source gives.
    """
    return parse_feed(body, source.url if source.bundled else address, now=now, content_type=content_type)


__all__ = ["Kind", "read", "sources_of"]
