"""Reddit through its API where there is a key, else through its feeds: all subreddits of a market are one request.

The feeds answer about one request a minute, and a personal token from reddit.com/prefs/feeds makes them reliable
from addresses that many share. Without a key the JSON pages answer 403 since May 2026, and keys are given to few.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from worker.research.errors import FeedError
from worker.research.sources import Kind
from worker.research.sources.entry import MAX_TEXT, MAX_TITLE, Feed, make_entry, true_date, unique
from worker.research.sources.feeds import parse_feed, xml_entry
from worker.research.sources.services import REDDIT, REDDIT_API
from worker.research.text import clean
from worker.research.urls import canonical_url, host_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from worker.research.markets import Market
    from worker.research.sources import Source
    from worker.research.sources.entry import Entry
    from worker.research.sources.services import Services

_OUTWARD: Final = re.compile(r"<a href=[\"']([^\"']+)[\"']>\s*\[link\]\s*</a>")
# What Reddit sets below each post.
_SIGNATURE: Final = re.compile(
    r"\s*submitted by\s+/?u/\S+(?:\s+to\s+r/\S+)?\s*(?:\[link\])?\s*(?:\[comments\])?\s*$"
)
_OWN: Final = ("reddit.com", "redd.it")
_WANTED: Final = {"t": "week", "limit": "100"}


def sources(market: Market, services: Services) -> Iterator[Source]:
    """One for all subreddits that the market names."""
    wanted = dict.fromkeys((*market.collectors.reddit_subreddits, *market.reddit_subreddits))
    if not (market.collectors.reddit_enabled and wanted):
        return
    together = "+".join(wanted)
    key = {"feed": services.reddit_token, "user": services.reddit_user}
    secret = {name: value for name, value in key.items() if value} if all(key.values()) else None
    feed = services.source(
        REDDIT, f"/r/{together}/top/.rss", _WANTED, Kind.REDDIT, about=together, secret=secret
    )
    if services.reddit_key is None:
        yield feed
        return
    # Under the feed's identity, so that a key that comes or goes changes nothing of what is known.
    listing = f"{services.at(REDDIT_API)}/r/{together}/top?{urlencode(_WANTED | {'raw_json': '1'})}"
    yield replace(feed, fetch_url=listing, open_url=feed.fetch_url)


def way(services: Services) -> str:
    """In words, how it is asked, and what other ways there are."""
    if services.reddit_key is not None:
        return "its API, with the key of REDDIT_CLIENT_ID; through its feeds where that is refused"
    half = {"REDDIT_CLIENT_ID": services.reddit_id, "REDDIT_CLIENT_SECRET": services.reddit_secret}
    lacking = " and ".join(name for name, value in half.items() if not value)
    api = f"; its API wants {lacking}, too (from reddit.com/prefs/apps)"
    if services.reddit_user and services.reddit_token:
        return f"the personal feeds of {services.reddit_user}, at one request a minute{api}"
    return (
        "its feeds, without a key at one request a minute; REDDIT_FEED_USER and REDDIT_FEED_TOKEN (from "
        f"reddit.com/prefs/feeds) make it reliable where many share an address{api}"
    )


def read(body: bytes, address: str, *, now: datetime, content_type: str | None) -> Feed:
    """The posts; one that leads elsewhere is a voice for the page it leads to.

    Raises:
        FeedError: it is neither a feed nor a listing.
    """
    if body.lstrip()[:1] == b"{":
        return _listing(body, now)
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


def _listing(body: bytes, now: datetime) -> Feed:
    """What the API answers: https://www.reddit.com/dev/api#listings."""
    try:
        data = json.loads(body)["data"]
        found = [one["data"] for one in data["children"] if one["kind"] == "t3"]
        return Feed("", tuple(unique(_listed(post, now) for post in found)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FeedError("expected Reddit's listing of posts, found other JSON") from error


def _listed(post: dict[str, Any], now: datetime) -> Entry | None:
    own = f"{REDDIT}{post['permalink']}"
    entry = make_entry(
        guid=post["name"],
        links=[own, None],
        base=REDDIT,
        title=clean(post["title"], MAX_TITLE),
        bodies=[clean(post.get("selftext") or "", MAX_TEXT)],
        summary="",
        author=f"/u/{post['author']}",
        published=true_date(post["created_utc"], now),
        keywords=[post["subreddit"]],
    )
    outward = None if post.get("is_self") else canonical_url(post.get("url") or "", REDDIT)
    if entry is None or outward is None or host_of(outward).endswith(_OWN):
        return entry
    return replace(entry, url=outward)
