"""Ordinary RSS 2.0 and Atom 1.0, read by the standard library's XML parser at a fourteenth of feedparser's cost.

Only feeds whose every part means to feedparser exactly what it says here are read; all others (other formats and
encodings, faulty XML, elements whose meaning depends on their company, odd dates) are left to feedparser, by
answering None. `tests/research/test_plain_feeds.py` compares the two on every feed it can find.
"""

from __future__ import annotations

import html.entities
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin
from xml.etree.ElementTree import ParseError, XMLParser

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_CONTENT: Final = "{http://purl.org/rss/1.0/modules/content/}encoded"
_CREATOR: Final = "{http://purl.org/dc/elements/1.1/}creator"
# Modules of which feedparser takes nothing that is kept here.
_PASSED_OVER: Final = (
    "{http://wellformedweb.org/CommentAPI/}",
    "{http://purl.org/rss/1.0/modules/slash/}",
    "{http://purl.org/syndication/thread/1.0}",
    "{com-wordpress:feed-additions:1}",
    "{http://www.youtube.com/xml/schemas/2015}",
    "{http://search.yahoo.com/mrss/}thumbnail",
    "{http://search.yahoo.com/mrss/}content",
)
_ONCE: Final = frozenset({"title", "link", "description", "pubDate", "guid", "author", _CONTENT, _CREATOR})
_OFTEN: Final = frozenset({"category", "enclosure", "comments"})
_ATOM_ONCE: Final = frozenset(
    _ATOM + name for name in ("title", "id", "updated", "published", "summary", "content")
)
_SYNDICATION: Final = "{http://purl.org/rss/1.0/modules/syndication/}"
_PACE: Final = {
    "ttl": "ttl",
    f"{_SYNDICATION}updatePeriod": "sy_updateperiod",
    f"{_SYNDICATION}updateFrequency": "sy_updatefrequency",
}

# A DOCTYPE can define entities; xml:base changes what links mean; C1 signs are mistaken Windows letters.
_REFUSED: Final = (b"<!DOCTYPE", b"xml:base")
_C1: Final = (re.compile(rb"\xc2[\x80-\x9f]"), re.compile(rb"&#(?:1(?:2[89]|[345]\d)|x[89])"))
_ENCODING: Final = re.compile(rb"""^<\?xml\b[^>]*\bencoding\s*=\s*["'](?!utf-?8["'])""", re.IGNORECASE)
_LINK: Final = re.compile(r"https?://[^/\s\\&][^\s&]*(?:&(?![A-Za-z0-9_]+;)[^\s&]*)*")
_ABSOLUTE: Final = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
_ENTITY: Final = re.compile(r"&(#?)(\w+);")
_MONTHS: Final = {
    name: n
    for n, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], start=1
    )
}
_RFC_822: Final = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d\d?) "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) (\d\d):(\d\d):(\d\d) (GMT|UT|[+-]\d{4})"
)
_RFC_3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)


class _OddError(Exception):
    """Something in the feed is for feedparser to judge."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text, and whether it is HTML."""

    value: str = ""
    is_html: bool = False


@dataclass(frozen=True, slots=True)
class PlainEntry:
    """An entry as the feed has it; `published` is in Unix seconds."""

    title: Part
    link: str
    guid: str | None = None
    summary: Part = field(default_factory=Part)
    content: Part | None = None
    author: str | None = None
    published: float | None = None
    keywords: tuple[str, ...] = ()
    enclosures: tuple[tuple[str | None, str | None, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class PlainFeed:
    """A feed without any oddity; `pace` is what it says of how often to ask, by feedparser's names."""

    title: Part
    entries: tuple[PlainEntry, ...]
    pace: dict[str, str]


def read_plain(body: bytes, base: str) -> PlainFeed | None:
    """The feed in these bytes, or None where feedparser must look at it.

    Args:
        body: as fetched, unpacked.
        base: the feed's address.
    """
    # In UTF-16 no DOCTYPE would be seen.
    if b"\0" in body or any(one in body for one in _REFUSED) or any(one.search(body) for one in _C1):
        return None
    if _ENCODING.match(body.lstrip(b"\xef\xbb\xbf \t\r\n")):
        return None
    parser = XMLParser()  # noqa: S314 - no DOCTYPE, hence no entities
    try:
        parser.feed(body)
        root: Element = parser.close()
        return _rss(root, base) if root.tag == "rss" else _atom(root, base)
    except (ParseError, _OddError, ValueError):
        return None


# -- RSS 2.0 -----------------------------------------------------------------------------------------


def _rss(root: Element, base: str) -> PlainFeed:
    channels = list(root)
    if [one.tag for one in channels] != ["channel"]:
        raise _OddError
    title = _only(channels[0].findall("title"))
    entries = tuple(_item(item, base) for item in channels[0].iterfind("item"))
    if not entries or len(entries) != sum(1 for _ in root.iter("item")):
        raise _OddError
    return PlainFeed(_rss_text(title), entries, _pace(channels[0]))


def _item(item: Element, base: str) -> PlainEntry:
    once, often = _parts(item, _ONCE, _OFTEN)
    if "title" not in once or "link" not in once or ("author" in once and _CREATOR in once):
        raise _OddError
    author = _text(once.get("author", once.get(_CREATOR)))
    if "@" in author:
        raise _OddError
    summary, content = once.get("description"), once.get(_CONTENT)
    return PlainEntry(
        title=_rss_text(once["title"]),
        link=_link(_text(once["link"]), once["link"]),
        guid=_guid(once.get("guid"), base),
        summary=Part(_text(summary), is_html=True) if summary is not None else Part(),
        content=Part(_text(content), is_html=True) if content is not None else None,
        author=author or None,
        published=_when(once.get("pubDate"), _rfc_822),
        keywords=tuple(_category(one) for one in often if one.tag == "category"),
        enclosures=tuple(_enclosure(one, "url") for one in often if one.tag == "enclosure"),
    )


def _rss_text(element: Element) -> Part:
    """Text that may as well be HTML: feedparser takes it for that where it has a known entity."""
    value = _text(element)
    if element.attrib or "</" in value:
        raise _OddError
    found: list[tuple[str, str]] = _ENTITY.findall(value)
    if not found:
        return Part(value)
    if "<" in value or not all(sign or name in html.entities.entitydefs for sign, name in found):
        raise _OddError
    return Part(value, is_html=True)


def _guid(element: Element | None, base: str) -> str | None:
    if element is None:
        return None
    value = _text(element)
    if not set(element.attrib) <= {"isPermaLink"}:
        raise _OddError
    if element.get("isPermaLink", "true") != "true":
        return value
    return urljoin(base, _link(value))


def _category(element: Element) -> str:
    if not set(element.attrib) <= {"domain"}:
        raise _OddError
    return _text(element)


# -- Atom 1.0 ----------------------------------------------------------------------------------------


def _atom(root: Element, base: str) -> PlainFeed:
    if root.tag != f"{_ATOM}feed":
        raise _OddError
    entries = tuple(_entry(one, base) for one in root.iterfind(f"{_ATOM}entry"))
    if not entries or len(entries) != sum(1 for _ in root.iter(f"{_ATOM}entry")):
        raise _OddError
    return PlainFeed(_atom_text(_only(root.findall(f"{_ATOM}title"))), entries, _pace(root))


def _entry(entry: Element, base: str) -> PlainEntry:
    once, often = _parts(
        entry, _ATOM_ONCE, frozenset(_ATOM + name for name in ("link", "author", "category"))
    )
    named = {name.removeprefix(_ATOM): element for name, element in once.items()}
    if "title" not in named or "id" not in named:
        raise _OddError
    links = [one for one in often if one.tag == f"{_ATOM}link" and one.get("rel", "alternate") == "alternate"]
    authors = [one for one in often if one.tag == f"{_ATOM}author"]
    identifier = _text(named["id"])
    if not _ABSOLUTE.fullmatch(identifier) or len(authors) > 1:
        raise _OddError
    link = _only(links)
    if link.get("type", "text/html") != "text/html":
        raise _OddError
    published = _when(named.get("published"), _rfc_3339)
    updated = _when(named.get("updated"), _rfc_3339)
    content = named.get("content")
    return PlainEntry(
        title=_atom_text(named["title"]),
        link=_link(link.get("href", "")),
        guid=urljoin(base, identifier),
        summary=_atom_text(named["summary"]) if "summary" in named else Part(),
        content=_atom_text(content) if content is not None else None,
        author=_author(authors[0]) if authors else None,
        published=published if published is not None else updated,
        keywords=tuple(_term(one) for one in often if one.tag == f"{_ATOM}category"),
        enclosures=tuple(
            _enclosure(one, "href")
            for one in often
            if one.tag == f"{_ATOM}link" and one.get("rel") == "enclosure"
        ),
    )


def _atom_text(element: Element) -> Part:
    kind = element.get("type", "text")
    if kind not in {"text", "html"} or "src" in element.attrib or "mode" in element.attrib:
        raise _OddError
    return Part(_text(element), is_html=kind == "html")


def _author(element: Element) -> str:
    names = {one.tag.removeprefix(_ATOM): one for one in element}
    if not set(names) <= {"name", "uri"} or "name" not in names or len(names) != len(element):
        raise _OddError
    value = _text(names["name"])
    if "@" in value or not value:
        raise _OddError
    return value


def _term(element: Element) -> str:
    if not element.get("term") or element.text or len(element):
        raise _OddError
    return element.get("term", "")


# -- both --------------------------------------------------------------------------------------------


def _parts(
    element: Element, once: frozenset[str], often: frozenset[str]
) -> tuple[dict[str, Element], list[Element]]:
    """An entry's children by name, and those of which there may be several."""
    single: dict[str, Element] = {}
    several: list[Element] = []
    for child in element:
        if child.tag in once and child.tag not in single:
            single[child.tag] = child
        elif child.tag in often:
            several.append(child)
        elif len(child) or not str(child.tag).startswith(_PASSED_OVER):
            raise _OddError
    return single, several


def _pace(feed: Element) -> dict[str, str]:
    found = {name: feed.findall(tag) for tag, name in _PACE.items()}
    return {name: _text(_only(elements)) for name, elements in found.items() if elements}


def _enclosure(element: Element, address: str) -> tuple[str | None, str | None, str | None]:
    return element.get(address), element.get("type"), element.get("length")


def _only(elements: list[Element]) -> Element:
    if len(elements) != 1:
        raise _OddError
    return elements[0]


def _text(element: Element | None) -> str:
    """The text of an element without children, as feedparser repairs it."""
    if element is None:
        return ""
    if len(element):
        raise _OddError
    value = (element.text or "").strip()
    if value.isascii():
        return value
    try:  # UTF-8 that somebody took for Latin-1 and encoded again
        return value.encode("iso-8859-1").decode()
    except UnicodeError:
        return value


def _link(value: str, element: Element | None = None) -> str:
    if not _LINK.fullmatch(value) or (element is not None and element.attrib):
        raise _OddError
    return value


def _when(element: Element | None, read: Callable[[str], datetime]) -> float | None:
    return None if element is None else read(_text(element)).timestamp()


def _rfc_822(text: str) -> datetime:
    found = _RFC_822.fullmatch(text)
    if found is None:
        raise _OddError
    day, month, year, hour, minute, second, zone = found.groups()
    offset = 0 if zone in {"GMT", "UT"} else int(zone[0] + zone[1:3]) * 60 + int(zone[0] + zone[3:])
    return datetime(
        int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second),
        tzinfo=timezone(timedelta(minutes=offset)),
    )  # fmt: skip


def _rfc_3339(text: str) -> datetime:
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise _OddError
    *moment, sign, hours, minutes = found.groups()
    year, month, day, hour, minute, second = map(int, moment)
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC if sign is None else timezone(offset))
