"""Near-duplicates on a small labelled corpus made of the demo's texts; the large one is a benchmark."""

from __future__ import annotations

import json
import random
import re
from itertools import chain
from pathlib import Path

import pytest

from tests.benchmarks.texts import distinct
from tests.research.corpus import Corpus, judged
from worker.research import dedup, dedup_index
from worker.research.dedup_index import FingerprintIndex

DEMO = Path(__file__).resolve().parents[2] / "config" / "markets" / "demo"


def demo_texts():
    """The words of the demo's entries, each story once."""
    texts = {}
    for path in sorted(DEMO.iterdir()):
        raw = path.read_bytes()
        text = raw.decode("latin-1" if b"8859-1" in raw[:100] else "utf-8")
        if path.suffix == ".json":
            found = [
                item.get("content_text") or item.get("content_html") or ""
                for item in json.loads(text)["items"]
            ]
        else:
            found = re.findall(r"<(?:description|summary|content)[^>]*>(.+?)</", text, re.DOTALL)
        for one in found:
            words = re.findall(r"\w+", re.sub(r"<[^>]+>|&\w+;", " ", one).lower())
            if len(words) >= 15:
                texts.setdefault(tuple(words[:4]), words)
    return list(distinct(list(texts.values())))


@pytest.fixture(scope="module")
def articles():
    """Distinct texts of some length: four of the demo's short ones, one after the other, each used once."""
    texts = demo_texts()
    random.Random(3).shuffle(texts)
    return [list(chain.from_iterable(texts[at : at + 4])) for at in range(0, len(texts) - 3, 4)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("teasers", [False, True])
def test_copies_are_found_and_none_is_invented(library, articles, teasers, seed):
    figures = judged(library, Corpus(articles, seed, teasers=teasers, copies=5).feeds())
    assert figures.wrong == 0, figures
    assert figures.merged > 30
    assert figures.left <= 2, figures


def test_what_is_told_of_the_texts_of_a_feed():
    footer = [
        "dieser",
        "beitrag",
        "erschien",
        "zuerst",
        "in",
        "der",
        "sonntagsausgabe",
        "und",
        "ist",
        "für",
        "abonnenten",
    ]
    texts = [[f"w{n}x{m}" for m in range(30)] + footer for n in range(5)]
    told = dedup.tellings(texts, ["blatt.example/1"])
    assert [list(one.words) for one in told] == [text[:30] for text in texts]
    alike = dedup.tellings([texts[0]] * 4, [f"blatt{n}.example/1" for n in range(4)])
    assert [list(one.words) for one in alike] == [texts[0]] * 4, (
        "copies in a feed of many outlets are no form"
    )
    alone = dedup.tellings([texts[0]] * 4, [f"blatt.example/{n}" for n in range(4)])
    assert not any(one.fingerprints for one in alone), "at one outlet they are a form, and no evidence"
    assert dedup.tellings([["kurz"] * 5], ["x"])[0].fingerprints == []


@pytest.mark.parametrize(
    ("title", "summary", "content", "words"),
    [
        ("Titel", "Kurz", "wort " * 20, ["wort"] * 20),
        ("Der Titel", "Kurz gesagt", "wenig Text.", ["der", "titel", "kurz", "gesagt", "wenig", "text"]),
        ("", None, "「東京」 ist x", ["東", "京", "ist", "x"]),
        ("", None, "", []),
        ("", None, "\N{LATIN SMALL LETTER U WITH DIAERESIS}ber—alles … „ja“", ["über—alles", "ja"]),
    ],
)
def test_words(title, summary, content, words):
    assert dedup.words_of(title, summary, content) == words


def test_likeness_is_the_same_both_ways_and_bounded():
    rng = random.Random(1)
    for _ in range(50):
        one, other = ([rng.choice("abcdefgh") for _ in range(rng.randint(16, 60))] for _ in range(2))
        assert dedup.likeness(one, one) == 1
        assert 0 <= dedup.likeness(one, other) <= 1
        if len(one) != len(other):
            assert dedup.likeness(one, other) == dedup.likeness(other, one)


def test_a_fingerprint_names_a_bounded_number_of_stories(library):
    hashes = list(range(100, 112))
    with library.transaction() as conn:
        for document in range(1, 40):
            index = FingerprintIndex(conn)
            index.load(hashes)
            index.add(document, hashes)
            index.save()
        assert conn.execute(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM fingerprint_new GROUP BY hash)"
        ).fetchone()[0] == (dedup_index.MOST_STORIES)
        index = FingerprintIndex(conn)
        index.load(hashes)
        assert index.candidates(hashes) == [], "what everybody shares says nothing"


def test_new_fingerprints_are_put_among_the_others_and_found_in_both_places(library, monkeypatch):
    monkeypatch.setattr(dedup_index, "GATHERED", 30)
    places = []
    with library.transaction() as conn:
        for document in range(1, 7):
            index = FingerprintIndex(conn)
            index.add(document, range(document * 100, document * 100 + 12))
            index.save()
            places.append(
                tuple(
                    conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                    for table in ("fingerprint", "fingerprint_new")
                )
            )
        index = FingerprintIndex(conn)
        index.load(range(1000))
        assert [index.candidates(range(n * 100, n * 100 + 12)) for n in range(1, 7)] == [
            [n] for n in range(1, 7)
        ]
    assert places == [(0, 12), (0, 24), (36, 0), (36, 12), (36, 24), (72, 0)]
