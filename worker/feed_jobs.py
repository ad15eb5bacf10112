"""What the tasks do with feeds: search for new ones, for the markets whose time it is."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from worker import jobs
from worker.config import ConfigError
from worker.queue.cron import Cron
from worker.queue.progress import current_run
from worker.research.clock import Clock, utc_now
from worker.research.errors import ResearchError

if TYPE_CHECKING:
    from datetime import datetime

    from worker.research.library import Library
    from worker.research.markets import Market
    from worker.research.proposals import Proposed

log = logging.getLogger("worker.feeds")


def discover_feeds(*, now: Clock = utc_now) -> dict[str, Any]:
    """Searches for feeds of each enabled market whose `discovery_schedule_cron` has come since the last search.

    Raises:
        LibraryError: the library cannot be read or written.
    """
    markets, faulty = jobs.enabled_markets()
    said: dict[str, Any] = {}
    with jobs.open_library() as library:
        due = [market for market in markets if is_due(market, library, now())]
        for number, market in enumerate(due):
            current_run().progress(number, len(due), f"searching feeds for {market.name}")
            done = asyncio.run(_proposed(market, library, now()))
            said[market.name] = done.as_dict()
            for url in done.feeds:
                log.info("feed proposed: %s", url, extra={"market": market.name})
    if not due:
        current_run().skip("no market's discovery_schedule_cron has come since the last search")
    return {"markets": said, "proposed": sum(len(one["feeds"]) for one in said.values()), "faulty": faulty}


def is_any_due(*, now: Clock = utc_now) -> bool:
    """Whether a run is worth starting: there is a market to search for, or a fault that the run should tell."""
    try:
        named = [market for market in jobs.enabled_markets()[0] if _names_schedule(market)]
        if not named:
            return False
        with jobs.open_library() as library:
            return any(is_due(market, library, now()) for market in named)
    except (ConfigError, ResearchError):
        return True


def is_due(market: Market, library: Library, now: datetime) -> bool:
    """Whether a market names a schedule, and it has come since feeds were last searched for."""
    from worker.research.proposals_store import last_look  # noqa: PLC0415 - importing the tasks must stay cheap

    if not _names_schedule(market):
        return False
    last = last_look(library, market.name)
    if last is None:
        return True
    cron = Cron(market.discovery_schedule_cron, jobs.settings().timezone)
    tick = next(cron.after(last), None)
    return tick is not None and tick <= now


def _names_schedule(market: Market) -> bool:
    return "discovery_schedule_cron" in market.model_fields_set


async def _proposed(market: Market, library: Library, now: datetime) -> Proposed:
    from worker.research.http import Fetcher  # noqa: PLC0415 - brings aiohttp
    from worker.research.proposals import propose  # noqa: PLC0415

    options = replace(jobs.fetch_options(), allow_private=frozenset(market.allow_private))
    async with Fetcher(options) as fetcher:
        return await propose(market, library, fetcher, now=now)
