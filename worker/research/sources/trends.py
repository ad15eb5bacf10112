"""Google Trends: what is searched for today in a country, from its public feed.

Its `ht:` parts are read by ourselves: a feed parser flattens them, so that two news items become the title of the
second with the address of the first. All items have one link, that of the feed, so it identifies none of them.
"""

from __future__ import annotations

import calendar
import email.utils
from typing import TYPE_CHECKING, Final

from worker.research.errors import FeedError
from worker.research.sources import Kind
from worker.research.sources.entry import MAX_TEXT, MAX_TITLE, Feed, make_entry, true_date, unique
from worker.research.sources.services import TRENDS
from worker.research.text import clean
from worker.research.xml import XmlError, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from xml.etree.ElementTree import Element

    from worker.research.markets import Market
    from worker.research.sources import Source
    from worker.research.sources.entry import Entry
    from worker.research.sources.services import Services

_HT: Final = "{https://trends.google.com/trending/rss}"


def sources(market: Market, services: Services) -> Iterator[Source]:
    """One for the market's country."""
    if market.collectors.trends_enabled:
        region = market.region_code
        yield services.source(TRENDS, "/trending/rss", {"geo": region}, Kind.TRENDS, about=region)


def read(body: bytes, address: str, *, now: datetime, content_type: str | None) -> Feed:
    """The searches, each with how often it was made and the headlines that go with it.

    Raises:
        FeedError: it is no feed.
    """
    del address, content_type
    try:
        root = tree_of(body)
    except XmlError as error:
        raise FeedError(f"expected the feed of Google Trends, found {error}") from error
    channel = root.find("channel")
    if root.tag != "rss" or channel is None:
        raise FeedError("expected the feed of Google Trends, found other XML")
    items = channel.findall("item")
    return Feed(
        clean(channel.findtext("title") or "", MAX_TITLE), tuple(unique(_search(one, now) for one in items))
    )


def _search(item: Element, now: datetime) -> Entry | None:
    title = clean(item.findtext("title") or "", MAX_TITLE)
    traffic = clean(item.findtext(f"{_HT}approx_traffic") or "", 40)
    published = _date(item.findtext("pubDate") or "", now)
    news = [_headline(one) for one in item.findall(f"{_HT}news_item")]
    parts = [f"{traffic} searches." if traffic else "", *(text for text, _ in news)]
    day = published.date().isoformat() if published else "undated"
    return make_entry(
        guid=f"{title.casefold()} {day}",
        links=[None],
        base="",
        title=title,
        bodies=[clean(" ".join(filter(None, parts)), MAX_TEXT)],
        summary="",
        author=None,
        published=published,
        keywords=[outlet for _, outlet in news],
    )


def _headline(news: Element) -> tuple[str, str]:
    """A headline with its outlet and address, and the outlet."""
    title = clean(news.findtext(f"{_HT}news_item_title") or "", MAX_TITLE)
    outlet = clean(news.findtext(f"{_HT}news_item_source") or "", 80)
    url = clean(news.findtext(f"{_HT}news_item_url") or "", 500)
    return f"{title} ({', '.join(filter(None, (outlet, url)))})." if title else "", outlet


def _date(text: str, now: datetime) -> datetime | None:
    parsed = email.utils.parsedate_tz(text)
    if parsed is None:
        return None
    try:
        return true_date(calendar.timegm(parsed[:9]) - (parsed[9] or 0), now)
    except (ValueError, OverflowError):
        return None
