"""Topics as last ranked, what they rest on, and what became of the last report and sync."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from console.readings.filters import condition, parse
from console.readings.model import Headline
from console.readings.pages import Listing, Segment, Sort
from console.readings.times import maybe, moment

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.connection import File, Row

SORTS = (
    Sort("score", "best first", "Score", descending=True),
    Sort("sources", "most sources first", "Sources", descending=True),
    Sort("newest", "newest first", "Seen", descending=True),
)
_ORDERS = {
    "score": (("score", True), ("place", False), ("id", True)),
    "sources": (("sources", True), ("score", True), ("id", True)),
    "newest": (("first_seen", True), ("id", True)),
}
_TOPIC = """SELECT id, market, key, place, title, score, trend, velocity, confidence, sources, documents, days,
    parts, first_seen, last_seen, synced_at FROM topic WHERE place IS NOT NULL"""
_COLUMNS = {
    "any": "title, market, key", "task": "title", "market": "market", "err": "title", "id": "key", "is": "trend",
    "age": "first_seen",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a market's latest ranking.

    Attributes:
        place: in its market, from 1.
        trend: new, rising, steady, falling, or unknown: no history yet.
        velocity: how many times its usual voices it has; None: no history yet.
        confidence: 0 to 1.
        days: outlets that told it on each day, oldest first, the current window last.
        window: days of a window.
        synced_at: when it was last sent to Notion.
    """

    id: int
    market: str
    key: str
    place: int
    title: str
    score: float
    trend: str
    velocity: float | None
    confidence: float
    sources: int
    documents: int
    days: tuple[int, ...]
    window: int
    first_seen: datetime
    last_seen: datetime
    synced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a market's latest ranking rests on.

    Attributes:
        history: earlier windows it was compared with; 0: no history yet.
        llm: what a model did for it and what that cost; None: no model is set up.
    """

    market: str
    at: datetime
    stories: int
    outlets: int
    history: int
    seconds: float
    llm: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TopicDetail:
    """A topic in full.

    Attributes:
        points: what each part of the score is worth.
        parts: the facts behind them, by the worker's names.
        headlines: some of its stories, each of another outlet first.
        stories: how many stories are linked to it.
    """

    topic: Topic
    points: dict[str, float]
    parts: dict[str, Any]
    headlines: tuple[Headline, ...]
    phrases: tuple[str, ...] = ()
    summary: str | None = None
    angle: str | None = None
    named_by: str | None = None
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """The latest report, or sync.

    Attributes:
        sink: report or notion.
        error: why it failed; None: it went well.
    """

    sink: str
    at: datetime
    error: str | None = None
    stats: dict[str, Any] = field(default_factory=dict)


def listing(file: File, text: str, now: float, sort: str = "score") -> Listing[Topic]:
    """The topics of all markets' latest rankings; `text` is a filter, `sort` one of SORTS.

    Raises:
        ReadingError: the filter cannot be understood.
    """
    where, params = condition(parse(text), _COLUMNS, now)
    segments = [Segment(_TOPIC, (), _ORDERS[sort], _topic, where, params, since="first_seen")]
    if not file.knows("ranking"):
        return Listing(file, ())
    # A ranking has a hundred topics at the most, so counting them costs the same for ever.
    return Listing(file, segments, lambda: file.value("SELECT count(*) FROM topic WHERE place IS NOT NULL"))


def detail(file: File, topic_id: int) -> TopicDetail | None:
    """A topic in full, also one that is not ranked any more."""
    rows = file.rows(
        f"{_TOPIC.partition(' FROM ')[0]}, samples, phrases, summary, angle, named_by FROM topic WHERE id = ?",
        (topic_id,),
    )
    if not rows:
        return None
    row = rows[0]
    topic, parts = _topic(row), _json(row["parts"], {})
    return TopicDetail(
        topic=topic,
        points={str(name): float(value) for name, value in parts.get("points", {}).items()},
        parts=parts,
        headlines=tuple(
            Headline(
                str(one.get("title", "")), str(one.get("source", "")), topic.market,
                moment(one["at"]) if isinstance(one.get("at"), int | float) else _iso(one.get("at"), topic.first_seen),
                one.get("url"),
            )
            for one in _json(row["samples"], [])
        ),
        phrases=tuple(str(one) for one in _json(row["phrases"], [])),
        summary=row["summary"],
        angle=row["angle"],
        named_by=row["named_by"],
        standing=next((one for one in standings(file) if one.market == topic.market), None),
    )  # fmt: skip


def find(file: File, key: str) -> int | None:
    """The id of a topic by its number, its key, or market:key; the best ranked of several."""
    market, colon, name = key.partition(":")
    query = "SELECT id FROM topic WHERE {} ORDER BY place IS NULL, score DESC LIMIT 1"
    for where, params in (
        ("market = ? AND key = ?", (market, name if colon else "")),
        ("key = ?", (key,)),
        ("id = ?", (int(key) if key.isdecimal() and len(key) < 19 else -1,)),
    ):
        if (found := file.value(query.format(where), params)) is not None:
            return int(found)
    return None


def standings(file: File) -> tuple[Standing, ...]:
    """What each market's latest ranking rests on."""
    if not file.knows("ranking"):
        return ()
    return tuple(
        Standing(
            row["market"], moment(row["at"]), row["stories"], row["outlets"], row["history"], row["seconds"],
            _json(row["llm"], None),
        )
        for row in file.rows("SELECT * FROM ranking ORDER BY market")
    )  # fmt: skip


def deliveries(file: File) -> tuple[Delivery, ...]:
    """The latest report and the latest sync."""
    if not file.knows("delivery"):
        return ()
    return tuple(
        Delivery(row["sink"], moment(row["at"]), row["error"], _json(row["stats"], {}))
        for row in file.rows("SELECT * FROM delivery ORDER BY sink DESC")
    )


def _topic(row: Row) -> Topic:
    days = _json(row["days"], [])
    return Topic(
        id=row["id"], market=row["market"], key=row["key"], place=row["place"] or 0, title=row["title"],
        score=row["score"], trend=row["trend"], velocity=row["velocity"], confidence=row["confidence"],
        sources=row["sources"], documents=row["documents"],
        days=tuple(one for one in days if isinstance(one, int)), window=_json(row["parts"], {}).get("days", 7),
        first_seen=moment(row["first_seen"]), last_seen=moment(row["last_seen"]), synced_at=maybe(row["synced_at"]),
    )  # fmt: skip


def _json(text: str | None, otherwise: Any) -> Any:
    try:
        found = json.loads(text) if text else otherwise
    except (ValueError, RecursionError):
        return otherwise
    return found if otherwise is None or isinstance(found, type(otherwise)) else otherwise


def _iso(text: object, otherwise: datetime) -> datetime:
    from datetime import datetime as made  # noqa: PLC0415 - the module's other import is for types only

    try:
        return made.fromisoformat(str(text))
    except ValueError:
        return otherwise
