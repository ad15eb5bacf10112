"""Feeds that a market could take in: of sites that it names as competitors, and of outlets that others' lists cite.

What a news search, a subreddit or a trend leads to time and again is an outlet worth reading itself. A site is
searched at most once a month, and what an operator has declined is not proposed again.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from worker.research import proposals_store as store
from worker.research.discovery import feeds_of_site
from worker.research.errors import FetchError
from worker.research.sources import Source
from worker.research.urls import host_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from worker.research.discovery import Found
    from worker.research.http import Fetcher
    from worker.research.library import Library
    from worker.research.markets import Market

MOST_SITES: Final = 10
# An outlet that is cited once is chance.
CITED: Final = 3
_CITED_WITHIN: Final = timedelta(days=30)
_AGAIN: Final = timedelta(days=30)
# What has been silent for so long is dead.
_SILENT: Final = timedelta(days=90)
# Places where everybody publishes: their front page has no feed of any one outlet.
_ROOFS: Final = (
    "reddit.com", "redd.it", "google.com", "bing.com", "youtube.com", "youtu.be", "facebook.com", "instagram.com",
    "linkedin.com", "twitter.com", "x.com", "tiktok.com", "msn.com", "wikipedia.org", "amazon.com",
)  # fmt: skip
_COMMENTS: Final = re.compile(r"comment|kommentar", re.IGNORECASE)


@dataclass(slots=True)
class Proposed:
    """What a search for feeds brought.

    Attributes:
        sites: how many were searched.
        feeds: the addresses of the feeds that are proposed anew.
        failed: site to the reason why it could not be searched.
    """

    sites: int = 0
    feeds: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The same in JSON's own types."""
        return {"sites": self.sites, "feeds": self.feeds, "failed": self.failed}


async def propose(market: Market, library: Library, fetcher: Fetcher, *, now: datetime) -> Proposed:
    """Searches the sites that a market points to, and keeps the feeds it does not have.

    Args:
        market: for whom.
        library: what has been collected, and where the proposals are kept.
        fetcher: open.
        now: aware.

    Raises:
        LibraryError: the library cannot be read or written.
    """
    done = Proposed()
    known = {Source.at(url).key for url in market.feeds}
    for address, why in _sites(market, library, now):
        done.sites += 1
        found: tuple[Found, ...] = ()
        try:
            found = await feeds_of_site(fetcher, address, now=now)
        except FetchError as error:
            done.failed[address] = str(error)
        wanted = [one for one in found if Source.at(one.url).key not in known and _is_worth_it(one, now)]
        done.feeds += [one.url for one in store.keep(library, market.name, address, why, wanted, now=now)]
    store.note_look(library, market.name, now)
    return done


def _sites(market: Market, library: Library, now: datetime) -> Iterator[tuple[str, str]]:
    """Addresses to search with what led there: competitors first, then the outlets that are cited most."""
    before = store.searched(library, market.name, now - _AGAIN)
    ours = {_bare(host_of(url)) for url in market.feeds}
    found = {str(url): "named as a competitor" for url in market.competitor_urls}
    cited = Counter(_bare(host) for host in store.cited(library, market.name, now - _CITED_WITHIN))
    for host, times in cited.most_common():
        if times >= CITED and host not in ours and not host.endswith(_ROOFS):
            found.setdefault(host, f"cited {times} times in {_CITED_WITHIN.days} days")
    fresh = [(site, why) for site, why in found.items() if site not in before]
    yield from fresh[:MOST_SITES]


def _bare(host: str) -> str:
    return host.removeprefix("www.")


def _is_worth_it(found: Found, now: datetime) -> bool:
    """Whether it still brings something, and is not of what readers say below articles."""
    alive = found.newest is not None and now - found.newest <= _SILENT
    return alive and not _COMMENTS.search(found.url) and not _COMMENTS.search(found.title)
