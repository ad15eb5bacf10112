"""`topic-worker report` and `topic-worker notion`: what is done with topics by hand, without a queue."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from worker.foreign import say
from worker.places import find_config, find_home

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from worker.research.sinks.notion_api import NotionApi
    from worker.settings import Settings

DONE, ATTENTION, UNUSABLE = 0, 1, 2


def add_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    places: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Adds the commands.

    Args:
        commands: where to.
        places: adds the options that say where home and configuration are.
    """
    report = commands.add_parser(
        "report", help="rank the topics and write the report as files, now", allow_abbrev=False
    )
    report.add_argument("market", nargs="?", metavar="MARKET", help="its name; default: every enabled one")
    report.add_argument("--folder", metavar="DIR", help="where to; default: as the settings say")
    report.set_defaults(act=write_report)
    places(report)
    notion = commands.add_parser("notion", help="make or check the Notion database", allow_abbrev=False)
    acts = notion.add_subparsers(dest="act_name", metavar="COMMAND", required=True)
    init = acts.add_parser(
        "init",
        help="make a database for topics, or add what the one in the settings lacks",
        allow_abbrev=False,
    )
    init.add_argument(
        "--page", metavar="ID", help="make a new one under this page, which the integration may edit"
    )
    init.set_defaults(act=notion_init)
    check = acts.add_parser("check", help="say whether the database takes topics", allow_abbrev=False)
    check.set_defaults(act=notion_check)
    for leaf in (init, check):
        places(leaf)


def run(options: argparse.Namespace) -> int:
    """Carries out one of the commands; what goes wrong is one sentence."""
    from worker.config import ConfigError  # noqa: PLC0415 - `--help` needs none of it
    from worker.research.errors import ResearchError  # noqa: PLC0415

    os.environ["TOPIC_CONFIG"] = str(find_config(options.config))
    os.environ["TOPIC_HOME"] = str(find_home(options.home).root)
    try:
        code: int = options.act(options)
    except ConfigError as error:
        return _refuse(str(error), UNUSABLE)
    except ResearchError as error:
        return _refuse(str(error), ATTENTION)
    return code


def _refuse(sentence: str, code: int) -> int:
    say(f"topic-worker: {sentence}", file=sys.stderr)
    return code


def write_report(options: argparse.Namespace) -> int:
    """Writes the report of one market, or of every enabled one."""
    from worker.topic_jobs import write_reports  # noqa: PLC0415

    written = write_reports(options.market, folder=options.folder)
    for folder in written["reports"].values():
        say(folder)
    for fault in written["faulty"].values():
        say(fault, file=sys.stderr)
    return ATTENTION if written["faulty"] or not written["reports"] else DONE


def notion_init(options: argparse.Namespace) -> int:
    """Makes a database under a page, or adds what the one in the settings lacks."""
    from worker.research.sinks import notion_schema  # noqa: PLC0415 - brings notion-client

    settings = _settings()
    if options.page is None and not settings.notion.database_id:
        return _refuse(
            "say --page ID to make a database under that page, or set notion.database_id", UNUSABLE
        )
    with _api(settings) as api:
        if options.page is not None:
            made = notion_schema.create(api, options.page)
            say(f"Made the database {made}. Put it into settings.yaml:\n\nnotion:\n  database_id: {made}")
        else:
            added = notion_schema.complete(api, settings.notion.database_id)
            say(f"Added {', '.join(added)}." if added else "The database has all that topics need.")
    return DONE


def notion_check(_: argparse.Namespace) -> int:
    """Says whether the database in the settings takes topics; changes nothing."""
    from worker.research.sinks import notion_schema  # noqa: PLC0415 - brings notion-client

    settings = _settings()
    if not settings.notion.database_id:
        return _refuse("notion.database_id is not set in settings.yaml", UNUSABLE)
    with _api(settings) as api:
        checked = notion_schema.check(api, settings.notion.database_id)
    for fault in checked.faults:
        say(f"topic-worker: property {fault}", file=sys.stderr)
    if checked.missing:
        say(f"Filled if they were there: {', '.join(checked.missing)}. topic-worker notion init adds them.")
    if not checked.faults:
        say(f"The database takes topics (data source {checked.data_source}).")
    return ATTENTION if checked.faults else DONE


def _settings() -> Settings:
    from worker.settings import load_settings  # noqa: PLC0415

    return load_settings(find_config())


def _api(settings: Settings) -> NotionApi:
    from worker.research.errors import NotionError  # noqa: PLC0415
    from worker.research.sinks.notion_api import NotionApi  # noqa: PLC0415
    from worker.settings import load_secrets  # noqa: PLC0415

    token = load_secrets(find_home()).notion_token
    if token is None:
        raise NotionError("NOTION_TOKEN is not set, neither in the environment nor in .env")
    return NotionApi(token.get_secret_value(), base_url=settings.notion.base_url)
