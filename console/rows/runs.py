"""A run, as a row."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from console.readings.verdict import brief, outcome
from console.rows import logs
from console.rows.base import Cell, Column, Tone, short_name, state_cell
from console.rows.details import arguments, facts, for_tick, heading, traceback_lines
from console.text import DOT, ago, clean, clean_lines, dot, duration, number, precise, rate, until

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.logs import LogPart
    from console.readings.model import Run, RunDetail
    from console.readings.stats import TaskStats

    Line = tuple[Cell, ...]

COLUMNS = (
    Column("Ended", 7, "right"),
    Column("State", 11),
    Column("Task", 19),
    Column("Market", 11, priority=2),
    Column("Try", 3, "right", priority=4),
    Column("Waited", 7, "right", priority=4),
    Column("Took", 7, "right", priority=3),
    Column("Outcome", 0, priority=2, least=21),
)


def key(run: Run) -> str:
    """What tells this row from the others."""
    return str(run.id)


def cells(run: Run, now: datetime, *, ascii_only: bool = False) -> tuple[Cell, ...]:
    """The row's cells, in the order of COLUMNS."""
    del ascii_only
    return (
        Cell(ago(run.finished_at, now), Tone.QUIET),
        state_cell(run.state),
        Cell(clean(short_name(run.name), 60)),
        Cell(clean(run.subject, 40) or DOT),
        Cell(str(run.attempt), Tone.WARN if run.attempt > 1 else Tone.QUIET),
        Cell(duration((run.started_at - run.ready_at).total_seconds()), Tone.QUIET),
        Cell(duration((run.finished_at - run.started_at).total_seconds())),
        Cell(brief(run), Tone.QUIET),
    )


STATS_COLUMNS = (
    Column("Task", 19),
    Column("Runs", 7, "right"),
    Column("Rate", 7, "right", priority=2),
    Column("Failed", 6, "right"),
    Column("Fail%", 5, "right", priority=3),
    Column("Retried", 7, "right", priority=4),
    Column("p50", 7, "right"),
    Column("p95", 7, "right"),
    Column("p99", 7, "right", priority=2),
    Column("Waits p95", 9, "right", priority=3),
)


def stats_cells(one: TaskStats) -> tuple[Cell, ...]:
    """What a task did, in the order of STATS_COLUMNS."""
    took, waited = one.took, one.waited
    return (
        Cell(clean(short_name(one.name), 60)),
        Cell(number(one.runs)),
        Cell(rate(one.per_hour / 3_600), Tone.QUIET),
        Cell(dot(one.failed), Tone.BAD if one.failed else Tone.QUIET),
        Cell(f"{one.failing * 100:.1f}" if one.failed else DOT, Tone.BAD if one.failed else Tone.QUIET),
        Cell(dot(one.retried), Tone.WARN if one.retried else Tone.QUIET),
        Cell(duration(took.p50) if took else DOT),
        Cell(duration(took.p95) if took else DOT),
        Cell(duration(took.p99) if took else DOT),
        Cell(duration(waited.p95) if waited else DOT, Tone.QUIET),
    )


def in_full(detail: RunDetail, log: LogPart, now: datetime, *, utc: bool = False) -> list[Line]:
    """A run with all that is kept of it."""
    run = detail.run
    of = f" of {detail.attempts}" if detail.attempts else ""
    lines = [*heading(clean(short_name(run.name), 80), clean(run.subject, 40))]
    told = state_cell(run.state)
    said = outcome(run) if run.state == "completed" else ""
    lines += [(Cell(f"{'state':<11}", Tone.QUIET), told, Cell(f"  {said}", Tone.QUIET))]
    if run.error:
        kind = f"{clean(short_name(run.error_type), 80)}: " if run.error_type else ""
        bad = Tone.BAD if run.error_type else Tone.QUIET
        lines += [
            (
                Cell(f"{'error' if kind else 'why':<11}", Tone.QUIET),
                Cell(kind, bad),
                Cell(clean(run.error, 2_000)),
            )
        ]
    lines += facts(
        (
            ("for tick", for_tick(detail.tick, now, utc=utc)),
            ("waited", duration((run.started_at - run.ready_at).total_seconds())),
            ("took", duration((run.finished_at - run.started_at).total_seconds())),
            ("attempt", f"{run.attempt}{of}"),
            ("enqueued", precise(run.enqueued_at, utc=utc)),
            ("started", precise(run.started_at, utc=utc)),
            ("ended", f"{precise(run.finished_at, utc=utc)}, {ago(run.finished_at, now)} ago"),
            ("next try", _next_try(run, now, utc=utc)),
            ("arguments", arguments(run.args)),
            ("worker", str(run.worker) if run.worker is not None else ""),
            ("cause", clean(run.fingerprint)),
            ("task", clean(run.name)),
            ("id", clean(run.task_id)),
        )
    )  # fmt: skip
    lines += result_lines(run.result)
    if detail.others:
        lines += [(), (Cell("Other attempts", Tone.ACCENT),)]
        lines += [
            (
                Cell(f"{one.attempt}  {precise(one.finished_at, utc=utc)}  ", Tone.QUIET),
                state_cell(one.state), Cell(f"  {outcome(one)}"),
            )
            for one in detail.others
        ]  # fmt: skip
    if detail.traceback:
        lines += [(), (Cell("Traceback", Tone.ACCENT),), *traceback_lines(detail.traceback)]
    return [*lines, *log_lines(log, utc=utc)]


def result_lines(text: str | None) -> list[Line]:
    """A result a value a line; of a nested one, each part a line."""
    try:
        said = json.loads(text or "null")
    except (ValueError, RecursionError):
        said = text
    if said is None:
        return []
    title: Line = (Cell("Result", Tone.ACCENT),)
    if not isinstance(said, dict):
        return [(), title, (Cell(clean(said if isinstance(said, str) else json.dumps(said), 2_000)),)]
    lines: list[Line] = [(), title]
    for name, value in said.items():
        label = Cell(f"{clean(name, 40):<15} ", Tone.QUIET)
        if isinstance(value, dict) and value:
            lines += [
                (label,),
                *(
                    (Cell(f"  {clean(part, 60)}  ", Tone.QUIET), Cell(_flat(inner)))
                    for part, inner in value.items()
                ),
            ]
        else:
            lines.append((label, Cell(_flat(value))))
    return lines


def _flat(value: object) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return "  ".join(
            f"{clean(name, 40)}={_flat(inner)}" for name, inner in value.items() if inner not in (None, 0, "")
        )
    return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 400)


def _next_try(run: Run, now: datetime, *, utc: bool) -> str:
    """When it was, or will be, tried again; what has begun since is not late."""
    if run.retry_at is None:
        return ""
    at = precise(run.retry_at, utc=utc)
    return f"{at}, {until(run.retry_at, now)}" if run.retry_at > now else at


def log_lines(log: LogPart, *, utc: bool = False) -> list[Line]:
    """What a task has logged, below what else is told of it."""
    heading_line: Line = (Cell("Log", Tone.ACCENT),)
    if not log.lines:
        why = "it logged nothing" if log.complete and log.exists else "its lines are not kept any more"
        return [(), (*heading_line, Cell(f"  {why if log.exists else 'there is no log here'}", Tone.QUIET))]
    note = "" if log.complete else f"  the last {len(log.lines)} lines"
    lines: list[Line] = [(), (*heading_line, Cell(note, Tone.QUIET))]
    for line in log.lines:
        lines.append(logs.cells(line, utc=utc, task=False))
        if line.exception:
            lines += [
                (Cell(f"  {text}", Tone.QUIET),) for text in clean_lines(line.exception, 4_000).splitlines()
            ]
    return lines
