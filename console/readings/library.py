"""What has been collected, from `topics.db`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.readings import topics
from console.readings.model import Headline, Library
from console.readings.times import moment

if TYPE_CHECKING:
    from console.readings.connection import File, Row

HEADLINES = 6
_HEADLINE = "SELECT title, source, market, fetched_at, url FROM document"


def library(file: File) -> Library:
    """How many documents there are, and the newest."""
    count = file.value("SELECT n FROM tally WHERE name = 'documents'") or 0
    rows = file.rows(f"{_HEADLINE} ORDER BY id DESC LIMIT ?", (HEADLINES,))
    return Library(
        int(count), tuple(_headline(row) for row in rows), topics.standings(file), topics.deliveries(file)
    )


def _headline(row: Row) -> Headline:
    return Headline(row["title"], row["source"], row["market"], moment(row["fetched_at"]), row["url"])
