"""Reddit through its feeds: no key, about one request a minute, so all subreddits of a market are one request.

The JSON pages answer 403 without a key since May 2026, and keys are given to few. A personal token from
reddit.com/prefs/feeds makes the feeds reliable from addresses that many share.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from worker.research.sources import Kind
from worker.research.sources.feeds import parse_feed, xml_entry
from worker.research.sources.services import REDDIT
from worker.research.urls import canonical_url, host_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from worker.research.markets import Market
    from worker.research.sources import Source
    from worker.research.sources.entry import Entry, Feed
    from worker.research.sources.services import Services

_OUTWARD: Final = re.compile(r"<a href=[\"']([^\"']+)[\"']>\s*\[link\]\s*</a>")
# What Reddit sets below each post.
_SIGNATURE: Final = re.compile(
    r"\s*submitted by\s+/?u/\S+(?:\s+to\s+r/\S+)?\s*(?:\[link\])?\s*(?:\[comments\])?\s*$"
)
_OWN: Final = ("reddit.com", "redd.it")


def sources(market: Market, services: Services) -> Iterator[Source]:
    """One for all subreddits that the market names."""
    wanted = dict.fromkeys((*market.collectors.reddit_subreddits, *market.reddit_subreddits))
    if not (market.collectors.reddit_enabled and wanted):
        return
    together = "+".join(wanted)
    key = {"feed": services.reddit_token, "user": services.reddit_user}
    secret = {name: value for name, value in key.items() if value} if all(key.values()) else None
    yield services.source(
        REDDIT,
        f"/r/{together}/top/.rss",
        {"t": "week", "limit": "100"},
        Kind.REDDIT,
        about=together,
        secret=secret,
    )


def read(body: bytes, address: str, *, now: datetime, content_type: str | None) -> Feed:
    """The posts; one that leads elsewhere is a voice for the page it leads to.

    Raises:
        FeedError: it is no feed.
    """
    return parse_feed(body, address, now=now, content_type=content_type, of_entry=_post)


def _post(raw: dict[str, Any], base: str, now: datetime) -> Entry | None:
    entry = xml_entry(raw, base, now)
    if entry is None:
        return None
    html = " ".join(str(part.get("value") or "") for part in raw.get("content", ()))
    outward = _OUTWARD.search(html)
    url = canonical_url(outward[1].replace("&amp;", "&"), base) if outward else None
    text = _SIGNATURE.sub("", entry.text)
    subreddit = [word for word in entry.keywords if word]
    if url is None or host_of(url).endswith(_OWN):
        return replace(entry, text=text, summary=None, keywords=tuple(subreddit))
    return replace(entry, url=url, text=text, summary=None, keywords=tuple(subreddit))
