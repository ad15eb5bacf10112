"""A list or a report as a file: CSV, JSON or Markdown, written whole or not at all, never over another file.

CSV and JSON carry what was read (ISO times, seconds, null); Markdown carries the cells that people see.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.commands.output import dumps, plain
from console.text import clean, clean_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from console.readings import Readings
    from console.rows.base import Cell, Column

# What a spreadsheet takes for a formula (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKUP = re.compile(r"([\\`*_\[\]<>|#])")
MAX_TEXT = 100_000


class ExportError(Exception):
    """A file cannot be written; the message is one sentence for the operator."""


class Format(StrEnum):
    """What a file is written as; the value is the end of its name."""

    CSV = "csv"
    JSON = "json"
    MARKDOWN = "md"


@dataclass(frozen=True, slots=True)
class Report:
    """What is exported.

    Attributes:
        name: for the file and the heading: `failures`.
        rows: reads them; called where it may take its time.
        columns: of the cells.
        cells: of a row, as of a moment.
        about: what was left out or chosen, for the heading of the Markdown; may be empty.
    """

    name: str
    rows: Callable[[Readings], Iterable[Any]]
    columns: Sequence[Column]
    cells: Callable[[Any, datetime], Sequence[Cell]]
    about: str = ""


def file_name(name: str, now: datetime, form: Format) -> str:
    """What a file is called where nobody says: `topic-failures-20261123-190000.csv`."""
    return f"topic-{name}-{now:%Y%m%d-%H%M%S}.{form}"


def format_of(path: Path) -> Format:
    """The format that a file's name asks for.

    Raises:
        ExportError: its name says nothing.
    """
    with contextlib.suppress(ValueError):
        return Format("md" if path.suffix == ".markdown" else path.suffix.removeprefix("."))
    raise ExportError(f"{path.name}: expected a name that ends in .csv, .json or .md")


def lines(report: Report, form: Format, readings: Readings, now: datetime) -> Iterator[str]:
    """The file's text, part after part; a list of any length is never held whole."""
    rows = report.rows(readings)
    match form:
        case Format.CSV:
            return _as_csv(plain(row) for row in rows)
        case Format.JSON:
            return _as_json(rows)
        case Format.MARKDOWN:
            return _as_markdown(report, rows, now)


def _as_csv(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    heads: list[str] | None = None
    for record in records:
        if heads is None:
            heads = list(record)
            writer.writerow(heads)
        writer.writerow([guarded(record.get(name)) for name in heads])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def guarded(value: Any) -> str:
    """A value as a CSV cell that no spreadsheet runs: numbers as they are, texts with a leading quote where needed."""
    if value is None:
        return ""
    if isinstance(value, (bool, int, float)):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = clean_lines(text, MAX_TEXT)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _as_json(rows: Iterable[Any]) -> Iterator[str]:
    first = True
    for row in rows:
        text = dumps(row).replace("\n", "\n  ")
        yield f"{'[' if first else ','}\n  {text}"
        first = False
    yield "[]\n" if first else "\n]\n"


def _as_markdown(report: Report, rows: Iterable[Any], now: datetime) -> Iterator[str]:
    yield f"# {report.name.capitalize()}\n\n{now.isoformat(timespec='seconds')}"
    yield f", {escaped(report.about)}\n\n" if report.about else "\n\n"
    yield markdown_row([column.title for column in report.columns])
    yield "|" + "|".join("---:" if column.align == "right" else "---" for column in report.columns) + "|\n"
    for row in rows:
        yield markdown_row([cell.text for cell in report.cells(row, now)])


def markdown_row(texts: Iterable[object]) -> str:
    """A row of a Markdown table; nothing in a foreign text is markup."""
    return "| " + " | ".join(escaped(text) for text in texts) + " |\n"


def escaped(text: object, limit: int = 2_000) -> str:
    """A foreign text as one line of Markdown in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", clean(text, limit))


def write(path: Path, parts: Iterable[str], *, force: bool = False) -> int:
    """Writes a file that appears whole, or not at all.

    Args:
        path: of the file; its folder exists.
        parts: of the text.
        force: whether a file that is there already is replaced.

    Returns:
        How many bytes it has.

    Raises:
        ExportError: it is there already, or cannot be written.
    """
    draft: Path | None = None
    try:
        if path.exists() and not force:
            raise ExportError(f"{path}: is there already; nothing was written")
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        draft = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.writelines(parts)
            size = file.tell()
        # What a user writes is readable by whom the user says; mkstemp gives it to nobody else.
        draft.chmod(0o666 & ~_umask())
        if force:
            draft.replace(path)
        else:
            _place(draft, path)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
    return size


def _place(draft: Path, path: Path) -> None:
    """Gives the draft its name, unless another file has it by now."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise ExportError(f"{path}: is there already; nothing was written") from None
    except OSError:
        # A file system without hard links; the name is taken first, then filled.
        path.touch(exist_ok=False)
        draft.replace(path)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
