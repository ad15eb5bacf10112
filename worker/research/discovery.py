"""Finding feeds: those of a site, and those that a news search makes of some words."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from worker.research.errors import FeedError, FetchError
from worker.research.http import Ask
from worker.research.sources import Source
from worker.research.sources.catalogue import read
from worker.research.sources.search import searches
from worker.research.urls import canonical_url, host_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from worker.research.http import Fetcher
    from worker.research.sources.services import Services

ACCEPT: Final = "text/html, application/xhtml+xml, application/atom+xml, application/rss+xml, */*;q=0.5"
MOST: Final = 20
_TYPES: Final = ("rss", "atom", "rdf", "feed+json", "application/json", "application/xml", "text/xml")
_LIKELY: Final = re.compile(
    r"(?:^|[/._-])(?:rss|feeds?|atom)(?:[/._-]|\d*$|\.xml|\.php)|\.rdf$", re.IGNORECASE
)
# Where programs that make sites put their feeds.
COMMON: Final = (
    "feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed/", "feeds/posts/default", "feed.json",
    "blog/feed", "news/rss", "rss/news.xml", "?feed=rss2",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A feed that was found and can be read.

    Attributes:
        url: after permanent redirects.
        title: as it says.
        site: the page it was found on.
        entries: how many it has now.
        newest: the date of the newest; None where none has one.
        per_week: how many it brings; None where it does not say.
    """

    url: str
    title: str
    site: str | None
    entries: int
    newest: datetime | None
    per_week: float | None


def is_address(words: str) -> bool:
    """Whether it names a site, and is not some words."""
    return bool(
        re.fullmatch(r"(?:https?://)?[^\s/]+\.[^\s/.]{2,}(?::\d+)?(?:/\S*)?|https?://\S+", words.strip())
    )


async def feeds_of_site(fetcher: Fetcher, address: str, *, now: datetime) -> tuple[Found, ...]:
    """The feeds of a site: what its page names, else what lies where feeds usually lie.

    Args:
        fetcher: open.
        address: of a page, or of a feed itself; without a scheme, https.
        now: for dates.

    Raises:
        FetchError: the page cannot be fetched.
    """
    url = address if "://" in address else f"https://{address}"
    page = await fetcher.get(Ask(url, accept=ACCEPT))
    itself = _read(page.body, page.url, None, now, page.content_type)
    if itself is not None:
        return (itself,)
    named = await _tried(fetcher, _named(page.body, page.url), page.url, now)
    if named:
        return named
    return await _tried(fetcher, (urljoin(page.url, f"/{path}") for path in COMMON), page.url, now)


async def feeds_of_words(
    fetcher: Fetcher, words: str, language: str, region: str, services: Services, *, now: datetime
) -> tuple[Found, ...]:
    """The feeds that news searches make of some words.

    Args:
        fetcher: open.
        words: what is searched for.
        language: of the results.
        region: the country's two letters.
        services: where they are asked.
        now: for dates.
    """
    found = []
    for source in searches(words, language, region, services):
        try:
            answer = await fetcher.get(Ask(source.fetch_url, delay_s=source.pause_s))
            feed = read(source, answer.body, answer.url, now=now, content_type=answer.content_type)
        except (FetchError, FeedError):
            continue
        dates = [entry.published_at for entry in feed.entries if entry.published_at]
        title = feed.title or source.name
        found.append(
            Found(source.url, title, None, len(feed.entries), max(dates, default=None), feed.per_week(now))
        )
    return tuple(found)


async def _tried(fetcher: Fetcher, urls: Iterable[str], site: str, now: datetime) -> tuple[Found, ...]:
    candidates = list(dict.fromkeys(urls))[:MOST]
    answers = await asyncio.gather(*(_fetched(fetcher, url, site, now) for url in candidates))
    unique: dict[str, Found] = {}
    for one in answers:
        if one is not None:
            unique.setdefault(Source.at(one.url).key, one)
    return tuple(unique.values())


async def _fetched(fetcher: Fetcher, url: str, site: str, now: datetime) -> Found | None:
    try:
        answer = await fetcher.get(url)
    except FetchError:
        return None
    return _read(answer.body, answer.moved_to or url, site, now, answer.content_type)


def _read(body: bytes, url: str, site: str | None, now: datetime, content_type: str | None) -> Found | None:
    try:
        feed = read(Source.at(url), body, url, now=now, content_type=content_type)
    except FeedError:
        return None
    dates = [entry.published_at for entry in feed.entries if entry.published_at]
    return Found(
        url, feed.title or host_of(url), site, len(feed.entries), max(dates, default=None), feed.per_week(now)
    )


def _named(page: bytes, url: str) -> Iterator[str]:
    """What a page names as its feeds, then what looks like one, on the page's own site."""
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError  # noqa: PLC0415 - heavy

    try:
        tree = LexborHTMLParser(page.decode("utf-8", "replace"))
        base = tree.css_first("base[href]")
        start = urljoin(url, (base.attributes.get("href") or "") if base else "")
        links = [node.attributes for node in tree.css("link[rel~=alternate][href]")]
        anchors = [node.attributes.get("href") or "" for node in tree.css("a[href]")]
    except (SelectolaxError, ValueError, RuntimeError):
        return
    for link in links:
        if any(kind in (link.get("type") or "").lower() for kind in _TYPES) and (
            named := _absolute(start, link.get("href"))
        ):
            yield named
    for href in anchors:
        target = _absolute(start, href)
        if target and host_of(target) == host_of(url) and _LIKELY.search(urlsplit(target).path):
            yield target


def _absolute(base: str, href: str | None) -> str | None:
    try:
        return canonical_url(href or "", base)
    except ValueError:
        return None
