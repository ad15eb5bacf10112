"""`collect` and `enqueue`: starting things."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

from console.actions import COLLECT, REPORT, SYNC
from console.commands.output import CommandError, Exit
from console.readings.verdict import ALIVE, outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.commands.output import Context

POLL_S = 0.1
ENDED = frozenset({"completed", "dead", "skipped", "cancelled"})


def collect(context: Context) -> Exit:
    """Starts a collection; with `--wait`, says what came of it."""
    options = context.options
    at = moment(options.at) if options.at else None
    done = context.actions.collect(
        options.market, source=options.source, delay=options.delay, at=at, priority=options.priority
    )
    if not options.wait:
        return context.done(done)
    return wait(context, done.change.task_ids[0])


def enqueue(context: Context) -> Exit:
    """Stores a call to any task that a worker knows."""
    args = _arguments(context.options.args)
    name = _task(context.options.task, context.readings.handlers())
    positional, named = (args, {}) if isinstance(args, list) else ([], args)
    return context.done(context.actions.enqueue(name, positional, named))


def _task(name: str, handlers: Sequence[str]) -> str:
    """The full name of a task; until a worker has told which ones it has, our own go by their short names."""
    known = handlers or (COLLECT, SYNC, REPORT)
    matching = [one for one in known if name in {one, one.rpartition(".")[2]}]
    if matching:
        return matching[0]
    if handlers:
        raise CommandError(f"no task is named {name!r}; known are {', '.join(known)}", Exit.UNUSABLE)
    if "." not in name.strip("."):
        raise CommandError(
            f"no worker has started yet, so it is not known which task {name!r} is; say its full name, "
            f"such as {COLLECT}",
            Exit.UNUSABLE,
        )
    return name


def _arguments(text: str | None) -> list[object] | dict[str, object]:
    if text is None:
        return []
    try:
        args = json.loads(text)
    except ValueError as error:
        raise CommandError(f"arguments: expected JSON, found {text!r}: {error}", Exit.UNUSABLE) from error
    except RecursionError as error:
        raise CommandError("arguments: they are nested too deeply", Exit.UNUSABLE) from error
    if not isinstance(args, (list, dict)):
        raise CommandError(f"arguments: expected a JSON list or object, found {text!r}", Exit.UNUSABLE)
    return args


def moment(text: str) -> datetime:
    """A time that was typed, aware; without an offset it is local.

    Raises:
        CommandError: it is no ISO 8601 time.
    """
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise CommandError(
            f"expected a time such as 2026-12-01T02:00, found {text!r}", Exit.UNUSABLE
        ) from error


def wait(context: Context, task_id: str) -> Exit:
    """Waits for a task's end; warns once when nobody is there to run it."""
    warned = False
    while True:
        run = next(iter(context.readings.runs(f"id:{task_id}").first(1).rows), None)
        if run is not None and run.state in ENDED:
            context.answer(
                {"task_id": task_id, "state": run.state, "result": json.loads(run.result) if run.result else None,
                 "error": run.error},
                f"{run.state}: {outcome(run)}",
            )  # fmt: skip
            return Exit.DONE if run.state == "completed" else Exit.ATTENTION
        if not warned and not any(worker.state in ALIVE for worker in context.readings.snapshot().workers):
            print("topic-console: no worker is running; start one with: topic-worker", file=sys.stderr)
            warned = True
        time.sleep(POLL_S)
