"""A topic's score in words, the same in every sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.research.topics import Ranking, Topic

NO_HISTORY = "No history yet: in a week it can be said what rises."
NO_YEAR = "Nothing is kept from the same weeks a year ago: what comes back every year looks new"


def why(topic: Topic) -> str:
    """Why it ranks where it does: each part of the score with its reason, the strongest first."""
    parts = topic.parts
    usual = "no history yet" if parts.usual is None else _voices(parts.voices, parts.usual)
    usual += f", {round(parts.year_ago, 1):g} a year ago" if parts.year_ago else ""
    loose = f"; {parts.cohesion:.0%} of its stories hang together" if parts.cohesion < 1 else ""
    reasons = {
        "rise": usual + loose,
        "sources": f"{parts.sources} sources",
        "fit": f"{parts.keyword_fit:.0%} of its stories touch your keywords",
        "novelty": "no history yet"
        if parts.novelty is None
        else "never told before"
        if parts.novelty == 1
        else f"new to {parts.novelty:.0%} of the past",
        "span": f"told on {parts.span} of {_days(parts.days)}",
    }
    ordered = sorted(parts.points.items(), key=lambda part: -part[1])
    return ", ".join(f"{points:g} for {name} ({reasons[name]})" for name, points in ordered if points)


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _voices(now: float, usual: float) -> str:
    return f"{round(now, 1):g} voices, usually {round(usual, 1):g}"


def confidence(topic: Topic) -> str:
    """How sure, in a word."""
    value = topic.parts.confidence
    return "high" if value >= 0.7 else "medium" if value >= 0.4 else "low"


def standing(ranking: Ranking) -> str:
    """What a ranking rests on."""
    stories = f"{ranking.stories} stories of {ranking.outlets} outlets in {_days(ranking.days)}"
    if not ranking.history:
        return f"{stories}. {NO_HISTORY}"
    windows = "window" if ranking.history == 1 else "windows"
    a_year = " and the same weeks a year ago" if ranking.year_ago else f". {NO_YEAR}"
    return f"{stories}, compared with {ranking.history} earlier {windows} of {_days(ranking.days)}{a_year}"
