"""Keeping a ranking: what was ranked stays known, and what Notion knows of a topic stays with it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.research.library import Library
    from worker.research.topics import Headline, Ranking, Topic
    from worker.sqlite import sqlite3

_COLUMNS = (
    "market", "key", "title", "score", "parts", "sources", "documents", "samples", "first_seen", "last_seen",
    "place", "trend", "velocity", "confidence", "phrases", "days", "named_by", "summary", "angle",
)  # fmt: skip
_KEPT = {"market", "key", "first_seen"}
_SAVE = (
    f"INSERT INTO topic ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    "ON CONFLICT (market, key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in _KEPT)
    + ", first_seen = min(first_seen, excluded.first_seen) RETURNING id"
)


def save_ranking(library: Library, ranking: Ranking, *, llm: Mapping[str, Any] | None = None) -> None:
    """Makes this the market's latest ranking, in one transaction.

    Args:
        library: where to.
        ranking: what was ranked.
        llm: what a model did for it, or why none did.

    Raises:
        LibraryError: nothing of it was stored.
    """
    with library.transaction() as conn:
        conn.execute(
            "UPDATE topic SET place = NULL WHERE market = ? AND place IS NOT NULL", (ranking.market,)
        )
        for place, topic in enumerate(ranking.topics, start=1):
            number = conn.execute(_SAVE, _values(topic, place, ranking)).fetchone()[0]
            _link(conn, number, topic)
        conn.execute(
            "INSERT OR REPLACE INTO ranking (market, at, stories, outlets, history, seconds, llm) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                ranking.market,
                ranking.at.timestamp(),
                ranking.stories,
                ranking.outlets,
                ranking.history,
                ranking.seconds,
                json.dumps(llm) if llm is not None else None,
            ),
        )


def note_delivery(
    library: Library, sink: str, *, at: float, stats: Mapping[str, Any], error: str | None = None
) -> None:
    """Remembers what came of the latest delivery to a sink.

    Args:
        library: where to.
        sink: "notion" or "report".
        at: Unix seconds.
        stats: what was done.
        error: why it failed, in one sentence; None where it did not.
    """
    with library.transaction() as conn:
        conn.execute(
            "INSERT OR REPLACE INTO delivery (sink, at, error, stats) VALUES (?, ?, ?, ?)",
            (sink, at, error, json.dumps(stats)),
        )


def _values(topic: Topic, place: int, ranking: Ranking) -> tuple[Any, ...]:
    parts = topic.parts
    return (
        topic.market,
        topic.key,
        topic.title,
        topic.score,
        json.dumps(asdict(parts) | {"points": parts.points, "source_keys": topic.sources}),
        parts.sources,
        parts.documents,
        json.dumps([_sample(one) for one in topic.samples], ensure_ascii=False),
        topic.first_seen.timestamp(),
        ranking.at.timestamp(),
        place,
        str(parts.trend),
        parts.velocity,
        parts.confidence,
        json.dumps(topic.phrases, ensure_ascii=False),
        json.dumps(topic.days),
        topic.named_by,
        topic.summary,
        topic.angle,
    )


def _sample(headline: Headline) -> dict[str, Any]:
    return asdict(headline) | {"at": headline.at.isoformat()}


def _link(conn: sqlite3.Connection, number: int, topic: Topic) -> None:
    """The topic's stories are those of this ranking; only what has changed is written."""
    kept = {row[0] for row in conn.execute("SELECT document FROM topic_document WHERE topic = ?", (number,))}
    wanted = set(topic.stories)
    conn.executemany(
        "DELETE FROM topic_document WHERE topic = ? AND document = ?",
        [(number, one) for one in kept - wanted],
    )
    conn.executemany(
        "INSERT OR IGNORE INTO topic_document (topic, document) VALUES (?, ?)",
        [(number, one) for one in wanted - kept],
    )
