"""`runs`: what was done."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from console.commands.logs import document as log_document
from console.commands.output import CommandError, Exit, as_text, plain, table, unpacked
from console.readings.stats import Period
from console.rows import runs as rows
from console.rows.base import Cell, Column

if TYPE_CHECKING:
    from datetime import datetime

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
    """One run in full, with what it logged."""
    readings, options = context.readings, context.options
    found = readings.run(options.id)
    if found is None:
        raise CommandError(f"there is no run {options.id}; try: topic-console runs list")
    log = readings.log_of_task(found.run.task_id, found.run.started_at, found.run.finished_at)
    drawn = "" if context.json else as_text(rows.in_full(found, log, context.now()))
    context.answer(
        _with_json(found.run) | {
            "waited_s": _seconds(found.run.ready_at, found.run.started_at),
            "took_s": _seconds(found.run.started_at, found.run.finished_at),
            "tick": found.tick and found.tick.at, "attempts": found.attempts, "traceback": found.traceback,
            "others": [_with_json(one) for one in found.others], "log": [log_document(line) for line in log.lines],
        },
        drawn,
    )  # fmt: skip
    return Exit.DONE


def again(context: Context) -> Exit:
    """Enqueues a run's task once more."""
    return context.done(context.actions.run_again(context.options.id))


def _seconds(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds(), 3)


def stats(context: Context) -> Exit:
    """How long each task waits and takes, and how often it fails."""
    period = Period(context.options.period)
    found = context.readings.stats(period)
    drawn = "" if context.json else table(
        rows.STATS_COLUMNS, [rows.stats_cells(one) for one in found],
        empty=f"Nothing has run in the last {period}.", width=shutil.get_terminal_size().columns,
    )  # fmt: skip
    documents = [{name: value for name, value in plain(one).items() if name != "trend"} for one in found]
    context.answer(documents, drawn)
    return Exit.DONE


def _with_json(run: object) -> dict[str, object]:
    document: dict[str, object] = plain(run)
    for name in ("args", "result"):
        document[name] = unpacked(document[name])  # type: ignore[arg-type]  # both are JSON texts
    return document
