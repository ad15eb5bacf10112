"""One collection: every source of a market at once, each stored whole as it comes in.

Sources are fetched and read concurrently and know nothing of the library; one coroutine stores what
they bring and reports. So one source's failure is never another's, and a report that raises (the
operator has asked to stop) ends the run between two sources.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from worker.research.articles import Articles
from worker.research.choice import Choice, Chosen, choose
from worker.research.clock import Clock, utc_now
from worker.research.errors import NothingCollectedError
from worker.research.gather import Failure, Gathered, Gatherer, Unchanged
from worker.research.http import Fetcher, FetchOptions
from worker.research.library_sources import Harvest, Known
from worker.research.reddit_login import RedditLogin
from worker.research.sources.bundled import served
from worker.research.sources.catalogue import sources_of, wanting, wants_articles
from worker.research.urls import host_of

if TYPE_CHECKING:
    from worker.research.library import Library
    from worker.research.markets import Market
    from worker.research.sources import Source
    from worker.research.sources.services import Services

Report = Callable[[int, int, str], None]

# How often a report is made while nothing finishes, so that a wish to stop is heard in time.
BEAT_S: Final = 0.5
# What is raised for values that SQLite has no place for.
_UNSTORABLE: Final = (ValueError, TypeError, ArithmeticError)
# Sources that are read and not yet stored.
_AHEAD: Final = 8


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
        skipped: what was not asked, a source or a kind of sources, with the reason.
        well: how many sources were not asked because they are well.
    """

    market: str
    documents: int = 0
    sources: int = 0
    errors: int = 0
    duplicates: int = 0
    not_modified: int = 0
    bytes: int = 0
    seconds: float = 0.0
    per_source: dict[str, SourceStats] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    well: int = 0

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
    choice: Choice | None = None,
    services: Services | None = None,
) -> CollectStats:
    """As `collect_market`, for callers without an event loop."""
    return asyncio.run(
        collect_market(
            market, library, report=report, now=now, options=options, choice=choice, services=services
        )
    )


async def collect_market(
    market: Market,
    library: Library,
    *,
    report: Report | None = None,
    now: Clock = utc_now,
    options: FetchOptions | None = None,
    choice: Choice | None = None,
    services: Services | None = None,
) -> CollectStats:
    """Collects sources of a market; repeating it stores nothing twice.

    Args:
        market: where to look.
        library: where to store.
        report: called with (sources done, sources in all, a short note) as sources finish, and at least
            twice a second. What it raises ends the run and is raised here; whole sources stay stored.
        now: the clock.
        options: bounds of each fetch.
        choice: which of its sources; None: all that may be asked now.
        services: where the services are asked that more than one market uses; None: where they are.

    Raises:
        NothingCollectedError: every source that was asked failed, and none is well.
        SourceError: the market has no such source.
        LibraryError: the library cannot be read or written.
    """
    started = time.monotonic()
    options = options or FetchOptions()
    options = replace(options, allow_private=options.allow_private | frozenset(market.allow_private))
    async with served(market.folder, market.bundled) as bundled, Fetcher(options) as fetcher:
        every = sources_of(market, bundled, services)
        known = library.known(market.name)
        chosen = choose(market.name, every, known, choice or Choice(), now=now().timestamp())
        library.note_listed(market.name, every, now=now())
        _resume_pauses(fetcher, every, known, now().timestamp())
        articles = Articles(fetcher, library.unknown) if wants_articles(market) else None
        # Articles are fetched when a feed is read, and must not wait for turns that wait for them.
        room = asyncio.Semaphore(2 * _AHEAD) if articles is None else None
        asked = Counter(host_of(source.fetch_url) for source in chosen.asked)
        alone = frozenset(host for host, n in asked.items() if n == 1 and articles is None)
        login = RedditLogin(fetcher, services) if services and services.reddit_key else None
        gatherer = Gatherer(market, fetcher, now, room=room, alone=alone, login=login)
        try:
            run = _Run(market, library, report or _silent, now, gatherer, articles, room)
            per_source = await run.all_of(chosen.asked, known)
        finally:
            gatherer.close()
            if articles is not None:
                articles.close()
    stats = _summed(market, chosen, per_source, time.monotonic() - started)
    _fail_if_nothing(stats, chosen)
    return stats


def _silent(done: int, total: int, note: str) -> None:
    del done, total, note


def _resume_pauses(
    fetcher: Fetcher, sources: Mapping[str, Source], known: Mapping[str, Known], now: float
) -> None:
    """The pause that a site is owed since an earlier run does not begin anew with this one."""
    for key, source in sources.items():
        at = known[key].last_attempt if key in known else None
        if source.pause_s is not None and at is not None:
            host = urlsplit(source.fetch_url).hostname or ""
            fetcher.turns.asked_before(host, max(0.0, now - at), source.pause_s)


def _fail_if_nothing(stats: CollectStats, chosen: Chosen) -> None:
    """A run is a failure when nothing that it, or its market, has to show is well."""
    failed = stats.failed | chosen.failing
    if failed and stats.errors == stats.sources and not chosen.well:
        raise NothingCollectedError(stats.market, failed)


def _summed(
    market: Market, chosen: Chosen, per_source: dict[str, SourceStats], seconds: float
) -> CollectStats:
    ordered = {source.key: per_source[source.key] for source in chosen.asked}
    every = ordered.values()
    failed = {key: one.error for key, one in ordered.items() if one.error is not None}
    return CollectStats(
        market=market.name,
        documents=sum(one.documents for one in every),
        sources=len(ordered),
        errors=len(failed),
        duplicates=sum(one.duplicates for one in every),
        not_modified=sum(one.outcome is Outcome.NOT_MODIFIED for one in every),
        bytes=sum(one.bytes for one in every),
        seconds=round(seconds, 3),
        per_source=ordered,
        failed=failed,
        skipped=wanting(market) | chosen.skipped,
        well=chosen.well,
    )


class _Run:
    """One run over sources of a market."""

    def __init__(
        self,
        market: Market,
        library: Library,
        report: Report,
        now: Clock,
        gatherer: Gatherer,
        articles: Articles | None = None,
        room: asyncio.Semaphore | None = None,
    ) -> None:
        self._market, self._library, self._report, self._now = market, library, report, now
        self._gatherer, self._articles, self._room = gatherer, articles, room
        # Not asyncio's own threads: a dead name server can keep all of those in lookups.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="library")
        # A source that is read waits here to be stored; beyond a few, fetching waits, too.
        self._read: asyncio.Queue[tuple[Source, Gathered]] = asyncio.Queue(_AHEAD)
        self._waiting: dict[str, Source] = {}
        self._total = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def all_of(self, sources: Iterable[Source], known: Mapping[str, Known]) -> dict[str, SourceStats]:
        """What each source gave, in the order in which they were stored."""
        self._waiting = {source.key: source for source in sources}
        self._total = len(self._waiting)
        self._report(0, self._total, f"0 of {self._total}")
        tasks = self._tasks = [
            asyncio.create_task(self._gather(source, known.get(source.key, Known())))
            for source in self._waiting.values()
        ]
        try:
            return await self._as_they_come()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._thread.shutdown(cancel_futures=True)

    async def _gather(self, source: Source, known: Known) -> None:
        gathered = await self._gatherer.gather(source, known)
        if self._articles is not None and isinstance(gathered, Harvest):
            gathered = await self._articles.fill(source, gathered)
        await self._read.put((source, gathered))

    async def _as_they_come(self) -> dict[str, SourceStats]:
        stats: dict[str, SourceStats] = {}
        while self._waiting:
            try:
                source, gathered = await asyncio.wait_for(self._read.get(), BEAT_S)
            except TimeoutError:
                name = next(iter(self._waiting.values())).name
                self._tell(len(stats), f"waiting for {name}")
                self._raise_what_broke()
                continue
            ready = [(source, gathered)]
            while not self._read.empty():
                ready.append(self._read.get_nowait())
            del source, gathered
            done = await self._in_thread(ready)
            if self._room is not None:
                for _ in range(sum(isinstance(one, Harvest) for _, one in ready)):
                    self._room.release()
            for source, stored in done:
                stats[source.key] = stored
                del self._waiting[source.key]
                self._tell(len(stats), source.name)
        return stats

    async def _in_thread(self, ready: list[tuple[Source, Gathered]]) -> list[tuple[Source, SourceStats]]:
        # With this task's context, so that what is logged there is known to be its own.
        store = contextvars.copy_context().run
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, store, self._store_all, ready)

    def _raise_what_broke(self) -> None:
        """A source whose gathering broke in our own code never comes; better to fail than to wait for it."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (broke := task.exception()) is not None:
                raise broke

    def _tell(self, done: int, what: str) -> None:
        self._report(done, self._total, f"{what}, {done} of {self._total}")

    def _store_all(self, ready: list[tuple[Source, Gathered]]) -> list[tuple[Source, SourceStats]]:
        """Stores what has come in the meantime in one transaction, at the cost of one commit."""
        try:
            with self._library.transaction():
                return [(source, self._store(source, gathered)) for source, gathered in ready]
        except _UNSTORABLE:  # what one of them gave; each is stored by itself, and that one is not
            return [(source, self._store_alone(source, gathered)) for source, gathered in ready]

    def _store_alone(self, source: Source, gathered: Gathered) -> SourceStats:
        try:
            with self._library.transaction():
                return self._store(source, gathered)
        except _UNSTORABLE as error:
            sentence = f"what it gave cannot be stored: {type(error).__name__}: {error}"[:300]
            self._library.note_failure(self._market.name, source, sentence, status=None, now=self._now())
            return SourceStats(Outcome.FAILED, error=sentence)

    def _store(self, source: Source, gathered: Gathered) -> SourceStats:
        name, now = self._market.name, self._now()
        if isinstance(gathered, Failure):
            self._library.note_failure(
                name, source, gathered.sentence, status=gathered.status, now=now, wait=gathered.wait,
                moved=gathered.moved,
            )  # fmt: skip
            return SourceStats(Outcome.FAILED, error=gathered.sentence)
        if isinstance(gathered, Unchanged):
            self._library.note_unchanged(
                name, source, seconds=gathered.seconds, now=now, wait=gathered.wait,
                moved_to=gathered.moved_to, address=gathered.address,
            )  # fmt: skip
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
