"""Putting one source's documents into the library: what is new is stored, what repeats a story is linked to it.

A document is known by its address, its text or its GUID, exactly; else by its likeness to a story (`dedup`).
Each question is one query for all documents of the source, so that its cost is the disk's, not the calls'.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from worker.research.dedup import (
    MIN_WORDS,
    SIMILAR,
    SIMILAR_AT_ONE_SOURCE,
    Telling,
    likeness,
    tellings,
    wording_of,
    words_of,
)
from worker.research.dedup_forms import follow_one_form, go_apart, without
from worker.research.dedup_index import FingerprintIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from worker.research.document import Document
    from worker.sqlite import sqlite3

_COLUMNS: Final = (
    "id", "market", "source", "title", "url", "source_url", "canonical_key", "content_hash", "guid", "summary",
    "content", "author", "language", "domain", "country", "vertical", "entities", "keywords", "reliability_score",
    "paywall", "status", "published_at", "fetched_at", "enclosures",
)  # fmt: skip
# So many other texts of an outlet show what its footers are.
_BESIDE: Final = 3
_INSERT: Final = f"INSERT INTO document ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


@dataclass(frozen=True, slots=True)
class Stored:
    """What was new in a harvest: documents, and links to stories another source had told."""

    documents: int
    duplicates: int


class _Story(NamedTuple):
    """A stored document, as far as linking to it needs."""

    id: int
    source: str
    market: str


class _Told(NamedTuple):
    """A story's text, as far as comparing with it needs."""

    story: _Story
    telling: Telling
    texts: tuple[str, str | None, str]


class _Repeat(NamedTuple):
    """That a document repeats a story: why, and how alike the two are where that is the reason."""

    story: _Story
    reason: str
    similarity: float | None = None


def shelve(
    conn: sqlite3.Connection,
    market: str,
    documents: Sequence[Document],
    *,
    now: datetime,
    tellings: Sequence[Telling] | None = None,
) -> Stored:
    """Stores what is new of one source's documents, with index, fingerprints and tallies, and links the rest.

    Args:
        conn: within a write transaction.
        market: the market's name.
        documents: all of one source.
        now: aware.
        tellings: of each document how its text is compared; None: it is worked out of those that are new.
    """
    return _Shelving(conn, market, documents, now).all(tellings)


class _Shelving:
    """One source's documents on their way into the library."""

    def __init__(
        self, conn: sqlite3.Connection, market: str, documents: Sequence[Document], now: datetime
    ) -> None:
        self._conn, self._market, self._documents, self._now = conn, market, documents, now
        self._newest: int = conn.execute("SELECT coalesce(max(id), 0) FROM document").fetchone()[0]
        self._index = FingerprintIndex(conn)
        self._told: dict[int, _Told] = {}
        self._new: list[tuple[object, ...]] = []
        self._links: list[tuple[object, ...]] = []
        self._aliases: list[tuple[str, int]] = []

    def all(self, given: Sequence[Telling] | None) -> Stored:
        """Stores and links all of them."""
        known = _Known(self._conn, self._documents)
        unknown = [document for document in self._documents if known.repeat(document) is None]
        if (
            given is None and unknown
        ):  # of all of them, since what many entries share is told by the known ones, too
            texts = (words_of(one.title, one.summary, one.content) for one in self._documents)
            given = tellings(texts, [one.canonical_key for one in self._documents])
        told = dict(zip(map(id, self._documents), given or (), strict=bool(given)))
        self._index.load(one for document in unknown for one in told[id(document)].fingerprints)
        for document in self._documents:
            repeat = known.repeat(document)
            if repeat is None:  # asked again, since an entry before it may be the same
                repeat = self._similar(document, told[id(document)])
            if repeat is None:
                known.add(document, self._store(document, told[id(document)]))
            else:
                self._link(document, repeat, known)
        return self._save()

    def _similar(self, document: Document, telling: Telling) -> _Repeat | None:
        """The story that the document's text resembles most."""
        best: _Repeat | None = None
        for told in self._read(self._index.candidates(telling.fingerprints)):
            story = told.story
            alike = likeness(telling.words, told.telling.words)
            needed = SIMILAR_AT_ONE_SOURCE if story.source == document.source else SIMILAR
            is_best = alike >= needed and (best is None or alike > (best.similarity or 0))
            if is_best and not self._are_two(document, telling, told):
                best = _Repeat(story, "similar", round(alike, 3))
        return best

    def _are_two(self, document: Document, telling: Telling, told: _Told) -> bool:
        """Whether a text that is like a story's tells another one all the same."""
        if go_apart(telling.words, told.telling.words):
            # It may be their outlets' footers that differ.
            own = without(telling.words, self._beside(document.source, told.story.id, document))
            other = without(told.telling.words, self._beside(told.story.source, told.story.id, document))
            enough = min(len(own), len(other)) >= MIN_WORDS
            if enough and (likeness(own, other) < SIMILAR or go_apart(own, other)):
                return True
        mine, others = set(telling.words), set(told.telling.words)
        if mine <= others or others <= mine:  # a form has something of its own in both
            return False
        texts = document.title, document.summary, document.content
        return follow_one_form(wording_of(*texts), wording_of(*told.texts))

    def _beside(self, source: str, story: int, document: Document) -> list[list[str]]:
        """The words of a few other texts of a source."""
        rows = self._conn.execute(
            "SELECT title, summary, content FROM document WHERE source = ? AND id <> ? ORDER BY id DESC LIMIT ?",
            (source, story, _BESIDE),
        )
        texts: list[tuple[str, str | None, str]] = [tuple(row) for row in rows]
        if source == document.source:
            others = (one for one in self._documents if one is not document)
            texts += [(one.title, one.summary, one.content) for one in islice(others, _BESIDE)]
        return [words_of(*one) for one in texts]

    def _read(self, ids: Sequence[int]) -> Iterable[_Told]:
        missing = [one for one in ids if one not in self._told]
        if missing:
            for row in self._conn.execute(
                "SELECT id, source, market, title, summary, content FROM document "
                "WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(missing),),
            ):
                story = _Story(row["id"], row["source"], row["market"])
                texts = row["title"], row["summary"], row["content"]
                self._told[story.id] = _Told(story, Telling(" ".join(words_of(*texts)), ()), texts)
        return [self._told[one] for one in ids if one in self._told]

    def _store(self, document: Document, telling: Telling) -> _Story:
        self._newest += 1
        story = _Story(self._newest, document.source, self._market)
        self._new.append(_row(document, story))
        self._index.add(story.id, telling.fingerprints)
        self._told[story.id] = _Told(story, telling, (document.title, document.summary, document.content))
        return story

    def _link(self, document: Document, repeat: _Repeat, known: _Known) -> None:
        story = repeat.story
        fresh = known.learn(document, story)
        self._aliases += [(key, story.id) for key in fresh]
        is_copy = bool(fresh) and repeat.reason in {"content", "similar"}
        if (story.source, story.market) != (document.source, self._market) or is_copy:
            published = document.published_at.timestamp() if document.published_at else None
            self._links.append(
                (story.id, document.source, self._market, document.canonical_url, repeat.reason,
                 self._now.timestamp(), document.title, published, repeat.similarity)
            )  # fmt: skip

    def _save(self) -> Stored:
        conn = self._conn
        conn.executemany(_INSERT, self._new)
        if self._new:
            conn.execute(
                "INSERT INTO document_fts (rowid, title, summary, content) "
                "SELECT id, title, summary, content FROM document WHERE id > ?",
                (self._newest - len(self._new),),
            )
        self._index.save()
        conn.executemany("INSERT OR IGNORE INTO alias (key, document) VALUES (?, ?)", self._aliases)
        linked = conn.executemany(
            "INSERT OR IGNORE INTO duplicate (document, source, market, url, reason, seen_at, title, published_at, "
            "similarity) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._links,
        )
        stored = Stored(len(self._new), max(0, linked.rowcount))
        self._count(stored)
        return stored

    def _count(self, stored: Stored) -> None:
        added = {
            "documents": stored.documents,
            f"documents:{self._market}": stored.documents,
            "duplicates": stored.duplicates,
        }
        self._conn.executemany(
            "INSERT INTO tally (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n",
            [(name, n) for name, n in added.items() if n],
        )


class _Known:
    """Which of a source's documents are known exactly: by address, text or GUID."""

    def __init__(self, conn: sqlite3.Connection, documents: Sequence[Document]) -> None:
        self._keys: dict[str, _Story] = {}
        self._guids: dict[str, _Story] = {}
        # A GUID that several entries of one feed carry identifies none of them.
        entries = Counter(document.guid for document in documents if document.guid)
        self._telling_guids = {guid for guid, n in entries.items() if n == 1}
        if documents:
            self._read_keys(conn, documents)
            self._read_guids(conn, documents[0].source)

    def _read_keys(self, conn: sqlite3.Connection, documents: Sequence[Document]) -> None:
        keys = json.dumps([document.canonical_key for document in documents])
        hashes = json.dumps([document.content_hash for document in documents])
        both = json.dumps([key for one in documents for key in (one.canonical_key, one.content_hash)])
        for sql, values in (
            ("SELECT canonical_key, id, source, market FROM document WHERE canonical_key IN (SELECT value FROM json_each(?))", keys),
            ("SELECT content_hash, id, source, market FROM document WHERE content_hash IN (SELECT value FROM json_each(?))", hashes),
            ("SELECT key, id, source, market FROM alias JOIN document ON id = document WHERE key IN (SELECT value FROM json_each(?))", both),
        ):  # fmt: skip
            for key, *story in conn.execute(sql, (values,)):
                self._keys.setdefault(key, _Story(*story))

    def _read_guids(self, conn: sqlite3.Connection, source: str) -> None:
        for guid, *story in conn.execute(
            "SELECT guid, id, source, market FROM document "
            "WHERE source = ? AND guid IN (SELECT value FROM json_each(?))",
            (source, json.dumps(sorted(self._telling_guids))),
        ):
            self._guids[guid] = _Story(*story)

    def repeat(self, document: Document) -> _Repeat | None:
        """The story that this document repeats, with the reason that tells so."""
        for known, key, reason in (
            (self._keys, document.canonical_key, "url"),
            (self._keys, document.content_hash, "content"),
            (self._guids, document.guid, "guid"),
        ):
            if key is not None and key in known:
                return _Repeat(known[key], reason)
        return None

    def add(self, document: Document, story: _Story) -> None:
        """A document that was new is known to those after it."""
        self.learn(document, story)
        if document.guid in self._telling_guids:
            self._guids[document.guid or ""] = story

    def learn(self, document: Document, story: _Story) -> list[str]:
        """Remembers what else the story is known by; answers what was not known before."""
        fresh = [key for key in (document.canonical_key, document.content_hash) if key not in self._keys]
        self._keys |= dict.fromkeys(fresh, story)
        return fresh


def _row(document: Document, story: _Story) -> tuple[object, ...]:
    """The document in the order of `_COLUMNS`."""
    return (
        story.id, story.market, document.source, document.title, document.canonical_url, document.source_url,
        document.canonical_key, document.content_hash, document.guid, document.summary, document.content,
        document.author, document.language, document.domain, document.market, document.vertical,
        _json(document.entities), _json(document.keywords), document.reliability_score, document.paywall,
        document.status, document.published_at.timestamp() if document.published_at else None,
        document.fetched_at.timestamp(),
        orjson.dumps(document.enclosures).decode() if document.enclosures else "[]",
    )  # fmt: skip


def _json(words: tuple[str, ...]) -> str:
    return json.dumps(words, ensure_ascii=False) if words else "[]"
