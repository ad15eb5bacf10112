"""What an operator types, as a full-text query: every spelling and form of each word that documents may have.

The index folds accents away (`remove_diacritics`), so that "Wärmepumpe" is found by "warmepumpe" as it is. Here the
rest is made up for: ä is also spelled ae and ß is also ss, both ways; and a word stands for its plural and cases.
"""

from __future__ import annotations

import re
from typing import Final

MOST_WORDS: Final = 32

_WORD: Final = re.compile(r"\w+")
_SPELLED_OUT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
# After a vowel or q the second letter belongs to it: neue, Bauer, Quelle.
_DIGRAPH: Final = re.compile(r"(?<![aeiouq])([aou])e")
_ENDINGS: Final = ("ern", "en", "er", "es", "em", "e", "n", "s")
_SHORTEST_STEM: Final = 5


def query_of(terms: list[str], *, unfinished: bool = True) -> str:
    """The terms as an FTS5 query (https://sqlite.org/fts5.html#full_text_query_syntax); "" where they hold no word.

    Args:
        terms: words, and phrases of several words; all must occur.
        unfinished: the last word may be the beginning of one, as while it is being typed.
    """
    found = [words for term in terms if (words := _WORD.findall(_clean(term)))][:MOST_WORDS]
    last = len(found) - 1
    parts = [_phrase(words) if len(words) > 1 else _word(words[0], unfinished=unfinished and number == last)
             for number, words in enumerate(found)]  # fmt: skip
    return " AND ".join(f"({part})" for part in parts)


def _clean(term: str) -> str:
    # Lower case, not case folding, which would spell the sharp s out.
    return term.encode("utf-8", "ignore").decode().lower().replace("\0", " ")


def _phrase(words: list[str]) -> str:
    typed = " ".join(words)
    return " OR ".join(f'"{spelling}"' for spelling in spellings(typed))


def _word(word: str, *, unfinished: bool) -> str:
    alternatives: dict[str, None] = {}
    for spelling in spellings(word):
        alternatives[f'"{spelling}"'] = None
        stem = stem_of(spelling)
        if stem != spelling:
            alternatives[f'"{stem}"*'] = None
        elif unfinished and len(word) > 1:
            alternatives[f'"{spelling}"*'] = None
    return " OR ".join(alternatives)


def spellings(text: str) -> list[str]:
    """The text in every spelling of its umlauts and sharp s, as typed first."""
    shortened = _DIGRAPH.sub(r"\1", text)
    both = (
        text,
        text.translate(_SPELLED_OUT),
        shortened,
        text.replace("ss", "ß"),
        shortened.replace("ss", "ß"),
    )
    return list(dict.fromkeys(both))


def stem_of(word: str) -> str:
    """What a word's plural and cases begin with; the word itself where little would be left."""
    if word.endswith("ungen") and len(word) > _SHORTEST_STEM + 2:
        return word.removesuffix("en")
    for ending in _ENDINGS:
        shortest = _SHORTEST_STEM - (ending == "s")
        if word.endswith(ending) and len(word) - len(ending) >= shortest:
            return word.removesuffix(ending)
    return word
