"""The week's topics: what the headlines of many sources have in common.

Phrases of one to three words are taken from the titles of a market's recent documents. A phrase that
several sources use is a candidate; candidates that share most of their documents are one topic. A
topic's score grows with the number of distinct sources and with how near it is to the market's
keywords. Nothing but the library is needed: no model, no network.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from worker.research.library import moment
from worker.research.words import STOP_WORDS, TOO_GENERAL, stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from worker.research.library import Library
    from worker.research.markets import Market

MAX_WORDS: Final = 3
MAX_SAMPLES: Final = 4
MAX_TOPICS: Final = 300
MAX_HEADLINES: Final = 20_000
# Two phrases are one topic when this share of the smaller one's documents is shared.
SAME_TOPIC: Final = 0.6
# How many sources must carry a phrase; a single word is seldom a topic, so it needs one more unless it is
# a keyword's. A market of fewer sources asks for as many as it has.
MIN_SOURCES: Final = 2

_WORD = re.compile(r"\w+(?:[-'\u2019]\w+)*")
_CLAUSE_END = re.compile(r"[:;,.!?()|\u201e\u201c\u201d\"\u2013\u2014/]")  # with German quotes and dashes

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """One of the headlines a topic was found in; `at` is the date of the article, or when it was first seen."""

    title: str
    url: str | None
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """What a score is made of.

    Attributes:
        sources: distinct ones that carry the topic.
        documents: distinct stories.
        keyword_fit: share of the stories that touch one of the market's keywords, 0 to 1.
    """

    sources: int
    documents: int
    keyword_fit: float

    @property
    def score(self) -> float:
        """0 to 100: each doubling of sources counts the same, a perfect fit doubles it."""
        voices = math.log2(1 + self.sources) + 0.25 * math.log2(1 + self.documents)
        return round(min(100.0, 10 * voices * (1 + self.keyword_fit)), 1)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a market.

    Attributes:
        market: the market's name.
        country: what the market's file calls market.
        key: stable over weeks, unique within the market.
        title: the phrase as the headlines spell it.
        score: see `ScoreParts.score`.
        sources: keys of the distinct sources.
        samples: some headlines, one per source first.
        first_seen: when the library first saw one of its documents, over all weeks it was ranked in.
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


@dataclass(frozen=True, slots=True)
class _Story:
    """A document as the ranking sees it: stems of the title by position, and of everything."""

    id: int
    headline: Headline
    seen: datetime
    stems: tuple[str | None, ...]  # None: a stop word or the end of a clause, which no phrase crosses
    words: tuple[str, ...]
    all_stems: frozenset[str]


def rank_topics(market: Market, library: Library, *, now: datetime, limit: int = 50) -> tuple[Topic, ...]:
    """The topics of the market's last `lookback_days`, best first. Reads only; see `save_topics`.

    The window is over when a document was first seen, so that one without a date counts too.
    """
    since = now - timedelta(days=market.scheduling.lookback_days)
    stories = tuple(_stories(market, library, since))
    heard = {story.headline.source for story in stories}
    keywords = [_stems(keyword) for keyword in market.seed_keywords]
    candidates = _candidates(stories, len(heard), frozenset(part for keyword in keywords for part in keyword))
    known = {row["key"]: moment(row["first_seen"]) for row in _stored(library, market.name)}
    merged = dict(_merged(candidates))
    used = {"-".join(phrase) for phrase in merged}
    topics: list[Topic] = []
    for phrase, members in merged.items():
        key = _stable_key(phrase, known, used)
        used.add(key)
        topics.append(_topic(market, key, phrase, members, keywords, known.get(key)))
    topics.sort(key=lambda topic: (-topic.score, topic.key))
    return tuple(topics[:limit])


def save_topics(library: Library, topics: Iterable[Topic], *, now: datetime) -> None:
    """Remembers what was ranked; what Notion knows of a topic stays with it."""
    with library.transaction() as conn:
        conn.executemany(
            "INSERT INTO topic (market, key, title, score, parts, sources, documents, samples, first_seen, last_seen) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (market, key) DO UPDATE SET "
            "title = excluded.title, score = excluded.score, parts = excluded.parts, sources = excluded.sources, "
            "documents = excluded.documents, samples = excluded.samples, "
            "first_seen = min(first_seen, excluded.first_seen), last_seen = excluded.last_seen",
            [
                (
                    topic.market,
                    topic.key,
                    topic.title,
                    topic.score,
                    json.dumps(asdict(topic.parts) | {"source_keys": topic.sources}),
                    topic.parts.sources,
                    topic.parts.documents,
                    json.dumps([_sample(one) for one in topic.samples], ensure_ascii=False),
                    topic.first_seen.timestamp(),
                    now.timestamp(),
                )
                for topic in topics
            ],
        )


def _sample(headline: Headline) -> dict[str, Any]:
    return asdict(headline) | {"at": headline.at.isoformat()}


def _stored(library: Library, market: str) -> list[Any]:
    return library.rows("SELECT key, first_seen FROM topic WHERE market = ? ORDER BY score DESC", market)


# -- reading the week --------------------------------------------------------------------------------


def _stories(market: Market, library: Library, since: datetime) -> Iterator[_Story]:
    """The market's stories since then, its own and those another market had stored before."""
    rows = library.rows(
        "SELECT id, title, url, source, summary, content, published_at, fetched_at AS seen FROM document "
        "WHERE market = ?1 AND fetched_at >= ?2 UNION ALL "
        "SELECT d.id, d.title, d.url, l.source, d.summary, d.content, d.published_at, min(l.seen_at) AS seen "
        "FROM duplicate AS l JOIN document AS d ON d.id = l.document "
        "WHERE l.market = ?1 AND d.market <> ?1 AND l.seen_at >= ?2 GROUP BY d.id "
        "ORDER BY seen DESC, id LIMIT ?3",
        market.name,
        since.timestamp(),
        MAX_HEADLINES,
    )
    excluded = [_stems(keyword) for keyword in market.excluded_keywords]
    for row in rows:
        seen = moment(row["seen"])
        at = moment(row["published_at"]) if row["published_at"] is not None else seen
        stems, words = _phrased(row["title"])
        everything = frozenset(_stems(f"{row['title']} {row['summary'] or ''} {row['content'][:1000]}"))
        if not any(_touches(keyword, everything) for keyword in excluded):
            headline = Headline(row["title"], row["url"], row["source"], at)
            yield _Story(row["id"], headline, seen, stems, words, everything)


def _phrased(title: str) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """Stems and words of a title, with a None where a phrase must end."""
    stems: list[str | None] = []
    words: list[str] = []
    end = 0
    text = unicodedata.normalize("NFC", title)
    for match in _WORD.finditer(text):
        if _CLAUSE_END.search(text, end, match.start()):
            stems.append(None)
            words.append("")
        end = match.end()
        is_content = match[0].casefold() not in STOP_WORDS and len(match[0]) > 1 and not match[0].isdecimal()
        stems.append(stem(match[0]) if is_content else None)
        words.append(match[0])
    return tuple(stems), tuple(words)


def _stems(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in _WORD.findall(unicodedata.normalize("NFC", text)))


def _touches(keyword: tuple[str, ...], stems: frozenset[str]) -> bool:
    """Whether all of a keyword's words are there."""
    return bool(keyword) and stems.issuperset(keyword)


# -- finding topics ----------------------------------------------------------------------------------


def _candidates(
    stories: tuple[_Story, ...], heard: int, keyword_stems: frozenset[str]
) -> dict[Phrase, dict[int, _Story]]:
    """Phrases that enough of the sources heard use, each with the stories it stands in."""
    found: defaultdict[Phrase, dict[int, _Story]] = defaultdict(dict)
    for story in stories:
        for phrase in _phrases(story.stems):
            found[phrase][story.id] = story

    def enough(phrase: Phrase, members: dict[int, _Story]) -> bool:
        needed = MIN_SOURCES + (len(phrase) == 1 and phrase[0] not in keyword_stems)
        voices = {story.headline.source for story in members.values()}
        return len(members) > 1 and len(voices) >= min(needed, heard)

    return {phrase: members for phrase, members in found.items() if enough(phrase, members)}


def _phrases(stems: tuple[str | None, ...]) -> Iterator[Phrase]:
    """Runs of content words, the too general ones only in company."""
    for start in range(len(stems)):
        phrase: Phrase = ()
        for part in stems[start : start + MAX_WORDS]:
            if part is None:
                break
            phrase = (*phrase, part)
            if len(phrase) > 1 or part not in TOO_GENERAL:
                yield phrase


def _merged(candidates: dict[Phrase, dict[int, _Story]]) -> Iterator[tuple[Phrase, dict[int, _Story]]]:
    """One phrase for those that overlap: the one most sources use, and of equals the longest."""

    def rank(item: tuple[Phrase, dict[int, _Story]]) -> tuple[int, int, int, Phrase]:
        phrase, members = item
        voices = {story.headline.source for story in members.values()}
        return -len(voices), -len(members), -len(phrase), phrase

    taken: list[frozenset[int]] = []
    for phrase, members in sorted(candidates.items(), key=rank):
        ids = frozenset(members)
        if all(len(ids & other) < SAME_TOPIC * min(len(ids), len(other)) for other in taken):
            taken.append(ids)
            named = _fullest(phrase, candidates)
            yield named, candidates[named]
        if len(taken) == MAX_TOPICS:
            return


def _fullest(phrase: Phrase, candidates: dict[Phrase, dict[int, _Story]]) -> Phrase:
    """The longest phrase that holds this one in most of its stories: "Smart Building" for "Building"."""
    ids = candidates[phrase].keys()
    fuller = [
        other
        for other, members in candidates.items()
        if len(other) > len(phrase)
        and " ".join(phrase) in " ".join(other)
        and len(members.keys() & ids) >= SAME_TOPIC * len(ids)
    ]
    return max(fuller, key=lambda other: (len(candidates[other]), len(other), other), default=phrase)


def _stable_key(phrase: Phrase, known: Iterable[str], used: set[str]) -> str:
    """The key the topic had before, though its phrase may have grown or shrunk by a word since."""
    key = "-".join(phrase)
    words = set(key.split("-"))
    if key not in known:
        for old in known:
            parts = set(old.split("-"))
            if old not in used and (words < parts or parts < words):
                return old
    return key


def _topic(
    market: Market,
    key: str,
    phrase: Phrase,
    members: dict[int, _Story],
    keywords: list[tuple[str, ...]],
    known_since: datetime | None,
) -> Topic:
    stories = sorted(members.values(), key=lambda story: (story.headline.at, story.id), reverse=True)
    sources = tuple(sorted({story.headline.source for story in stories}))
    touching = sum(any(_touches(keyword, story.all_stems) for keyword in keywords) for story in stories)
    parts = ScoreParts(len(sources), len(stories), round(touching / len(stories), 3))
    first = min(story.seen for story in stories)
    return Topic(
        market=market.name,
        country=market.market,
        domain=market.domain,
        language=market.language,
        key=key,
        title=_title(phrase, stories),
        score=parts.score,
        parts=parts,
        sources=sources,
        samples=tuple(_samples(stories)),
        first_seen=min(first, known_since) if known_since else first,
    )


def _title(phrase: Phrase, stories: list[_Story]) -> str:
    """The phrase as the headlines spell it most often; of equals the first in the alphabet."""
    spellings: defaultdict[str, int] = defaultdict(int)
    for story in stories:
        for start in range(len(story.stems) - len(phrase) + 1):
            if story.stems[start : start + len(phrase)] == phrase:
                spellings[" ".join(story.words[start : start + len(phrase)])] += 1
    return min(spellings, key=lambda spelling: (-spellings[spelling], spelling))


def _samples(stories: list[_Story]) -> Iterator[Headline]:
    """Headlines of as many sources as there is room for, the newest first."""
    first_of: dict[str, Headline] = {}
    for story in stories:
        first_of.setdefault(story.headline.source, story.headline)
    rest = [story.headline for story in stories if story.headline not in first_of.values()]
    yield from [*first_of.values(), *rest][:MAX_SAMPLES]
