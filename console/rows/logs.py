"""A line of the log: for the list, for the detail pane, and for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.readings.log_lines import Level
from console.rows.base import Cell, Column, Tone
from console.text import cell, clean, clean_lines, local, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.log_lines import LogLine

    Line = tuple[Cell, ...]

COLUMNS = (Column("At", 25), Column("Level", 8), Column("Task", 36), Column("Event", 0))
EVENT, FIELD = 2_000, 1_000
_WORDS = {
    Level.DEBUG: ("debug", Tone.QUIET), Level.INFO: ("info", Tone.QUIET), Level.WARNING: ("warn", Tone.WARN),
    Level.ERROR: ("error", Tone.BAD), Level.CRITICAL: ("fatal", Tone.BAD),
}  # fmt: skip


def key(line: LogLine) -> str:
    """What tells this line from the others; also from one that stood in its place before the file was truncated."""
    return f"{line.place[0]}:{line.place[1]}:{line.at}"


def cells(line: LogLine, *, utc: bool = False, task: bool = True) -> Line:
    """A line of the log as one line.

    Args:
        line: what was read.
        utc: show the time in UTC.
        task: say which task it belongs to; needless where all belong to one.
    """
    level = Level.of(line.level)
    word, tone = _WORDS[level] if level else (clean(line.level, 5), Tone.QUIET)
    at = f"{local(line.at, utc=utc):%H:%M:%S}" if line.at else ""
    told = Tone.PLAIN if level is None or level == Level.INFO else tone
    parts = [Cell(f"{at:<8} ", Tone.QUIET), Cell(f"{cell(word, 5)} ", tone)]
    if task:
        parts.append(Cell(f"{cell(short_id(line.task_id), 8)} ", Tone.ACCENT))
    parts.append(Cell(clean(line.event, EVENT), told))
    parts += [Cell(f"  {clean(name, 40)}={clean(text, FIELD)}", Tone.QUIET) for name, text in line.fields]
    if line.exception:
        last = line.exception.strip().rpartition("\n")[2]
        parts.append(Cell(f"  {clean(last, FIELD)}", Tone.BAD))
    return tuple(parts)


def table_cells(line: LogLine, now: datetime) -> Line:
    """A line of the log in the order of COLUMNS, for a table in a file."""
    del now
    more = "".join(f"  {name}={value}" for name, value in line.fields)
    return (
        Cell(stamp(line.at)),
        Cell(clean(line.level, 20)),
        Cell(clean(line.task_id, 100)),
        Cell(clean(f"{line.event}{more}", EVENT)),
    )


def short_id(task_id: str | None) -> str:
    """The last eight signs of a task's id: the first ones are the time."""
    return clean(task_id, 100)[-8:]


def in_full(line: LogLine, *, utc: bool = False) -> list[Line]:
    """All that a line says."""
    level = Level.of(line.level)
    tone = _WORDS[level][1] if level else Tone.QUIET
    at = f"{local(line.at, utc=utc):%Y-%m-%d %H:%M:%S.%f}"[:-3] if line.at else ""
    lines: list[Line] = [
        (Cell(at, Tone.QUIET), Cell(f"  {clean(line.level, 20)}", tone), Cell(f"  {clean(line.logger)}", Tone.QUIET)),
        (),
        *((Cell(text),) for text in clean_lines(line.event).splitlines()),
    ]  # fmt: skip
    if line.fields:
        width = min(max(len(name) for name, _ in line.fields), 20)
        lines += [(), *(
            (Cell(f"{clean(name, 40):<{width}}  ", Tone.QUIET), Cell(clean(text, 2_000)))
            for name, text in line.fields
        )]  # fmt: skip
    if line.task_id:
        lines += [(), (Cell("task  ", Tone.QUIET), Cell(clean(line.task_id), Tone.ACCENT))]
    if line.exception:
        lines += [(), *((Cell(text),) for text in clean_lines(line.exception).splitlines())]
    return lines


def text(line: LogLine, *, utc: bool = False) -> str:
    """The line for a plain terminal, a traceback below it."""
    told = "".join(part.text for part in cells(line, utc=utc)).rstrip()
    if not line.exception:
        return told
    return f"{told}\n{clean_lines(line.exception)}"
