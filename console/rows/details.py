"""A row in full: lines of toned text for the detail pane; pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from console.rows import queue
from console.rows.base import Cell, Tone, short_name
from console.rows.failures import canary_in_words
from console.text import ago, clean, clean_lines, number, plural, precise, until, when

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from console.readings.model import Cause, LetterDetail, QueueTaskDetail, Tick

    Line = tuple[Cell, ...]

BAR_WIDTH = 16
OWN_FRAMES = 5
# The names of facts stand in a column of so many characters.
FACT = 11


def facts(known: Iterable[tuple[str, str]]) -> list[Line]:
    """Names and what they are, a line each; those of which nothing is known are left out."""
    return [(Cell(f"{name:<{FACT}}", Tone.QUIET), Cell(value)) for name, value in known if value]


def heading(text: str, note: str = "") -> list[Line]:
    """What it is, above the rest."""
    return [(Cell(text, Tone.ACCENT), Cell(f"  {note}", Tone.QUIET)), ()]


def arguments(text: str | None) -> str:
    """A call's arguments as one writes them: `"demo", limit=3`."""
    try:
        call = json.loads(text or "null")
        named = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in call["kwargs"].items()]
        return clean(
            ", ".join([json.dumps(value, ensure_ascii=False) for value in call["args"]] + named), 2_000
        )
    except (ValueError, RecursionError):
        return f"cannot be read: {clean(text, 2_000)}"
    except (TypeError, KeyError, AttributeError):
        return clean(text, 2_000)


def of_task(
    detail: QueueTaskDetail, now: datetime, *, utc: bool = False, ascii_only: bool = False
) -> list[Line]:
    """A task of the queue."""
    task = detail.task
    progress = queue.progress(task, BAR_WIDTH, ascii_only=ascii_only)
    lines = heading(clean(short_name(task.name), 80), clean(task.subject, 40))
    if progress:
        lines += [(Cell(progress, Tone.ACCENT),), ()]
    held = (
        f"{task.worker}: {queue.held_by(task) or 'alive, its heart beats'}" if task.worker is not None else ""
    )
    left = "" if detail.retries_left is None else f", {plural(detail.retries_left, 'retry', 'retries')} left"
    return lines + facts(
        (
            ("state", str(task.state) if task.state == "running" else f"{task.state}: {queue.waits_for(task)}"),
            ("worker", held),
            ("asked", "to stop" if task.cancel else ""),
            ("drift", "no worker knows a task of this name: the one that takes it makes a dead letter of it; Q does so now" if not task.known else ""),
            ("why", detail.waits),
            ("arguments", arguments(detail.args)),
            ("for tick", for_tick(detail.tick, now, utc=utc)),
            ("attempt", f"{task.attempt}{left}"),
            ("given back", f"{task.deliveries - 1}×" if task.deliveries > 1 else ""),
            ("priority", f"{task.priority:g}" if task.priority else ""),
            ("enqueued", f"{precise(task.enqueued_at, utc=utc)}, {ago(task.enqueued_at, now)} ago"),
            ("since", f"{precise(task.since, utc=utc)}, {ago(task.since, now)} ago" if task.state != "scheduled" else ""),
            ("due", f"{precise(task.due_at, utc=utc)}, {until(task.due_at, now)}" if task.due_at else ""),
            ("task", clean(task.name)),
        )
    ) + [(), (Cell(clean(task.task_id), Tone.QUIET),)]  # fmt: skip


def for_tick(tick: Tick | None, now: datetime, *, utc: bool = False) -> str:
    """Which tick of a schedule is answered, and why late: `02:00: the machine slept for 7h 55m`."""
    if tick is None:
        return ""
    more = f" and {plural(tick.count - 1, 'other')}" if tick.count > 1 else ""
    return f"{when(tick.at, now, utc=utc)}{more}{f': {clean(tick.why, 300)}' if tick.why else ''}"


def of_letter(detail: LetterDetail, now: datetime, *, utc: bool = False) -> list[Line]:
    """A dead letter, with its traceback."""
    letter = detail.letter
    lines = heading(clean(short_name(letter.name), 80), clean(letter.subject, 40))
    lines += [
        (Cell(f"{clean(short_name(letter.error_type), 80)}: ", Tone.BAD), Cell(clean(letter.error, 2_000))),
        (),
    ]
    lines += facts(
        (
            ("state", f"{letter.state}, {letter.reason}"),
            ("died", f"{precise(letter.last_seen, utc=utc)}, {ago(letter.last_seen, now)} ago"),
            ("first seen", precise(letter.first_seen, utc=utc) if letter.first_seen != letter.last_seen else ""),
            ("retried", _retried(letter.retries, detail.retried_at, now)),
            ("arguments", arguments(detail.args)),
            ("worker", clean(detail.worker)),
        )
    )  # fmt: skip
    lines.append((Cell(clean(letter.task_id), Tone.QUIET),))
    if detail.history:
        lines += [(), (Cell("Attempts", Tone.ACCENT),)]
        lines += [
            (Cell(f"{attempt}  {precise(at, utc=utc)}  ", Tone.QUIET), Cell(clean(error, 300)))
            for attempt, at, error in detail.history
        ]
    if detail.traceback:
        own = own_frames(detail.traceback)
        if own:
            lines += [(), (Cell("Where in our code, the last call first", Tone.ACCENT),), *own]
        lines += [(), (Cell("Traceback", Tone.ACCENT),), *traceback_lines(detail.traceback)]
    return lines


def _retried(times: int, last: datetime | None, now: datetime) -> str:
    """How often; a retry that died in turn has left only its count."""
    if not times:
        return ""
    return f"{number(times)}×{f', last {ago(last, now)} ago' if last else ''}"


def own_frames(text: str) -> list[Line]:
    """The frames of our own code, the innermost first: where to look before anything else."""
    frames: list[list[str]] = []
    for line in clean_lines(text).splitlines():
        if line.startswith('  File "'):
            frames.append([line.strip()])
        elif line.startswith("    ") and frames and len(frames[-1]) == 1:
            frames[-1].append(line.strip())
    own = [frame for frame in frames if not _is_foreign(frame[0])]
    return [
        (Cell(f"  {part}" if number else part, Tone.PLAIN if number else Tone.QUIET),)
        for frame in own[: -OWN_FRAMES - 1 : -1]
        for number, part in enumerate(frame)
    ]


def _is_foreign(line: str) -> bool:
    return any(part in line for part in ("site-packages", "/lib/python"))


def traceback_lines(text: str) -> list[Line]:
    """A traceback in which frames of our own code stand out from those of libraries."""
    lines: list[Line] = []
    own = True
    for line in clean_lines(text).splitlines():
        if line.lstrip().startswith('File "'):
            own = not _is_foreign(line)
        elif not line.startswith(" "):
            own = True
        lines.append((Cell(line, Tone.PLAIN if own else Tone.QUIET),))
    return lines


def of_cause(cause: Cause, now: datetime, *, utc: bool = False) -> list[Line]:
    """A cause of dead letters."""
    lines = heading(clean(short_name(cause.error_type), 80), f"{number(cause.count)}×")
    lines += [(Cell(clean(cause.error, 2_000)),), ()]
    seen = cause.canary
    canary = (
        f"{canary_in_words(seen)}; by {clean(seen.actor, 60)} {ago(seen.started_at, now)} ago" if seen else ""
    )
    if seen and seen.going:
        canary += "; n stops it"
    return lines + facts(
        (
            ("task", clean(cause.name)),
            ("market", clean(cause.subject)),
            ("canary", canary),
            ("first", f"{precise(cause.first_seen, utc=utc)}, {ago(cause.first_seen, now)} ago"),
            ("last", f"{precise(cause.last_seen, utc=utc)}, {ago(cause.last_seen, now)} ago"),
        )
    )
