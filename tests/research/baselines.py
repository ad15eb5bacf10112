"""Simpler ways to find a week's topics, to be compared with: they read the same stories."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from worker.research.topics_stories import outlet_of
from worker.research.words import STOP_WORDS

if TYPE_CHECKING:
    from datetime import datetime

    from worker.research.library import Library

WEEK_S = 7 * 86_400


def term_counts(library: Library, now: datetime, limit: int = 10) -> list[str]:
    """The words that stand in most of the week's titles; as text, with three titles each."""
    counted: Counter[str] = Counter()
    titles: defaultdict[str, list[str]] = defaultdict(list)
    for title, _, at in _stories(library):
        if now.timestamp() - at <= WEEK_S:
            for word in set(_words(title)) - {""}:
                counted[word] += 1
                titles[word].append(title)
    return [" ".join([word, *titles[word][:3]]).casefold() for word, _ in counted.most_common(limit)]


def bursts(library: Library, now: datetime, limit: int = 10) -> list[str]:
    """Word sequences whose frequency differs most from earlier weeks (G2), told by three outlets, overlaps merged."""
    found: defaultdict[tuple[str, ...], dict[int, str]] = defaultdict(dict)
    outlets: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    before: Counter[tuple[str, ...]] = Counter()
    totals = [0, 0]
    for number, (title, source, at) in enumerate(_stories(library)):
        now_week = now.timestamp() - at <= WEEK_S
        totals[not now_week] += 1
        for phrase in _sequences(title):
            if now_week:
                found[phrase][number] = title
                outlets[phrase].add(outlet_of(source))
            else:
                before[phrase] += 1
    scored = sorted(
        (phrase for phrase in found if len(outlets[phrase]) >= 3),
        key=lambda phrase: (-_g2(len(found[phrase]), totals[0], before[phrase], totals[1]), phrase),
    )
    taken: list[tuple[str, ...]] = []
    for phrase in scored:
        if all(
            len(found[phrase].keys() & found[other].keys()) < 0.5 * min(len(found[phrase]), len(found[other]))
            for other in taken
        ):
            taken.append(phrase)
    return [" ".join([*phrase, *list(found[phrase].values())[:3]]).casefold() for phrase in taken[:limit]]


def _stories(library: Library) -> list[tuple[str, str, float]]:
    return [tuple(row) for row in library.rows("SELECT title, source, fetched_at FROM document ORDER BY id")]


def _words(title: str) -> list[str]:
    return ["" if word in STOP_WORDS else word for word in re.findall(r"\w+", title.casefold())]


def _sequences(title: str) -> set[tuple[str, ...]]:
    words = _words(title)
    return {
        tuple(words[at : at + length])
        for length in (1, 2, 3)
        for at in range(len(words) - length + 1)
        if "" not in words[at : at + length]
    }


def _g2(a: int, of_a: int, b: int, of_b: int) -> float:
    """https://en.wikipedia.org/wiki/G-test, signed: negative where it was commoner before."""
    expected_a, expected_b = of_a * (a + b) / (of_a + of_b), of_b * (a + b) / (of_a + of_b)
    value = 2 * ((a * math.log(a / expected_a) if a else 0) + (b * math.log(b / expected_b) if b else 0))
    return value if a >= expected_a else -value
