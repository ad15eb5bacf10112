"""`topic-worker proposals`: the feeds that a scheduled search has found, to be taken in or declined."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from worker.cli_feeds import DONE, NOTHING, UNUSABLE, add_feeds
from worker.foreign import clean, say
from worker.places import find_config, find_home, market_names

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from worker.research.library import Library
    from worker.research.markets import Market
    from worker.research.proposals_store import Proposal

ALL = "all"


def add_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    places: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Adds the command to `topic-worker`."""
    leaf = commands.add_parser(
        "proposals", help="the feeds that a scheduled search has found", allow_abbrev=False
    )
    leaf.add_argument("market", nargs="?", metavar="MARKET", help="default: of every market, to look at")
    act = leaf.add_mutually_exclusive_group()
    act.add_argument("--add", nargs="+", metavar="KEY", help="take feeds into the market, or all")
    act.add_argument("--decline", nargs="+", metavar="KEY", help="do not propose feeds again, or all")
    places(leaf)


def run(options: argparse.Namespace) -> int:
    """Carries the command out; returns the exit code: 0 done, 1 nothing is proposed, 2 unusable."""
    from worker.config import ConfigError  # noqa: PLC0415 - `--help` needs none of it
    from worker.research.errors import ResearchError, SourceError  # noqa: PLC0415
    from worker.research.library import Library  # noqa: PLC0415
    from worker.research.markets import load_market  # noqa: PLC0415

    wanted = options.add or options.decline
    try:
        if wanted and options.market is None:
            raise SourceError("of which market? Name it before --add or --decline")
        config = find_config(options.config)
        names = [options.market] if options.market else market_names(config)
        with Library(find_home(options.home).prepare().topics_db) as library:
            markets = [load_market(config, name) for name in names]
            if not wanted:
                return _list(markets, library)
            return _act(markets[0], library, wanted, add=options.add is not None)
    except (ConfigError, ResearchError) as error:
        print(f"topic-worker: {error}", file=sys.stderr)
        return UNUSABLE


def _open(market: Market, library: Library) -> list[Proposal]:
    """What waits and has not been taken in by hand."""
    from worker.research.proposals_store import waiting  # noqa: PLC0415
    from worker.research.sources import Source  # noqa: PLC0415

    known = {Source.at(url).key for url in market.feeds}
    return [one for one in waiting(library, market.name) if one.key not in known]


def _list(markets: list[Market], library: Library) -> int:
    found = [one for market in markets for one in _open(market, library)]
    for one in found:
        newest = f", newest {one.newest:%Y-%m-%d}" if one.newest else ""
        pace = f", {one.per_week:.0f} a week" if one.per_week else ""
        say(f"{one.market}  {one.key}")
        say(f"    {clean(one.title)}: {one.entries} entries{newest}{pace}")
        say(f"    {one.site}, {one.why}")
    return DONE if found else _nothing()


def _nothing() -> int:
    print("topic-worker: no feed is proposed", file=sys.stderr)
    return NOTHING


def _act(market: Market, library: Library, wanted: list[str], *, add: bool) -> int:
    from worker.research.errors import SourceError  # noqa: PLC0415
    from worker.research.opml import Outline  # noqa: PLC0415
    from worker.research.proposals_store import decline  # noqa: PLC0415

    proposed = {one.key: one for one in _open(market, library)}
    if wanted == [ALL] and not proposed:
        return _nothing()
    chosen = list(proposed) if wanted == [ALL] else wanted
    if unknown := [key for key in chosen if key not in proposed]:
        raise SourceError(f"{market.name} has no proposal {unknown[0]!r}; topic-worker proposals lists them")
    if not add:
        said = f"Declined {decline(library, market.name, chosen, datetime.now(UTC))}"
    else:
        one = [proposed[key] for key in chosen]
        said = f"Added {add_feeds(market, [Outline(each.url, each.title, each.site, '') for each in one])}"
    print(f"{said} of {len(proposed)} proposed feeds of {market.name}.")
    return DONE
