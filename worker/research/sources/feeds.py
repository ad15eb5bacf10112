"""Reading feeds: RSS 0.9x, 1.0, 2.0 and Atom by feedparser, JSON Feed by ourselves.

Feeds are foreign: what is kept is plain text, http(s) links and dates that can be true.
"""

from __future__ import annotations

import calendar
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from worker.research.errors import FeedError
from worker.research.text import clean, html_to_text
from worker.research.urls import MAX_URL_CHARS, canonical_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_TITLE: Final = 500
MAX_TEXT: Final = 50_000
MAX_SUMMARY: Final = 1_000
MAX_GUID: Final = 1_000
MAX_NAME: Final = 200

_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_FEED_ROOT = re.compile(rb"<(?:\w+:)?(?:rss|feed|rdf|channel)\b", re.IGNORECASE)
_SNIFFED = 2048
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed.

    Attributes:
        guid: the feed's own identifier; None where it has none.
        url: canonical and absolute; None where there is no http(s) link.
        link: the same as the feed gave it, made absolute.
        text: plain text of the longest body the entry has.
        summary: plain text of its short description, where that is not the body itself.
        published_at: aware UTC, never in the future; None where the feed names no date.
    """

    guid: str | None
    url: str | None
    link: str | None
    title: str
    text: str
    summary: str | None
    author: str | None
    published_at: datetime | None
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed that could be read.

    Attributes:
        warning: what the parser found wrong and read over; None for a clean feed.
    """

    title: str
    entries: tuple[Entry, ...]
    warning: str | None = None


def parse_feed(body: bytes, url: str, *, now: datetime, content_type: str | None = None) -> Feed:
    """The feed in these bytes. Takes long for large feeds: call it off the event loop.

    Args:
        body: as fetched, unpacked.
        url: what relative links are relative to.
        now: dates after it become it.
        content_type: the HTTP header, for its charset.

    Raises:
        FeedError: it is no feed.
    """
    start = body[:_SNIFFED].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise FeedError("expected a feed, found an empty body")
    if start[:1] in {b"{", b"["}:
        return _parse_json(body, url, now)
    if _HTML.search(start) and not _FEED_ROOT.search(start):
        raise FeedError("expected a feed, found an HTML page")
    return _parse_xml(body, url, now, content_type)


# -- RSS and Atom ------------------------------------------------------------------------------------


def _parse_xml(body: bytes, url: str, now: datetime, content_type: str | None) -> Feed:
    import feedparser  # noqa: PLC0415 - heavy; only collecting needs it

    try:
        # A stream, never bytes or text: feedparser opens those as a URL or a file of this machine.
        # Its own sanitizing is left out because all markup is taken off below, at half the cost.
        parsed = feedparser.parse(
            io.BytesIO(body), response_headers=_headers(body, url, content_type), sanitize_html=False
        )
        entries = tuple(_unique(_xml_entry(raw, url, now) for raw in parsed.entries))
    except Exception as error:  # it raises many kinds on odd input (kurtmckee/feedparser#599)
        raise FeedError(f"expected a feed, found one that cannot be read ({type(error).__name__})") from error
    if not parsed.version and not parsed.entries:
        is_xml = body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        raise FeedError(f"expected a feed, found {'other XML' if is_xml else 'text that is no XML'}")
    problem = parsed.get("bozo_exception") if parsed.bozo else None
    warning = clean(f"{type(problem).__name__}: {problem}", MAX_NAME) if problem else None
    return Feed(_plain(parsed.feed.get("title_detail"), MAX_TITLE), entries, warning)


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


def _xml_entry(raw: dict[str, Any], base: str, now: datetime) -> Entry | None:
    bodies = [_plain(part, MAX_TEXT) for part in raw.get("content", ())]
    summary = _plain(raw.get("summary_detail"), MAX_TEXT)
    # Past feedparser's own get, which warns when it would answer with another key's value.
    when = dict.get(raw, "published_parsed") or dict.get(raw, "updated_parsed")
    tags = (tag.get("term") for tag in raw.get("tags", ()))
    return _entry(
        guid=raw.get("id"),
        links=[raw.get("link"), *(link.get("href") for link in raw.get("links", ())), raw.get("id")],
        base=base,
        title=_plain(raw.get("title_detail"), MAX_TITLE),
        bodies=[*bodies, summary],
        summary=summary,
        author=raw.get("author"),
        published=_true_date(calendar.timegm(when), now) if when else None,
        keywords=tags,
    )


def _plain(detail: Mapping[str, Any] | None, limit: int) -> str:
    if not detail:
        return ""
    value = str(detail.get("value") or "")
    return clean(value, limit) if detail.get("type") == "text/plain" else html_to_text(value, limit)


# -- JSON Feed ---------------------------------------------------------------------------------------


def _parse_json(body: bytes, url: str, now: datetime) -> Feed:
    """JSON Feed 1.0 and 1.1: https://www.jsonfeed.org/version/1.1/."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FeedError("expected a feed, found JSON that cannot be read") from error
    version = data.get("version") if isinstance(data, dict) else None
    if not isinstance(version, str) or "jsonfeed.org/version/1" not in version:
        raise FeedError("expected a feed, found other JSON")
    items = data.get("items")
    if not isinstance(items, list):
        raise FeedError("expected a feed, found a JSON Feed without items")
    entries = tuple(_unique(_json_entry(raw, url, now) for raw in items if isinstance(raw, dict)))
    return Feed(clean(_string(data.get("title")), MAX_TITLE), entries)


def _json_entry(raw: dict[str, Any], base: str, now: datetime) -> Entry | None:
    html, text = _string(raw.get("content_html")), _string(raw.get("content_text"))
    authors = raw.get("authors") or [raw.get("author")]  # 1.1 has a list, 1.0 had one
    names = [_string(author.get("name")) for author in _list(authors) if isinstance(author, dict)]
    identifier = raw.get("id")
    return _entry(
        guid=str(identifier) if isinstance(identifier, str | int | float) else None,
        links=[_string(raw.get("url")), _string(raw.get("external_url")), _string(identifier)],
        base=base,
        title=clean(_string(raw.get("title")), MAX_TITLE),
        bodies=[html_to_text(html, MAX_TEXT), clean(text, MAX_TEXT)],
        summary=clean(_string(raw.get("summary")), MAX_SUMMARY),
        author=", ".join(filter(None, names)),
        published=_iso_date(_string(raw.get("date_published") or raw.get("date_modified")), now),
        keywords=(_string(tag) for tag in _list(raw.get("tags"))),
    )


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


# -- both --------------------------------------------------------------------------------------------


def _entry(
    *,
    guid: str | None,
    links: Iterable[str | None],
    base: str,
    title: str,
    bodies: Iterable[str],
    summary: str,
    author: str | None,
    published: datetime | None,
    keywords: Iterable[str | None],
) -> Entry | None:
    """The entry, or None where there is nothing to read."""
    text = max(bodies, key=len, default="") or summary
    title = title or clean(text, 80)
    if not title:
        return None
    link, url = _first_link(links, base)
    guid = clean(guid or "", MAX_GUID) or None
    short = clean(summary, MAX_SUMMARY)
    return Entry(
        guid=guid,
        url=url,
        link=link,
        title=title,
        text=text,
        summary=short if short and short != text else None,
        author=clean(author or "", MAX_NAME) or None,
        published_at=published,
        keywords=tuple(dict.fromkeys(filter(None, (clean(word or "", 80) for word in keywords))))[:20],
    )


def _first_link(links: Iterable[str | None], base: str) -> tuple[str | None, str | None]:
    """The first that leads to a web page; a link may as well be `tag:`, `urn:` or `javascript:`.

    An identifier (the last) counts only when it is a whole address: "42" is none, relative or not.
    """
    *named, identifier = links
    whole = identifier if str(identifier).lower().startswith(("http://", "https://")) else None
    for link in (*named, whole):
        if link and link.strip() and (url := canonical_url(link, base)):
            return clean(urljoin(base, link), MAX_URL_CHARS), url
    return None, None


def _unique(entries: Iterable[Entry | None]) -> Iterator[Entry]:
    """Entries that hold something, each page once; equal GUIDs with unlike pages are two entries."""
    seen: set[tuple[str | None, str | None, str]] = set()
    for entry in entries:
        if entry is None:
            continue
        identity = (entry.guid, entry.url, "" if entry.guid or entry.url else entry.title)
        if identity not in seen:
            seen.add(identity)
            yield entry


def _iso_date(text: str, now: datetime) -> datetime | None:
    try:
        when = datetime.fromisoformat(text)
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return _true_date(seconds, now)


def _true_date(seconds: float, now: datetime) -> datetime | None:
    try:
        return min(datetime.fromtimestamp(seconds, UTC), now)
    except (ValueError, OverflowError, OSError):
        return None
