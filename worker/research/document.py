"""What a collected article is, and when two articles have the same content."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime  # noqa: TC003 - pydantic reads the annotation at run time
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from worker.research.sources.entry import Enclosure  # noqa: TC001 - likewise

# Below this many words a text is no evidence: outlets repeat "Podcast: Guten Morgen" every day.
MIN_WORDS_OF_CONTENT = 20

# Most European texts fit into one byte a character, typographic quotation marks included.
_WESTERN = "cp1252"
_ONLY_WORDS = bytes(
    octet if re.match(r"\w", bytes([octet]).decode(_WESTERN, "replace")) else ord(" ") for octet in range(256)
)
_SPACES = re.compile(rb"  +")

Score = Annotated[float, Field(ge=0, le=1)]


class DocumentStatus(StrEnum):
    """What has become of a document."""

    NEW = "new"
    PROCESSED = "processed"
    REJECTED = "rejected"


class Document(BaseModel):
    """One article, as one source told it first.

    Attributes:
        source: the source's key, see `sources.Source`.
        source_url: the article's address as the feed gave it, made absolute.
        canonical_url: the address as it is stored, see `urls.canonical_url`; None where there is none.
        canonical_key: by which the same article is recognised at another source.
        content_hash: equal for the same content, see `content_hash`.
        guid: the feed's own identifier of the entry.
        published_at: aware UTC; None where the feed names no date.
        fetched_at: aware UTC; when it was first seen.
        enclosures: the files that the feed gives with it.
        reliability_score: how far the source is trusted, 0 to 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    source_url: str
    title: str
    content: str
    summary: str | None = None
    language: str
    domain: str
    market: str
    vertical: str
    content_hash: str
    canonical_url: str | None
    canonical_key: str
    guid: str | None = None
    published_at: datetime | None = None
    fetched_at: datetime
    author: str | None = None
    entities: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    reliability_score: Score = 0.5
    paywall: bool = False
    status: DocumentStatus = DocumentStatus.NEW


def content_hash(title: str, content: str, canonical_key: str) -> str:
    """The same for two texts that differ in case, punctuation and spaces only.

    A text too short to be evidence is told apart by its key.
    """
    words = _words(unicodedata.normalize("NFKC", f"{title} {content}").casefold())
    if words.count(" ") + 1 < MIN_WORDS_OF_CONTENT:
        words = f"{canonical_key} {words}".rstrip()
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


def _words(text: str) -> str:
    r"""What `\w+` finds, with a space between two; bytes are told apart at a third of the cost of characters."""
    try:
        octets = text.encode(_WESTERN)
    except UnicodeEncodeError:
        return " ".join(re.findall(r"\w+", text))
    return _SPACES.sub(b" ", octets.translate(_ONLY_WORDS)).strip().decode(_WESTERN)
