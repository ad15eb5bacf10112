"""The topics of a market: what several outlets speak of now, and how that compares with before.

Phrases that several outlets use (`topics_candidates`) are gathered by the stories they share
(`topics_clusters`), weighed against their own past (`topics_scores`) and known again from run to run
(`topics_identity`). Nothing but the library is needed: no model, no network. A model may give names
afterwards (`topics_llm`); it never ranks.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from worker.research.library import moment
from worker.research.phrases import Compounds, Phrase, spelling, stems
from worker.research.text import clean
from worker.research.topics_candidates import Voices, find_candidates
from worker.research.topics_clusters import Cluster, find_clusters, join, name_of
from worker.research.topics_identity import Identities
from worker.research.topics_kinship import Kinship
from worker.research.topics_scores import ScoreParts, Trend, score
from worker.research.topics_stories import HISTORY, Stories, Story, read_stories

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from worker.research.library import Library
    from worker.research.markets import Market
    from worker.sqlite import sqlite3

__all__ = ["Headline", "Ranking", "ScoreParts", "Topic", "Trend", "rank_topics"]

MAX_SAMPLES: Final = 5
MAX_TITLE: Final = 100
MAX_PHRASES: Final = 8
# Titles that are looked at for a topic's spelling and samples.
_READ_OF_TOPIC: Final = 24
_BATCH: Final = 500
# So many of the best are looked at for being the same, and only what rises: what is always there is no part of it.
_MOST_JOINED: Final = 100
_JOINED: Final = frozenset({Trend.NEW, Trend.RISING})


@dataclass(frozen=True, slots=True)
class Headline:
    """One of the headlines a topic was found in; `at` is the date of the article, or when it was first seen."""

    title: str
    url: str | None
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a market.

    Attributes:
        market: the market's name.
        country: what the market's file calls market.
        key: stable over weeks, unique within the market.
        title: its phrase as the headlines spell it, or what a model called it.
        score: see `ScoreParts.score`.
        sources: keys of the distinct sources.
        samples: some headlines, each of another outlet first, the most telling first.
        first_seen: when the library first saw one of its stories, over all weeks it was ranked in.
        phrases: by which it is known again, the hottest first.
        stories: ids of its documents in the window.
        days: outlets that told it on each day, oldest first, the current window last.
        named_by: the model that named it; None where its title is its phrase.
        summary: what happened, in the model's words.
        angle: what could be written about it, in the model's words.
    """

    market: str
    country: str
    domain: str
    language: str
    key: str
    title: str
    score: float
    parts: ScoreParts
    sources: tuple[str, ...]
    samples: tuple[Headline, ...]
    first_seen: datetime
    phrases: tuple[str, ...] = ()
    stories: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    named_by: str | None = None
    summary: str | None = None
    angle: str | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """A market's topics as of a moment.

    Attributes:
        topics: best first.
        stories: of the window.
        outlets: that told them.
        history: earlier windows the topics were compared with; 0 means that there is no history yet, so
            that nothing can be said to rise.
        year_ago: they were compared with the same weeks of a year ago as well.
        days: length of a window.
    """

    market: str
    at: datetime
    topics: tuple[Topic, ...]
    stories: int
    outlets: int
    history: int
    days: int
    year_ago: bool = False
    seconds: float = field(default=0.0, compare=False)


def rank_topics(market: Market, library: Library, *, now: datetime, limit: int = 100) -> Ranking:
    """Ranks the topics of the market's last `lookback_days`; see `topics_store.save` for keeping them.

    Raises:
        LibraryError: the library cannot be read or written.
    """
    started = time.monotonic()
    stories = read_stories(market, library, now)
    keywords = [found for keyword in market.seed_keywords if (found := stems(keyword))]
    candidates, compounds = find_candidates(stories, keywords)
    scorer = _Scorer(stories, compounds, keywords)
    scored = scorer.ranked(find_clusters(candidates, stories))
    known = {candidate.phrase: candidate for candidate in candidates}
    for _, cluster in scored:
        cluster.phrase = name_of(cluster, known)
    maker = _Maker(market, library, stories, compounds)
    return Ranking(
        market=market.name,
        at=now,
        topics=tuple(maker.topics(scored[:limit])),
        stories=len(stories.window),
        outlets=stories.heard,
        history=len(stories.history),
        days=stories.days,
        year_ago=bool(stories.year_ago),
        seconds=round(time.monotonic() - started, 3),
    )


_Scored = tuple[ScoreParts, Cluster]


def _order(scored: _Scored) -> tuple[float, Phrase]:
    return -scored[0].score, scored[1].phrase


class _Scorer:
    """Scores clusters."""

    def __init__(self, stories: Stories, compounds: Compounds, keywords: Sequence[Phrase]) -> None:
        self._stories, self._compounds, self._keywords = stories, compounds, keywords
        self._touching: dict[int, bool] = {}
        self._kin = Kinship(stories)

    def ranked(self, clusters: Iterable[Cluster]) -> list[_Scored]:
        """The clusters by their score, those that tell of the same thing as one."""
        scored = [(self.parts(cluster), cluster) for cluster in clusters]
        scored = sorted((one for one in scored if one[0].sources), key=_order)
        return sorted(self._joined(scored), key=_order)

    def _joined(self, scored: Sequence[_Scored]) -> list[_Scored]:
        """Each of the best takes up those below it that rise as it does and tell of the same.

        They are compared with its own stories, not with what it has taken up: else all would become one.
        """
        kept: list[_Scored] = []
        own: list[set[int]] = []
        for parts, cluster in scored[:_MOST_JOINED]:
            place = self._same(cluster, own) if parts.trend in _JOINED else None
            if place is None:
                kept.append((parts, cluster))
                own.append(cluster.stories)
            else:
                kept[place] = self._together(kept[place][1], cluster)
        return kept + list(scored[_MOST_JOINED:])

    def _same(self, cluster: Cluster, known: Iterable[set[int]]) -> int | None:
        return next(
            (place for place, stories in enumerate(known) if self._kin.is_one(stories, cluster.stories)), None
        )

    def _together(self, head: Cluster, cluster: Cluster) -> _Scored:
        """Both as one, by the voices of both or, where those rise more, of the first alone."""
        both = join(head, cluster)
        first = replace(both, members=head.members)
        return max(((self.parts(one), one) for one in (both, first)), key=lambda one: one[0].score)

    def parts(self, cluster: Cluster) -> ScoreParts:
        """Who spoke of the cluster's phrases, now and before; its stories decide for now."""
        windows: defaultdict[int, Voices] = defaultdict(Voices)
        for member in cluster.members:
            for number, voices in member.windows.items():
                windows[number].join(voices)
        touching = sum(self._touches(number) for number in cluster.stories)
        return score(
            windows,
            self._stories.exposure,
            self._stories.history,
            self._stories.year_ago,
            documents=len(cluster.stories),
            keyword_fit=touching / len(cluster.stories),
            cohesion=self._kin.cohesion(cluster.stories, self._own_words(cluster)),
            days=self._stories.days,
        )

    def _own_words(self, cluster: Cluster) -> set[str]:
        return {*cluster.phrase, *(part for word in cluster.phrase for part in self._compounds.parts(word))}

    def _touches(self, number: int) -> bool:
        """Whether a story has all words of one of the keywords, alone or within compounds."""
        if number not in self._touching:
            story = self._stories.window[number]
            words = {*story.title, *story.lead}
            words |= {part for word in words for part in self._compounds.parts(word)}
            self._touching[number] = any(words.issuperset(keyword) for keyword in self._keywords)
        return self._touching[number]


class _Maker:
    """Makes topics of clusters: names, keys, samples."""

    def __init__(self, market: Market, library: Library, stories: Stories, compounds: Compounds) -> None:
        self._market, self._library = market, library
        self._stories, self._compounds = stories, compounds
        self._rows: dict[int, sqlite3.Row] = {}
        # How much an outlet publishes, by powers of two: who shouts all day tells little of each thing.
        told = Counter(story.tellings[0].outlet for story in stories.window)
        self._loudness = {outlet: n.bit_length() for outlet, n in told.items()}

    def topics(self, scored: Sequence[tuple[ScoreParts, Cluster]]) -> Iterable[Topic]:
        """The topics, in the same order; each gets the key it had before, if it was there before."""
        telling = [self._telling(cluster) for _, cluster in scored]
        self._read({story.id for stories in telling for story in stories})
        known = Identities(self._library, self._market.name)
        for (parts, cluster), shown in zip(scored, telling, strict=True):
            ids = frozenset(self._stories.window[number].id for number in cluster.stories)
            phrases = tuple(" ".join(phrase) for phrase in cluster.phrases[:MAX_PHRASES])
            key, since = known.take(phrases, "-".join(cluster.phrase), ids)
            first = min(self._stories.window[number].seen for number in cluster.stories)
            yield Topic(
                market=self._market.name,
                country=self._market.market,
                domain=self._market.domain,
                language=self._market.language,
                key=key,
                title=self._title(cluster, shown),
                score=parts.score,
                parts=parts,
                sources=self._sources(cluster),
                samples=tuple(self._samples(shown)),
                first_seen=moment(min(first, since) if since is not None else first),
                phrases=phrases,
                stories=tuple(sorted(ids)),
                days=self._days(cluster),
            )

    def _telling(self, cluster: Cluster) -> list[Story]:
        """The cluster's stories, those first that say most of it, that most outlets carry, and that quiet ones tell."""
        said = Counter(number for member in cluster.members for number in member.titled)
        ordered = sorted(
            cluster.stories,
            key=lambda number: (
                -min(said[number], 4),
                -len(self._stories.window[number].tellings),
                self._loudness[self._stories.window[number].tellings[0].outlet],
                -self._stories.window[number].seen,
                number,
            ),
        )
        return [self._stories.window[number] for number in ordered[:_READ_OF_TOPIC]]

    def _read(self, ids: set[int]) -> None:
        wanted = sorted(ids)
        for at in range(0, len(wanted), _BATCH):
            batch = wanted[at : at + _BATCH]
            rows = self._library.rows(
                "SELECT id, title, url, published_at, fetched_at FROM document "
                f"WHERE id IN ({', '.join('?' * len(batch))})",
                *batch,
            )
            self._rows.update({row["id"]: row for row in rows})

    def _title(self, cluster: Cluster, shown: Sequence[Story]) -> str:
        """Its phrase as the titles spell it; where none has it as it stands, the next one that one has."""
        titles = [self._rows[story.id]["title"] for story in shown]
        if len(shown) == 1:  # one text in many outlets: its headline says more than any words of it
            return clean(titles[0], MAX_TITLE)
        for phrase in (cluster.phrase, *cluster.phrases):
            found = Counter(spelt for title in titles if (spelt := spelling(phrase, title, self._compounds)))
            if found:
                most = max(found.values())
                # Of forms that are about as common, the shortest is mostly the one a dictionary has.
                best = min(
                    (form for form in found if found[form] * 2 >= most), key=lambda form: (len(form), form)
                )
                return best[:1].upper() + best[1:]
        return " ".join(cluster.phrase).capitalize()

    def _samples(self, shown: Sequence[Story]) -> Iterable[Headline]:
        """Headlines of as many outlets as there is room for, each of which says something else."""
        first_of: dict[int, Headline] = {}
        rest: list[Headline] = []
        again: list[Headline] = []
        said: list[set[str]] = []
        for story in shown:
            row = self._rows[story.id]
            at = moment(row["published_at"] if row["published_at"] is not None else row["fetched_at"])
            telling = story.tellings[0]
            headline = Headline(row["title"], row["url"], telling.source, at)
            words = {*story.title}
            if any(words <= other or words >= other for other in said):
                again.append(headline)
                continue
            said.append(words)
            if first_of.setdefault(telling.outlet, headline) is not headline:
                rest.append(headline)
        yield from [*first_of.values(), *rest, *again][:MAX_SAMPLES]

    def _sources(self, cluster: Cluster) -> tuple[str, ...]:
        return tuple(
            sorted(
                {
                    telling.source
                    for number in cluster.stories
                    for telling in self._stories.window[number].tellings
                    if telling.day < self._stories.days
                }
            )
        )

    def _days(self, cluster: Cluster) -> tuple[int, ...]:
        """Outlets on each day, oldest first."""
        days = self._stories.days
        speaking: defaultdict[int, set[int]] = defaultdict(set)
        windows: defaultdict[int, Voices] = defaultdict(Voices)
        for member in cluster.members:
            for window, voices in member.windows.items():
                windows[window].join(voices)
        for window, voices in windows.items():
            for outlet, bits in voices.days.items():
                for day in range(days):
                    if bits >> day & 1:
                        speaking[window * days + day].add(outlet)
        return tuple(len(speaking[day]) for day in range((HISTORY + 1) * days - 1, -1, -1))
