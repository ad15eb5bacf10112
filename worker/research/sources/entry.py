"""What every kind of source is read into: plain text, http(s) links, and dates that can be true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from worker.research.text import clean
from worker.research.urls import MAX_URL_CHARS, absolute, canonical_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_TITLE: Final = 500
MAX_TEXT: Final = 50_000
MAX_SUMMARY: Final = 1_000
MAX_GUID: Final = 1_000
MAX_NAME: Final = 200
MAX_ENCLOSURES: Final = 10
# More would take more memory than a feed is worth; a year of a busy newspaper is less.
MOST_ENTRIES: Final = 20_000
# Before the web there was no news on it; 1970 is what a program writes that knows no date.
OLDEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes with an entry: an episode, a picture, a PDF.

    Attributes:
        url: absolute, http(s).
        type: as the feed names it: "audio/mpeg"; None where it does not.
        length: in bytes, as the feed says; None where it says none that can be true.
    """

    url: str
    type: str | None = None
    length: int | None = None


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
    enclosures: tuple[Enclosure, ...] = ()


def entry_of(given: Mapping[str, Any]) -> Entry:
    """The entry that another process gave in JSON's own types."""
    at = given["published_at"]
    return Entry(
        **dict(given)
        | {
            "keywords": tuple(given["keywords"]),
            "enclosures": tuple(Enclosure(**one) for one in given["enclosures"]),
            "published_at": datetime.fromisoformat(at) if at else None,
        }
    )


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed that could be read.

    Attributes:
        asked_s: how long it says that asking again is of no use; 0 where it does not say.
        warning: what the parser found wrong and read over; None for a clean feed.
    """

    title: str
    entries: tuple[Entry, ...]
    warning: str | None = None
    asked_s: float = 0.0

    def per_week(self, now: datetime) -> float | None:
        """How many entries a week it brings, by their own dates; None where they have none."""
        dates = sorted(entry.published_at for entry in self.entries if entry.published_at)
        if not dates:
            return None
        recent = sum(now - one <= _WEEK for one in dates)
        span = now - dates[0]
        # A feed that only shows its last two days brings more a week than it shows.
        return recent * (_WEEK / max(span, timedelta(hours=1))) if span < _WEEK else float(recent)

    def window_s(self, now: datetime) -> float | None:
        """The seconds that its entries reach back; None where they have no dates, or it shows all it ever had."""
        dates = [entry.published_at for entry in self.entries if entry.published_at]
        return (now - min(dates)).total_seconds() if len(dates) > 1 else None


def make_entry(
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
    enclosures: Iterable[tuple[object, object, object]] = (),
) -> Entry | None:
    """The entry, or None where there is nothing to read; of enclosures address, type and length as the feed has them."""
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
        enclosures=tuple(_enclosures(enclosures, base)),
    )


def _enclosures(given: Iterable[tuple[object, object, object]], base: str) -> Iterator[Enclosure]:
    seen: set[str] = set()
    for address, kind, length in given:
        link = str(address or "").strip()
        url = clean(absolute(link, base), MAX_URL_CHARS) if link and canonical_url(link, base) else ""
        if not url or url in seen or len(seen) == MAX_ENCLOSURES:
            continue
        seen.add(url)
        digits = str(length or "").strip()
        size = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 16 else 0
        yield Enclosure(url, clean(str(kind or ""), MAX_NAME) or None, size or None)


def _first_link(links: Iterable[str | None], base: str) -> tuple[str | None, str | None]:
    """The first that leads to a web page; a link may as well be `tag:`, `urn:` or `javascript:`.

    An identifier (the last) counts only when it is a whole address: "42" is none, relative or not.
    """
    *named, identifier = links
    whole = identifier if str(identifier).lower().startswith(("http://", "https://")) else None
    for link in (*named, whole):
        if link and link.strip() and (url := canonical_url(link, base)):
            return clean(absolute(link, base), MAX_URL_CHARS), url
    return None, None


def unique(entries: Iterable[Entry | None]) -> Iterator[Entry]:
    """Entries that hold something, each page once, the first ones; equal GUIDs with unlike pages are two entries."""
    seen: set[tuple[str | None, str | None, str]] = set()
    for entry in entries:
        if entry is None:
            continue
        identity = (entry.guid, entry.url, "" if entry.guid or entry.url else entry.title)
        if identity not in seen:
            seen.add(identity)
            yield entry
            if len(seen) == MOST_ENTRIES:
                return


def iso_date(text: str, now: datetime) -> datetime | None:
    """The date in ISO 8601, in UTC where it names no offset; None where there is none that can be true."""
    try:
        when = datetime.fromisoformat(text)
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return true_date(seconds, now)


def true_date(seconds: float, now: datetime) -> datetime | None:
    """The date of Unix seconds, now at the latest; None where it cannot be true."""
    try:
        when = min(datetime.fromtimestamp(seconds, UTC), now)
    except (ValueError, OverflowError, OSError):
        return None
    return when if when >= OLDEST else None
