"""Which sources a market has, and what reads the answer of each."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Protocol

from worker.research.sources import Kind, Source, feeds, reddit, search, suggestions, trends
from worker.research.sources.apart import SMALL, read_apart
from worker.research.sources.services import Services

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from worker.research.markets import Market
    from worker.research.sources.entry import Feed


class _Reads(Protocol):
    def __call__(self, body: bytes, address: str, *, now: datetime, content_type: str | None) -> Feed:
        """What an answer holds."""


READERS: Final[dict[Kind, _Reads]] = {
    Kind.FEED: feeds.read,
    Kind.SEARCH: search.read,
    Kind.REDDIT: reddit.read,
    Kind.TRENDS: trends.read,
    Kind.SUGGESTIONS: suggestions.read,
}


def sources_of(
    market: Market, bundled: Iterable[Source] | None = None, services: Services | None = None
) -> dict[str, Source]:
    """All sources of a market by their keys, in the market's order; one named twice is one.

    Args:
        market: what it asks for.
        bundled: its own feeds, as they are served now; None: they are not.
        services: where the services are asked.
    """
    if bundled is None:
        bundled = map(Source.bundled_as, market.bundled)
    services = services or Services()
    found = (
        *(Source.at(url) for url in market.feeds),
        *bundled,
        *search.sources(market, services),
        *reddit.sources(market, services),
        *trends.sources(market, services),
        *suggestions.sources(market, services),
    )
    return {source.key: source for source in found}


def wants_articles(market: Market) -> bool:
    """Whether pages of articles are to be fetched, and can be read."""
    return market.collectors.full_text and find_spec("trafilatura") is not None


def in_words(market: Market, services: Services | None = None) -> list[str]:
    """What the market collects, by which key, what does better with one, and what is wanting, a sentence each."""
    services = services or Services()
    count = Counter(source.kind for source in sources_of(market, services=services).values())
    said = {
        Kind.FEED: "{n} feed{s}, without a key",
        Kind.SEARCH: "{n} news searches of Google and Bing, without a key",
        Kind.REDDIT: f"Reddit through {reddit.way(services)}",
        Kind.TRENDS: f"Google Trends of {market.region_code}, without a key",
        Kind.SUGGESTIONS: "{n} keywords completed by a search engine, without a key",
    }
    lines = [
        text.format(n=count[kind], s="" if count[kind] == 1 else "s")
        for kind, text in said.items()
        if count[kind]
    ]
    if wants_articles(market):
        lines.append("the pages of articles whose feed gives only a few words, where robots.txt lets us")
    if "discovery_schedule_cron" in market.model_fields_set:
        lines.append(
            f"and new feeds are proposed: {market.discovery_schedule_cron}, at the next feed_discovery; "
            "`topic-worker proposals` lists them"
        )
    return lines + [f"not {kind}: {why}" for kind, why in wanting(market).items()]


def wanting(market: Market) -> dict[str, str]:
    """What the market asks for and cannot have, with the reason."""
    collectors = market.collectors
    found: dict[str, str] = {}
    if collectors.reddit_enabled and not (collectors.reddit_subreddits or market.reddit_subreddits):
        found["reddit"] = "no reddit_subreddits are named"
    if collectors.full_text and find_spec("trafilatura") is None:
        found["full_text"] = "needs an extra: pip install 'topic-console[articles]'"
    return found


def read(source: Source, body: bytes, address: str, *, now: datetime, content_type: str | None) -> Feed:
    """What an answer holds; what may take long is read in a process of its own. Call it off the event loop.

    Args:
        source: who gave it.
        body: as fetched, unpacked.
        address: where it came from, after redirects.
        now: dates after it become it.
        content_type: the HTTP header.

    Raises:
        FeedError: it is not what this kind of source gives.
    """
    base = source.url if source.bundled else address
    quick = read_if_quick(source, body, address, now=now, content_type=content_type)
    return quick or read_apart(source.kind, body, base, now=now, content_type=content_type)


def read_if_quick(
    source: Source, body: bytes, address: str, *, now: datetime, content_type: str | None
) -> Feed | None:
    """The same if it is small, or of a kind that takes no longer to read than its size says; else None.

    feedparser takes ten seconds for an author's name of 64 KB, and four times as long for one that is twice as long.
    """
    base = source.url if source.bundled else address
    if len(body) <= SMALL or source.kind in {Kind.TRENDS, Kind.SUGGESTIONS}:
        return READERS[source.kind](body, base, now=now, content_type=content_type)
    return feeds.read_if_quick(body, base, now=now) if source.kind is Kind.FEED else None
