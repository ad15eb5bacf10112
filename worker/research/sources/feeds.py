"""Reading feeds: RSS 0.9x, 1.0, 2.0 and Atom by feedparser, JSON Feed in its own module.

Feeds are foreign: what is kept is plain text, http(s) links and dates that can be true.
"""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from worker.research.errors import FeedError
from worker.research.sources.entry import (
    MAX_NAME,
    MAX_TEXT,
    MAX_TITLE,
    Entry,
    Feed,
    make_entry,
    true_date,
    unique,
)
from worker.research.sources.json_feed import parse_json_feed
from worker.research.sources.plain_feeds import read_plain
from worker.research.text import clean, html_to_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from worker.research.sources.plain_feeds import Part, PlainEntry, PlainFeed

_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_FEED_ROOT = re.compile(rb"<(?:\w+:)?(?:rss|feed|rdf|channel)\b", re.IGNORECASE)
_SNIFFED = 2048
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


OfEntry = Callable[[dict[str, Any], str, "datetime"], "Entry | None"]


def read(body: bytes, address: str, *, now: datetime, content_type: str | None) -> Feed:
    """The feed in an answer.

    Raises:
        FeedError: it is no feed.
    """
    return parse_feed(body, address, now=now, content_type=content_type)


def parse_feed(
    body: bytes,
    url: str,
    *,
    now: datetime,
    content_type: str | None = None,
    of_entry: OfEntry | None = None,
) -> Feed:
    """The feed in these bytes. Takes long for large feeds: call it off the event loop.

    Args:
        body: as fetched, unpacked.
        url: what relative links are relative to.
        now: dates after it become it.
        content_type: the HTTP header, for its charset.
        of_entry: makes an entry of one of feedparser's, for a kind of feed that says more than others.

    Raises:
        FeedError: it is no feed.
    """
    _refuse_what_is_none(body)
    if _is_json(body):
        return parse_json_feed(body, url, now)
    plain = read_if_plain(body, url, now=now) if of_entry is None else None
    return plain or _parse_xml(body, url, now, content_type, of_entry)


def read_if_plain(body: bytes, url: str, *, now: datetime) -> Feed | None:
    """The feed in these bytes if it is without any oddity, which is quick however large it is."""
    plain = read_plain(body, url)
    return _plain_feed(plain, url, now) if plain else None


def read_if_quick(body: bytes, url: str, *, now: datetime) -> Feed | None:
    """The feed in these bytes if reading it takes no longer than its size says: if it is not one for feedparser.

    Raises:
        FeedError: it is no feed.
    """
    _refuse_what_is_none(body)
    return parse_json_feed(body, url, now) if _is_json(body) else read_if_plain(body, url, now=now)


def _refuse_what_is_none(body: bytes) -> None:
    start = _start(body)
    if not start:
        raise FeedError("expected a feed, found an empty body")
    if not _is_json(body) and _HTML.search(start) and not _FEED_ROOT.search(start):
        raise FeedError("expected a feed, found an HTML page")


def _start(body: bytes) -> bytes:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:_SNIFFED]


def _is_json(body: bytes) -> bool:
    return _start(body)[:1] in {b"{", b"["}


def _plain_feed(feed: PlainFeed, url: str, now: datetime) -> Feed:
    entries = tuple(unique(_plain_entry(entry, url, now) for entry in feed.entries))
    return Feed(_text(feed.title, MAX_TITLE), entries, asked_s=_asked_s(feed.pace))


def _plain_entry(raw: PlainEntry, base: str, now: datetime) -> Entry | None:
    summary = _text(raw.summary, MAX_TEXT)
    return make_entry(
        guid=raw.guid,
        links=[raw.link, raw.guid],
        base=base,
        title=_text(raw.title, MAX_TITLE),
        bodies=[_text(raw.content, MAX_TEXT), summary] if raw.content else [summary],
        summary=summary,
        author=raw.author,
        published=true_date(raw.published, now) if raw.published is not None else None,
        keywords=raw.keywords,
        enclosures=raw.enclosures,
    )


def _text(part: Part, limit: int) -> str:
    return html_to_text(part.value, limit) if part.is_html else clean(part.value, limit)


def _parse_xml(
    body: bytes, url: str, now: datetime, content_type: str | None, of_entry: OfEntry | None = None
) -> Feed:
    import feedparser  # noqa: PLC0415 - heavy; only collecting needs it

    def parsed_of(body: bytes) -> Any:
        # A stream, never bytes or text: feedparser opens those as a URL or a file of this machine.
        # Its work on markup (sanitizing, making links absolute) is left out: all markup is taken off below.
        return feedparser.parse(
            io.BytesIO(body),
            response_headers=_headers(body, url, content_type),
            sanitize_html=False,
            resolve_relative_uris=False,
        )

    try:
        try:
            parsed = parsed_of(body)
        except (ValueError, OverflowError):  # kurtmckee/feedparser#599
            parsed = parsed_of(_REFERENCE.sub(_possible, body))
        entries = tuple(unique((of_entry or xml_entry)(raw, url, now) for raw in parsed.entries))
    except Exception as error:  # it raises many kinds on odd input
        raise FeedError(f"expected a feed, found one that cannot be read ({type(error).__name__})") from error
    if not parsed.version and not parsed.entries:
        is_xml = body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        raise FeedError(f"expected a feed, found {'other XML' if is_xml else 'text that is no XML'}")
    problem = parsed.get("bozo_exception") if parsed.bozo else None
    warning = clean(f"{type(problem).__name__}: {problem}", MAX_NAME) if problem else None
    return Feed(_plain(parsed.feed.get("title_detail"), MAX_TITLE), entries, warning, _asked_s(parsed.feed))


_REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]+)|([0-9]+));")


def _possible(reference: re.Match[bytes]) -> bytes:
    """A character reference if there is such a character, else a space."""
    # No character has more than eight digits; longer numbers would take long to read.
    code = int(reference[1][:8], 16) if reference[1] else int(reference[2][:8])
    real = code < 0x110000 and not 0xD800 <= code <= 0xDFFF
    return reference[0] if real and len(reference[0]) < 12 else b" "


# https://www.rssboard.org/rss-specification#ltttlgtSubelementOfLtchannelgt is in minutes;
# https://web.resource.org/rss/1.0/modules/syndication/ names a period, and how often in it.
_PERIODS = {"hourly": 3_600.0, "daily": 86_400.0, "weekly": 604_800.0}


def _asked_s(feed: Mapping[str, Any]) -> float:
    """How long the feed says that asking again is of no use."""
    ttl = str(feed.get("ttl", "")).strip()
    if ttl.isascii() and ttl.isdecimal():
        return float(ttl[:8]) * 60.0
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "")).strip().lower(), 0.0)
    often = str(feed.get("sy_updatefrequency", "")).strip()
    return period / max(float(often[:6]), 1.0) if often.isascii() and often.isdecimal() else period


def _headers(body: bytes, url: str, content_type: str | None) -> dict[str, str]:
    """What feedparser may know of the answer: its address, and a charset the bytes do not contradict."""
    headers = {"content-location": url, "content-type": "application/xml"}
    named = _CHARSET.search(content_type or "")
    if named and not _is_utf8(body):  # many servers name ISO-8859-1 over files that are UTF-8
        headers["content-type"] = f"application/xml; charset={named[1]}"
    return headers


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def xml_entry(raw: dict[str, Any], base: str, now: datetime) -> Entry | None:
    """An entry as feedparser gives it, as ours; None where there is nothing to read."""
    bodies = [_plain(part, MAX_TEXT) for part in raw.get("content", ())]
    summary = _plain(raw.get("summary_detail"), MAX_TEXT)
    # Past feedparser's own get, which warns when it would answer with another key's value.
    when = dict.get(raw, "published_parsed") or dict.get(raw, "updated_parsed")
    tags = (tag.get("term") for tag in raw.get("tags", ()))
    # A service that counts clicks names the page it leads to.
    links = [raw.get("feedburner_origlink"), raw.get("link")]
    return make_entry(
        guid=raw.get("id"),
        links=[*links, *(link.get("href") for link in raw.get("links", ())), raw.get("id")],
        base=base,
        title=_plain(_title(raw), MAX_TITLE),
        bodies=[*bodies, summary],
        summary=summary,
        author=raw.get("author"),
        published=true_date(calendar.timegm(when), now) if when else None,
        keywords=tags,
        enclosures=(
            (one.get("href"), one.get("type"), one.get("length"))
            for one in raw.get("links", ())
            if one.get("rel") == "enclosure"
        ),
    )


def _title(raw: dict[str, Any]) -> dict[str, Any] | None:
    """The title's detail, which feedparser overwrites with that of an image or another part of the entry."""
    detail: dict[str, Any] | None = raw.get("title_detail")
    value = raw.get("title")
    return detail and ({**detail, "value": value} if value else detail)


def _plain(detail: Mapping[str, Any] | None, limit: int) -> str:
    if not detail:
        return ""
    value = str(detail.get("value") or "")
    return clean(value, limit) if detail.get("type") == "text/plain" else html_to_text(value, limit)
