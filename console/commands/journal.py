"""`journal list|show` and `undo`: what operators did, and taking it back."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Exit, plain, table
from console.rows import journal as rows
from console.rows.base import Cell, Column
from console.text import clean_lines

if TYPE_CHECKING:
    from console.commands.output import Context


def list_(context: Context) -> Exit:
    """What operators did, newest first."""
    options, now = context.options, context.now()
    entries = context.readings.journal(options.filter).first(options.limit).rows
    columns = (Column("Entry", 20), *rows.COLUMNS)
    drawn = "" if context.json else table(
        columns, [(Cell(entry.id), *rows.cells(entry, now)) for entry in entries],
        empty="No operator has changed anything yet.", width=shutil.get_terminal_size().columns,
    )  # fmt: skip
    context.answer(entries, drawn)
    return Exit.DONE


def show(context: Context) -> Exit:
    """One act."""
    detail = context.readings.journal_entry(context.options.entry)
    if detail is None:
        raise CommandError(f"no journal entry is named {context.options.entry!r}")
    undo = rows.undo_in_words(detail)
    document = plain(detail.entry) | {"task_ids": list(detail.task_ids), "undo": undo}
    lines = ("".join(cell.text for cell in line) for line in rows.of_entry(detail, context.now()))
    context.answer(document, clean_lines("\n".join(lines)))
    return Exit.DONE


def undo(context: Context) -> Exit:
    """Takes the latest act back, or the one of an entry."""
    return context.done(context.actions.undo(context.options.entry))
