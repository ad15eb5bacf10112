"""Fetching and reading one source: what it gave, that it has nothing new, or why it gave nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from worker.research import polling
from worker.research.document import Document
from worker.research.errors import FeedError, FetchError
from worker.research.http import Ask
from worker.research.library_sources import Harvest, Known
from worker.research.readers import Readers
from worker.research.sources import Kind
from worker.research.urls import host_of

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from worker.research.clock import Clock
    from worker.research.http import Fetched, Fetcher
    from worker.research.markets import Market
    from worker.research.polling import Wait
    from worker.research.reading import ReadEntry, Reading
    from worker.research.reddit_login import RedditLogin
    from worker.research.sources import Source


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a source gave nothing.

    Attributes:
        moved: the address that it moved to was asked, and is no good.
    """

    sentence: str
    wait: Wait
    status: int | None = None
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A source had nothing new; `moved_to` and `address` are those of a `Harvest`."""

    seconds: float
    wait: Wait
    moved_to: str | None = None
    address: str | None = None


Gathered = Harvest | Unchanged | Failure


class Gatherer:
    """Fetches and reads the sources of one market, and knows nothing of the library.

    Args:
        market: what its documents are of.
        fetcher: open.
        now: the clock.
        room: entered before an answer is read, and left by whoever has stored what came of it, so that fetching
            waits for slow storing; None: there is always room.
        alone: the hosts of which only one thing is asked.
        login: by which sources are asked that want a key; None: they are asked without one.
    """

    def __init__(
        self,
        market: Market,
        fetcher: Fetcher,
        now: Clock,
        *,
        room: asyncio.Semaphore | None = None,
        alone: frozenset[str] = frozenset(),
        login: RedditLogin | None = None,
    ) -> None:
        self._market, self._fetcher, self._now = market, fetcher, now
        self._room, self._alone, self._login = room, alone, login
        self._readers = Readers(market.language)

    def close(self) -> None:
        """Ends the reading."""
        self._readers.close()

    async def gather(self, source: Source, known: Known) -> Gathered:
        """What came of one source; whatever it does, nothing is raised for it."""
        if source.open_url is None:
            return await self._openly(source, known)
        keyed = await self._with_key(source, known)
        if not isinstance(keyed, Failure) or keyed.wait.held_s:
            return keyed
        refused = f"asked without the key, for with it: {keyed.sentence}"
        found = await self._openly(replace(source, fetch_url=source.open_url, open_url=None), known)
        if isinstance(found, Harvest):
            return replace(found, warning="; ".join(filter(None, (refused, found.warning))))
        return (
            replace(found, sentence=f"{found.sentence}; {refused}") if isinstance(found, Failure) else found
        )

    async def _with_key(self, source: Source, known: Known) -> Gathered:
        """By its key, with a new token where the one there was has ended."""
        assert self._login is not None
        for is_last in (False, True):
            try:
                authorization = await self._login.authorization()
            except FetchError as error:
                return self._failure(
                    f"no token: {error}", source, known, error.status, error.retry_after_s, keyed=True
                )
            # What an open feed said of its changes, and where it moved to, is not of this answer.
            ask = Ask(source.fetch_url, accept="application/json", authorization=authorization)
            gathered = await self._ask(ask, source, known, None, keyed=True)
            ended = isinstance(gathered, Failure) and gathered.status == HTTPStatus.UNAUTHORIZED
            if not ended or is_last:
                break
            self._login.forget()
        return gathered

    async def _openly(self, source: Source, known: Known) -> Gathered:
        moved = None if source.bundled else known.moved
        ask = Ask(
            moved or source.fetch_url,
            known.etag,
            known.last_modified,
            delay_s=source.pause_s,
            ours=source.bundled,
            alone=host_of(source.fetch_url) in self._alone,
        )
        return await self._ask(ask, source, known, moved)

    async def _ask(
        self, ask: Ask, source: Source, known: Known, moved: str | None, *, keyed: bool = False
    ) -> Gathered:
        try:
            # The turn is kept until the answer is read, so that bodies do not pile up before slow reading.
            async with self._fetcher.fetching(ask) as fetched:
                if fetched.not_modified:
                    wait = self._after_success(known.per_week, None, 0.0, fetched, conditional=True)
                    return Unchanged(fetched.seconds, wait, fetched.moved_to, moved)
                return await self._read(source, fetched, moved)
        except FetchError as error:
            return self._failure(str(error), source, known, error.status, error.retry_after_s, keyed=keyed)
        except FeedError as error:
            return self._failure(str(error), source, known)
        except Exception as error:  # noqa: BLE001 - whatever one source does, the others go on
            return self._failure(f"unexpected {type(error).__name__}: {error}"[:300], source, known)

    async def _read(self, source: Source, fetched: Fetched, moved: str | None) -> Harvest:
        if self._room is not None:
            await self._room.acquire()
        try:
            now = self._now()
            reading = await self._readers.read(source, fetched, now)
            return self._harvest(source, fetched, reading, moved, now)
        except BaseException:
            if self._room is not None:
                self._room.release()
            raise

    def _failure(
        self,
        sentence: str,
        source: Source,
        known: Known,
        status: int | None = None,
        retry_after_s: float | None = None,
        *,
        keyed: bool = False,
    ) -> Failure:
        wait = polling.after_failure(
            errors_in_row=known.errors_in_row + 1,
            status=status,
            retry_after_s=retry_after_s,
            limited=source.kind is Kind.REDDIT and not keyed,
        )
        return Failure(sentence, wait, status, moved=known.moved is not None)

    @staticmethod
    def _after_success(
        per_week: float | None, window_s: float | None, asked_s: float, fetched: Fetched, *, conditional: bool
    ) -> Wait:
        wait = polling.after_success(
            per_week=per_week,
            window_s=window_s,
            asked_s=max(asked_s, fetched.fresh_for_s or 0.0),
            conditional=conditional,
        )
        return replace(wait, held_s=fetched.spent_s) if fetched.spent_s else wait

    def _harvest(
        self, source: Source, fetched: Fetched, reading: Reading, moved: str | None, now: datetime
    ) -> Harvest:
        conditional = bool(fetched.etag or fetched.last_modified)
        return Harvest(
            documents=tuple(self._document(one, source, now) for one in reading.entries),
            tellings=reading.tellings,
            items=len(reading.entries),
            status=fetched.status,
            seconds=fetched.seconds,
            bytes=len(fetched.body),
            etag=fetched.etag,
            last_modified=fetched.last_modified,
            moved_to=fetched.moved_to,
            warning=reading.warning,
            per_week=reading.per_week,
            wait=self._after_success(
                reading.per_week, reading.window_s, reading.asked_s, fetched, conditional=conditional
            ),
            address=moved,
        )

    def _document(self, read: ReadEntry, source: Source, now: datetime) -> Document:
        market, entry = self._market, read.entry
        return Document(
            source=source.key,
            source_url=entry.link or source.url,
            title=entry.title,
            content=entry.text,
            summary=entry.summary,
            language=read.language,
            domain=market.domain,
            market=market.market,
            vertical=market.vertical,
            content_hash=read.content_hash,
            canonical_url=entry.url,
            canonical_key=read.key,
            guid=entry.guid,
            published_at=entry.published_at,
            fetched_at=now,
            author=entry.author,
            keywords=entry.keywords,
            enclosures=entry.enclosures,
        )
