"""A topic as a row, in full, and as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from console.rows.base import Cell, Column, Tone
from console.rows.details import facts, heading
from console.text import DOT, ago, clean, number, plural, precise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from console.readings.topics import Delivery, Standing, Topic, TopicDetail
    from console.rows.details import Line

COLUMNS = (
    Column("#", 3, "right"),
    Column("Score", 6, "right"),
    Column("Topic", 0),
    Column("Weeks", 9),
    Column("Trend", 12, priority=2),
    Column("Sources", 7, "right"),
    Column("Market", 18, priority=3),
    Column("Seen", 4, "right", priority=3),
)
TONES = {
    "new": Tone.GOOD,
    "rising": Tone.GOOD,
    "steady": Tone.PLAIN,
    "falling": Tone.QUIET,
    "unknown": Tone.QUIET,
}
WIDTH = 9
MOST = {"rise": 60, "sources": 15, "fit": 12, "novelty": 8, "span": 5}
_EIGHTHS = "▁▂▃▄▅▆▇█"
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def key(topic: Topic) -> str:
    """What tells this row from the others."""
    return str(topic.id)


def cells(topic: Topic, now: datetime, *, ascii_only: bool = False) -> tuple[Cell, ...]:
    """The row's cells, in the order of COLUMNS."""
    del ascii_only
    tone = TONES.get(topic.trend, Tone.QUIET)
    return (
        Cell(str(topic.place), Tone.QUIET),
        Cell(f"{topic.score:.0f}", tone if topic.trend in {"new", "rising"} else Tone.PLAIN),
        Cell(clean(topic.title, 120)),
        Cell(sparkline(weeks(topic)), tone),
        Cell(trend(topic), tone),
        Cell(number(topic.sources)),
        Cell(clean(topic.market, 40), Tone.QUIET),
        Cell(ago(topic.first_seen, now), Tone.QUIET),
    )


def trend(topic: Topic) -> str:
    """`rising ×4.2`; a dot where there is no history yet."""  # noqa: RUF002 - a multiplication sign is meant as one
    if topic.velocity is None:
        return DOT
    return f"{topic.trend} ×{topic.velocity:.1f}" if topic.trend in {"rising", "falling"} else topic.trend


def weeks(topic: Topic) -> list[int]:
    """Its voices in each window, oldest first."""
    size = max(topic.window, 1)
    return [sum(topic.days[at : at + size]) for at in range(0, len(topic.days), size)]


def sparkline(values: Sequence[int], width: int = WIDTH) -> str:
    """Numbers as columns; the last ones, where there is not room for all."""
    shown = list(values[-width:])
    most = max(shown, default=0)
    return "".join(_EIGHTHS[round(value / most * 7)] if most else _EIGHTHS[0] for value in shown)


def confidence(value: float) -> str:
    """How sure, in a word."""
    return "high" if value >= 0.7 else "medium" if value >= 0.4 else "low"


def in_full(detail: TopicDetail, now: datetime, *, utc: bool = False) -> list[Line]:
    """A topic with what its score is made of, and its headlines."""
    topic = detail.topic
    lines = heading(clean(topic.title, 120), f"{topic.score:.0f} points")
    if detail.summary:
        lines += [(Cell(clean(detail.summary, 600)),), ()]
    if detail.angle:
        lines += [(Cell("To write: ", Tone.QUIET), Cell(clean(detail.angle, 600))), ()]
    lines += [(Cell("Why it ranks so", Tone.ACCENT),), *_points(detail), ()]
    lines += [(Cell("Headlines", Tone.ACCENT),)]
    for one in detail.headlines:
        lines += [
            (Cell(clean(one.title, 300)),),
            (
                Cell(
                    f"  {clean(one.source.partition('/')[0], 60)}, {ago(one.fetched_at, now)} ago", Tone.QUIET
                ),
            ),
        ]
    voices = " ".join(str(value) for value in weeks(topic))
    spans = {1: "  by day", 7: ""}.get(topic.window, f"  by {topic.window} days")
    together = detail.parts.get("cohesion")
    return [*lines, (), *facts(
        (
            ("market", clean(topic.market, 60)),
            ("trend", trend(topic) if topic.velocity is not None else "unknown: no history yet"),
            ("voices", f"{voices}{spans}"),
            ("a year ago", _year_ago(detail.parts)),
            ("one thing", "" if together is None else f"{together:.0%} of its stories"),
            ("confidence", f"{confidence(topic.confidence)} ({topic.confidence:.0%})"),
            ("first seen", f"{precise(topic.first_seen, utc=utc)}, {ago(topic.first_seen, now)} ago"),
            ("ranked", f"{precise(topic.last_seen, utc=utc)}, {ago(topic.last_seen, now)} ago"),
            ("in Notion", f"since {precise(topic.synced_at, utc=utc)}" if topic.synced_at else ""),
            ("named by", clean(detail.named_by, 60)),
            ("phrases", clean(", ".join(detail.phrases), 200)),
            ("key", clean(f"{topic.market}:{topic.key}", 200)),
        )
    )]  # fmt: skip


def _points(detail: TopicDetail) -> list[Line]:
    lines: list[Line] = []
    for name, most in MOST.items():
        points = detail.points.get(name, 0.0)
        tone = Tone.PLAIN if points else Tone.QUIET
        worth = Cell(f"{points:>3.0f}/{most:<2} {name:<8} ", tone)
        lines.append((worth, Cell(reason(detail, name), Tone.QUIET)))
    return lines


def reason(detail: TopicDetail, name: str) -> str:
    """Why a part of the score is what it is."""
    parts = detail.parts
    usual, novelty = parts.get("usual"), parts.get("novelty")
    match name:
        case "rise":
            return (
                "no history yet"
                if usual is None
                else f"{round(parts.get('voices', 0), 1):g} voices, usually {round(usual, 1):g}"
            )
        case "sources":
            return (
                plural(detail.topic.sources, "outlet")
                + f", {plural(detail.topic.documents, 'story', 'stories')}"
            )
        case "fit":
            return f"{parts.get('keyword_fit', 0):.0%} fit your keywords"
        case "novelty":
            if novelty is None:
                return "no history yet"
            return "never told before" if novelty == 1 else f"new to {novelty:.0%} of the past"
        case _:
            return f"told on {parts.get('span', 0)} of {plural(parts.get('days', 7), 'day')}"


def _year_ago(parts: dict[str, Any]) -> str:
    """Whether it comes back every year; empty where it was ranked by a version that did not look."""
    if "year_ago" not in parts or parts.get("usual") is None:
        return ""
    voices = parts["year_ago"]
    return "nothing is kept from then" if voices is None else f"{round(voices, 1):g} voices"


def as_markdown(detail: TopicDetail) -> str:
    """The topic to be pasted into a document: foreign text can neither format nor link."""
    topic = detail.topic
    lines = [f"## {_escaped(topic.title)}", ""]
    lines += [f"{_escaped(text)}\n" for text in (detail.summary, detail.angle) if text]
    why = ", ".join(
        f"{detail.points[name]:g} for {name} ({reason(detail, name)})"
        for name in MOST
        if detail.points.get(name)
    )
    lines += [f"Score {topic.score:g}: {why}. Confidence {confidence(topic.confidence)}.", ""]
    for one in detail.headlines:
        title, url = _escaped(one.title), web_url(one.url)
        link = f"[{title}](<{url.replace('<', '%3C').replace('>', '%3E')}>)" if url else title
        lines.append(f"- {link} ({_escaped(one.source.partition('/')[0])}, {one.fetched_at:%Y-%m-%d})")
    return "\n".join([*lines, ""])


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", clean(text, 1_000))


def web_url(url: str | None) -> str | None:
    """The address, if it is one of the web and has nothing in it that steers a terminal or a shell."""
    if not url or not url.startswith(("http://", "https://")) or len(url) > 2_000:
        return None
    return url if url.isprintable() and not set(url) & set(" \"'`\\<>") else None


def standing(ones: Sequence[Standing], now: datetime) -> str:
    """What the rankings rest on: `498 stories, ranked 1h ago, no history yet`."""
    if not ones:
        return ""
    stories = plural(sum(one.stories for one in ones), "story", "stories")
    history = "" if any(one.history for one in ones) else ", no history yet"
    return f"{stories}, ranked {ago(max(one.at for one in ones), now)} ago{history}"


def model(ones: Sequence[Standing]) -> str:
    """What the model that names topics has cost today, and why it did not name all."""
    llm = [one.llm for one in ones if one.llm]
    if not llm:
        return ""
    spent, budget = max(one.get("day_tokens", 0) for one in llm), llm[0].get("day_budget", 0)
    why = next((clean(one["reason"], 120) for one in llm if one.get("reason")), "")
    return f"model {number(spent)} of {number(budget)} tokens{f': {why}' if why else ''}"


def delivered(ones: Sequence[Delivery], now: datetime) -> str:
    """What became of the last report and sync: `report 2h ago, Notion 2h ago`."""
    words = {"report": "report", "notion": "Notion"}
    return ", ".join(
        f"{words.get(one.sink, clean(one.sink, 20))} {f'failed {ago(one.at, now)} ago: {clean(one.error, 120)}' if one.error else f'{ago(one.at, now)} ago'}"
        for one in ones
    )
