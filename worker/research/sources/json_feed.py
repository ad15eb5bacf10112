"""JSON Feed 1.0 and 1.1: https://www.jsonfeed.org/version/1.1/."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from worker.research.errors import FeedError
from worker.research.sources.entry import (
    MAX_SUMMARY,
    MAX_TEXT,
    MAX_TITLE,
    Entry,
    Feed,
    iso_date,
    make_entry,
    unique,
)
from worker.research.text import clean, html_to_text

if TYPE_CHECKING:
    from datetime import datetime


def parse_json_feed(body: bytes, url: str, now: datetime) -> Feed:
    """The feed in these bytes.

    Raises:
        FeedError: it is none.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FeedError("expected a feed, found JSON that cannot be read") from error
    version = data.get("version") if isinstance(data, dict) else None
    if not isinstance(version, str) or "jsonfeed.org/version/1" not in version:
        raise FeedError("expected a feed, found other JSON")
    items = data.get("items")
    if not isinstance(items, list):
        raise FeedError("expected a feed, found a JSON Feed without items")
    entries = tuple(unique(_json_entry(raw, url, now) for raw in items if isinstance(raw, dict)))
    return Feed(clean(_string(data.get("title")), MAX_TITLE), entries)


def _json_entry(raw: dict[str, Any], base: str, now: datetime) -> Entry | None:
    html, text = _string(raw.get("content_html")), _string(raw.get("content_text"))
    authors = raw.get("authors") or [raw.get("author")]  # 1.1 has a list, 1.0 had one
    names = [_string(author.get("name")) for author in _list(authors) if isinstance(author, dict)]
    identifier = raw.get("id")
    return make_entry(
        guid=str(identifier) if isinstance(identifier, str | int | float) else None,
        links=[_string(raw.get("url")), _string(raw.get("external_url")), _string(identifier)],
        base=base,
        title=clean(_string(raw.get("title")), MAX_TITLE),
        bodies=[html_to_text(html, MAX_TEXT), clean(text, MAX_TEXT)],
        summary=clean(_string(raw.get("summary")), MAX_SUMMARY),
        author=", ".join(filter(None, names)),
        published=iso_date(_string(raw.get("date_published") or raw.get("date_modified")), now),
        keywords=(_string(tag) for tag in _list(raw.get("tags"))),
        enclosures=(
            (_string(one.get("url")), _string(one.get("mime_type")), one.get("size_in_bytes"))
            for one in _list(raw.get("attachments"))
            if isinstance(one, dict)
        ),
    )


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
