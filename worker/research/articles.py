"""The text of an article's page, for entries of which a feed gives only a few words.

Only pages of stories that the library does not have yet are fetched, a few for each source and run, and only
where the site's robots.txt lets programs read them.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from worker.research.document import content_hash
from worker.research.errors import FetchError
from worker.research.http import Ask
from worker.research.robots import Robots
from worker.research.sources import Kind
from worker.research.sources.entry import MAX_TEXT
from worker.research.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from worker.research.document import Document
    from worker.research.http import Fetcher
    from worker.research.library_sources import Harvest
    from worker.research.sources import Source

ACCEPT: Final = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
# What is longer is the article itself, or a teaser worth having.
SHORT: Final = 800
MOST_PAGES: Final = 20
_READERS: Final = 2
# Reading a page takes seconds for a megabyte of some markup, and for one tag it grows with the square of its length;
# articles are smaller.
_LARGEST: Final = 2_000_000
_LONG_TAG: Final = re.compile(rb"<[a-zA-Z][^<>]{20000}")
# A news page leads to its article; a search's page leads to another site, and completions to none.
KINDS: Final = frozenset({Kind.FEED, Kind.REDDIT})
# https://developers.google.com/search/docs/appearance/structured-data/paywalled-content
_PAYWALL: Final = re.compile(r"\"isAccessibleForFree\"\s*:\s*\"?false", re.IGNORECASE)


class Articles:
    """Fetches article pages.

    Args:
        fetcher: open.
        unknown: which of some canonical keys the library has no story for.
    """

    def __init__(self, fetcher: Fetcher, unknown: Callable[[Iterable[str]], set[str]]) -> None:
        self._fetcher, self._unknown = fetcher, unknown
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="articles")
        self._robots = Robots(fetcher)

    def close(self) -> None:
        """Ends the reading of pages."""
        self._threads.shutdown(cancel_futures=True)

    async def fill(self, source: Source, harvest: Harvest) -> Harvest:
        """The harvest with the full text of what is new and short; what could not be had is said as a warning."""
        short = [document for document in harvest.documents if _is_short(document)]
        if source.kind not in KINDS or not short:
            return harvest
        loop = asyncio.get_running_loop()
        new = await loop.run_in_executor(self._threads, self._unknown, [one.canonical_key for one in short])
        wanted = [document for document in short if document.canonical_key in new][:MOST_PAGES]
        filled = await asyncio.gather(*(self._one(document) for document in wanted))
        by_key = {one.canonical_key: one for one, why in filled if why is None}
        missed = [why for _, why in filled if why is not None]
        documents = tuple(by_key.get(one.canonical_key, one) for one in harvest.documents)
        # The tellings are of the texts that the feed gave.
        return replace(
            harvest,
            documents=documents,
            tellings=None,
            warning=_warning(harvest.warning, missed, len(wanted)),
        )

    async def _one(self, document: Document) -> tuple[Document, str | None]:
        url = document.canonical_url or ""
        try:
            if not await self._robots.allows(url):
                return document, "robots.txt forbids it"
            delay = await self._robots.delay_s(url)
            page = await self._fetcher.get(Ask(url, accept=ACCEPT, delay_s=delay))
        except FetchError as error:
            return document, str(error)
        loop = asyncio.get_running_loop()
        text, paywall = await loop.run_in_executor(self._threads, article_text, page.body, page.url)
        if len(text) <= len(document.content):
            return document, None if paywall else "no article was found in it"
        hashed = content_hash(document.title, text, document.canonical_key)
        summary = document.summary or (document.content[:1_000] or None)
        return document.model_copy(
            update={"content": text, "content_hash": hashed, "summary": summary, "paywall": paywall}
        ), None


def _is_short(document: Document) -> bool:
    return document.canonical_url is not None and len(document.content) < SHORT


def _warning(before: str | None, missed: list[str], wanted: int) -> str | None:
    if not missed:
        return before
    most = max(set(missed), key=missed.count)
    text = f"{len(missed)} of {wanted} article pages could not be read, mostly: {most}"
    return f"{before}; {text}" if before else text


def article_text(page: bytes, url: str) -> tuple[str, bool]:
    """The article in a page as plain text, and whether it says that it is not for all to read.

    Args:
        page: as fetched, unpacked.
        url: where it came from.
    """
    if len(page) > _LARGEST or _LONG_TAG.search(page):
        return "", False
    try:
        import trafilatura  # noqa: PLC0415 - heavy, an extra, and only for markets that want it

        text = trafilatura.extract(page, url=url, include_comments=False, favor_precision=True)
    except Exception:  # noqa: BLE001 - it raises many kinds, on odd pages and on import; none is worth the run
        text = None
    return clean(text or "", MAX_TEXT), _PAYWALL.search(page.decode("utf-8", "replace")) is not None
