"""`topics list|show`, `report`, `sync`: what rises and why, and getting it to where people read it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Exit, as_text, plain, table
from console.commands.start import wait
from console.rows import topics as rows
from console.rows.base import Cell

if TYPE_CHECKING:
    from console.commands.output import Context

NONE_YET = "No topics yet: they are ranked after each collection. Run: topic-console collect MARKET"


def list_(context: Context) -> Exit:
    """The topics of the latest rankings, best first."""
    readings, options = context.readings, context.options
    window = readings.topics(options.filter).first(options.limit)
    library, now = readings.snapshot().library, context.now()
    drawn = "" if context.json else table(
        rows.COLUMNS, [_without_spark(rows.cells(one, now)) if context.options.ascii else rows.cells(one, now) for one in window.rows],
        empty=NONE_YET if not options.filter else "Nothing matches the filter.",
        width=shutil.get_terminal_size().columns,
    )  # fmt: skip
    notes = [
        note
        for note in (
            rows.standing(library.standings, now),
            rows.delivered(library.deliveries, now),
            rows.model(library.standings),
        )
        if note
    ]
    context.answer(
        {
            "topics": [plain(one) for one in window.rows], "rankings": plain(library.standings),
            "deliveries": plain(library.deliveries),
        },
        "\n".join([drawn, *(f"({note})" for note in notes)]),
    )  # fmt: skip
    return Exit.DONE


def _without_spark(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    from console.text import ascii_signs  # noqa: PLC0415

    return tuple(Cell(ascii_signs(cell.text), cell.tone) for cell in cells)


def show(context: Context) -> Exit:
    """One topic: what its score is made of, and its headlines."""
    number = context.readings.topic_id(context.options.key)
    detail = None if number is None else context.readings.topic(number)
    if detail is None:
        raise CommandError(
            f"there is no topic {context.options.key!r}; try: topic-console topics list --json"
        )
    if context.options.markdown:
        text = rows.as_markdown(detail).rstrip()
    else:
        text = as_text(rows.in_full(detail, context.now()))
    document = plain(detail) | {"why": {name: rows.reason(detail, name) for name in rows.MOST}}
    context.answer(document, text)
    return Exit.DONE


def report(context: Context) -> Exit:
    """Has the worker rank the topics and write the report."""
    options = context.options
    done = context.actions.report(options.market, options.folder)
    return wait(context, done.change.task_ids[0]) if options.wait else context.done(done)


def sync(context: Context) -> Exit:
    """Has the worker rank the topics, write the report and sync to Notion."""
    done = context.actions.sync()
    return wait(context, done.change.task_ids[0]) if context.options.wait else context.done(done)
