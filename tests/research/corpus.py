"""A labelled corpus of copies and of what only looks like one, made from real texts; and what a library made of it.

Every story is told first by one outlet. Copies are told later, by another one: cut, teased, edited, under another
lead, in other boilerplate, or all of that. What must not be merged: stories of one outlet, which share its footer;
forms such as the share price of the day, which differ in names and numbers only; and follow-ups, which repeat the
background of an earlier story under news of their own.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from worker.research.document import Document, content_hash
from worker.research.library import Harvest
from worker.research.sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from worker.research.library import Library

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TEASER = 45
ENTRIES = 50


@dataclass(frozen=True)
class Entry:
    """An entry of a feed: whose story it tells, and what was done to it; without a title, its first words are that."""

    outlet: int
    story: int
    kind: str
    words: list[str]
    title: str = ""


@dataclass
class Figures:
    """What a library made of a corpus.

    Attributes:
        merged: copies that were linked to their own story.
        wrong: entries that were linked to another story.
        left: copies that were stored as new.
        documents: stored ones.
        missed: `left` by kind.
        mistaken: `wrong` by kind.
    """

    merged: int = 0
    wrong: int = 0
    left: int = 0
    documents: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    mistaken: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        """Share of the merged that were merged rightly."""
        return self.merged / max(1, self.merged + self.wrong)

    @property
    def left_share(self) -> float:
        """Duplicates among the stored documents."""
        return self.left / max(1, self.documents)


class Corpus:
    """Feeds made from texts.

    Args:
        texts: the words of distinct real texts.
        seed: everything follows from it.
        teasers: feeds that carry no more than the first words, as many do.
        copies: of each kind.
    """

    def __init__(self, texts: Sequence[list[str]], seed: int, *, teasers: bool, copies: int) -> None:
        self._rng = random.Random(seed)
        shuffled = list(texts)
        self._rng.shuffle(shuffled)
        spare = max(2 * copies, len(shuffled) // 8)
        self._spare, stories = shuffled[:spare], shuffled[spare:]
        self._words = [word for text in self._spare for word in text]
        self._stories = [text[:TEASER] if teasers else text for text in stories]
        self._outlets = max(6, len(stories) // 40)
        # Two outlets of three end every entry in the same way.
        self._footers = [
            self._rng.choice(self._spare[copies:])[: self._rng.randint(15, 35)] if number % 3 else []
            for number in range(self._outlets)
        ]
        self._teasers, self._copies = teasers, copies

    def feeds(self) -> Iterator[list[Entry]]:
        """Feeds of one outlet each: first all stories and what resembles them, then the copies."""
        stories = [
            Entry(number % self._outlets, number, "story", words)
            for number, words in enumerate(self._stories)
        ]
        likenesses = [*self._follow_ups(), *self._forms()]
        yield from self._by_outlet([*stories, *likenesses])
        yield from self._by_outlet([
            Entry(self._other_outlet(number), number, kind, alter(self._stories[number]))
            for kind, alter in self._alterations().items()
            for number in self._rng.sample(range(len(self._stories)), min(self._copies, len(self._stories)))
        ])  # fmt: skip

    def _by_outlet(self, entries: list[Entry]) -> Iterator[list[Entry]]:
        by_outlet: dict[int, list[Entry]] = {}
        for entry in entries:
            framed = Entry(entry.outlet, entry.story, entry.kind, entry.words + self._footers[entry.outlet])
            by_outlet.setdefault(entry.outlet, []).append(framed)
        for feed in by_outlet.values():
            yield from (feed[at : at + ENTRIES] for at in range(0, len(feed), ENTRIES))

    def _other_outlet(self, story: int) -> int:
        return (story + self._rng.randrange(1, self._outlets)) % self._outlets

    # -- copies --

    def _alterations(self) -> dict[str, Callable[[list[str]], list[str]]]:
        kinds: dict[str, Callable[[list[str]], list[str]]] = {
            "verbatim": list,
            "cut": self._cut,
            "edited 10 %": lambda words: self._edited(words, 0.1),
            "edited 20 %": lambda words: self._edited(words, 0.2),
            "other lead": self._led,
            "dateline": lambda words: [*self._some(4), *words],
            "cut, edited, dateline": lambda words: [*self._some(4), *self._edited(self._cut(words), 0.1)],
        }
        if not self._teasers:
            kinds["teaser"] = lambda words: words[:TEASER]
        return kinds

    def _cut(self, words: list[str]) -> list[str]:
        return words[: max(22, int(len(words) * 0.6))]

    def _led(self, words: list[str]) -> list[str]:
        size = min(18, len(words) // 4)
        return [*self._some(size), *words[size:]]

    def _edited(self, words: list[str], share: float) -> list[str]:
        edited: list[str] = []
        for word in words:
            dice = self._rng.random() / share
            if dice < 0.6:
                edited.append(self._rng.choice(self._words))
            elif dice < 0.8:
                continue
            else:
                edited += [word, self._rng.choice(self._words)] if dice < 1 else [word]
        return edited

    def _some(self, count: int) -> list[str]:
        return self._rng.choices(self._words, k=count)

    # -- what only looks like a copy --

    def _follow_ups(self) -> Iterator[Entry]:
        """News of their own, then two fifths of an earlier story as background."""
        for number, own in enumerate(self._spare[: self._copies]):
            story = self._rng.randrange(len(self._stories))
            earlier = self._stories[story]
            news = own[: max(20, int(len(earlier) * 0.6))]
            background = earlier[-int(len(earlier) * 0.4) :]
            yield Entry(self._other_outlet(story), 10**6 + number, "follow-up", news + background)

    def _forms(self) -> Iterator[Entry]:
        """What outlets publish every day in the same words."""
        form = (
            "die aktie von {} gehörte am {} zu den werten im blick der anleger das papier gewann im handel {} prozent und "
            "notierte zuletzt bei {} euro der index stand bei {} punkten der umsatz lag bei {} stück analysten nennen ein "
            "kursziel von {} euro im vorjahr hatte der gewinn je anteil {} cent betragen"
        )
        for number in range(self._copies):
            name, day = self._some(1)[0], self._rng.choice(["montag", "dienstag", "freitag"])
            figures = [str(self._rng.randrange(1, 9999)) for _ in range(6)]
            yield Entry(
                self._rng.randrange(self._outlets),
                2 * 10**6 + number,
                "form",
                form.format(name, day, *figures).split(),
            )


def judged(library: Library, feeds: Iterator[list[Entry]]) -> Figures:
    """Stores the feeds as a collection would, and compares what was linked with the labels."""
    entries: list[Entry] = []
    for feed in feeds:
        source = Source.at(f"https://outlet{feed[0].outlet}.example/feed.xml")
        documents = tuple(_document(source, len(entries) + place, entry) for place, entry in enumerate(feed))
        entries += feed
        library.store("m", source, Harvest(documents, len(documents), 200, 0.1, 1), now=NOW)
    stored = {row["guid"]: row["id"] for row in library.rows("SELECT guid, id FROM document")}
    told = {document: entries[int(guid)].story for guid, document in stored.items()}
    linked = {row["key"]: row["document"] for row in library.rows("SELECT key, document FROM alias")}
    figures = Figures(documents=len(stored))
    seen: set[int] = set()
    for number, entry in enumerate(entries):
        if str(number) in stored:
            if entry.story in seen:
                figures.left += 1
                figures.missed[entry.kind] += 1
        elif told[linked[f"x.example/{number}"]] == entry.story:
            figures.merged += 1
        else:
            figures.wrong += 1
            figures.mistaken[entry.kind] += 1
        seen.add(entry.story)
    return figures


def _document(source: Source, number: int, entry: Entry) -> Document:
    first = " ".join(entry.words[:7])
    title = entry.title or (first if entry.kind == "story" else f"{first} {number}")
    return document(source, number, title, " ".join(entry.words))


def document(source: Source, number: int, title: str, text: str) -> Document:
    """A document that is known by its number."""
    key = f"x.example/{number}"
    return Document(
        source=source.key, source_url=f"https://{key}", title=title, content=text, language="de", domain="d",
        market="G", vertical="v", content_hash=content_hash(title, text, key), canonical_url=f"https://{key}",
        canonical_key=key, guid=str(number), fetched_at=NOW,
    )  # fmt: skip
