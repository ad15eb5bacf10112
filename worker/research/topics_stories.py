"""The stories of a market's window and of the windows before it, as a ranking sees them."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from worker.research import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from worker.research.library import Library
    from worker.research.markets import Market
    from worker.sqlite import sqlite3

DAY_S: Final = 86_400.0
# Windows before the current one that tell what is usual.
HISTORY: Final = 8
MAX_STORIES: Final = 60_000
# The same weeks a year ago, one before and one after: what comes back every year is then no surprise.
YEAR_DAYS: Final = 364
_AROUND: Final = (-1, 0, 1)
_BATCH: Final = 500
# Where fewer of the stories than this were published within the window that saw them, their dates say nothing
# of what rises: a first look at feeds that keep old entries, or at an archive.
_DATED: Final = 0.2

# A text of fewer words than this adds nothing to its title, so whether it was copied shows in the title alone;
# which must have so many words to tell.
_TELLING_LEAD: Final = 8
_TELLING_TITLE: Final = 3

# Under one roof of these, each feed is an outlet of its own.
_ROOFS: Final = frozenset(
    {"reddit.com", "medium.com", "youtube.com", "news.google.com", "bing.com", "github.com", "localhost"}
)


def outlet_of(source: str) -> str:
    """Who speaks in a source: its host, for an outlet with ten feeds is one voice.

    Args:
        source: the source's key, its address without the scheme.
    """
    host = source.partition("/")[0].partition("?")[0]
    bare = host.removeprefix("www.").removeprefix("old.")
    if (
        bare in _ROOFS
        or bare.partition(":")[0] in _ROOFS
        or bare.replace(".", "").partition(":")[0].isdigit()
    ):
        return source
    return bare


@dataclass(frozen=True, slots=True)
class Telling:
    """One source told the story on a day; day 0 is the last 24 hours.

    Attributes:
        outlet: number of the outlet within this ranking.
        copied: the source repeats what another had told.
    """

    outlet: int
    source: str
    day: int
    copied: bool


@dataclass(slots=True)
class Story:
    """A document and who told it; `seen` in Unix seconds, `small`: stems that its German title writes small."""

    id: int
    seen: float
    published: float | None
    title: phrases.Terms
    lead: phrases.Terms
    small: frozenset[str]
    tellings: list[Telling]


@dataclass(frozen=True, slots=True)
class Stories:
    """What a ranking looks at.

    Attributes:
        window: stories told within the last `days`.
        past: those of the windows before, told in day `days` or earlier.
        days: length of a window.
        outlets: their names, by number.
        exposure: outlets that told anything, summed over the days of each window; 0 is the current one.
    """

    window: tuple[Story, ...]
    past: tuple[Story, ...]
    days: int
    outlets: tuple[str, ...]
    exposure: Mapping[int, int]

    @property
    def heard(self) -> int:
        """How many outlets told something in the window."""
        return len(
            {telling.outlet for story in self.window for telling in story.tellings if telling.day < self.days}
        )

    @property
    def history(self) -> tuple[int, ...]:
        """The numbers of the earlier windows that can be compared with: those that are not nearly empty."""
        return tuple(number for number in range(1, HISTORY + 1) if self._is_enough(number))

    @property
    def year_ago(self) -> tuple[int, ...]:
        """The numbers of the windows a year ago, where those can be compared with as well."""
        return tuple(
            number for number in sorted(self.exposure) if number > HISTORY and self._is_enough(number)
        )

    def _is_enough(self, number: int) -> bool:
        seen = self.exposure[number]
        return bool(seen) and seen >= self.exposure[0] * 0.3


def windows_of(days: int) -> tuple[int, ...]:
    """The numbers of the windows that a ranking looks at: the latest ones, and those a year ago."""
    a_year = round(YEAR_DAYS / days)
    return (*range(HISTORY + 1), *(a_year + one for one in _AROUND if a_year + one > HISTORY))


def read_stories(market: Market, library: Library, now: datetime) -> Stories:
    """The market's stories, its own and those another market had stored before, without the excluded ones.

    A story counts on the day it was published where the feeds' dates can be trusted, else on the day it was
    first seen. The stems of each are made once and kept.

    Raises:
        LibraryError: the library cannot be read or written.
    """
    days = market.scheduling.lookback_days
    reader = _Reader(market, now.timestamp(), days)
    for start, end in _spans(now.timestamp(), days):
        _keep_terms(library, market.name, start, end)
        for row in library.rows(_OWN, market.name, start, end, MAX_STORIES):
            reader.take(row)
        for row in library.rows(_LINKED, market.name, start, end, MAX_STORIES):
            reader.take_link(row)
    return reader.stories()


def _spans(now: float, days: int) -> Iterator[tuple[float, float]]:
    """When the stories of the windows were seen, as Unix seconds."""
    windows, length = windows_of(days), days * DAY_S
    yield now - (HISTORY + 1) * length, math.inf
    if a_year := windows[HISTORY + 1 :]:
        yield now - (a_year[-1] + 1) * length, now - a_year[0] * length


_OWN = (
    "SELECT d.id, d.source, d.published_at, d.fetched_at, t.terms FROM document AS d "
    "JOIN document_terms AS t ON t.document = d.id WHERE d.market = ? AND d.fetched_at >= ? AND d.fetched_at < ? "
    "ORDER BY d.fetched_at DESC, d.id DESC LIMIT ?"
)
_LINKED = (
    "SELECT l.document AS id, l.source, l.seen_at, l.published_at AS told_at, d.fetched_at, d.published_at, t.terms "
    "FROM duplicate AS l JOIN document AS d ON d.id = l.document JOIN document_terms AS t ON t.document = d.id "
    "WHERE l.market = ? AND l.seen_at >= ? AND l.seen_at < ? ORDER BY l.seen_at DESC, l.document DESC LIMIT ?"
)


def _keep_terms(library: Library, market: str, start: float, end: float) -> None:
    """Makes the stems of stories that have none yet, or older ones; a few hundred in a transaction."""
    missing = [
        row[0]
        for row in library.rows(
            "SELECT id FROM document AS d WHERE market = ?1 AND fetched_at >= ?2 AND fetched_at < ?4 AND NOT EXISTS "
            "(SELECT 1 FROM document_terms WHERE document = d.id AND version = ?3) UNION "
            "SELECT l.document FROM duplicate AS l WHERE l.market = ?1 AND l.seen_at >= ?2 AND l.seen_at < ?4 "
            "AND NOT EXISTS (SELECT 1 FROM document_terms WHERE document = l.document AND version = ?3)",
            market,
            start,
            phrases.VERSION,
            end,
        )
    ]
    for at in range(0, len(missing), _BATCH):
        batch = missing[at : at + _BATCH]
        found = library.rows(
            "SELECT id, title, language, coalesce(nullif(summary, ''), content) AS text FROM "
            f"(SELECT id, title, language, substr(summary, 1, {phrases.LEAD_CHARS}) AS summary, "
            f"substr(content, 1, {phrases.LEAD_CHARS}) AS content FROM document "
            f"WHERE id IN ({', '.join('?' * len(batch))}))",
            *batch,
        )
        made = [
            (row["id"], phrases.VERSION, phrases.terms(row["title"], row["text"], row["language"]))
            for row in found
        ]
        with library.transaction() as conn:
            conn.executemany("INSERT OR REPLACE INTO document_terms VALUES (?, ?, ?)", made)


@dataclass(frozen=True, slots=True)
class _Told:
    """A source told a story; times in Unix seconds. Linked: as a copy, or for another market's story."""

    story: Story
    source: str
    seen: float
    published: float | None
    linked: bool


class _Reader:
    """Gathers stories from rows."""

    def __init__(self, market: Market, now: float, days: int) -> None:
        self._now, self._days = now, days
        self._excluded = [stems for keyword in market.excluded_keywords if (stems := phrases.stems(keyword))]
        self._stories: dict[int, Story] = {}
        self._out: set[int] = set()
        self._outlets: dict[str, int] = {}
        self._told: list[_Told] = []

    def take(self, row: sqlite3.Row) -> None:
        """A story this market stored."""
        if story := self._story(row):
            self._told.append(
                _Told(story, row["source"], row["fetched_at"], row["published_at"], linked=False)
            )

    def take_link(self, row: sqlite3.Row) -> None:
        """A story that another source, or another market, had told before."""
        if story := self._story(row):
            self._told.append(_Told(story, row["source"], row["seen_at"], row["told_at"], linked=True))

    def _story(self, row: sqlite3.Row) -> Story | None:
        known = self._stories.get(row["id"])
        if known is None and row["id"] not in self._out:
            title, lead, small = phrases.split_terms(row["terms"])
            if self._is_excluded({*title, *lead}):
                self._out.add(row["id"])
                return None
            known = Story(row["id"], row["fetched_at"], row["published_at"], title, lead, small, [])
            self._stories[row["id"]] = known
        return known

    def _is_excluded(self, words: set[str]) -> bool:
        return any(words.issuperset(keyword) for keyword in self._excluded)

    def stories(self) -> Stories:
        """All that was taken, parted into window and past."""
        self._told.sort(key=lambda told: (told.linked, told.seen))  # who wrote it first, then who repeated it
        dated = self._dates_are_good()
        repeated, windows = self._repeated(), windows_of(self._days)
        active: defaultdict[int, set[int]] = defaultdict(set)
        for told in self._told:
            # Of a story that another market stored, this market's first link is the first telling.
            copied = (told.linked and bool(told.story.tellings)) or told.story.id in repeated
            outlet = self._outlets.setdefault(outlet_of(told.source), len(self._outlets))
            at = min(told.published, told.seen) if dated and told.published is not None else told.seen
            day = max(0, math.ceil((self._now - at) / DAY_S) - 1)
            if day // self._days in windows:
                told.story.tellings.append(Telling(outlet, told.source, day, copied))
                active[day].add(outlet)
        every = [story for story in self._stories.values() if story.tellings]
        return Stories(
            window=tuple(story for story in every if min(one.day for one in story.tellings) < self._days),
            past=tuple(story for story in every if max(one.day for one in story.tellings) >= self._days),
            days=self._days,
            outlets=tuple(self._outlets),
            exposure={
                number: sum(len(active[number * self._days + day]) for day in range(self._days))
                for number in windows
            },
        )

    def _repeated(self) -> set[int]:
        """Stories without a text of their own whose title another one had, alone or after a word and a colon."""
        had: set[phrases.Terms] = set()
        found: set[int] = set()
        for told in self._told:
            words = tuple(word for word in told.story.title if word != phrases.BREAK)
            if told.linked or len({*told.story.lead} - {*words}) >= _TELLING_LEAD:
                continue
            forms = {words[start:] for start in range(max(1, len(words) - _TELLING_TITLE + 1))}
            if not had.isdisjoint(forms):
                found.add(told.story.id)
            had |= {form for form in forms if len(form) >= _TELLING_TITLE and 2 * len(form) > len(words)}
        return found

    def _dates_are_good(self) -> bool:
        start = self._now - self._days * DAY_S
        recent = [told for told in self._told if told.seen >= start and not told.linked]
        fresh = sum(told.published is not None and told.published >= start for told in recent)
        return fresh >= _DATED * len(recent)
