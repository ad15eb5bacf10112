"""What a search engine completes a keyword to: what people ask about it. One request for each keyword."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from worker.research.errors import FeedError
from worker.research.sources import Kind
from worker.research.sources.entry import MAX_TITLE, Feed, make_entry, unique
from worker.research.sources.services import SUGGESTIONS
from worker.research.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from worker.research.markets import Market
    from worker.research.sources import Source
    from worker.research.sources.entry import Entry
    from worker.research.sources.services import Services

_CHARSET: Final = re.compile(r"charset=([\w.:-]+)", re.IGNORECASE)


def sources(market: Market, services: Services) -> Iterator[Source]:
    """One for each keyword of the market."""
    if not market.collectors.autocomplete_enabled:
        return
    for keyword in dict.fromkeys(market.seed_keywords):
        query = {"client": "firefox", "hl": market.language, "gl": market.region_code, "q": keyword}
        yield services.source(SUGGESTIONS, "/complete/search", query, Kind.SUGGESTIONS, about=keyword)


def read(body: bytes, address: str, *, now: datetime, content_type: str | None) -> Feed:
    """The completions; they have no dates, so each counts from when it was first seen.

    Raises:
        FeedError: it is no list of completions.
    """
    del address, now
    try:
        data = json.loads(_decoded(body, content_type))
        keyword, completions = data[0], data[1]
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise FeedError("expected a list of completions, found something else") from error
    if not isinstance(keyword, str) or not isinstance(completions, list):
        raise FeedError("expected a list of completions, found other JSON")
    found = (one for one in completions if isinstance(one, str) and one.casefold() != keyword.casefold())
    return Feed(clean(keyword, MAX_TITLE), tuple(unique(_completion(one, keyword) for one in found)))


def _completion(text: str, keyword: str) -> Entry | None:
    title = clean(text, MAX_TITLE)
    return make_entry(
        guid=title.casefold(), links=[None], base="", title=title, bodies=[], summary="", author=None,
        published=None, keywords=[keyword],
    )  # fmt: skip


def _decoded(body: bytes, content_type: str | None) -> str:
    """The text; it is sent as ISO-8859-1 to some, and says so in the header."""
    named = _CHARSET.search(content_type or "")
    try:
        return body.decode(named[1] if named else "utf-8")
    except (UnicodeDecodeError, LookupError):
        return body.decode("latin-1")
