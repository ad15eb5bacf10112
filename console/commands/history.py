"""`runs`, `journal`, `undo`, `search`: what was done, and taking it back."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Exit, plain, table, unpacked
from console.readings.times import moment
from console.rows import runs as rows
from console.rows.base import Cell, Column
from console.text import ago, clean, clean_lines, stamp

if TYPE_CHECKING:
    from console.commands.output import Context


def runs(context: Context) -> Exit:
    """The history, newest first."""
    window = context.readings.runs(context.options.filter).first(context.options.limit)
    now = context.now()
    columns = (Column("Id", 6, "right"), *rows.COLUMNS)
    drawn = "" if context.json else table(
        columns, [(Cell(str(run.id)), *rows.cells(run, now)) for run in window.rows],
        empty="Nothing has run yet.", width=shutil.get_terminal_size().columns,
    )  # fmt: skip
    context.answer([_with_json(run) for run in window.rows] if context.json else None, drawn)
    return Exit.DONE


def run(context: Context) -> Exit:
    """One run."""
    found = context.readings.run(context.options.id)
    if found is None:
        raise CommandError(f"there is no run {context.options.id}")
    facts = {name: value for name, value in _with_json(found).items() if value is not None}
    context.answer(
        _with_json(found),
        "\n".join(f"{name:<12} {clean_lines(value, 4_000)}" for name, value in facts.items()),
    )
    return Exit.DONE


def _with_json(run: object) -> dict[str, object]:
    document: dict[str, object] = plain(run)
    for name in ("args", "result"):
        document[name] = unpacked(document[name])  # type: ignore[arg-type]  # both are JSON texts
    return document


def journal(context: Context) -> Exit:
    """What operators did, newest first."""
    entries = context.readings.journal(context.options.limit)
    for entry in entries:
        entry["at"] = moment(entry["at"])
    now = context.now()
    lines = [
        f"{entry['id']}  {ago(entry['at'], now):>4}  {entry['action']:<8} {entry['target']:<9} {entry['count']:>7}  "
        f"{clean(entry['actor'], 40)}{'  undone' if entry['undone_by'] else ''}"
        for entry in entries
    ]
    context.answer(entries, "\n".join(lines) or "No operator has changed anything yet.")
    return Exit.DONE


def undo(context: Context) -> Exit:
    """Takes the latest act back, or the one of an entry."""
    return context.done(context.actions.undo(context.options.entry))


def search(context: Context) -> Exit:
    """The documents in which all the words occur."""
    found = context.readings.search(" ".join(context.options.words), context.options.limit)
    lines = [
        f"{clean(one.title)}\n    {clean(one.source)}  {stamp(one.fetched_at)}  {clean(one.url)}"
        for one in found
    ]
    context.answer(found, "\n".join(lines) or "No document has all these words.")
    return Exit.DONE
