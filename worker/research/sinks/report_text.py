"""Topics for people, as Markdown. Foreign text can neither format nor link."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from worker.research.sinks.report_data import web_url
from worker.research.sinks.words import confidence, standing, why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.research.markets import Market
    from worker.research.topics import Headline, Ranking, Topic

_MARKS: Final = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_BARS: Final = "▁▂▃▄▅▆▇█"


def markdown(market: Market, ranking: Ranking) -> str:
    """The report: a table to look at, then each topic with its reasons and headlines."""
    lines = [
        f"# Rising topics: {escaped(market.name)}",
        "",
        f"{ranking.at:%Y-%m-%d %H:%M} UTC. {standing(ranking)}.".replace("..", "."),
        "",
    ]
    if not ranking.topics:
        return "\n".join([*lines, "No topic yet: not enough sources tell the same.", ""])
    lines += ["| | topic | score | trend | sources | stories | |", "|--:|---|--:|---|--:|--:|---|"]
    lines += [_row(topic, place, ranking.days) for place, topic in enumerate(ranking.topics, 1)]
    for place, topic in enumerate(ranking.topics, 1):
        lines += ["", *topic_lines(topic, place)]
    return "\n".join([*lines, ""])


def _row(topic: Topic, place: int, days: int) -> str:
    parts = topic.parts
    return (
        f"| {place} | {escaped(topic.title)} | {topic.score:g} | {trend(topic)} | {parts.sources} | {parts.documents} "
        f"| {bars(weeks(topic.days, days))} |"
    )


def topic_lines(topic: Topic, place: int) -> list[str]:
    """One topic."""
    lines = [f"## {place}. {escaped(topic.title)}", ""]
    lines += [f"{escaped(text)}\n" for text in (topic.summary, topic.angle) if text]
    lines += [f"Score {topic.score:g}: {why(topic)}. Confidence {confidence(topic)}.", ""]
    return [*lines, *(_headline(one) for one in topic.samples)]


def _headline(one: Headline) -> str:
    url = web_url(one.url)
    title = escaped(one.title)
    link = f"[{title}](<{url.replace('<', '%3C').replace('>', '%3E')}>)" if url else title
    return f"- {link} ({escaped(one.source.partition('/')[0])}, {one.at:%Y-%m-%d})"


def trend(topic: Topic) -> str:
    """The trend in a word, with how many times its usual voices it has."""
    velocity = topic.parts.velocity
    return "no history yet" if velocity is None else f"{topic.parts.trend} ×{velocity:.1f}"


def escaped(text: str) -> str:
    """Foreign text on one line, without meaning for Markdown."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def weeks(days: Sequence[int], length: int) -> list[int]:
    """The voices of each window, oldest first."""
    return [sum(days[at : at + length]) for at in range(0, len(days), length)]


def bars(values: Sequence[int]) -> str:
    """Numbers as a row of bars."""
    most = max(values, default=0)
    return "".join(_BARS[round(value / most * (len(_BARS) - 1))] if most else _BARS[0] for value in values)
