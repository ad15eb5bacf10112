"""A line of the worker's log, and which lines are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.readings.filters import Term

# Of a longer line, or a longer field, only so much is kept.
LONGEST = 64 * 1024
_STANDARD = frozenset({"timestamp", "level", "logger", "event", "task_id", "exception", "stack"})


class Level(IntEnum):
    """How grave a line is."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50

    @classmethod
    def of(cls, text: str) -> Level | None:
        """By its name, or how it begins; None for a word that is none."""
        name = text.upper()
        return next((level for level in cls if name and level.name.startswith(name)), None)

    @classmethod
    def rank(cls, text: str) -> int:
        """How grave a name is; 0 for a word that is none."""
        return cls.of(text) or 0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log; all strings are raw.

    Attributes:
        place: its file and where it begins there; tells it from the others.
        at: when it was written; None where the line does not say.
        level: as it names it; empty for a line that is no JSON document.
        logger: who wrote it.
        event: what is said.
        task_id: the task it belongs to.
        fields: what else it says.
        exception: a traceback.
    """

    place: tuple[int, int]
    at: datetime | None
    level: str
    logger: str
    event: str
    task_id: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    exception: str | None = None


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines are wanted.

    Attributes:
        level: this one and graver ones.
        task_id: of this task, or of those whose ids begin or end so.
        text: the small language of `/`; `is:warning` means that level or a graver one.
    """

    level: Level = Level.DEBUG
    task_id: str = ""
    text: str = ""


def matches(line: LogLine, query: LogQuery, terms: tuple[Term, ...], now: datetime) -> bool:
    """Whether a line is wanted."""
    if query.level > Level.DEBUG and Level.rank(line.level) < query.level:
        return False
    if query.task_id and not _is_task(line, query.task_id):
        return False
    return all(_holds(line, term, now) != term.inverted for term in terms if term.value)


def _holds(line: LogLine, term: Term, now: datetime) -> bool:
    value = term.value.lower()
    match term.field:
        case "is":
            asked = Level.of(value)
            return asked is not None and Level.rank(line.level) >= asked
        case "id":
            return _is_task(line, value)
        case "err":
            return value in f"{line.exception or ''}".lower() or (
                Level.rank(line.level) >= Level.ERROR and value in line.event.lower()
            )
        case "market":
            return any(name == "market" and value in text.lower() for name, text in line.fields)
        case "age>" | "age<":
            return line.at is not None and _older(line.at, now, value) == (term.field == "age>")
        case _:
            # `task:` too: a task's name is part of what Huey says of it.
            parts = [line.event, line.logger, line.level, line.task_id or "", line.exception or ""]
            parts += [f"{name}={text}" for name, text in line.fields]
            # A line takes no time, so `took>` finds none.
            return term.field[-1] not in "<>" and any(value in part.lower() for part in parts)


def _is_task(line: LogLine, given: str) -> bool:
    """Whether an id is meant by how it begins, or by how it ends, which is what a list shows of it."""
    task_id, wanted = (line.task_id or "").lower(), given.lower()
    return task_id.startswith(wanted) or task_id.endswith(wanted)


def _older(at: datetime, now: datetime, seconds: str) -> bool:
    return (now - at).total_seconds() > float(seconds)


def parsed(text: bytes, place: tuple[int, int]) -> LogLine:
    """A line; one that is no JSON document is taken as it stands."""
    import orjson  # noqa: PLC0415 - a console that never shows the log needs it not

    try:
        said: Any = orjson.loads(text) if len(text) <= LONGEST * 16 else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return LogLine(place, None, "", "", text[:LONGEST].decode(errors="replace"))
    return LogLine(
        place=place, at=_moment(said.get("timestamp")), level=str(said.get("level") or "")[:20],
        logger=str(said.get("logger") or "")[:200], event=_text(said.get("event")),
        task_id=str(said["task_id"]) if said.get("task_id") else None,
        fields=tuple((str(name), _text(value)) for name, value in said.items() if name not in _STANDARD),
        exception=_text(said["exception"]) if said.get("exception") else None,
    )  # fmt: skip


def _text(value: Any) -> str:
    return ("" if value is None else value if isinstance(value, str) else str(value))[:LONGEST]


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
