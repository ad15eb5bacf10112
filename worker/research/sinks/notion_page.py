"""A topic as a page's properties, within Notion's limits.

https://developers.notion.com/reference/request-limits#size-limits
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from worker.research.sinks.notion_schema import KEY
from worker.research.sinks.words import why

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.research.topics import Topic

MAX_TEXT: Final = 2000
MAX_URL: Final = 2000
MAX_OPTION: Final = 100


def key_of(market: str, key: str) -> str:
    """By which a topic's page is found again."""
    return _fitting(f"{market}:{key}", MAX_TEXT)


def properties(topic: Topic, names: Collection[str]) -> dict[str, Any]:
    """What every sync sets, of the properties that the database has."""
    parts = topic.parts
    link = next((one.url for one in topic.samples if one.url and len(one.url) <= MAX_URL), None)
    every: dict[str, Any] = {
        "Title": {"title": [_text(topic.title)]},
        KEY: {"rich_text": [_text(key_of(topic.market, topic.key))]},
        "Source": _option("rss"),
        "Market": _option(topic.country),
        "Domain": _option(topic.domain),
        "Language": _option(topic.language),
        "Description": {"rich_text": [_text(description(topic))]},
        "Source URL": {"url": link},
        "Trending Score": {"number": topic.score},
        "Trend": _option(str(parts.trend)),
        "Velocity": {"number": parts.velocity},
        "Confidence": {"number": parts.confidence},
        "Sources": {"number": parts.sources},
        "Stories": {"number": parts.documents},
        "Why": {"rich_text": [_text(why(topic))]},
        "Angle": {"rich_text": [_text(topic.angle)] if topic.angle else []},
        "First Seen": {"date": {"start": topic.first_seen.date().isoformat()}},
    }
    return {name: value for name, value in every.items() if name in names}


def at_first() -> dict[str, Any]:
    """What only a new page gets, because people change it later."""
    return {"Status": _option("discovered")}


def description(topic: Topic) -> str:
    """The topic in some lines: what happened, who says so, and headlines."""
    parts = topic.parts
    fit = f", {parts.keyword_fit:.0%} near the keywords" if parts.keyword_fit else ""
    first = (
        f"{parts.sources} sources, {parts.documents} stories{fit}, first seen {topic.first_seen:%Y-%m-%d}."
    )
    samples = (f"{one.title} ({one.source.partition('/')[0]}, {one.at:%Y-%m-%d})" for one in topic.samples)
    return "\n".join([*([topic.summary] if topic.summary else []), first, *samples])


def _text(content: str) -> dict[str, Any]:
    return {"type": "text", "text": {"content": _fitting(content, MAX_TEXT)}}


def _option(name: str) -> dict[str, Any]:
    return {"select": {"name": _fitting(name.replace(",", " "), MAX_OPTION)}}  # Notion refuses a comma here


def _fitting(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, which is how Notion's JavaScript counts."""
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")
