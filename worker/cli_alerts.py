"""`topic-worker alerts`: one look, and telling what is new."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from worker.foreign import say
from worker.places import find_config, find_home

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from worker.places import Home

DONE, NOT_TOLD, UNUSABLE = 0, 1, 2


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    places: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Adds `alerts` to the parser.

    Args:
        commands: of `topic-worker`.
        places: adds the options that say where things are.
    """
    told = commands.add_parser(
        "alerts",
        help="look once and tell what is new; for cron, where no worker may be left",
        allow_abbrev=False,
    )
    places(told)
    told.add_argument("--test", action="store_true", help="tell that alerts arrive")


def run(options: argparse.Namespace) -> int:
    """Looks once and tells what is new: 0 all told, 1 a service did not take it, 2 faulty settings."""
    from worker import jobs  # noqa: PLC0415 - the other commands need it not
    from worker.alerts import AlertError, addresses, send  # noqa: PLC0415
    from worker.config import ConfigError  # noqa: PLC0415
    from worker.queue.errors import QueueError  # noqa: PLC0415

    home = find_home(options.home)
    os.environ["TOPIC_CONFIG"] = str(find_config(options.config))
    os.environ["TOPIC_HOME"] = str(home.root)
    try:
        if faulty := alert_faults(home):
            return _refuse("; ".join(faulty))
        given = jobs.secrets().alert_urls
        urls = addresses(given.get_secret_value()) if given else []
        if not urls:
            return _refuse("ALERT_URLS says nowhere to tell alerts to; see settings.yaml")
        if options.test:
            send(urls, "topic-worker: a test", f"Alerts of {home.root} arrive here.")
            say("The test was told.")
            return DONE
        from worker.tasks import huey  # noqa: PLC0415

        told = jobs.watch(huey.storage).once()
    except ConfigError as error:
        return _refuse(str(error))
    except (AlertError, QueueError) as error:
        say(f"topic-worker: {error}", file=sys.stderr)
        return NOT_TOLD
    say(f"{told} alerts told." if told else "Nothing new.")
    return DONE


def alert_faults(home: Home) -> list[str]:
    """What is wrong with the addresses of alerts, one sentence each."""
    from worker.alerts import addresses, faults  # noqa: PLC0415
    from worker.settings import load_secrets  # noqa: PLC0415

    given = load_secrets(home).alert_urls
    return faults(addresses(given.get_secret_value())) if given else []


def _refuse(sentence: str) -> int:
    say(f"topic-worker: {sentence}", file=sys.stderr)
    return UNUSABLE
