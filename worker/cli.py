"""`topic-worker`: runs the worker, writes a starter configuration, checks a configuration."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from worker import cli_alerts, cli_feeds, cli_proposals, cli_topics
from worker.foreign import harmless, let_go_of_output, say
from worker.places import PlaceError, find_config, find_home, market_names, named, shipped_config

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.places import Home
    from worker.settings import Settings

DONE, UNUSABLE = 0, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit code: 0 done, 2 bad usage or an unusable file."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows few letters shows what it can, and ends nothing.
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(argv)
    try:
        code = _do(options)
        sys.stdout.flush()
    except BrokenPipeError:
        let_go_of_output()
        return DONE
    except PlaceError as error:
        return _refuse(error)
    return code


def _do(options: argparse.Namespace) -> int:
    match options.command:
        case "init":
            return init(options.dir)
        case "check":
            return check(options.config, options.home)
        case "health":
            return health(options.home)
        case command:
            return _ACTS.get(command, run)(options)


_ACTS: dict[str | None, Callable[[argparse.Namespace], int]] = {
    "report": cli_topics.run,
    "notion": cli_topics.run,
    "alerts": cli_alerts.run,
    "opml": cli_feeds.run,
    "discover": cli_feeds.run,
    "proposals": cli_proposals.run,
}


class _Parser(argparse.ArgumentParser):
    """Repeats what was typed without what steers a terminal."""

    def error(self, message: str) -> NoReturn:
        """Refuses what was typed."""
        super().error(harmless(message))


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog="topic-worker",
        description="Runs the tasks of topic-console: collects markets, syncs topics. In the foreground, until Ctrl+C.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"topic-worker {version('topic-console')}")
    parser.set_defaults(
        command=None, workers=None, worker_type=None, log_level=None, burst=False, max_tasks=None
    )
    _place_options(parser, home=None, config=None)
    parser.add_argument("--workers", type=int, metavar="N", help="tasks that run at once")
    parser.add_argument("--worker-type", choices=("thread", "process"), help="what each of them runs in")
    parser.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), help="how much is logged"
    )
    parser.add_argument(
        "--burst", action="store_true", help="work until nothing is ready or runs any more, then end"
    )
    parser.add_argument(
        "--max-tasks",
        type=int,
        metavar="N",
        help="replace a worker process after so many tasks; needs processes",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    starter = commands.add_parser("init", help="write a starter configuration", allow_abbrev=False)
    starter.add_argument(
        "dir", nargs="?", default="config", type=Path, metavar="DIR", help="default: ./config"
    )
    checked = commands.add_parser("check", help="name every fault of the configuration", allow_abbrev=False)
    _place_options(checked, home=argparse.SUPPRESS, config=argparse.SUPPRESS)
    alive = commands.add_parser(
        "health", help="exit code 0 when a worker is alive, else 1; for service managers", allow_abbrev=False
    )
    _place_options(alive, home=argparse.SUPPRESS, config=argparse.SUPPRESS)
    cli_topics.add_commands(
        commands, lambda leaf: _place_options(leaf, home=argparse.SUPPRESS, config=argparse.SUPPRESS)
    )
    cli_feeds.add_commands(
        commands, lambda leaf: _place_options(leaf, home=argparse.SUPPRESS, config=argparse.SUPPRESS)
    )
    cli_proposals.add_commands(
        commands, lambda leaf: _place_options(leaf, home=argparse.SUPPRESS, config=argparse.SUPPRESS)
    )
    cli_alerts.add_command(
        commands, lambda leaf: _place_options(leaf, home=argparse.SUPPRESS, config=argparse.SUPPRESS)
    )
    return parser


def _place_options(parser: argparse.ArgumentParser, *, home: str | None, config: str | None) -> None:
    parser.add_argument("--home", default=home, metavar="DIR", help="the data folder (TOPIC_HOME)")
    parser.add_argument("--config", default=config, metavar="DIR", help="the configuration (TOPIC_CONFIG)")


def _refuse(error: Exception) -> int:
    say(f"topic-worker: {error}", file=sys.stderr)
    return UNUSABLE


# -- run ---------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """Runs the worker until it is asked to stop.

    Raises:
        PlaceError: the home or the configuration folder cannot be used.
    """
    from worker.config import ConfigError  # noqa: PLC0415 - `init` and `--help` need none of it
    from worker.queue.errors import QueueError  # noqa: PLC0415
    from worker.settings import load_secrets, load_settings  # noqa: PLC0415

    config = find_config(options.config)
    # The tasks look these up again, also in worker processes that are forked later.
    os.environ["TOPIC_CONFIG"] = str(config)
    os.environ["TOPIC_HOME"] = str(find_home(options.home).root)
    try:
        for name in ("workers", "worker_type", "log_level"):
            if getattr(options, name) is not None:
                os.environ[f"TOPIC_{name.upper()}"] = str(getattr(options, name))
        settings = load_settings(config)
        if options.max_tasks is not None and (options.max_tasks < 1 or settings.worker_type != "process"):
            found = f"{options.max_tasks} and {settings.worker_type}s"
            raise PlaceError(
                f"--max-tasks: expected a number above 0 and --worker-type process, found {found}"
            )
        home = find_home().prepare()
        redact = load_secrets(home).redact
        return _consume(settings, home, redact, burst=options.burst, max_tasks=options.max_tasks)
    except (ConfigError, QueueError) as error:
        return _refuse(error)


def _consume(
    settings: Settings, home: Home, redact: object, *, burst: bool, max_tasks: int | None = None
) -> int:
    from worker import logs  # noqa: PLC0415
    from worker.tasks import huey  # noqa: PLC0415

    # A file that cannot be used is said before the log is opened.
    huey.storage.initialize_schema()
    logs.configure(home.prepare_logs() / home.log_file.name, settings.log_level, redact)  # type: ignore[arg-type]  # a bound method
    consumer = huey.create_consumer(
        workers=settings.workers,
        worker_type=settings.worker_type,
        # The bell wakes idle workers; this is the net beneath it.
        initial_delay=0.5,
        max_delay=1.0,
        shutdown_timeout=settings.shutdown_timeout,
        burst=burst,
        max_tasks=max_tasks,
        # A worker process that died, or has done its share, is replaced within a second.
        health_check_interval=1.0,
    )
    plural = "" if settings.workers == 1 else "es" if settings.worker_type == "process" else "s"
    say(
        f"topic-worker: {settings.workers} {settings.worker_type}{plural}, data in {home.root}, "
        f"pid {os.getpid()}; Ctrl+C stops it gracefully",
        file=sys.stderr,
        flush=True,
    )
    consumer.run()
    huey.storage.close()
    _exit_now(UNUSABLE if consumer.lost_its_files else DONE)


def _exit_now(code: int) -> NoReturn:
    """Ends without waiting for threads of tasks that were given back; they hold nothing any more."""
    import logging  # noqa: PLC0415

    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


# -- health ------------------------------------------------------------------------------------


def health(home: str | None) -> int:
    """Says whether a worker of this home is alive."""
    from worker.queue import health as queue_health  # noqa: PLC0415 - the other commands need it not
    from worker.queue.errors import QueueError  # noqa: PLC0415

    try:
        alive, why = queue_health.health(find_home(home).tasks_db, "topics")
    except QueueError as error:
        return _refuse(error)
    say(f"topic-worker: {why}", file=sys.stderr if not alive else sys.stdout)
    return DONE if alive else 1


# -- init --------------------------------------------------------------------------------------


def init(folder: Path) -> int:
    """Writes a copy of the shipped configuration: the whole, or nothing.

    Args:
        folder: where to; must not exist, or be empty.

    Raises:
        PlaceError: it cannot be a path.
    """
    target = named(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        say(f"topic-worker: {target}: already exists; nothing was written", file=sys.stderr)
        return UNUSABLE
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".topic-config-", dir=target.parent))
        shutil.copytree(shipped_config(), draft, dirs_exist_ok=True)
        draft.chmod(0o755)
        draft.replace(target)
    except OSError as error:
        say(f"topic-worker: {target}: cannot be written: {error.strerror}", file=sys.stderr)
        return UNUSABLE
    say(f"Wrote {target}. Edit markets/*.yaml, then run: topic-worker check --config {target}")
    return DONE


# -- check -------------------------------------------------------------------------------------


def check(given: str | None, home: str | None = None) -> int:
    """Validates every file of the configuration, and says in words what it means.

    Raises:
        PlaceError: the folder does not exist.
    """
    import datetime as dt  # noqa: PLC0415

    from worker.config import ConfigError  # noqa: PLC0415
    from worker.explain import schedules_in_words  # noqa: PLC0415
    from worker.jobs import services_of  # noqa: PLC0415
    from worker.settings import load_secrets, load_settings  # noqa: PLC0415

    config = find_config(given)
    faults: list[str] = []
    services = None
    try:
        settings = load_settings(config)
    except ConfigError as error:
        faults.append(str(error))
    else:
        services = services_of(settings, load_secrets(find_home(home)))
        say(f"{config / 'settings.yaml'}: {settings.workers} workers; schedules:")
        for line in schedules_in_words(settings, dt.datetime.now(dt.UTC)):
            say(f"  {line}")
    names = market_names(config)
    for name in names:
        try:
            lines = cli_feeds.sources_in_words(config, name, services)
        except ConfigError as error:
            faults.append(str(error))
        else:
            say(f"{config / 'markets' / name}.yaml: fine; it collects:")
            for line in lines:
                say(f"  {line}")
    if not names:
        faults.append(f"{config / 'markets'}: expected at least one market, NAME.yaml, found none")
    faults += cli_alerts.alert_faults(find_home(home))
    for fault in faults:
        say(fault, file=sys.stderr)
    return UNUSABLE if faults else DONE


if __name__ == "__main__":
    sys.exit(main())
