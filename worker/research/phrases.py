"""Phrases: what a title and the beginning of its text say, as runs of word stems.

A text becomes a line of stems once ("terms"), which is kept; phrases are read from it as often as needed.
German compounds are taken apart by the words of the corpus itself: where "Wärmepumpe" and "Förderung" are
words, "Wärmepumpenförderung", "Wärmepumpen-Förderung" and "Wärmepumpen Förderung" are one phrase.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from worker.research.words import STOP_WORDS, TOO_GENERAL, is_german, stem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

# A change of what `terms` writes needs the next number: older lines are then made anew.
VERSION: Final = 2
MAX_WORDS: Final = 3
LEAD_WORDS: Final = 60
LEAD_CHARS: Final = 1_200
BREAK: Final = "|"  # where no phrase goes on: a stop word, a number, the end of a clause

_WORD = re.compile(r"\w+(?:[-'\u2019]\w+)*")
_CLAUSE_END = re.compile(r"[:;,.!?()|\u201e\u201c\u201d\"\u2013\u2014/]")  # with German quotes and dashes
_SMALL = "-"  # before the stem of a word written small; no stem begins with it
_SHORTEST_PART = 4
_SHORTEST_COMPOUND = 9
# What German puts between the parts of a compound (Fugenelement).
_LINKS = ("", "s", "es", "n", "en", "er", "e")

Phrase = tuple[str, ...]
Terms = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: its stem, where it stands, and whether it is written small; a break has no stem."""

    stem: str
    start: int
    end: int
    small: bool = False


def words_of(text: str) -> Iterator[Word]:
    """The content words of a text, with a break wherever a phrase must end.

    The text should be in NFC; the parts of a hyphened word are words of their own.
    """
    end = 0
    for match in _WORD.finditer(text):
        if _CLAUSE_END.search(text, end, match.start()):
            yield Word(BREAK, end, end)
        end = match.end()
        at = match.start()
        parts = match[0].split("-")
        if any(len(part) < 2 for part in parts):  # E-Auto, 5-G
            parts = [match[0]]
        for part in parts:
            is_content = len(part) > 1 and not part.isdecimal() and part.casefold() not in STOP_WORDS
            root = sys.intern(stem(part)) if is_content else BREAK
            yield Word(root, at, at + len(part), is_content and part[0].islower())
            at += len(part) + 1


def terms(title: str, text: str, language: str) -> str:
    """Title and beginning of the text as one line of stems, to be kept; see `split_terms`.

    Args:
        title: the story's.
        text: its summary or content.
        language: what it is said to be written in; believed where its little words do not tell.
    """
    title, text = unicodedata.normalize("NFC", title), unicodedata.normalize("NFC", text[:LEAD_CHARS])
    told = [
        is_german(_WORD.findall(title)),
        is_german(_WORD.findall(text)),
        language.partition("-")[0] == "de",
    ]
    # German writes its nouns with a capital, so there a small word tells a verb or an adjective.
    tells = next(german for german in told if german is not None)
    head, lead = (
        (_SMALL * (tells and word.small) + word.stem for word in words_of(part)) for part in (title, text)
    )
    return " ".join(head) + "\t" + " ".join(one for one, _ in zip(lead, range(LEAD_WORDS), strict=False))


def split_terms(line: str) -> tuple[Terms, Terms, frozenset[str]]:
    """The stems of the title, those of the text's beginning, and which of them German writes small."""
    head, _, lead = line.partition("\t")
    small = frozenset(sys.intern(word[1:]) for word in line.split() if word[0] == _SMALL)
    return _bare(head), _bare(lead), small


def _bare(terms: str) -> Terms:
    return tuple(sys.intern(word.removeprefix(_SMALL)) for word in terms.split())


def stems(text: str) -> Phrase:
    """The stems of a keyword's content words."""
    return tuple(word.stem for word in words_of(unicodedata.normalize("NFC", text)) if word.stem is not BREAK)


class Compounds:
    """Which words are made of which, by the words of one corpus.

    Args:
        known: stems that stand as words of their own often enough to be trusted as parts.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._known = {word for word in known if len(word) >= _SHORTEST_PART and word.isalpha()}
        self._parts: dict[str, Phrase] = {}
        self.joined: dict[Phrase, str] = {}

    def learn(self, words: Iterable[str]) -> None:
        """Takes these words apart, the longest first part first."""
        for word in words:
            if len(word) >= _SHORTEST_COMPOUND and word not in self._parts and (parts := self._split(word)):
                self._parts[word] = parts
                self.joined.setdefault(parts, word)

    def parts(self, word: str) -> Phrase:
        """What the word is made of; nothing where it is not known to be a compound."""
        return self._parts.get(word, ())

    def _split(self, word: str) -> Phrase:
        for at in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
            right = word[at:]
            if right in self._known and (left := self._left(word[:at])):
                return (left, right)
        return ()

    def _left(self, beginning: str) -> str | None:
        for link in _LINKS:
            if beginning.endswith(link):
                bare = stem(beginning.removesuffix(link)) if link else beginning
                for form in (bare, stem(beginning)):
                    if form in self._known:
                        return form
        return None


def phrases(
    line: Terms,
    usable: Collection[str],
    compounds: Compounds,
    most: int,
    general: Collection[str] = TOO_GENERAL,
) -> set[Phrase]:
    """The phrases of a line: runs of usable stems, the too general ones only in company.

    Args:
        line: stems and breaks.
        usable: stems that may stand in a phrase.
        compounds: which phrases are one word, and which words are phrases.
        most: words in a phrase.
        general: stems that name nothing alone.
    """
    found: set[Phrase] = set()
    run: list[str] = []
    for term in (*line, BREAK):
        if term in usable:
            run.append(term)
            for part in compounds.parts(term):
                if part in usable and part not in general:
                    found.add((part,))
            for length in range(1, min(most, len(run)) + 1):
                phrase = tuple(run[-length:])
                if length > 1:
                    found.add((compounds.joined[phrase],) if phrase in compounds.joined else phrase)
                elif term not in general:
                    found.add(phrase)
        else:
            run.clear()
    return found


def spelling(phrase: Phrase, title: str, compounds: Compounds) -> str | None:
    """The phrase as this title spells it; None where it does not stand in it."""
    text = unicodedata.normalize("NFC", title)
    words = list(words_of(text))
    wanted = {phrase}
    if len(phrase) == 1 and (parts := compounds.parts(phrase[0])):
        wanted.add(parts)
    for form in wanted:
        for at in range(len(words) - len(form) + 1):
            here = words[at : at + len(form)]
            if tuple(word.stem for word in here) == form:
                return text[here[0].start : here[-1].end]
    return None
