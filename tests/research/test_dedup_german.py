"""Copies and false friends in German press texts, as an editor makes them: each text at an outlet of its own."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.research.corpus import Entry, Figures, judged

PRESS = yaml.safe_load((Path(__file__).parent / "press_de.yaml").read_text(encoding="utf-8"))
KINDS = ("headline", "shortened", "updated", "lead")


def entries(*, friends_at_one_outlet: bool) -> list[Entry]:
    """All texts with their labels; what only looks alike often stands at one outlet, and a series always."""
    found = []
    for story, told in enumerate(PRESS["stories"]):
        found.append(("story", story, told["text"], None))
        found += [(one["kind"], story, one["text"], None) for one in told["copies"]]
    number = len(PRESS["stories"])
    for group, alike in enumerate(PRESS["friends"]):
        for place, one in enumerate(alike):
            found.append(("friend", number + place, one["text"], group if friends_at_one_outlet else None))
        number += len(alike)
    found += [("series", number + place, one["text"], 99) for place, one in enumerate(PRESS["series"])]
    outlets = iter(range(100, 1000))
    return [
        Entry(next(outlets) if outlet is None else outlet, story, kind, text.split())
        for kind, story, text, outlet in found
    ]


def in_feeds(found: list[Entry]) -> list[list[Entry]]:
    """The same as feeds of one outlet each, in which each entry is fetched at a time of its own."""
    return [[one] for one in found]


def of(library, found) -> Figures:
    return judged(library, iter(in_feeds(found)))


def test_the_corpus_holds_every_kind():
    kinds = Counter(one.kind for one in entries(friends_at_one_outlet=False))
    assert set(kinds) == {"story", "friend", "series", *KINDS}
    assert min(kinds.values()) >= 2


@pytest.mark.parametrize("friends_at_one_outlet", [False, True])
def test_every_copy_is_found_and_no_false_friend(library, friends_at_one_outlet):
    figures = of(library, entries(friends_at_one_outlet=friends_at_one_outlet))
    assert (figures.wrong, figures.left) == (0, 0), figures
    assert figures.merged == sum(len(told["copies"]) for told in PRESS["stories"])


@pytest.mark.parametrize("seed", range(5))
def test_whichever_comes_first(library, seed):
    """A feed may bring the short form before the long one; that costs no precision, and little recall."""
    found = entries(friends_at_one_outlet=True)
    random.Random(seed).shuffle(found)
    figures = of(library, found)
    assert figures.precision == 1.0, figures
    assert figures.left <= 1, figures
