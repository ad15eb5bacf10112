"""Whether stories tell of the same thing: by the rarer words they share beside the topic's own.

Chance lets a word rise: seven unlike stories of one week have "mayor" in their title. What belongs together
shares more than that. And one event has many words: "Caracas", "Maduro" and "Venezuela" rise together, in
stories that are alike.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

from worker.research.phrases import BREAK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from worker.research.topics_stories import Stories

Vector = dict[str, float]

# Two topics are one when they share so many of the smaller one's stories, or the others are this much alike.
_SHARED: Final = 0.5
_ALIKE: Final = 0.35

# Stories of a topic that are compared, spread over all of them.
_MOST: Final = 40
# Chance makes one in twenty pairs of stories this much alike.
_KIN: Final = 0.1
# A word of a text's beginning says half of what one of the title says.
_OF_LEAD: Final = 0.5
# What this share of all stories has in it tells nothing.
_COMMON: Final = 0.2


class Kinship:
    """The likeness of a window's stories."""

    def __init__(self, stories: Stories) -> None:
        self._stories = stories
        count = Counter(word for story in stories.window for word in {*story.title, *story.lead})
        del count[BREAK]
        total = len(stories.window)
        self._rarity = {
            word: math.log(1 + total / n) for word, n in count.items() if n <= max(2.0, total * _COMMON)
        }
        self._vectors: dict[int, Vector] = {}

    def centre(self, numbers: Collection[int]) -> Vector:
        """The mean of the stories' vectors."""
        chosen = _spread(numbers)
        total: Vector = {}
        for number in chosen:
            for word, weight in self._vector(number).items():
                total[word] = total.get(word, 0.0) + weight
        return {word: weight / len(chosen) for word, weight in total.items()}

    def cohesion(self, numbers: Collection[int], own: Collection[str]) -> float:
        """The share of the stories that are kin to another of them, 0 to 1, apart from the topic's own words."""
        vectors = [
            _unit({word: weight for word, weight in self._vector(number).items() if word not in own})
            for number in _spread(numbers)
        ]
        akin: set[int] = set()
        for at, one in enumerate(vectors):
            for before, other in enumerate(vectors[:at]):
                if not (at in akin and before in akin) and dot(one, other) >= _KIN:
                    akin |= {at, before}
        return len(akin) / len(vectors)

    def is_one(self, one: Collection[int], other: Collection[int]) -> bool:
        """Whether two topics' stories are mostly the same, or, where they differ, tell of the same."""
        one, other = set(one), set(other)
        if len(one & other) >= _SHARED * min(len(one), len(other)):
            return True
        return alike(self.centre(one - other), self.centre(other - one)) >= _ALIKE

    def _vector(self, number: int) -> Vector:
        if number not in self._vectors:
            story = self._stories.window[number]
            weights = {word: _OF_LEAD * self._rarity[word] for word in story.lead if word in self._rarity}
            weights |= {word: self._rarity[word] for word in story.title if word in self._rarity}
            self._vectors[number] = _unit(weights)
        return self._vectors[number]


def _spread(numbers: Collection[int]) -> list[int]:
    """At most `_MOST` of them, from the first to the last."""
    ordered = sorted(numbers)
    return ordered[:: -(-len(ordered) // _MOST)]


def alike(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The cosine of two vectors: https://en.wikipedia.org/wiki/Cosine_similarity."""
    lengths = _length(one.values()) * _length(other.values())
    return dot(one, other) / lengths if lengths else 0.0


def dot(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The product of two vectors."""
    short, long = sorted((one, other), key=len)
    return sum(weight * long[word] for word, weight in short.items() if word in long)


def _unit(vector: Vector) -> Vector:
    length = _length(vector.values())
    return {word: weight / length for word, weight in vector.items()} if length else {}


def _length(weights: Iterable[float]) -> float:
    return math.sqrt(sum(weight * weight for weight in weights))
