"""One collection: every source of a market at once, each stored whole as it comes in.

Sources are fetched and read concurrently and know nothing of the library; one coroutine stores what
they bring and reports. So one source's failure is never another's, and a report that raises (the
operator has asked to stop) ends the run between two sources.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from worker.research.clock import Clock, utc_now
from worker.research.document import Document, content_hash
from worker.research.errors import FeedError, FetchError, NothingCollectedError
from worker.research.http import Ask, Fetcher, FetchOptions
from worker.research.library import Harvest, Library, Validators
from worker.research.sources import Source
from worker.research.sources.bundled import served
from worker.research.sources.feeds import Entry, parse_feed
from worker.research.urls import comparison_key

if TYPE_CHECKING:
    from datetime import datetime

    from worker.research.http import Fetched
    from worker.research.markets import Market

Report = Callable[[int, int, str], None]
Given = TypeVar("Given")
Result = TypeVar("Result")

# How often a report is made while nothing finishes, so that a wish to stop is heard in time.
BEAT_S = 0.5
_READERS = 2


class Outcome(StrEnum):
    """What became of one source in a run."""

    STORED = "stored"
    NOT_MODIFIED = "not_modified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SourceStats:
    """One source's share of a run; `items` are the entries its feed holds."""

    outcome: Outcome
    documents: int = 0
    duplicates: int = 0
    items: int = 0
    bytes: int = 0
    seconds: float = 0.0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CollectStats:
    """What a run did.

    Attributes:
        market: its name.
        documents: new ones.
        sources: all that were asked.
        errors: those of them that failed.
        duplicates: stories that another source, or another market, had told before; newly linked.
        not_modified: sources that had nothing new since the last run.
        bytes: of all bodies, unpacked.
        seconds: wall time.
        failed: source to sentence.
        skipped: what the market asks for and this version does not do, with the reason.
    """

    market: str
    documents: int
    sources: int
    errors: int
    duplicates: int
    not_modified: int
    bytes: int
    seconds: float
    per_source: dict[str, SourceStats] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The same in JSON's own types."""
        return asdict(self) | {
            "per_source": {
                key: asdict(one) | {"outcome": str(one.outcome)} for key, one in self.per_source.items()
            }
        }


def collect(
    market: Market,
    library: Library,
    *,
    report: Report | None = None,
    now: Clock = utc_now,
    options: FetchOptions | None = None,
) -> CollectStats:
    """As `collect_market`, for callers without an event loop."""
    return asyncio.run(collect_market(market, library, report=report, now=now, options=options))


async def collect_market(
    market: Market,
    library: Library,
    *,
    report: Report | None = None,
    now: Clock = utc_now,
    options: FetchOptions | None = None,
) -> CollectStats:
    """Collects all sources of a market; repeating it stores nothing twice.

    Args:
        market: where to look.
        library: where to store.
        report: called with (sources done, sources in all, a short note) as sources finish, and at least
            twice a second. What it raises ends the run and is raised here; whole sources stay stored.
        now: the clock.
        options: bounds of each fetch.

    Raises:
        NothingCollectedError: there are sources, and every one failed.
        LibraryError: the library cannot be read or written.
    """
    started = time.monotonic()
    options = options or FetchOptions()
    options = replace(options, allow_private=options.allow_private | frozenset(market.allow_private))
    async with served(market.folder, market.bundled) as bundled, Fetcher(options) as fetcher:
        named = [Source.at(url) for url in market.feeds]
        sources = {source.key: source for source in (*named, *bundled)}
        run = _Run(market, library, report or _silent, now, fetcher)
        per_source = await run.all_of(tuple(sources.values()))
    stats = _summed(market, per_source, time.monotonic() - started)
    if stats.sources and stats.errors == stats.sources:
        raise NothingCollectedError(market.name, stats.failed)
    return stats


def _silent(done: int, total: int, note: str) -> None:
    del done, total, note


def _summed(market: Market, per_source: dict[str, SourceStats], seconds: float) -> CollectStats:
    every = per_source.values()
    failed = {key: one.error for key, one in per_source.items() if one.error is not None}
    return CollectStats(
        market=market.name,
        documents=sum(one.documents for one in every),
        sources=len(per_source),
        errors=len(failed),
        duplicates=sum(one.duplicates for one in every),
        not_modified=sum(one.outcome is Outcome.NOT_MODIFIED for one in every),
        bytes=sum(one.bytes for one in every),
        seconds=round(seconds, 3),
        per_source=per_source,
        failed=failed,
        skipped=market.not_collected,
    )


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a source gave nothing."""

    sentence: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class _Unchanged:
    """A source had nothing new."""

    seconds: float


_Gathered = Harvest | _Unchanged | _Failure


class _Run:
    """One run over the sources of a market."""

    def __init__(
        self, market: Market, library: Library, report: Report, now: Clock, fetcher: Fetcher
    ) -> None:
        self._market = market
        self._library = library
        self._report = report
        self._now = now
        self._fetcher = fetcher
        # Not asyncio's own threads: a dead name server can keep all of those in lookups.
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="research")

    async def all_of(self, sources: tuple[Source, ...]) -> dict[str, SourceStats]:
        """What each source gave, in the market's order."""
        validators = self._library.validators(self._market.name)
        self._report(0, len(sources), f"0 of {len(sources)}")
        tasks = {
            asyncio.create_task(self._gather(source, validators.get(source.key, Validators()))): source
            for source in sources
        }
        try:
            stats = await self._as_they_come(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._threads.shutdown(cancel_futures=True)
        return {source.key: stats[source.key] for source in sources}

    async def _as_they_come(self, tasks: dict[asyncio.Task[_Gathered], Source]) -> dict[str, SourceStats]:
        stats: dict[str, SourceStats] = {}
        waiting = set(tasks)
        while waiting:
            ended, waiting = await asyncio.wait(waiting, timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                source = tasks[task]
                stats[source.key] = await self._in_thread(self._store, source, task.result())
                self._report(len(stats), len(tasks), f"{source.name}, {len(stats)} of {len(tasks)}")
            if not ended:
                name = next(source.name for task, source in tasks.items() if task in waiting)
                self._report(len(stats), len(tasks), f"waiting for {name}, {len(stats)} of {len(tasks)}")
        return stats

    async def _gather(self, source: Source, known: Validators) -> _Gathered:
        """Fetches and reads one source."""
        try:
            fetched = await self._fetcher.get(
                Ask(source.fetch_url, known.etag, known.last_modified, ours=source.bundled)
            )
            if fetched.not_modified:
                return _Unchanged(fetched.seconds)
            return await self._in_thread(self._read, source, fetched)
        except FetchError as error:
            return _Failure(str(error), error.status)
        except FeedError as error:
            return _Failure(str(error))
        except Exception as error:  # noqa: BLE001 - whatever one source does, the others go on
            return _Failure(f"unexpected {type(error).__name__}: {error}"[:300])

    async def _in_thread(
        self, work: Callable[[Source, Given], Result], source: Source, given: Given
    ) -> Result:
        # With this task's context, so that what is logged there is known to be its own.
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, context.run, work, source, given
        )

    def _read(self, source: Source, fetched: Fetched) -> Harvest:
        now = self._now()
        base = source.url if source.bundled else fetched.url
        feed = parse_feed(fetched.body, base, now=now, content_type=fetched.content_type)
        return Harvest(
            documents=tuple(self._document(entry, source, now) for entry in feed.entries),
            items=len(feed.entries),
            status=fetched.status,
            seconds=fetched.seconds,
            bytes=len(fetched.body),
            etag=fetched.etag,
            last_modified=fetched.last_modified,
            moved_to=fetched.moved_to,
            warning=feed.warning,
        )

    def _document(self, entry: Entry, source: Source, now: datetime) -> Document:
        market = self._market
        # Without a link an entry is known only within its source.
        key = comparison_key(entry.url) if entry.url else f"{source.key}#{entry.guid or entry.title}"
        return Document(
            source=source.key,
            source_url=entry.link or source.url,
            title=entry.title,
            content=entry.text,
            summary=entry.summary,
            language=market.language,
            domain=market.domain,
            market=market.market,
            vertical=market.vertical,
            content_hash=content_hash(entry.title, entry.text, key),
            canonical_url=entry.url,
            canonical_key=key,
            guid=entry.guid,
            published_at=entry.published_at,
            fetched_at=now,
            author=entry.author,
            keywords=entry.keywords,
        )

    def _store(self, source: Source, gathered: _Gathered) -> SourceStats:
        name, now = self._market.name, self._now()
        if isinstance(gathered, _Failure):
            self._library.note_failure(name, source, gathered.sentence, status=gathered.status, now=now)
            return SourceStats(Outcome.FAILED, error=gathered.sentence)
        if isinstance(gathered, _Unchanged):
            self._library.note_unchanged(name, source, seconds=gathered.seconds, now=now)
            return SourceStats(Outcome.NOT_MODIFIED, seconds=round(gathered.seconds, 3))
        stored = self._library.store(name, source, gathered, now=now)
        return SourceStats(
            Outcome.STORED,
            documents=stored.documents,
            duplicates=stored.duplicates,
            items=gathered.items,
            bytes=gathered.bytes,
            seconds=round(gathered.seconds, 3),
        )
