"""Knowing a topic again: it keeps its key though its phrase grows, shrinks or changes."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from worker.research.library import Library
    from worker.sqlite import sqlite3

# Stored topics that are compared with, the last ranked first.
_REMEMBERED: Final = 2_000
# This much of both ones' stories (the cosine), or of the smaller one's phrases, must be shared.
_SAME: Final = 0.5
# What shared phrases are worth where the one that led is not among them.
_WITHOUT_LEAD: Final = 0.4
_LEAST_STORIES: Final = 2


@dataclass(frozen=True, slots=True)
class _Known:
    """A stored topic; `lead`: its hottest phrase."""

    id: int
    key: str
    lead: str
    phrases: frozenset[str]
    first_seen: float


def _known(row: sqlite3.Row) -> _Known:
    phrases = json.loads(row["phrases"]) or [row["key"].replace("-", " ")]
    return _Known(row["id"], row["key"], phrases[0], frozenset(phrases), row["first_seen"])


class Identities:
    """The market's topics as they were last ranked. Each is given to one topic only, in the order of asking.

    Args:
        library: where they are stored.
        market: the market's name.
    """

    def __init__(self, library: Library, market: str) -> None:
        rows = library.rows(
            "SELECT id, key, phrases, first_seen FROM topic WHERE market = ? "
            "ORDER BY last_seen DESC, score DESC LIMIT ?",
            market,
            _REMEMBERED,
        )
        self._known = {row["id"]: _known(row) for row in rows}
        self._by_key = {known.key: known.id for known in self._known.values()}
        self._by_phrase: defaultdict[str, list[int]] = defaultdict(list)
        for known in self._known.values():
            for phrase in known.phrases:
                self._by_phrase[phrase].append(known.id)
        self._by_story: defaultdict[int, list[int]] = defaultdict(list)
        self._stories: Counter[int] = Counter()
        for row in library.rows(
            "SELECT topic, document FROM topic_document WHERE topic IN "
            "(SELECT id FROM topic WHERE market = ? ORDER BY last_seen DESC, score DESC LIMIT ?)",
            market,
            _REMEMBERED,
        ):
            self._by_story[row["document"]].append(row["topic"])
            self._stories[row["topic"]] += 1
        self._taken: set[int] = set()
        self._used: set[str] = set()

    def take(self, phrases: tuple[str, ...], key: str, stories: frozenset[int]) -> tuple[str, float | None]:
        """The key of a topic, and since when it is known.

        Args:
            phrases: what it is known by.
            key: what it is called where it is new.
            stories: ids of its documents.

        Returns:
            A key that no other topic of this ranking has; None as the time where the topic is new.
        """
        known = self._match(phrases, key, stories)
        if known is not None:
            self._taken.add(known.id)
            self._used.add(known.key)
            return known.key, known.first_seen
        while key in self._used or key in self._by_key:
            name, _, number = key.rpartition("~")
            key = f"{name}~{int(number) + 1}" if name and number.isdigit() else f"{key}~2"
        self._used.add(key)
        return key, None

    def _match(self, phrases: tuple[str, ...], key: str, stories: frozenset[int]) -> _Known | None:
        likeness: defaultdict[int, float] = defaultdict(float)
        shared: Counter[int] = Counter()
        for story in stories:
            shared.update(self._by_story.get(story, ()))
        for topic, n in shared.items():
            if n >= _LEAST_STORIES and topic in self._known:
                likeness[topic] = n / math.sqrt(len(stories) * self._stories[topic])
        same: Counter[int] = Counter()
        for phrase in phrases:
            same.update(self._by_phrase.get(phrase, ()))
        for topic, n in same.items():
            known = self._known[topic]
            led = 1.0 if known.lead in phrases else _WITHOUT_LEAD
            likeness[topic] += led * n / min(len(phrases), len(known.phrases))
        if key in self._by_key:
            likeness[self._by_key[key]] += 1
        free = {
            topic: value for topic, value in likeness.items() if topic not in self._taken and value >= _SAME
        }
        best = max(free, key=lambda topic: (free[topic], -self._known[topic].first_seen), default=None)
        return None if best is None else self._known[best]
