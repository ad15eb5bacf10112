"""How a command answers: a table for people, one JSON document for programs, and an exit code."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worker.foreign import escaped

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from console.actions import Actions, Done
    from console.readings import Readings
    from console.rows.base import Cell, Column
    from worker.places import Home


class Exit(IntEnum):
    """A command's exit code."""

    DONE = 0
    ATTENTION = 1  # needs attention, or was refused
    UNUSABLE = 2  # bad usage, or a file that cannot be used


class CommandError(Exception):
    """A command cannot be carried out; the message is one sentence."""

    def __init__(self, text: str, code: Exit = Exit.ATTENTION) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Context:
    """What a command works with.

    Attributes:
        options: as parsed.
        home: the data folder.
        config: the configuration folder.
        readings: what can be read.
        actions: what can be done.
    """

    options: argparse.Namespace
    home: Home
    config: Path
    readings: Readings
    actions: Actions

    @property
    def json(self) -> bool:
        """Whether a program reads the answer."""
        return bool(self.options.json)

    def now(self) -> datetime:
        """The time, aware."""
        return datetime.now(UTC)

    def answer(self, document: Any, text: str) -> None:
        """Prints one JSON document, or a text."""
        print(dumps(document) if self.json else text)

    def done(self, done: Done) -> Exit:
        """Reports an act; one that changed nothing at all was refused."""
        change = done.change
        self.answer(
            {
                "text": done.text, "entry": change.entry, "asked": change.asked, "done": change.done,
                "refused": [{"id": name, "why": why} for name, why in change.refused],
                "task_ids": list(change.task_ids),
            },
            done.text,
        )  # fmt: skip
        return Exit.ATTENTION if change.asked and not change.done else Exit.DONE

    def confirm(self, question: str) -> None:
        """Asks before something is destroyed.

        Raises:
            CommandError: it was not agreed to, or nobody can be asked and `--yes` was not given.
        """
        if self.options.yes:
            return
        if self.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise CommandError(f"{question} Not on a terminal: say --yes to agree", Exit.UNUSABLE)
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was changed.")


def plain(value: Any) -> Any:
    """A reading in JSON's own types: ISO 8601 with offset, null for absent."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    return value


def dumps(value: Any) -> str:
    """One JSON document, in which signs that steer a terminal are escaped: somebody may just look at it."""
    return escaped(json.dumps(plain(value), ensure_ascii=False, indent=2))


def unpacked(text: str | None) -> Any:
    """JSON text that a reading carries, as a value; the text itself where it is none."""
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text


def as_text(lines: Iterable[Sequence[Cell]]) -> str:
    """Lines of toned text without their tones."""
    return "\n".join("".join(part.text for part in line).rstrip() for line in lines)


def table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, empty: str, width: int) -> str:
    """Rows in aligned columns, as wide as the terminal.

    Args:
        columns: the least important ones go when there is no room.
        rows: cells in the columns' order.
        empty: what to say when there are none.
        width: of the terminal, in cells.
    """
    from console.rows.base import fitted  # noqa: PLC0415 - with --json nothing is drawn
    from console.text import cell  # noqa: PLC0415

    shown = fitted(columns, width)
    lines = [
        "  ".join(cell(cells[at].text, room, columns[at].align) for at, room in shown).rstrip()
        for cells in rows
    ]
    if not lines:
        return empty
    heads = "  ".join(cell(columns[at].title, room, columns[at].align) for at, room in shown).rstrip()
    return "\n".join([heads, *lines])
