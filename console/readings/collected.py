"""Documents as they were collected: the newest first, and one in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.readings.model import Found
from console.readings.pages import Listing, Segment
from console.readings.times import maybe, moment

if TYPE_CHECKING:
    from console.readings.connection import File, Row

EXCERPT = 4_000
_COLUMNS = "id, title, url, source, market, language, published_at, fetched_at"


@dataclass(frozen=True, slots=True)
class DocumentDetail:
    """A document in full, as far as a screen needs.

    Attributes:
        text: its beginning.
        others: further sources that told it.
        topics: titles of the topics it belongs to.
    """

    document: Found
    text: str
    author: str | None
    others: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


def newest(file: File) -> Listing[Found]:
    """All documents, the newest first."""
    select = f"SELECT {_COLUMNS} FROM document WHERE 1"
    return Listing(file, [Segment(select, (), (("id", True),), _document)], lambda: _count(file))


def detail(file: File, document_id: int) -> DocumentDetail | None:
    """A document in full; None when it is not kept any more."""
    rows = file.rows(
        f"SELECT {_COLUMNS}, author, substr(coalesce(nullif(content, ''), summary, ''), 1, ?) AS text "
        "FROM document WHERE id = ?",
        (EXCERPT, document_id),
    )
    if not rows:
        return None
    row = rows[0]
    others = file.rows(
        "SELECT source FROM duplicate WHERE document = ? ORDER BY seen_at LIMIT 20", (document_id,)
    )
    topics = (
        file.rows(
            "SELECT title FROM topic WHERE place IS NOT NULL AND id IN "
            "(SELECT topic FROM topic_document WHERE document = ?) ORDER BY score DESC LIMIT 10",
            (document_id,),
        )
        if file.knows("topic_document")
        else []
    )
    return DocumentDetail(
        _document(row), row["text"], row["author"], tuple(one["source"] for one in others),
        tuple(one["title"] for one in topics),
    )  # fmt: skip


def _count(file: File) -> int:
    return int(file.value("SELECT n FROM tally WHERE name = 'documents'") or 0)


def _document(row: Row) -> Found:
    return Found(
        kind="document", id=row["id"], title=row["title"], url=row["url"], source=row["source"], market=row["market"],
        language=row["language"], published_at=maybe(row["published_at"]), at=moment(row["fetched_at"]), copies=0,
        context=(),
    )  # fmt: skip
