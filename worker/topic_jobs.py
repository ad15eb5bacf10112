"""What the tasks do with topics: rank a market, write reports, sync to Notion."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worker import jobs
from worker.places import find_home
from worker.queue.progress import current_run
from worker.research.clock import Clock, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.research.library import Library
    from worker.research.llm import LlmOptions
    from worker.research.markets import Market
    from worker.research.topics import Ranking

log = logging.getLogger("worker.topics")


def rank_market(market: Market, library: Library, *, now: Clock = utc_now) -> tuple[Ranking, dict[str, Any]]:
    """Ranks a market's topics, has a model name them where there is one, and keeps the ranking.

    Returns:
        The ranking, and what is worth saying of it.

    Raises:
        LibraryError: the library cannot be read or written.
    """
    from worker.research.topics import rank_topics  # noqa: PLC0415 - importing the tasks must stay cheap
    from worker.research.topics_store import save_ranking  # noqa: PLC0415

    ranking = rank_topics(market, library, now=now())
    llm: dict[str, Any] | None = None
    if (options := llm_options()) is not None and ranking.topics:
        from worker.research.topics_llm import name_topics  # noqa: PLC0415 - brings aiohttp

        topics, naming = name_topics(
            ranking.topics, market, library, options, report=current_run().progress, now=now
        )
        ranking, llm = replace(ranking, topics=topics), naming.as_dict()
        if naming.reason:
            log.warning("topics named by their phrases: %s", naming.reason, extra={"market": market.name})
    save_ranking(library, ranking, llm=llm)
    said = {
        "ranked": len(ranking.topics), "stories": ranking.stories, "history": ranking.history,
        "seconds": ranking.seconds,
    }  # fmt: skip
    return ranking, said | ({"llm": llm} if llm is not None else {})


def rank_after_collection(market: Market, library: Library, *, now: Clock = utc_now) -> dict[str, Any]:
    """As `rank_market`, for a collection: what goes wrong here is said and does not undo what was collected."""
    from worker.research.errors import ResearchError  # noqa: PLC0415

    current_run().progress(0, None, "ranking topics")
    try:
        return rank_market(market, library, now=now)[1]
    except ResearchError as error:
        log.warning("topics not ranked: %s", error, extra={"market": market.name})
        return {"error": str(error)}


def llm_options() -> LlmOptions | None:
    """Which model is asked; None where neither a key nor an address is given."""
    from worker.research.llm import DEFAULT_BASE_URL, LlmOptions  # noqa: PLC0415 - brings aiohttp
    from worker.settings import load_variables  # noqa: PLC0415

    settings, key, variables = jobs.settings().llm, jobs.secrets().llm_api_key, load_variables(find_home())
    base_url = variables.llm_base_url or settings.base_url
    if not base_url and key is None:
        return None
    return LlmOptions(
        base_url=base_url or DEFAULT_BASE_URL,
        model=variables.llm_model or settings.model,
        api_key=key.get_secret_value() if key else None,
        timeout_s=settings.timeout,
        run_tokens=settings.run_tokens,
        day_tokens=settings.day_tokens,
        topics=settings.topics,
    )


# -- reports -----------------------------------------------------------------------------------


def write_reports(
    market: str | None = None, *, folder: str | None = None, now: Clock = utc_now
) -> dict[str, Any]:
    """Ranks one market, or every enabled one, and writes its report.

    Args:
        market: by name; None for every enabled one.
        folder: where to; None for what the settings say.
        now: the clock.

    Raises:
        ReportError: a report cannot be written.
        ConfigError, MarketError: the market's file is missing or faulty.
    """
    from worker.places import find_config  # noqa: PLC0415
    from worker.research.markets import load_market  # noqa: PLC0415

    markets, faulty = (
        ([load_market(find_config(), market)], {}) if market is not None else jobs.enabled_markets()
    )
    if not markets:
        current_run().skip("no market is enabled")
    with jobs.open_library() as library:
        rankings, llm = _ranked(markets, library, now)
        return _report(rankings, library, folder, now) | {"faulty": faulty} | llm


def _ranked(
    markets: Iterable[Market], library: Library, now: Clock
) -> tuple[list[tuple[Market, Ranking]], dict[str, Any]]:
    """The markets' rankings, and what a model did for them: the last one's costs, and the first reason why it did not."""
    rankings: list[tuple[Market, Ranking]] = []
    llm: dict[str, Any] = {}
    for market in markets:
        ranking, said = rank_market(market, library, now=now)
        rankings.append((market, ranking))
        if "llm" in said:
            llm = said["llm"] | {"reason": llm.get("reason") or said["llm"]["reason"]}
    return rankings, {"llm": llm} if llm else {}


def _report(
    rankings: Iterable[tuple[Market, Ranking]], library: Library, folder: str | None, now: Clock
) -> dict[str, Any]:
    """Writes the reports, and remembers how that went."""
    from worker.research.errors import ReportError  # noqa: PLC0415
    from worker.research.sinks.report import write_report  # noqa: PLC0415
    from worker.research.topics_store import note_delivery  # noqa: PLC0415

    settings = jobs.settings().reports
    chosen = folder or settings.folder
    root = Path(chosen).expanduser().absolute() if chosen else find_home().prepare().reports
    written: dict[str, str] = {}
    topics = 0
    try:
        for market, ranking in rankings:
            report = write_report(market, replace(ranking, topics=ranking.topics[: settings.topics]), root)
            written[market.name] = str(report.folder)
            topics += report.topics
    except ReportError as error:
        note_delivery(library, "report", at=now().timestamp(), stats={"folders": written}, error=str(error))
        raise
    stats = {"folders": written, "topics": topics}
    note_delivery(library, "report", at=now().timestamp(), stats=stats)
    return {"reports": written, "topics_reported": topics}


# -- Notion ------------------------------------------------------------------------------------


def sync_topics(*, now: Clock = utc_now) -> dict[str, Any]:
    """Ranks every enabled market, writes its report, and brings the best topics to Notion.

    Without a token or a database the run ends as skipped, with the reason; the report is written all the same.

    Raises:
        ReportError: a report cannot be written.
        NotionError: Notion refused, or could not be reached; what was synced stays so.
    """
    totals: dict[str, Any] = dict.fromkeys(
        ("topics_synced", "notion_pages_created", "notion_pages_updated", "unchanged", "doubles_trashed"), 0
    ) | {"doubles_left": []}
    markets, faulty = jobs.enabled_markets()
    if not markets:
        current_run().skip("no market is enabled")
        return {**totals, "skipped": "no market is enabled", "faulty": faulty}
    with jobs.open_library() as library:
        rankings, llm = _ranked(markets, library, now)
        said: dict[str, Any] = {"markets": [market.name for market in markets], "faulty": faulty} | llm
        if jobs.settings().reports.enabled:
            said |= _report(rankings, library, None, now)
        if why := _no_notion():
            if reports := said.get("reports"):
                why += f"; the report is in {Path(next(iter(reports.values()))).parent.parent}"
            current_run().skip(why)
            return {**totals, **said, "skipped": why}
        for _, ranking in rankings:
            for name, count in _sync_one(ranking, library, now).items():
                totals[name] += count
        _note(library, now, totals)
    return {**totals, **said}


def _no_notion() -> str | None:
    missing = [
        what
        for what, there in (
            ("NOTION_TOKEN", jobs.secrets().notion_token),
            ("notion.database_id in settings.yaml", jobs.settings().notion.database_id),
        )
        if not there
    ]
    return f"{' and '.join(missing)} not set" if missing else None


def _sync_one(ranking: Ranking, library: Library, now: Clock) -> dict[str, Any]:
    from worker.research.errors import NotionError  # noqa: PLC0415
    from worker.research.sinks.notion import sync_topics as sync  # noqa: PLC0415 - brings notion-client

    notion, token = jobs.settings().notion, jobs.secrets().notion_token
    assert token is not None
    try:
        stats = sync(
            ranking.topics[: notion.limit],
            library,
            token=token.get_secret_value(),
            database_id=notion.database_id,
            base_url=notion.base_url,
            report=current_run().progress,
            now=now,
        )
    except NotionError as error:
        _note(library, now, {}, jobs.redact(str(error)))
        raise
    for sentence in stats.doubles_left:
        log.warning("%s", sentence, extra={"market": ranking.market})
        current_run().progress(stats.topics_synced, stats.topics_synced, sentence)
    return stats.as_dict()


def _note(library: Library, now: Clock, stats: dict[str, Any], error: str | None = None) -> None:
    from worker.research.topics_store import note_delivery  # noqa: PLC0415

    note_delivery(library, "notion", at=now().timestamp(), stats=stats, error=error)
