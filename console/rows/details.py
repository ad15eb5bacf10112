"""A row in full: lines of toned text for the detail pane; pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from console.rows import queue, schedules
from console.rows.base import Cell, Tone, short_name
from console.text import age, ago, clean, clean_lines, number, plural, precise, until, when

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from console.readings.model import Cause, LetterDetail, QueueTaskDetail, Schedule, ScheduleDetail

    Line = tuple[Cell, ...]

BAR_WIDTH = 16
MISSED = 12  # ticks that a schedule's detail names


def facts(known: Iterable[tuple[str, str]]) -> list[Line]:
    """Names and what they are, a line each; those of which nothing is known are left out."""
    return [(Cell(f"{name:<11}", Tone.QUIET), Cell(value)) for name, value in known if value]


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
    except (ValueError, TypeError, KeyError, AttributeError):
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
    left = "" if detail.retries_left is None else f", {plural(detail.retries_left, 'retry', 'retries')} left"
    return lines + facts(
        (
            ("state", str(task.state) if task.state == "running" else f"{task.state}: {queue.waits_for(task)}"),
            ("asked", "to stop" if task.cancel else ""),
            ("arguments", arguments(detail.args)),
            ("attempt", f"{task.attempt}{left}"),
            ("given back", f"{task.deliveries - 1}×" if task.deliveries > 1 else ""),
            ("priority", f"{task.priority:g}" if task.priority else ""),
            ("enqueued", f"{precise(task.enqueued_at, utc=utc)}, {ago(task.enqueued_at, now)} ago"),
            ("since", f"{precise(task.since, utc=utc)}, {ago(task.since, now)} ago" if task.state != "scheduled" else ""),
            ("due", f"{precise(task.due_at, utc=utc)}, {until(task.due_at, now)}" if task.due_at else ""),
            ("worker", str(task.worker) if task.worker is not None else ""),
            ("task", clean(task.name)),
        )
    ) + [(), (Cell(clean(task.task_id), Tone.QUIET),)]  # fmt: skip


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
            ("retried", f"{number(letter.retries)}×, last {ago(detail.retried_at, now)} ago" if letter.retries else ""),
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
        lines += [(), (Cell("Traceback", Tone.ACCENT),), *traceback_lines(detail.traceback)]
    return lines


def traceback_lines(text: str) -> list[Line]:
    """A traceback in which frames of our own code stand out from those of libraries."""
    lines: list[Line] = []
    own = True
    for line in clean_lines(text).splitlines():
        if line.lstrip().startswith('File "'):
            own = not any(part in line for part in ("site-packages", "/lib/python"))
        elif not line.startswith(" "):
            own = True
        lines.append((Cell(line, Tone.PLAIN if own else Tone.QUIET),))
    return lines


def of_cause(cause: Cause, now: datetime, *, utc: bool = False) -> list[Line]:
    """A cause of dead letters."""
    lines = heading(clean(short_name(cause.error_type), 80), f"{number(cause.count)}×")
    lines += [(Cell(clean(cause.error, 2_000)),), ()]
    return lines + facts(
        (
            ("task", clean(cause.name)),
            ("market", clean(cause.subject)),
            ("first", f"{precise(cause.first_seen, utc=utc)}, {ago(cause.first_seen, now)} ago"),
            ("last", f"{precise(cause.last_seen, utc=utc)}, {ago(cause.last_seen, now)} ago"),
        )
    )


def of_schedule(detail: ScheduleDetail, now: datetime, *, utc: bool = False) -> list[Line]:
    """A schedule, its next times and what became of its last ticks."""
    schedule = detail.schedule
    mark = schedules.badge(schedule)
    lines = heading(clean(schedule.name, 80))
    lines += [(Cell(f"{'state':<11}", Tone.QUIET), Cell(mark.text, mark.tone))]
    lines += facts(
        (
            ("paused", _pause(schedule, now, utc=utc)),
            ("error", clean(schedule.error, 400)),
            ("runs", schedules.in_words(schedule)),
            ("cron", clean(schedule.cron)),
            ("last", f"{precise(schedule.last_at, utc=utc)}, {ago(schedule.last_at, now)} ago" if schedule.last_at else "never"),
            ("ended", schedule.last_state or ""),
            ("catch up", f"{detail.catch_up}, within {age(detail.catch_up_window_s)}"),
            ("task", clean(schedule.task_name)),
        )
    )  # fmt: skip
    lines += _unanswered(detail, now, utc=utc)
    if detail.recent:
        outcomes = [tick.outcome for tick in reversed(detail.recent)]
        lines += [(), (Cell("Last runs", Tone.ACCENT),), schedules.strip_cells(outcomes)]
        lines.append((Cell(schedules.legend(outcomes), Tone.QUIET),))
    if detail.coming:
        after = " after the pause" if schedule.paused else ""
        lines += [(), (Cell(f"Next{after}", Tone.ACCENT),)]
        lines += [
            (Cell(f"{when(at, now, utc=utc):<17}"), Cell(until(at, now), Tone.QUIET)) for at in detail.coming
        ]
    return lines


def _pause(schedule: Schedule, now: datetime, *, utc: bool) -> str:
    if not schedule.paused:
        return ""
    end = (
        f"until {when(schedule.paused_until, now, utc=utc)}"
        if schedule.paused_until
        else "until it is resumed"
    )
    by = f", by {clean(schedule.paused_by, 60)}" if schedule.paused_by else ""
    note = f": {clean(schedule.pause_note, 200)}" if schedule.pause_note else ""
    return f"{end}{by}{note}"


def _unanswered(detail: ScheduleDetail, now: datetime, *, utc: bool) -> list[Line]:
    """The ticks that got no run, the newest first, and the key that answers them."""
    if not detail.missed:
        return []
    missed = detail.schedule.missed
    title = f"Missed {number(missed)}" if missed else "Passed while it was paused"
    lines: list[Line] = [(), (Cell(title, Tone.ACCENT), Cell("  m answers them", Tone.QUIET))]
    lines += [
        (Cell(schedules.tick_words(tick, now, utc=utc), schedules.SIGNS[tick.outcome][1]),)
        for tick in detail.missed[: -MISSED - 1 : -1]
    ]
    more = len(detail.missed) - MISSED
    return [*lines, (Cell(f"and {number(more)} more", Tone.QUIET),)] if more > 0 else lines
