"""`topic-worker opml import|export` and `topic-worker discover`: where a market's feeds come from."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from worker.foreign import clean, say
from worker.places import find_config

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from worker.research.discovery import Found
    from worker.research.markets import Market
    from worker.research.opml import Outline
    from worker.research.sources.services import Services

DONE, NOTHING, UNUSABLE = 0, 1, 2


def add_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    places: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Adds the commands to `topic-worker`."""
    opml = commands.add_parser("opml", help="lists of feeds, in and out", allow_abbrev=False)
    acts = opml.add_subparsers(dest="act", metavar="ACT", required=True)
    taken = acts.add_parser("import", help="add the feeds of a file to a market", allow_abbrev=False)
    taken.add_argument("file", type=Path, metavar="FILE")
    taken.add_argument("market", metavar="MARKET")
    given = acts.add_parser("export", help="write a market's feeds", allow_abbrev=False)
    given.add_argument("market", metavar="MARKET")
    given.add_argument("file", type=Path, nargs="?", metavar="FILE", help="default: to standard output")
    found = commands.add_parser(
        "discover", help="find the feeds of a site, or of a news search for some words", allow_abbrev=False
    )
    found.add_argument("what", nargs="+", metavar="SITE|WORDS")
    found.add_argument("--market", metavar="MARKET", help="whose language, country and private places count")
    found.add_argument("--add", action="store_true", help="add what is found to the market")
    for leaf in (taken, given, found):
        places(leaf)


def run(options: argparse.Namespace) -> int:
    """Carries a command out; returns the exit code: 0 done, 1 nothing was found, 2 unusable."""
    from worker.config import ConfigError  # noqa: PLC0415 - `--help` needs none of it
    from worker.research.errors import ResearchError  # noqa: PLC0415

    try:
        config = find_config(options.config)
        if options.command == "discover":
            return _discover(config, options)
        return _import(config, options) if options.act == "import" else _export(config, options)
    except (ConfigError, ResearchError) as error:
        say(f"topic-worker: {error}", file=sys.stderr)
        return UNUSABLE


def sources_in_words(config: Path, name: str, services: Services | None) -> list[str]:
    """What a market collects, and by which key, for `topic-worker check`.

    Raises:
        ConfigError: its file is faulty.
    """
    from worker.research.markets import load_market  # noqa: PLC0415
    from worker.research.sources.catalogue import in_words  # noqa: PLC0415

    return in_words(load_market(config, name), services)


# -- OPML ------------------------------------------------------------------------------------------


def _import(config: Path, options: argparse.Namespace) -> int:
    from worker.research.markets import load_market  # noqa: PLC0415
    from worker.research.opml import read_opml  # noqa: PLC0415

    outlines = read_opml(options.file)
    market = load_market(config, options.market)
    return _told(market, len(outlines), add_feeds(market, outlines))


def _export(config: Path, options: argparse.Namespace) -> int:
    from worker.research.markets import load_market  # noqa: PLC0415
    from worker.research.opml import Outline, write_opml  # noqa: PLC0415
    from worker.research.sources import Source  # noqa: PLC0415

    market = load_market(config, options.market)
    known = {Source.at(one.url).key: one for one in market.listed}
    feeds = [known.get(Source.at(url).key) or Outline(url) for url in market.feeds]
    text = write_opml(options.file, f"topic-console: {market.name}", feeds)
    if options.file is None:
        sys.stdout.write(text)
    else:
        say(f"Wrote {len(feeds)} feeds to {options.file}")
    return DONE


def add_feeds(market: Market, outlines: Iterable[Outline]) -> int:
    """Adds feeds to a market's OPML file, and has the market name that file; returns how many were new.

    The market's own file gets one line at its end at the most, so that nothing that somebody wrote is touched.

    Raises:
        OpmlError: a file cannot be written, or the line does not fit the market's file.
    """
    from worker.research.opml import write_opml  # noqa: PLC0415
    from worker.research.sources import Source  # noqa: PLC0415

    known = {Source.at(url).key for url in market.feeds}
    fresh = {Source.at(one.url).key: one for one in outlines}
    new = [one for key, one in fresh.items() if key not in known]
    if not new:
        return 0
    name = market.opml_file or f"{market.name}.opml"
    target = market.folder / name
    if market.opml_file is None:
        _refuse_taken(target)
        draft = _with_line(market, f"opml_file: {name}")
        write_opml(target, f"topic-console: {market.name}", [*market.listed, *new])
        draft.replace(market.path)
    else:
        write_opml(target, f"topic-console: {market.name}", [*market.listed, *new])
    return len(new)


def _refuse_taken(target: Path) -> None:
    from worker.research.errors import OpmlError  # noqa: PLC0415

    if target.exists():
        raise OpmlError(f"{target}: is there already and the market does not name it; nothing was changed")


def _with_line(market: Market, line: str) -> Path:
    """A draft of the market's file with one more line at its end, checked."""
    from worker.config import ConfigError, load_model  # noqa: PLC0415
    from worker.research.errors import OpmlError  # noqa: PLC0415
    from worker.research.markets import Market as Model  # noqa: PLC0415

    text = market.path.read_text(encoding="utf-8")
    descriptor, draft = tempfile.mkstemp(dir=market.folder, prefix=f".{market.name}-", suffix=".draft")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{text.rstrip()}\n\n{line}  # feeds that were imported or discovered\n")
    path = Path(draft)
    try:
        path.chmod(market.path.stat().st_mode & 0o777)
        load_model(path, Model)
    except ConfigError as error:
        path.unlink()
        raise OpmlError(
            f"{market.path}: a line cannot be added at its end; add it yourself: {line}"
        ) from error
    return path


def _told(market: Market, offered: int, added: int) -> int:
    known = offered - added
    rest = f"; {known} it had already" if known else ""
    say(f"Added {added} of {offered} feeds to {market.name}{rest}.")
    return DONE


# -- discovery -------------------------------------------------------------------------------------


def _discover(config: Path, options: argparse.Namespace) -> int:
    from worker.research.errors import OpmlError  # noqa: PLC0415
    from worker.research.markets import load_market  # noqa: PLC0415
    from worker.research.opml import Outline  # noqa: PLC0415

    market = load_market(config, options.market) if options.market else None
    if options.add and market is None:
        raise OpmlError("--add: to which market? Add --market MARKET")
    words = " ".join(options.what)
    found = asyncio.run(_found(words, market))
    for one in found:
        say(_line(one))
    if not found:
        say(f"topic-worker: no feed was found for {words}", file=sys.stderr)
        return NOTHING
    if options.add and market is not None:
        outlines = [Outline(one.url, one.title, one.site, "") for one in found]
        return _told(market, len(outlines), add_feeds(market, outlines))
    return DONE


async def _found(words: str, market: Market | None) -> tuple[Found, ...]:
    from worker import jobs  # noqa: PLC0415 - the settings in force
    from worker.research import discovery  # noqa: PLC0415
    from worker.research.http import Fetcher, FetchOptions  # noqa: PLC0415

    now = datetime.now(UTC)
    options = FetchOptions(allow_private=frozenset(market.allow_private if market else ()))
    async with Fetcher(options) as fetcher:
        if discovery.is_address(words):
            return await discovery.feeds_of_site(fetcher, words, now=now)
        language, region = (market.language, market.region_code) if market else ("en", "US")
        return await discovery.feeds_of_words(fetcher, words, language, region, jobs.services(), now=now)


def _line(found: Found) -> str:
    newest = f", newest {found.newest:%Y-%m-%d}" if found.newest else ""
    pace = f", {found.per_week:.0f} a week" if found.per_week else ""
    return f"{found.url}\n    {clean(found.title)}: {found.entries} entries{newest}{pace}"
