"""When two texts are alike and yet tell two stories: both follow one form, or stand under one introduction.

Employers, brokers, the police and the agencies publish the same sentences with another place, another price, another
name; a column begins every week with the same words. What tells these from an editor's work is where they differ. A form
is the same but for its names and figures, while an editor leaves those and changes the words between them; and under an
introduction all is another's.
"""

from __future__ import annotations

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
# What stands around words and is no part of them.
MARKS: Final = (
    ".,;:!?()[]{}<>\"'`/|*#+=_-\u2013\u2014\u2026\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a"
)
_ENDS_SENTENCE: Final = (".", "!", "?", ":", "\u2026")
_AFTER_THE_END: Final = "\"')\u201c\u201d\u00bb"


class Wording:
    """A text as it is written and as it is compared.

    Args:
        title: its title's pieces, as they stand between spaces.
        text: its own, with capitals and punctuation.
    """

    def __init__(self, title: Iterable[str], text: Iterable[str]) -> None:
        self.title = frozenset(bare(map(str.casefold, title)))
        told = [(word, piece) for piece in text if (word := piece.casefold().strip(MARKS))]
        self.words = [word for word, _ in told]
        self._pieces = [piece for _, piece in told]
        self.every = self.title.union(self.words)

    def names(self, places: range) -> set[str]:
        """The words at these places that are names or figures: with a capital within a sentence, or a digit first."""
        return {self.words[place] for place in places if self._is_name(place)}

    def _is_name(self, place: int) -> bool:
        first = self._pieces[place].lstrip(MARKS)[0]
        if first.isdigit() or not first.isupper() or not place:
            return first.isdigit()
        before = self._pieces[place - 1]
        # A figure's point ends no sentence: "am 3. Mai".
        return before[0].isdigit() or not before.rstrip(_AFTER_THE_END).endswith(_ENDS_SENTENCE)


def bare(pieces: Iterable[str]) -> list[str]:
    """The words in these pieces, without the marks around them."""
    return [word for piece in pieces if (word := piece if piece.isalnum() else piece.strip(MARKS))]


def follow_one_form(one: Wording, other: Wording) -> bool:
    """Whether two texts that are alike differ in names and figures, told nowhere else in the other, and hardly in other words.

    One name is enough where both titles have it: two such titles are of two stories, unless much else was reworded.
    """
    short, long = sorted((one, other), key=lambda text: len(text.words))
    filled = reworded = 0
    in_titles = False
    for ours, theirs in _between_equal_words(short.words, long.words):
        mine, others = short.names(ours) - long.every, long.names(theirs) - short.every
        if mine and others and max(len(ours), len(theirs)) <= _FILLING:
            filled += 1
            in_titles = in_titles or not (mine.isdisjoint(short.title) or others.isdisjoint(long.title))
        else:
            reworded += 1
    return (in_titles and 4 * filled >= reworded) or (filled > 1 and filled >= 2 * reworded)


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
    end = max(_END, int(len(short) * _END_SHARE))
    places = range(len(short) - end, len(short))
    in_order = sum(
        len(range(max(block.a, places.start), block.a + block.size)) for block in _equal(short, long)
    )
    if in_order >= 2 * _BY_CHANCE * end:
        return False
    told, tells = covered(short, long), covered(long, short)
    of_its_end = (in_order + sum(place in told for place in places)) / 2
    return bool(tells) and of_its_end < _BY_CHANCE * end and len(long) - max(tells) > _END


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
