"""The tasks: what a worker can do, by the names that other programs rely on.

Importing this module creates no file and opens no connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker import feed_jobs, jobs, topic_jobs
from worker.queue import Cron, DurableHuey

if TYPE_CHECKING:
    import datetime as dt

huey = DurableHuey(
    "topics",
    filename=jobs.tasks_db,
    dlq_filename=jobs.dlq_db,
    direct_schedule=True,
    describe=jobs.subject_of,
    redact=jobs.redact,
    schedules=jobs.schedule_specs,
    retention=jobs.retention,
    watch=jobs.watch,
)


@huey.task(retries=3, retry_delay=60, retry_backoff=2)
def collect_all_sources(
    config_path: str, *, source: str | None = None, due_only: bool = False
) -> dict[str, Any]:
    """Collects every source of one market, named or given as the path of its file.

    Args:
        config_path: the market.
        source: the key of the only source to ask.
        due_only: pass over sources that are not expected to have anything new yet.
    """
    return jobs.collect_market(huey, config_path, source=source, due_only=due_only)


@huey.periodic_task(Cron("0 2 * * *"))
def daily_collection() -> dict[str, Any]:
    """Starts a collection of every enabled market."""
    return jobs.collect_every_market(collect_all_sources)


@huey.periodic_task(Cron("0 9 * * 1"), retries=3, retry_delay=60, retry_backoff=2)
def weekly_notion_sync() -> dict[str, Any]:
    """Ranks the week's topics of every enabled market, writes the report, and syncs the best to Notion."""
    return topic_jobs.sync_topics()


@huey.periodic_task(Cron("0 6 * * *"))
def feed_discovery() -> dict[str, Any]:
    """Searches for new feeds of the markets whose `discovery_schedule_cron` has come, and proposes them."""
    return feed_jobs.discover_feeds()


@huey.task(retries=3, retry_delay=60, retry_backoff=2)
def write_reports(market: str | None = None, folder: str | None = None) -> dict[str, Any]:
    """Ranks the topics of one market, or of every enabled one, and writes its report."""
    return topic_jobs.write_reports(market, folder=folder)


def log_to_dlq(task_name: str, error: str | BaseException, timestamp: dt.datetime | str | float) -> None:
    """Records a failure that happened outside the queue."""
    jobs.report_failure(huey, task_name, error, timestamp)


def get_dlq_entries(limit: int = 100) -> list[dict[str, Any]]:
    """The newest dead letters first: dicts with at least `task_name`, `error` and `timestamp`."""
    return jobs.dead_letters(huey, limit)


def clear_dlq() -> int:
    """Takes every dead letter away (an operator can undo it), and says how many there were."""
    return jobs.clear_dead_letters(huey)


def get_task_stats() -> dict[str, int]:
    """How many tasks are where: `pending_tasks`, `scheduled_tasks`, `running_tasks`, `dlq_entries`."""
    return jobs.stats(huey)


huey.on_consumer = lambda: jobs.apply_settings(collect_all_sources, weekly_notion_sync, write_reports)
