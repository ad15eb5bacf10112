"""How a command line is read, where it is not just as argparse has it."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any, NoReturn

from worker.foreign import harmless


class Parser(argparse.ArgumentParser):
    """A parser that helps whoever mistypes a command.

    Attributes:
        alone: the command of a group that is meant where none is named.
    """

    alone: str | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's; `topic-console queue --json` is `topic-console queue list --json`."""
        if self.alone is not None and not (args and (args[0] in {"-h", "--help"} or args[0][:1] != "-")):
            args = [self.alone, *(args or ())]
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """As argparse's, without what steers a terminal; names the command that was perhaps meant."""
        message = harmless(message)
        if found := re.search(r"invalid choice: '(.+?)' \(choose from (.+)\)", message):
            from difflib import get_close_matches  # noqa: PLC0415 - for a slip only

            if near := get_close_matches(found[1], re.findall(r"[\w-]+", found[2]), 1):
                message = f"{message}; did you mean {near[0]}?"
        super().error(message)


class Version(argparse.Action):
    """Finds out the version when it is asked for: the library for it takes as long as all else here."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        """Prints it, and ends."""
        from importlib.metadata import version  # noqa: PLC0415 - see above

        sys.stdout.write(f"topic-console {version('topic-console')}\n")
        parser.exit()
