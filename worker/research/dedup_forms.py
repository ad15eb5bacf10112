"""When two texts are alike and yet tell two stories: both follow one form, or stand under one introduction.

Employers, brokers, the police and the agencies publish the same sentences with another place, another price, another
name; a column begins every week with the same words. What tells these from an editor's work is where they differ. A form
is the same but for its names and figures, while an editor leaves those and changes the words between them; and under an
introduction all is another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rapidfuzz.distance import MatchingBlock

# What fills a place of a form is no longer than this; a longer piece is somebody's own sentence.
_FILLING: Final = 8
# An end of its own is so long, as a share of the text and in words; so much of it may stand in the other by chance.
_END_SHARE: Final = 0.3
_END: Final = 12
_BY_CHANCE: Final = 0.35
_ENDS_SENTENCE: Final = (".", "!", "?", ":", "\N{HORIZONTAL ELLIPSIS}")
_AFTER_THE_END: Final = "\"')\N{RIGHT DOUBLE QUOTATION MARK}\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"


@dataclass(frozen=True, slots=True)
class Wording:
    """A text word by word.

    Attributes:
        words: as they are compared.
        names: the places of names and figures: what has a capital within a sentence, or begins with a digit.
        title: the words of its title.
        every: the words of both.
    """

    words: Sequence[str]
    names: frozenset[int]
    title: frozenset[str]
    every: frozenset[str]


def wording(title: Sequence[str], text: Sequence[str], marks: str) -> Wording:
    """The pieces of a title and a text, as they stand between spaces, as a wording.

    Args:
        title: of its own, for the text may hold it, too.
        text: with capitals and punctuation.
        marks: punctuation, which is no part of a word.
    """
    words: list[str] = []
    names: set[int] = set()
    begins = True
    for piece in text:
        if word := piece.strip(marks):
            if word[0].isdigit() or (word[0].isupper() and not begins):
                names.add(len(words))
            words.append(word.casefold())
        # A figure's point ends no sentence: "am 3. Mai".
        begins = piece.rstrip(_AFTER_THE_END).endswith(_ENDS_SENTENCE) and not piece[0].isdigit()
    own = frozenset(word for piece in title if (word := piece.strip(marks).casefold()))
    return Wording(words, frozenset(names), own, own.union(words))


def follow_one_form(one: Wording, other: Wording) -> bool:
    """Whether two texts that are alike differ in names and figures, told nowhere else in the other, and hardly in other words.

    One name is enough where both titles have it: two such titles are of two stories, unless much else was reworded.
    """
    short, long = sorted((one, other), key=lambda text: len(text.words))
    filled = reworded = 0
    in_titles = False
    for ours, theirs in _between_equal_words(short.words, long.words):
        mine, others = _own_names(short, ours, long), _own_names(long, theirs, short)
        if mine and others and max(len(ours), len(theirs)) <= _FILLING:
            filled += 1
            in_titles = in_titles or not (mine.isdisjoint(short.title) or others.isdisjoint(long.title))
        else:
            reworded += 1
    return (in_titles and 4 * filled >= reworded) or (filled > 1 and filled >= 2 * reworded)


def _own_names(text: Wording, places: range, other: Wording) -> set[str]:
    return {text.words[place] for place in places if place in text.names} - other.every


def _between_equal_words(short: Sequence[str], long: Sequence[str]) -> Iterator[tuple[range, range]]:
    """The places of what differs, each between words that are equal."""
    for before, after in pairwise(_equal(short, long[: len(short) * 3 // 2 + 10])):
        yield range(before.a + before.size, after.a), range(before.b + before.size, after.b)


def _equal(one: Sequence[str], other: Sequence[str]) -> list[MatchingBlock]:
    """What two texts have in the same order."""
    from rapidfuzz.distance import LCSseq  # noqa: PLC0415 - only collecting compares texts

    return LCSseq.editops(one, other).as_matching_blocks()[:-1]


def go_apart(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the end of the shorter of two texts that are alike is not told by the longer, which has another one.

    A word counts half for standing in the same order, and half for standing in a sequence.
    """
    short, long = sorted((one, other), key=len)
    told, tells = covered(short, long), covered(long, short)
    end = max(_END, int(len(short) * _END_SHARE))
    places = range(len(short) - end, len(short))
    in_order = sum(
        len(range(max(block.a, places.start), block.a + block.size)) for block in _equal(short, long)
    )
    of_its_end = (in_order + sum(place in told for place in places)) / 2
    return bool(tells) and of_its_end < end * _BY_CHANCE and len(long) - max(tells) > _END


def without(words: Sequence[str], others: Iterable[Sequence[str]]) -> list[str]:
    """The words that stand in no sequence of three that one of the other texts has, too."""
    told = set[int]().union(*(covered(words, other) for other in others))
    return [word for place, word in enumerate(words) if place not in told]


def covered(one: Sequence[str], other: Sequence[str]) -> set[int]:
    """The places of words that stand in the other text, too, in one sequence of three."""
    theirs = set(zip(other, other[1:], other[2:], strict=False))
    places: set[int] = set()
    for place, sequence in enumerate(zip(one, one[1:], one[2:], strict=False)):
        if sequence in theirs:
            places.update((place, place + 1, place + 2))
    return places
