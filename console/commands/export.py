"""`export LIST` and `incident`: what the console shows, as a file."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Exit
from console.export import ExportError, Format, Report, format_of, lines, write
from console.incident import look, write_up
from console.rows import documents, failures, journal, queue, runs, schedules, sources, topics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from console.commands.output import Context

CAUSES = 10_000


def _queue(text: str) -> Report:
    return Report("queue", lambda readings: readings.queue(text).all_rows(), queue.COLUMNS, queue.cells, text)


def _failures(text: str) -> Report:
    return Report(
        "failures", lambda readings: readings.letters(None, text).all_rows(),
        failures.LETTER_COLUMNS, failures.letter_cells, text,
    )  # fmt: skip


def _causes(text: str) -> Report:
    _unfiltered("causes", text)
    return Report(
        "causes", lambda readings: readings.causes(CAUSES), failures.CAUSE_COLUMNS, failures.cause_cells
    )


def _schedules(text: str) -> Report:
    return Report("schedules", lambda readings: readings.schedules(text), schedules.COLUMNS, schedules.cells)


def _runs(text: str) -> Report:
    return Report("runs", lambda readings: readings.runs(text).all_rows(), runs.COLUMNS, runs.cells, text)


def _sources(text: str) -> Report:
    return Report(
        "sources", lambda readings: readings.sources(text).all_rows(), sources.COLUMNS, sources.cells, text
    )


def _topics(text: str) -> Report:
    return Report(
        "topics", lambda readings: readings.topics(text).all_rows(), topics.COLUMNS, topics.cells, text
    )


def _documents(text: str) -> Report:
    return Report(
        "documents", lambda readings: (readings.search(text) if text else readings.collected()).all_rows(),
        documents.COLUMNS, documents.cells, text,
    )  # fmt: skip


def _journal(text: str) -> Report:
    return Report(
        "journal", lambda readings: readings.journal(text).all_rows(), journal.COLUMNS, journal.cells, text
    )


def _unfiltered(name: str, text: str) -> None:
    if text:
        raise CommandError(f"{name} are few and take no --filter", Exit.UNUSABLE)


LISTS: dict[str, Callable[[str], Report]] = {
    "queue": _queue, "failures": _failures, "causes": _causes, "schedules": _schedules, "runs": _runs,
    "sources": _sources, "topics": _topics, "documents": _documents, "journal": _journal,
}  # fmt: skip


def export(context: Context) -> Exit:
    """A list as CSV, JSON or Markdown, to standard output or a file."""
    options = context.options
    path = Path(options.output) if options.output else None
    report = LISTS[options.list](options.filter)
    try:
        form = Format(options.format) if options.format else format_of(path) if path else _shown(context)
    except ExportError as error:
        raise CommandError(str(error), Exit.UNUSABLE) from error
    if context.json and path is None and form is not Format.JSON:
        raise CommandError("--json prints JSON: leave --format away, or name a file with -o", Exit.UNUSABLE)
    try:
        return _out(context, path, partial(lines, report, form, context.readings, context.now()))
    except ExportError as error:
        raise CommandError(str(error)) from error


def incident(context: Context) -> Exit:
    """What is wrong, since when and why, in Markdown."""
    options = context.options
    path = Path(options.output) if options.output else None
    place = str(context.home.root)
    try:
        if context.json and path is None:
            text = "".join(write_up(look(context.readings), context.now(), place=place))
            context.answer({"markdown": text}, text)
            return Exit.DONE
        return _out(context, path, lambda: write_up(look(context.readings), context.now(), place=place))
    except ExportError as error:
        raise CommandError(str(error)) from error


def _shown(context: Context) -> Format:
    """How a list is printed where nothing says how."""
    return Format.JSON if context.json else Format.CSV


def _out(context: Context, path: Path | None, parts: Callable[[], Iterable[str]]) -> Exit:
    if path is None:
        sys.stdout.writelines(parts())
        return Exit.DONE
    size = write(path, parts(), force=context.options.force)
    context.answer({"file": str(path.absolute()), "bytes": size}, f"Wrote {path}.")
    return Exit.DONE
