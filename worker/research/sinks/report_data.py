"""Topics for programs: CSV, JSON, and an RSS feed. Foreign text is escaped for each."""

from __future__ import annotations

import csv
import io
import json
import re
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from worker.research.sinks.words import confidence, standing, why

if TYPE_CHECKING:
    from worker.research.markets import Market
    from worker.research.topics import Ranking, Topic

_COLUMNS: Final = (
    "place", "title", "score", "trend", "velocity", "confidence", "sources", "stories", "first_seen", "why", "summary",
    "angle", "headline", "url", "key",
)  # fmt: skip
# A spreadsheet takes a cell that begins with one of these for a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# What XML 1.0 has no place for, even escaped: https://www.w3.org/TR/xml/#charsets
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def web_url(url: str | None) -> str | None:
    """The address, if it is one of the web; a feed may name any other."""
    return url if url and url.startswith(("http://", "https://")) else None


def csv_table(market: Market, ranking: Ranking) -> str:
    """One line for each topic."""
    del market
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for place, topic in enumerate(ranking.topics, 1):
        first = topic.samples[0] if topic.samples else None
        writer.writerow(
            _cell(value)
            for value in (
                place, topic.title, topic.score, str(topic.parts.trend), topic.parts.velocity, topic.parts.confidence,
                topic.parts.sources, topic.parts.documents, topic.first_seen.date().isoformat(), why(topic),
                topic.summary, topic.angle, first.title if first else None, web_url(first.url) if first else None,
                topic.key,
            )
        )  # fmt: skip
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def json_document(market: Market, ranking: Ranking) -> str:
    """Everything that is known, with stable names."""
    return json.dumps(
        {
            "market": market.name, "at": ranking.at.isoformat(), "stories": ranking.stories, "outlets": ranking.outlets,
            "history": ranking.history, "days": ranking.days, "standing": standing(ranking),
            "topics": [_topic(topic, place) for place, topic in enumerate(ranking.topics, 1)],
        },
        ensure_ascii=False, indent=2,
    ) + "\n"  # fmt: skip


def _topic(topic: Topic, place: int) -> dict[str, Any]:
    parts = topic.parts
    return {
        "place": place, "key": topic.key, "title": topic.title, "score": topic.score, "points": parts.points,
        "trend": str(parts.trend), "velocity": parts.velocity, "voices": parts.voices, "usual": parts.usual,
        "confidence": parts.confidence, "confidence_word": confidence(topic), "sources": parts.sources,
        "stories": parts.documents, "keyword_fit": parts.keyword_fit, "novelty": parts.novelty, "span": parts.span,
        "first_seen": topic.first_seen.isoformat(), "why": why(topic), "named_by": topic.named_by,
        "summary": topic.summary, "angle": topic.angle, "days": list(topic.days),
        "headlines": [
            {"title": one.title, "url": web_url(one.url), "source": one.source, "at": one.at.isoformat()}
            for one in topic.samples
        ],
    }  # fmt: skip


def feed(market: Market, ranking: Ranking) -> str:
    """The topics as RSS 2.0; a topic is one item for as long as it lives: https://www.rssboard.org/rss-specification."""
    items = "".join(_item(market, topic, place) for place, topic in enumerate(ranking.topics, 1))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{_xml(f'Rising topics: {market.name}')}</title><link>https://www.rssboard.org/rss-specification</link>"
        f"<description>{_xml(standing(ranking))}</description>"
        f"<lastBuildDate>{format_datetime(ranking.at)}</lastBuildDate>{items}</channel></rss>\n"
    )


def _item(market: Market, topic: Topic, place: int) -> str:
    link = next((web_url(one.url) for one in topic.samples if web_url(one.url)), None)
    lines = [f"{place}. {why(topic)}", topic.summary, topic.angle, *(one.title for one in topic.samples)]
    text = "\n".join(line for line in lines if line)
    return (
        f"<item><title>{_xml(topic.title)}</title>{f'<link>{_xml(link)}</link>' if link else ''}"
        f'<guid isPermaLink="false">{_xml(f"{market.name}:{topic.key}")}</guid>'
        f"<pubDate>{format_datetime(topic.first_seen)}</pubDate><description>{_xml(text)}</description></item>"
    )


def _xml(text: str) -> str:
    return escape(_NO_XML.sub(" ", text), {'"': "&quot;"})
