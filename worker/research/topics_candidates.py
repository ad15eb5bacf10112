"""Candidates: the phrases that several outlets use now, with who used them when."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from worker.research.phrases import BREAK, MAX_WORDS, Compounds, Phrase, phrases
from worker.research.words import TOO_GENERAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from worker.research.topics_stories import Stories, Story

MAX_CANDIDATES: Final = 4_000
# How many outlets must carry a phrase; a single word is seldom a topic, so it needs one more unless it is a
# keyword's. A market of fewer outlets asks for as many as it has.
MIN_OUTLETS: Final = 2
# A word in this share of all stories is the market's language, not one of its topics.
_TOO_COMMON: Final = 0.2
_COMMON_FROM: Final = 40
# What an outlet says in this share of its texts, or titles, is its boilerplate.
_BOILERPLATE: Final = (0.4, 0.7)
_BOILERPLATE_FROM: Final = 8
# In titles a phrase counts whole, in the beginning of a text half; a copy of another's story counts a fifth.
_WHOLE, _HALF, _COPY = 1.0, 0.5, 0.2
_MOST_OF_AN_OUTLET: Final = 2.0
_EACH_FURTHER: Final = 0.25


@dataclass(slots=True)
class Voices:
    """Who spoke of something in one window.

    Attributes:
        days: of each outlet, as bits.
        loudness: how loud each outlet was at best.
        stories: how many each outlet told.
    """

    days: dict[int, int] = field(default_factory=dict)
    loudness: dict[int, float] = field(default_factory=dict)
    stories: dict[int, int] = field(default_factory=dict)

    def hear(self, outlet: int, day: int, loudness: float) -> None:
        """An outlet speaks on a day of the window."""
        self.days[outlet] = self.days.get(outlet, 0) | 1 << day
        self.loudness[outlet] = max(loudness, self.loudness.get(outlet, 0.0))
        self.stories[outlet] = self.stories.get(outlet, 0) + 1

    def join(self, other: Voices) -> None:
        """Those who speak of the one or the other; what both count is counted once."""
        for outlet, bits in other.days.items():
            self.days[outlet] = self.days.get(outlet, 0) | bits
            self.loudness[outlet] = max(other.loudness[outlet], self.loudness.get(outlet, 0.0))
            self.stories[outlet] = max(other.stories[outlet], self.stories.get(outlet, 0))

    @property
    def strength(self) -> float:
        """How many speak: an outlet counts once, a little more for further days or stories, two at the most."""
        return sum(
            loudness * min(_MOST_OF_AN_OUTLET, 1 + _EACH_FURTHER * self._further(outlet))
            for outlet, loudness in self.loudness.items()
        )

    def _further(self, outlet: int) -> float:
        """Further days, or how often its stories have doubled."""
        return max(self.days[outlet].bit_count() - 1, math.log2(self.stories[outlet]))


@dataclass(slots=True)
class Candidate:
    """A phrase.

    Attributes:
        stories: of the window, by their number in it.
        titled: those of them that have it in their title.
        windows: who spoke of it, by window; 0 is the current one.
        begins_small: with an adjective, or a verb.
        rise: how far it is above what is usual for it, in standard deviations; 0 without history.
    """

    phrase: Phrase
    stories: set[int] = field(default_factory=set)
    titled: set[int] = field(default_factory=set)
    windows: defaultdict[int, Voices] = field(default_factory=lambda: defaultdict(Voices))
    begins_small: bool = False
    rise: float = 0.0


def hear(windows: defaultdict[int, Voices], story: Story, days: int, loudness: float) -> None:
    """Adds the tellings of a story to the windows they fall into."""
    for telling in story.tellings:
        window, day = divmod(telling.day, days)
        windows[window].hear(telling.outlet, day, loudness * (_COPY if telling.copied else _WHOLE))


def find_candidates(stories: Stories, keywords: Iterable[Phrase]) -> tuple[list[Candidate], Compounds]:
    """The phrases that enough outlets use in the window, and what the corpus knows of compounds."""
    search = _Search(stories, tuple(keywords))
    found = search.in_window()
    search.in_past(found)
    return list(found.values()), search.compounds


class _Search:
    """One search for candidates."""

    def __init__(self, stories: Stories, phrases_of_market: tuple[Phrase, ...]) -> None:
        keywords = frozenset(word for keyword in phrases_of_market for word in keyword)
        self._stories, self._keywords = stories, keywords
        # A market for schools is right to speak of schools.
        self._general = TOO_GENERAL - {keyword[0] for keyword in phrases_of_market if len(keyword) == 1}
        self._heard = stories.heard
        self._needed = min(MIN_OUTLETS, self._heard)
        self._outlets_of: defaultdict[str, int] = defaultdict(int)  # of each stem, as bits
        self._count: Counter[str] = Counter()
        for story in stories.window:
            self._count_words(story)
        known = {word for word, n in self._count.items() if n > 1} | keywords
        self.compounds = Compounds(known)
        self.compounds.learn(self._count)
        self._share_with_parts()
        self._usable = self._told_by_enough()
        self._small = self._written_small()
        self._no_topic = self._too_common() | self._small
        self._dull = _boilerplate(stories.window, keywords)

    def _count_words(self, story: Story) -> None:
        speakers = _speakers(story, self._stories.days)
        for word in {*story.title, *story.lead}:
            self._outlets_of[word] |= speakers
            self._count[word] += 1

    def _share_with_parts(self) -> None:
        for word in list(self._outlets_of):
            for part in self.compounds.parts(word):
                self._outlets_of[part] |= self._outlets_of[word]

    def _told_by_enough(self) -> frozenset[str]:
        """Words that enough outlets use; a compound where they use its parts, be it as one word or as two."""
        told = {word for word, outlets in self._outlets_of.items() if outlets.bit_count() >= self._needed} - {
            BREAK
        }
        whole = (
            word
            for word in self._outlets_of
            if (parts := self.compounds.parts(word)) and told.issuperset(parts)
        )
        return frozenset(told.union(whole))

    def _too_common(self) -> frozenset[str]:
        total = len(self._stories.window)
        if total < _COMMON_FROM:
            return frozenset()
        return frozenset(word for word, n in self._count.items() if n > total * _TOO_COMMON) - self._keywords

    def _written_small(self) -> frozenset[str]:
        """Words that most stories write small though they are German: verbs and adjectives."""
        small = Counter(word for story in self._stories.window for word in story.small)
        return frozenset(word for word, n in small.items() if n * 2 >= self._count[word]) - self._keywords

    def in_window(self) -> dict[Phrase, Candidate]:
        """The candidates by phrase, the loudest first, with who uses them now."""
        found: dict[Phrase, Candidate] = {}
        leads: list[set[Phrase]] = []
        for number, story in enumerate(self._stories.window):
            titled, led = self._phrases_of(story)
            leads.append(led - titled)
            for phrase in titled:
                if phrase not in found:
                    found[phrase] = Candidate(phrase, begins_small=phrase[0] in self._small)
                found[phrase].stories.add(number)
                found[phrase].titled.add(number)
        # Only what stands in a title somewhere can be a topic; then texts that speak of it count, too.
        for number, led in enumerate(leads):
            for phrase in led:
                if phrase in found:
                    found[phrase].stories.add(number)
        enough = [candidate for candidate in found.values() if self._is_enough(candidate)]
        for candidate in enough:
            for number in candidate.stories:
                loudness = _WHOLE if number in candidate.titled else _HALF
                hear(candidate.windows, self._stories.window[number], self._stories.days, loudness)
        enough = [one for one in enough if len(one.windows[0].days) >= self._needed_for(one.phrase)]
        enough.sort(key=lambda one: (-one.windows[0].strength, one.phrase))
        return {candidate.phrase: candidate for candidate in enough[:MAX_CANDIDATES]}

    def _phrases_of(self, story: Story) -> tuple[set[Phrase], set[Phrase]]:
        title, lead = story.title, story.lead
        for outlet in {telling.outlet for telling in story.tellings}:
            if dull := self._dull.get(outlet):
                title = tuple("|" if word in dull[1] else word for word in title)
                lead = tuple("|" if word in dull[0] else word for word in lead)
        return (
            phrases(title, self._usable, self.compounds, MAX_WORDS, self._general),
            phrases(lead, self._usable, self.compounds, MAX_WORDS - 1, self._general),
        )

    def _needed_for(self, phrase: Phrase) -> int:
        alone = len(phrase) == 1 and phrase[0] not in self._keywords and not self.compounds.parts(phrase[0])
        return min(MIN_OUTLETS + alone, self._heard)

    def _is_enough(self, candidate: Candidate) -> bool:
        phrase = candidate.phrase
        if len(phrase) == 1 and phrase[0] in self._no_topic:
            return False
        if not self._small.isdisjoint(phrase[1:]):  # "Senat berät"; "digitaler Zwilling" may begin small
            return False
        tellings = sum(len(self._stories.window[number].tellings) for number in candidate.stories)
        return tellings > 1 and tellings >= self._needed_for(phrase)

    def in_past(self, found: Mapping[Phrase, Candidate]) -> None:
        """Adds who used the candidates' phrases in earlier windows."""
        wanted = frozenset(word for phrase in found for word in phrase)
        parts = {part for word in wanted for part in self.compounds.parts(word)}
        self.compounds.learn({word for story in self._stories.past for word in (*story.title, *story.lead)})
        whole = {
            word for word in _words(self._stories.past) if wanted.intersection(self.compounds.parts(word))
        }
        usable = wanted | parts | whole
        for story in self._stories.past:
            titled = phrases(story.title, usable, self.compounds, MAX_WORDS, self._general)
            led = phrases(story.lead, usable, self.compounds, MAX_WORDS - 1, self._general)
            for phrase in titled | led:
                if candidate := found.get(phrase):
                    loudness = _WHOLE if phrase in titled else _HALF
                    hear(candidate.windows, story, self._stories.days, loudness)


def _words(stories: Iterable[Story]) -> set[str]:
    return {word for story in stories for word in (*story.title, *story.lead)}


def _speakers(story: Story, days: int) -> int:
    bits = 0
    for telling in story.tellings:
        if telling.day < days:
            bits |= 1 << telling.outlet
    return bits


def _boilerplate(
    window: tuple[Story, ...], keywords: frozenset[str]
) -> dict[int, tuple[frozenset[str], frozenset[str]]]:
    """What each outlet says in most of its texts, and in most of its titles, beside the keywords."""
    total: Counter[int] = Counter()
    said: defaultdict[int, tuple[Counter[str], Counter[str]]] = defaultdict(lambda: (Counter(), Counter()))
    for story in window:
        outlet = story.tellings[0].outlet
        total[outlet] += 1
        said[outlet][0].update(set(story.lead))
        said[outlet][1].update(set(story.title))
    return {
        outlet: (
            _more_than(said[outlet][0], n * _BOILERPLATE[0]) - keywords,
            _more_than(said[outlet][1], n * _BOILERPLATE[1]) - keywords,
        )
        for outlet, n in total.items()
        if n >= _BOILERPLATE_FROM
    }


def _more_than(count: Counter[str], least: float) -> frozenset[str]:
    return frozenset(word for word, n in count.items() if n > least)
