"""Copies and false friends in German press texts, as an editor makes them: each text at an outlet of its own."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.research.corpus import Entry, Figures, judged

PRESS = yaml.safe_load((Path(__file__).parent / "press_de.yaml").read_text(encoding="utf-8"))
FORMS = yaml.safe_load((Path(__file__).parent / "forms_de.yaml").read_text(encoding="utf-8"))
KINDS = ("headline", "shortened", "updated", "lead")


def entries(*, friends_at_one_outlet: bool) -> list[Entry]:
    """All texts with their labels; what only looks alike often stands at one outlet, and a series always."""
    found = []
    for story, told in enumerate(PRESS["stories"]):
        found.append(("story", story, told, None))
        found += [(one["kind"], story, one, None) for one in told["copies"]]
    number = len(PRESS["stories"])
    for group, alike in enumerate(PRESS["friends"]):
        for place, one in enumerate(alike):
            found.append(("friend", number + place, one, group if friends_at_one_outlet else None))
        number += len(alike)
    found += [("series", number + place, one, 99) for place, one in enumerate(PRESS["series"])]
    outlets = iter(range(100, 1000))
    return [
        Entry(next(outlets) if outlet is None else outlet, story, kind, told["text"].split(), told["title"])
        for kind, story, told, outlet in found
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


def told_by_forms() -> list[tuple[str, str]]:
    """Title and text of each story that one of the forms tells."""
    filled = [
        (form["title"].format(*story), form["text"].format(*story))
        for form in FORMS["forms"]
        for story in form["stories"]
    ]
    parts = [
        (f"Teil {number}", f"{column['intro']} {part}")
        for column in FORMS["columns"]
        for number, part in enumerate(column["parts"], start=1)
    ]
    return filled + parts


@pytest.mark.parametrize("at_one_outlet", [False, True])
def test_what_one_form_tells_of_many_is_many_stories(library, at_one_outlet):
    """Told by an outlet each or all by one, and then again, without the last fifth and under another title, by a second."""
    told = told_by_forms()
    found = [
        Entry(0 if at_one_outlet else 100 + story, story, "form", text.split(), title)
        for story, (title, text) in enumerate(told)
    ]
    found += [
        Entry(1 if at_one_outlet else 500 + story, story, "cut", text.split()[: len(text.split()) * 4 // 5], "Kurz gemeldet")
        for story, (_, text) in enumerate(told)
    ]  # fmt: skip
    figures = of(library, found)
    assert (figures.wrong, figures.left) == (0, 0), figures
    assert figures.merged == len(told)


def test_teasers_that_hold_more_than_the_introduction_are_told_apart(library):
    columns = [one for one in FORMS["columns"] if len(one["intro"].split()) < 35]
    teasers = [f"{one['intro']} {part}".split()[:48] for one in columns for part in one["parts"]]
    figures = of(
        library, [Entry(100 + n, n, "teaser", words, f"Teil {n}") for n, words in enumerate(teasers)]
    )
    assert (figures.wrong, figures.documents) == (0, len(teasers)), figures
