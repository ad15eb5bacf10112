"""Politeness: how many requests at once, how far apart, and what a host has asked us to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from worker.research.addresses import is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# So many large bodies are in memory at once.
_LARGE: Final = 6
# Names below these are one site with one limit (FreshRSS #8925 for tumblr; Reddit counts by address).
_SHARED: Final = ("reddit.com", "tumblr.com", "livejournal.com", "blogspot.com")


class Turns:
    """Who may ask now: some requests at once over all, fewer to one site, with a pause between them.

    Args:
        concurrency: requests at once.
        per_host: requests at once to one site.
        delay_s: between the starts of two requests to one site; none on this machine's own loopback.
    """

    def __init__(self, *, concurrency: int, per_host: int, delay_s: float) -> None:
        self._delay_s = delay_s
        self._all = asyncio.Semaphore(concurrency)
        self.large = asyncio.Semaphore(_LARGE)
        self._sites: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(per_host))
        self._next: defaultdict[str, float] = defaultdict(float)
        self._refused: dict[str, float] = {}

    @contextlib.asynccontextmanager
    async def take(self, host: str, delay_s: float | None = None) -> AsyncIterator[None]:
        """Waits for a turn; the place among all is taken last, so that one busy site keeps no other waiting.

        Args:
            host: whom to ask.
            delay_s: in place of the usual pause, where this kind of source has a stricter one.
        """
        site, pause = site_of(host), self._pause(host, delay_s)
        async with self._sites[site]:
            if pause:
                now = time.monotonic()
                turn = max(now, self._next[site])
                self._next[site] = turn + pause
                await asyncio.sleep(turn - now)
            async with self._all:
                yield

    def _pause(self, host: str, delay_s: float | None) -> float:
        if delay_s is not None:
            return delay_s
        return 0.0 if is_loopback(host) else self._delay_s

    def asked_before(self, host: str, seconds_ago: float, delay_s: float) -> None:
        """A site was asked in an earlier run: the pause it is owed does not begin anew with ours."""
        site = site_of(host)
        self._next[site] = max(self._next[site], time.monotonic() + delay_s - seconds_ago)

    def wait_for(self, host: str, seconds: float) -> None:
        """A site has asked for a pause."""
        site = site_of(host)
        self._refused[site] = max(self._refused.get(site, 0.0), time.monotonic() + seconds)

    def must_wait(self, host: str) -> float:
        """Seconds for which a site wants not to be asked; 0 where it may be."""
        return max(0.0, self._refused.get(site_of(host), 0.0) - time.monotonic())


def site_of(host: str) -> str:
    """What shares one limit: the host, or the site that many hosts belong to."""
    host = host.lower().rstrip(".")
    return next((one for one in _SHARED if host == one or host.endswith(f".{one}")), host)
