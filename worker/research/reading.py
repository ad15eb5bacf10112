"""From the bytes of an answer to all that the library has to be told of its entries; needs no library and no network.

It costs most of the processor time of a collection, so it can be done in a process of its own, see `readers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from worker.research.dedup import Telling, tellings, words_of
from worker.research.document import content_hash
from worker.research.language import language_of
from worker.research.sources.entry import MOST_ENTRIES, entry_of
from worker.research.urls import comparison_key

if TYPE_CHECKING:
    from datetime import datetime

    from worker.research.sources.entry import Entry, Feed

_CUT: Final = f"only its first {MOST_ENTRIES:,} entries were read"
_TOLD_BY: Final = 400  # so many characters tell the language


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """An entry, with what it is known by."""

    entry: Entry
    language: str
    key: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer holds.

    Attributes:
        tellings: of each entry how its text is compared; None: whoever needs it works it out.
        warning: as a `Feed` has it.
        per_week: likewise.
        window_s: likewise.
        asked_s: likewise.
    """

    entries: tuple[ReadEntry, ...]
    tellings: tuple[Telling, ...] | None
    warning: str | None
    per_week: float | None
    window_s: float | None
    asked_s: float


def reading_of(feed: Feed, *, source: str, language: str, now: datetime, compared: bool) -> Reading:
    """A feed with all that can be said of it without the library.

    Args:
        feed: as it was read.
        source: the source's key.
        language: for entries that do not tell theirs.
        now: aware.
        compared: work out how its texts are compared, too.
    """
    entries = tuple(_read_entry(one, source, language) for one in feed.entries)
    told = (words_of(one.title, one.summary, one.text) for one in feed.entries)
    return Reading(
        entries=entries,
        tellings=tuple(tellings(told, [one.key for one in entries])) if compared else None,
        warning=_CUT if len(entries) == MOST_ENTRIES else feed.warning,
        per_week=feed.per_week(now),
        window_s=feed.window_s(now),
        asked_s=feed.asked_s,
    )


def _read_entry(entry: Entry, source: str, language: str) -> ReadEntry:
    # Without a link an entry is known only within its source.
    key = comparison_key(entry.url) if entry.url else f"{source}#{entry.guid or entry.title}"
    told = language_of(f"{entry.title} {entry.summary or entry.text[:_TOLD_BY]}", language)
    return ReadEntry(entry, told, key, content_hash(entry.title, entry.text, key))


# -- from one process to the other -------------------------------------------------------------------


def packed(reading: Reading) -> bytes:
    """As JSON."""
    return orjson.dumps(
        {
            "entries": [(one.entry, one.language, one.key, one.content_hash) for one in reading.entries],
            "tellings": reading.tellings,
            "warning": reading.warning,
            "per_week": reading.per_week,
            "window_s": reading.window_s,
            "asked_s": reading.asked_s,
        }
    )


def unpacked(given: dict[str, Any]) -> Reading:
    """The same again."""
    entries = tuple(ReadEntry(entry_of(entry), *known) for entry, *known in given["entries"])
    texts = given["tellings"]
    told = None if texts is None else tuple(Telling(**one) for one in texts)
    return Reading(**given | {"entries": entries, "tellings": told})
