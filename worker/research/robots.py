"""Whether a site lets programs read a page: https://www.rfc-editor.org/rfc/rfc9309.

It is asked before article pages are fetched. Feeds are made for programs, and are not asked about.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from worker.research.errors import FetchError
from worker.research.http import Ask, user_agent

if TYPE_CHECKING:
    from worker.research.http import Fetcher

# A longer pause than this would be longer than a run.
LONGEST_DELAY_S: Final = 30.0


class Robots:
    """The rules of the sites that were asked about, each read once.

    Args:
        fetcher: open.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._rules: dict[str, asyncio.Task[RobotFileParser | None]] = {}
        self._agent = (fetcher.options.user_agent or user_agent()).partition("/")[0]

    async def allows(self, url: str) -> bool:
        """Whether the page may be read; while the rules cannot be read, it may not."""
        rules = await self._of(url)
        return rules is not None and rules.can_fetch(self._agent, url)

    async def delay_s(self, url: str) -> float | None:
        """The pause between two requests that the site asks for; None: none in particular."""
        rules = await self._of(url)
        asked = rules.crawl_delay(self._agent) if rules is not None else None
        return min(float(asked), LONGEST_DELAY_S) if asked is not None else None

    async def _of(self, url: str) -> RobotFileParser | None:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._rules:
            self._rules[site] = asyncio.create_task(self._read(f"{site}/robots.txt"))
        return await asyncio.shield(self._rules[site])

    async def _read(self, url: str) -> RobotFileParser | None:
        rules = RobotFileParser(url)
        try:
            fetched = await self._fetcher.get(Ask(url, accept="text/plain, */*;q=0.1"))
        except FetchError as error:
            missing = error.status is not None and 400 <= error.status < 500
            if not missing or error.status == HTTPStatus.TOO_MANY_REQUESTS:
                return None
            rules.parse([])  # no rules: all is allowed
            return rules
        rules.parse(fetched.body.decode("utf-8", "replace").splitlines())
        return rules
