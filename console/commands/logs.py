"""`logs`: the worker's log, filtered, and as it grows."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from console.commands.output import CommandError, Exit, plain
from console.readings.log_lines import Level, LogQuery
from console.rows import logs as rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.commands.output import Context
    from console.readings.log_lines import LogLine

# How often a followed log is looked at, and how many lines that look shows at the most.
FOLLOW_S = 0.2
FOLLOWED = 5_000


def logs(context: Context) -> Exit:
    """The newest lines, oldest first; with `--follow` also those to come, until it is interrupted."""
    options, readings = context.options, context.readings
    query = LogQuery(Level.of(options.level) or Level.DEBUG, options.task, " ".join(options.words))
    part = readings.log(query, max(options.limit, FOLLOWED) if options.follow else options.limit)
    if not part.exists and not options.follow:
        raise CommandError(f"{context.home.log_file}: no worker has logged anything here yet")
    if not options.follow:
        context.answer(
            [document(line) for line in part.lines],
            "\n".join(rows.text(line) for line in part.lines) or "No line of the log matches.",
        )
        return Exit.DONE
    seen = _print(context, part.lines[-options.limit :])
    seen |= {rows.key(line) for line in part.lines}
    while True:
        time.sleep(FOLLOW_S)
        part = readings.log(query, max(options.limit, FOLLOWED))
        fresh = [line for line in part.lines if rows.key(line) not in seen]
        _print(context, fresh)
        if fresh:
            seen = {rows.key(line) for line in part.lines}


def _print(context: Context, lines: Sequence[LogLine]) -> set[str]:
    """Prints lines; with `--json` a document each, a line each."""
    for line in lines:
        print(json.dumps(plain(document(line)), ensure_ascii=True) if context.json else rows.text(line))
    sys.stdout.flush()
    return {rows.key(line) for line in lines}


def document(line: LogLine) -> dict[str, Any]:
    """A line under keys for scripts."""
    return {
        "at": line.at, "level": line.level, "logger": line.logger, "event": line.event, "task_id": line.task_id,
        "fields": dict(line.fields), "exception": line.exception,
    }  # fmt: skip
