"""`topic-console`: the console on a terminal, and the same things as commands for scripts."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Context, Exit, dumps
from console.text import clean
from worker.foreign import let_go_of_output
from worker.places import Home, PlaceError, find_config, find_home

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LONGEST_REFUSAL = 2_000
THEMES = ("dark", "light", "high-contrast")


def main(argv: Sequence[str] | None = None) -> int:
    """Opens the console, or carries out a command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows few letters shows what it can, and ends nothing.
            stream.reconfigure(errors="backslashreplace")
    for word in sys.argv[1:] if argv is None else argv:
        if not word.isprintable() and any("\ud800" <= sign <= "\udfff" for sign in word):
            # Python's stand-in for a byte that is no UTF-8; no database could hold it.
            parser().error(f"expected UTF-8, found {word[:100]!a}")
    options = parser().parse_args(argv)
    try:
        home, config = find_home(options.home), find_config(options.config)
        home.check()
        if not options.read_only:
            _bring_up_to_date(home, config)
        code = _console(options, home, config) if options.run is None else _command(options, home, config)
        sys.stdout.flush()
    except (PlaceError, CommandError) as error:
        return _refuse(options, str(error), getattr(error, "code", Exit.UNUSABLE))
    except BrokenPipeError:
        let_go_of_output()
        return Exit.DONE
    except KeyboardInterrupt:
        return 130
    return code


def _refuse(options: argparse.Namespace, words: str, code: Exit) -> Exit:
    sentence = clean(words, LONGEST_REFUSAL)
    if getattr(options, "json", False):
        print(dumps({"error": sentence}))
    print(f"topic-console: {sentence}", file=sys.stderr)
    return code


def _console(options: argparse.Namespace, home: Home, config: Path) -> int:
    # In a browser's tab (`serve`) there is no terminal, and Textual's own driver draws.
    if "TEXTUAL_DRIVER" not in os.environ:
        _refuse_no_terminal()
    if not options.read_only:
        home.prepare()
    _refuse_unusable(home)
    own_keys = _own_keys()
    # Textual reads this when it is imported: moving pictures are for no terminal, least of all over ssh.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    from console.opening import open_console  # noqa: PLC0415 - no command and no --help pays for Textual

    return open_console(
        home=home,
        config=config,
        read_only=options.read_only,
        with_worker=options.worker,
        ascii_only=options.ascii,
        theme=options.theme,
        own_keys=own_keys,
    )


def _refuse_no_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError(
            "the console needs a terminal; for scripts use: topic-console status --json", Exit.UNUSABLE
        )
    term = os.environ.get("TERM", "")
    if term in {"", "dumb"}:
        raise CommandError(
            f"this terminal (TERM={term}) cannot draw the console; use: topic-console status", Exit.UNUSABLE
        )


def _own_keys() -> dict[str, str]:
    from console.keymap import keys_file, load_keymap  # noqa: PLC0415 - only the screens have keys

    path = keys_file()
    if not path.exists():
        return {}
    from worker.config import ConfigError  # noqa: PLC0415 - brings pydantic, for a file that few have

    try:
        return load_keymap(path)
    except ConfigError as error:
        raise CommandError(str(error), Exit.UNUSABLE) from error


def _bring_up_to_date(home: Home, config: Path) -> None:
    """Migrates the queue's files where an earlier version has written them; else only looks at their first bytes."""
    from worker.queue import schema  # noqa: PLC0415 - --help needs none of it

    if not any(schema.looks_older(path) for path in (home.tasks_db, home.dlq_db)):
        return
    from console.actions import ActionRefused, Actions  # noqa: PLC0415

    print("topic-console: bringing the files up to date ...", file=sys.stderr)
    actions = Actions(home, config)
    try:
        actions.bring_up_to_date()
    except ActionRefused as error:
        raise CommandError(str(error), Exit.UNUSABLE) from error
    finally:
        actions.close()


def _refuse_unusable(home: Home) -> None:
    """A stock Huey file, a stranger's or a newer one is said at once, before the screen opens."""
    from console.readings.connection import LETTERS, LIBRARY, TASKS, File, ReadingError  # noqa: PLC0415

    for path, kind in ((home.tasks_db, TASKS), (home.dlq_db, LETTERS), (home.topics_db, LIBRARY)):
        file = File(path, kind)
        try:
            file.check()
        except ReadingError as error:
            raise CommandError(str(error), Exit.UNUSABLE) from error
        finally:
            file.close()


def _command(options: argparse.Namespace, home: Home, config: Path) -> int:
    if options.of_home and not home.root.exists():
        # Whoever has mistyped it would be told that the queue is empty.
        print(f"topic-console: nothing is in {home.root} yet", file=sys.stderr)
    with _context(options, home, config) as context:
        from console.actions import ActionRefused  # noqa: PLC0415
        from console.readings import ReadingError  # noqa: PLC0415

        try:
            return int(options.run(context))
        except ReadingError as error:
            raise CommandError(str(error), Exit.UNUSABLE) from error
        except ActionRefused as error:
            raise CommandError(str(error), _code(error)) from error
        except (CommandError, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - logged whole, shown short
            return _unexpected(options, home, error)


def _code(error: Exception) -> Exit:
    """A faulty or unusable file is 2; a wish that cannot be granted is 1."""
    from worker.config import ConfigError  # noqa: PLC0415
    from worker.places import PlaceError as Place  # noqa: PLC0415
    from worker.queue.errors import QueueFileError  # noqa: PLC0415

    return (
        Exit.UNUSABLE if isinstance(error.__cause__, (ConfigError, QueueFileError, Place)) else Exit.ATTENTION
    )


def _unexpected(options: argparse.Namespace, home: Home, error: Exception) -> Exit:
    """Logged whole, shown short."""
    from console import faults  # noqa: PLC0415

    where = faults.log_to(home)
    faults.record("a command", error)
    return _refuse(
        options, f"unexpected {type(error).__name__}: {error}; the whole story is in {where}", Exit.ATTENTION
    )


@contextlib.contextmanager
def _context(options: argparse.Namespace, home: Home, config: Path) -> Iterator[Context]:
    from console.actions import Actions  # noqa: PLC0415
    from console.readings import Readings  # noqa: PLC0415

    readings = Readings(home)
    actions = Actions(home, config, read_only=options.read_only)
    try:
        yield Context(options, home, config, readings, actions)
    finally:
        readings.close()
        actions.close()


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    from console.parser import build  # noqa: PLC0415 - it imports this module's commands

    return build(THEMES)


if __name__ == "__main__":
    sys.exit(main())
