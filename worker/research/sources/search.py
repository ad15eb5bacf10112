"""News searches as feeds: what is written anywhere about a keyword, by Google News and Bing News."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from worker.research.sources import Kind
from worker.research.sources.entry import MAX_NAME
from worker.research.sources.feeds import parse_feed, xml_entry
from worker.research.sources.services import BING_NEWS, GOOGLE_NEWS
from worker.research.text import clean
from worker.research.urls import canonical_url, host_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from worker.research.markets import Market
    from worker.research.sources import Source
    from worker.research.sources.entry import Entry, Feed
    from worker.research.sources.services import Services


def sources(market: Market, services: Services) -> Iterator[Source]:
    """Two for each keyword of the market."""
    if market.collectors.search_enabled:
        for keyword in dict.fromkeys(market.seed_keywords):
            yield from searches(keyword, market.language, market.region_code, services)


def searches(words: str, language: str, region: str, services: Services) -> Iterator[Source]:
    """The feeds of a search for some words.

    Args:
        words: what is searched for.
        language: of the results, for example `de`.
        region: the country, for example `DE`.
        services: where they are asked.
    """
    short = language.partition("-")[0]
    google = {"q": words, "hl": language, "gl": region, "ceid": f"{region}:{short}"}
    yield services.source(GOOGLE_NEWS, "/rss/search", google, Kind.SEARCH, about=words)
    bing = {"q": words, "format": "rss", "cc": region, "setlang": language}
    yield services.source(BING_NEWS, "/news/search", bing, Kind.SEARCH, about=words)


def read(body: bytes, address: str, *, now: datetime, content_type: str | None) -> Feed:
    """The headlines, each with the outlet that wrote it.

    Raises:
        FeedError: it is no feed.
    """
    return parse_feed(body, address, now=now, content_type=content_type, of_entry=_headline)


def _headline(raw: dict[str, Any], base: str, now: datetime) -> Entry | None:
    """An entry without the search engine's own dressing.

    Bing hides the article's address in its own; Google's leads through a page that cannot be seen through, so it
    stays as it is. Google's text is the headline once more, with the outlet.
    """
    entry = xml_entry(raw, base, now)
    if entry is None:
        return None
    outlet = clean(str(raw.get("news_source") or (raw.get("source") or {}).get("title") or ""), MAX_NAME)
    title = entry.title.removesuffix(f" - {outlet}").rstrip() if outlet else entry.title
    url = _behind(entry.url) if entry.url else None
    text = (
        "" if entry.text.startswith(title) and len(entry.text) < len(title) + len(outlet) + 20 else entry.text
    )
    return replace(
        entry,
        title=title or entry.title,
        url=url,
        link=url or entry.link,
        text=text,
        author=outlet or entry.author,
    )


def _behind(url: str) -> str:
    """The article's own address, where Bing's carries it."""
    parts = urlsplit(url)
    if host_of(url) == "bing.com" and parts.path.endswith("/apiclick.aspx"):
        for hidden in parse_qs(parts.query).get("url", ()):
            return canonical_url(hidden) or url
    return url
