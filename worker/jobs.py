"""What the tasks do: they join settings, queue and research, which know nothing of each other."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import logging
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from worker.config import ConfigError
from worker.places import find_config, find_home, market_names
from worker.queue.progress import current_run
from worker.queue.switches import switched_off
from worker.research.clock import Clock, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from worker.alerts import Watch
    from worker.queue import DurableHuey
    from worker.queue.catch_up import ScheduleSpec
    from worker.queue.retention import Retention
    from worker.queue.storage import DurableStorage
    from worker.research.http import FetchOptions
    from worker.research.library import Library
    from worker.research.markets import Market
    from worker.research.sources.services import Services
    from worker.settings import Secrets, Settings

# The retry of a letter waits so long for an earlier collection of its market, and looks so often.
LETTER_WAITS_S, LOOKS_EVERY_S = 60.0, 0.25
# Through the standard library, so that under another consumer it goes where that one's log goes.
log = logging.getLogger("worker.jobs")


# -- where and how, looked up when first needed ------------------------------------------------


def tasks_db() -> Path:
    """The queue's file; its folder is created."""
    return find_home().prepare().tasks_db


def dlq_db() -> Path:
    """The dead letters' file; its folder is created."""
    return find_home().prepare().dlq_db


def settings() -> Settings:
    """The settings of the configuration in force."""
    from worker.settings import load_settings  # noqa: PLC0415 - importing the tasks must stay cheap

    return load_settings(find_config())


@functools.lru_cache(maxsize=1)
def secrets() -> Secrets:
    """The secrets, read once a process."""
    from worker.settings import load_secrets  # noqa: PLC0415 - importing the tasks must stay cheap

    return load_secrets(find_home())


def redact(text: str) -> str:
    """The text without secrets."""
    return secrets().redact(text)


def schedule_specs() -> dict[str, ScheduleSpec]:
    """What the settings say of the schedules; feeds are searched for only when a market's time has come."""
    from worker.feed_jobs import is_any_due  # noqa: PLC0415 - it asks for the settings here

    specs = settings().schedule_specs()
    return specs | {"feed_discovery": replace(specs["feed_discovery"], wanted=is_any_due)}


def retention() -> Retention:
    """What the settings say of how long history is kept."""
    return settings().retention.as_seconds()


def watch(storage: DurableStorage) -> Watch:
    """What tells alerts while a worker runs."""
    from worker.alerts import Watch, addresses  # noqa: PLC0415 - for workers only

    given = secrets().alert_urls
    urls = addresses(given.get_secret_value()) if given else []
    place = settings().environment or find_home().root.name
    return Watch(storage, settings().alerts.as_limits(), urls, place)


def apply_settings(*retried: Any) -> None:
    """Gives tasks the retries of the settings; called when a worker starts."""
    retry = settings().retry
    for task in retried:
        task.task_class.default_retries = retry.attempts
        task.task_class.default_retry_delay = retry.delay
        task.task_class.default_retry_backoff = retry.backoff


def subject_of(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """The market that a call is about, for people."""
    if not name.endswith((".collect_all_sources", ".write_reports")):
        return None
    given = args[0] if args else kwargs.get("config_path", kwargs.get("market"))
    return redact(str(given)).rpartition("/")[2].removesuffix(".yaml")[:80] if given else None


# -- collecting --------------------------------------------------------------------------------


def collect_market(
    huey: DurableHuey,
    config_path: str,
    *,
    source: str | None = None,
    due_only: bool = False,
    now: Clock = utc_now,
) -> dict[str, Any]:
    """Collects one market, ranks its topics, and says what came of it.

    Args:
        huey: the queue, which knows what an operator has disabled.
        config_path: the market's name, or the path of its file.
        source: the key of the only source to ask, whatever it waits for.
        due_only: leave out sources that are not due yet.
        now: the clock.

    Raises:
        ConfigError: the market's file is missing or faulty.
        SourceError: it has no such source.
        NothingCollectedError: every source failed.
    """
    from worker.research.choice import Choice  # noqa: PLC0415
    from worker.research.collect import CollectStats, collect  # noqa: PLC0415 - brings aiohttp and feedparser
    from worker.research.markets import load_market  # noqa: PLC0415
    from worker.research.upkeep import fingerprint_old  # noqa: PLC0415
    from worker.topic_jobs import rank_after_collection  # noqa: PLC0415 - it needs this module

    market = load_market(find_config(), config_path)
    if _is_covered(market.name, source, due_only=due_only):
        current_run().skip(f"the same sources of {market.name} were being collected already")
        return CollectStats(market.name).as_dict()
    disabled = switched_off(huey.storage, f"sources:{market.name}")
    choice = Choice(only=source, due_only=due_only, disabled=disabled, wanted_at=current_run().retried_at)
    with open_library() as library:
        run = collect(
            market,
            library,
            report=current_run().progress,
            options=fetch_options(),
            choice=choice,
            now=now,
            services=services(),
        )
        stats = run.as_dict() | {"topics": rank_after_collection(market, library, now=now)}
        fingerprint_old(library)
    answered = current_run().retried_at is not None and run.well
    if not run.sources and run.skipped and not answered:
        current_run().skip(f"no source was asked: {_first_of(run.skipped)}")
    log.info("collected", extra={key: value for key, value in stats.items() if key != "per_source"})
    return stats


def _is_covered(market: str, source: str | None, *, due_only: bool) -> bool:
    """Whether an earlier collection does what this one would; the retry of a letter waits for its end first.

    A skipped retry proves nothing: its letter would stay dead, and a canary stop, although all has been mended.
    """
    run = current_run()
    deadline = time.monotonic() + (LETTER_WAITS_S if run.retried_at else 0)
    while any(_covers(call.kwargs, source, due_only=due_only) for call in run.earlier()):
        if time.monotonic() >= deadline:
            return True
        run.progress(0, note=f"waits for the collection of {market} that runs")
        time.sleep(LOOKS_EVERY_S)
    return False


def _covers(earlier: dict[str, Any], source: str | None, *, due_only: bool) -> bool:
    """Whether a collection that runs already asks all that this one would ask: each source twice at once is no manners."""
    if (only := earlier.get("source")) is not None:
        return bool(source == only)
    return source is None and (due_only or not earlier.get("due_only"))


def services() -> Services:
    """Where the services are asked that more than one market uses, with the keys there are."""
    return services_of(settings(), secrets())


def services_of(given: Settings, known: Secrets) -> Services:
    """The same of these settings and secrets."""
    from worker.research.sources import services as usual  # noqa: PLC0415

    named = {getattr(usual, name.upper()): url for name, url in given.collect.services.items()}
    token, secret = known.reddit_feed_token, known.reddit_client_secret
    return usual.Services(
        named,
        reddit_user=known.reddit_feed_user,
        reddit_token=token.get_secret_value() if token else None,
        reddit_id=known.reddit_client_id,
        reddit_secret=secret.get_secret_value() if secret else None,
    )


def fetch_options() -> FetchOptions:
    """How far the settings let a fetch go."""
    from worker.research.http import FetchOptions  # noqa: PLC0415 - brings aiohttp

    limits = settings().collect
    return FetchOptions(
        timeout_s=limits.timeout,
        max_body_bytes=int(limits.max_body_mb * 1_000_000),
        concurrency=limits.concurrency,
        per_host=limits.host_concurrency,
        host_delay_s=limits.host_delay,
    )


def _first_of(reasons: dict[str, str]) -> str:
    name, why = next(iter(reasons.items()))
    more = len(reasons) - 1
    return f"{name}: {why}{f', and {more} more' if more else ''}"


def collect_every_market(collect_task: Any) -> dict[str, Any]:
    """Enqueues a collection of each enabled market; a faulty file stops none of the others."""
    markets, faulty = enabled_markets()
    tasks = [collect_task.s(market.name, due_only=True) for market in markets]
    if tasks:
        collect_task.huey.enqueue_many(tasks)
    else:
        current_run().skip(
            "no market is enabled" if not faulty else f"no usable market: {'; '.join(faulty.values())}"
        )
    return {
        "markets": [market.name for market in markets],
        "tasks": [task.id for task in tasks],
        "faulty": faulty,
    }


def enabled_markets() -> tuple[list[Market], dict[str, str]]:
    """The markets that are collected, and the faults of files that cannot be used."""
    from worker.research.markets import load_market  # noqa: PLC0415

    config = find_config()
    markets: list[Market] = []
    faulty: dict[str, str] = {}
    for name in market_names(config):
        try:
            market = load_market(config, name)
        except ConfigError as error:
            faulty[name] = str(error)
            log.warning("market left out: %s", error, extra={"market": name})
        else:
            markets += [market] if market.enabled else []
    return markets, faulty


@contextlib.contextmanager
def open_library() -> Iterator[Library]:
    """The library of the home, closed at the end."""
    from worker.research.library import Library  # noqa: PLC0415

    library = Library(find_home().prepare().topics_db)
    try:
        yield library
    finally:
        library.close()


# -- the dead letters, for programs that know only the seed's functions -------------------------


def report_failure(
    huey: DurableHuey, task_name: str, error: str | BaseException, timestamp: dt.datetime | str | float
) -> None:
    """Writes a dead letter that has no task."""
    from worker.queue.dead_letters import Death  # noqa: PLC0415
    from worker.queue.failures import Failure, describe, fingerprint  # noqa: PLC0415

    if isinstance(error, BaseException):
        failure = describe(error, redact)
    else:
        text = redact(str(error))
        failure = Failure("reported", text, "", fingerprint("reported", text, task_name))
    at = _unix(timestamp)
    huey.storage.letters.bury(
        Death(
            death=f"logged/{uuid.uuid4()}", task_id="", name=task_name, subject=None, reason="logged", data=None,
            priority=0, args=None, attempts="[]", worker=None, first_seen=at, last_seen=at, failure=failure,
        )
    )  # fmt: skip


def _unix(moment: dt.datetime | str | float) -> float:
    if isinstance(moment, str):
        moment = dt.datetime.fromisoformat(moment)
    return moment.timestamp() if isinstance(moment, dt.datetime) else float(moment)


def dead_letters(huey: DurableHuey, limit: int) -> list[dict[str, Any]]:
    """The newest dead letters as dicts, times in ISO 8601."""
    letters: list[dict[str, Any]] = huey.storage.letters.entries(limit)
    for letter in letters:
        for key in ("timestamp", "first_seen"):
            letter[key] = dt.datetime.fromtimestamp(letter[key], dt.UTC).isoformat()
    return letters


def clear_dead_letters(huey: DurableHuey) -> int:
    """Takes all dead letters away, journaled like an operator's act."""
    from worker.queue.operator import Operator  # noqa: PLC0415

    storage = huey.storage
    operator = Operator(storage.filename, storage.letters.path, queue=storage.name)
    try:
        last, _ = operator.letters_mark()
        return operator.clear_letters(last).done
    finally:
        operator.close()


def stats(huey: DurableHuey) -> dict[str, int]:
    """How many tasks are where, from the counters."""
    storage = huey.storage
    depth = dict(storage.sql("SELECT state, n FROM depth WHERE queue = ?", (storage.name,), results=True))
    return {
        "pending_tasks": depth.get("pending", 0),
        "scheduled_tasks": depth.get("scheduled", 0),
        "running_tasks": depth.get("running", 0),
        "dlq_entries": storage.letters.count(),
    }
