"""When two texts tell the same story in the same words: cut, edited, given another lead or another footer.

Two steps, both in any language. Fingerprints are a few hashed sequences of three words; texts that share
some may be copies, and an index of them finds those few without reading the rest (see `dedup_index`).
`likeness` then compares the words themselves.

What counts is how a text begins. Copies are cut at the end, teasers are beginnings, while footers and
background paragraphs, which unlike stories of one outlet share, stand at the end. So fingerprints are
denser at the beginning, and likeness asks how much of the shorter text's beginning the other one begins
with, in the same order. Figures: `python -m tests.benchmarks.dedup`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final
from zlib import crc32

from worker.research.dedup_forms import Wording, bare, covered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Below this many words a text is no evidence: "Podcast: Guten Morgen" is told every day.
MIN_WORDS: Final = 16
# What comes after this many words is not looked at.
MAX_WORDS: Final = 160
# Two texts are one story from this likeness on; chosen on one half of the benchmark's texts, measured on the other.
SIMILAR: Final = 0.53
# An outlet seldom tells a story twice, but many follow one form there: the weather, the share price.
SIMILAR_AT_ONE_SOURCE: Final = 0.8

_CHARS: Final = MAX_WORDS * 9
# Where words are not parted by spaces (Thai, Lao, Khmer, Japanese, Chinese), each sign is one.
_UNPARTED: Final = r"\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SIGN_OR_WORD: Final = re.compile(rf"[{_UNPARTED}]|[^\W{_UNPARTED}]+")
_SIGN: Final = re.compile(rf"[{_UNPARTED}]")
# Until which word which share of the hashes is taken: nested, so that a shift by some words loses none.
_DENSITIES: Final = ((24, 2), (64, 10), (MAX_WORDS, 48))
_SEQUENCE: Final = 3
# A sequence that so many entries of one feed, and a quarter of them, share is of their form; a text keeps at least this share of its words.
_FORM: Final = 4
_LEFT: Final = 0.4
# Where such forms are looked for: so many words at the beginning and at the end.
_BYLINE: Final = 12
_FOOTER: Final = 60
_HEAD: Final = 0.6
_SHORTEST_HEAD: Final = 12
_NEARLY_ALL: Final = 0.66


def words_of(title: str, summary: str | None, content: str) -> list[str]:
    """The words that tell the story: of the text, or of title and teaser where there is hardly any text.

    Outlets give a story titles of their own, so the title counts only then. Fewer than `MIN_WORDS` are no evidence.
    """
    words = _words(content)
    if len(words) < MIN_WORDS:
        words = _words(f"{title} {summary or ''} {content}")
    return words


def wording_of(title: str, summary: str | None, content: str) -> Wording:
    """The same words as they are written, to tell forms from copies."""
    is_told = len(bare(content.split(None, MIN_WORDS)[:MIN_WORDS])) == MIN_WORDS
    text = (content if is_told else f"{title} {summary or ''} {content}")[:_CHARS]
    pieces = _SIGN_OR_WORD.findall(text) if _SIGN.search(text) else text.split(None, MAX_WORDS)
    return Wording(title.split(), pieces[:MAX_WORDS])


def _words(text: str) -> list[str]:
    text = text[:_CHARS].casefold()
    if not _is_latin(text) and _SIGN.search(text):
        return _SIGN_OR_WORD.findall(text)[:MAX_WORDS]
    pieces = text.split(None, MAX_WORDS)
    words = bare(pieces[:MAX_WORDS])
    if len(words) < MAX_WORDS < len(pieces):  # some were nothing but punctuation
        words += bare(pieces[MAX_WORDS].split())
    return words[:MAX_WORDS]


def _is_latin(text: str) -> bool:
    """Quicker than looking for signs, for most texts."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Telling:
    """A text as it is compared.

    Attributes:
        text: the words that tell the story, with a space between two; a tenth of the memory of a list of them.
        fingerprints: none for too short a text.
    """

    text: str
    fingerprints: Sequence[int]

    @property
    def words(self) -> list[str]:
        """The words that tell the story."""
        return self.text.split(" ")


def tellings(texts: Iterable[Sequence[str]], keys: Iterable[str]) -> list[Telling]:
    """The texts of one feed, without what many of them share: footers, forms, bylines.

    Where that leaves little of a text, it is no evidence: a podcast describes itself under every episode. Only in a
    feed of many outlets are such entries copies of each other.

    Args:
        texts: of each entry its words.
        keys: of each entry the `comparison_key` of its page, or what stands for it.
    """
    hashed = [(words, _hashes(words)) for words in texts]
    entries = Counter(chain.from_iterable(set(hashes[:_BYLINE] + hashes[-_FOOTER:]) for _, hashes in hashed))
    needed = max(_FORM, len(hashed) // 4)
    shared = {one for one, n in entries.items() if n >= needed}
    if not shared:
        return [Telling(" ".join(words), _sample(hashes)) for words, hashes in hashed]
    is_one = len({key.partition("/")[0] for key in keys}) == 1
    own = (pair if shared.isdisjoint(pair[1]) else _own(*pair, shared, is_one=is_one) for pair in hashed)
    return [Telling(" ".join(words), _sample(hashes)) for words, hashes in own]


def _hashes(words: Sequence[str]) -> list[int]:
    """32-bit hashes of all sequences, by the place where each begins."""
    if len(words) < MIN_WORDS:
        return []
    parts = " ".join(words).encode("utf-8", "surrogatepass").split(b" ")
    return list(map(crc32, map(b" ".join, zip(parts, parts[1:], parts[_SEQUENCE - 1 :], strict=False))))


def _own(
    words: Sequence[str], hashes: list[int], shared: set[int], *, is_one: bool
) -> tuple[Sequence[str], list[int]]:
    """The words outside shared sequences, of one outlet's feed; all, where little would be left and there are many."""
    told: set[int] = set()
    for place, one in enumerate(hashes):
        if one in shared:
            told.update(range(place, place + _SEQUENCE))
    own = [word for place, word in enumerate(words) if place not in told]
    if is_one or len(own) >= max(MIN_WORDS, _LEFT * len(words)):
        return own, _hashes(own)
    return words, hashes


def _sample(hashes: Sequence[int]) -> list[int]:
    """The same ones wherever they stand, denser at the beginning."""
    found: dict[int, None] = {}
    start = 0
    for end, one_in in _DENSITIES:
        limit = 2**32 // one_in
        found.update((one, None) for one in hashes[start:end] if one < limit)
        start = end
    return list(found)


def likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """How much of the shorter text's beginning the other begins with, in the same order; 0 to 1.

    A copy with another lead shares less of its beginning, but nearly all of the rest. Texts whose numbers differ
    are two stories of one form, however alike their words are.
    """
    short, long = sorted((one, other), key=len)
    size = max(_SHORTEST_HEAD, int(len(short) * _HEAD))
    head, beginning = short[:size], long[: size * 3 // 2 + 10]
    if _numbers_differ(head, beginning):
        return 0.0
    begun = _shared(head, beginning) / len(head)
    if begun >= SIMILAR or len(short) < _NEARLY_ALL * len(long):
        return begun
    return max(begun, _shared(short, long) / len(long) - _NEARLY_ALL + SIMILAR)


def _shared(one: Sequence[str], other: Sequence[str]) -> float:
    """How many of its words stand in the other in this order, half for themselves and half for being in a sequence.

    Two reports of one kind have many words in one order, but hardly a sequence; an editor leaves sequences.
    """
    from rapidfuzz.distance import LCSseq  # noqa: PLC0415 - only collecting compares texts

    return (float(LCSseq.similarity(one, other)) + len(covered(one, other))) / 2


def _numbers_differ(head: Sequence[str], beginning: Sequence[str]) -> bool:
    numbers = {word for word in head if word[0].isdigit()}
    if len(numbers) < 2:
        return False
    return 2 * len(numbers.intersection(beginning)) < len(numbers) or _are_one_form(head, beginning)


def _are_one_form(head: Sequence[str], beginning: Sequence[str]) -> bool:
    """Whether other figures stand between the same words, two at least and no fewer than equal ones.

    An editor puts one figure right; a form gets all of its own, though some may be of the form itself.
    """
    theirs: dict[tuple[str, str], set[str]] = {}
    for before, figure, after in _figures(beginning):
        theirs.setdefault((before, after), set()).add(figure)
    places = [
        figure in theirs[before, after]
        for before, figure, after in _figures(head)
        if (before, after) in theirs
    ]
    others = places.count(False)
    return others > 1 and 2 * others >= len(places)


def _figures(words: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Each figure with the words beside it."""
    found = zip(words, words[1:], words[2:], strict=False)
    return ((before, one, after) for before, one, after in found if one[0].isdigit())
