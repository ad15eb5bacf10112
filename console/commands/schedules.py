"""`schedules list|show|run|pause|resume|missed|replay|acknowledge`."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Exit, plain, table
from console.commands.start import moment
from console.rows import schedules as rows
from console.text import ascii_signs, plural
from console.text import span as seconds_of

if TYPE_CHECKING:
    from console.commands.output import Context
    from console.readings.model import Schedule, ScheduleDetail, Tick

# So many runs start without being asked about.
MANY = 10
NONE_YET = "No schedules yet: they are known once a worker has started. Run: topic-worker"


def list_(context: Context) -> Exit:
    """When each ran, when it will."""
    every = context.readings.schedules(context.options.filter)
    now = context.now()
    drawn = "" if context.json else table(
        rows.COLUMNS, [rows.cells(one, now) for one in every], empty="No schedule matches the filter." if context.options.filter else NONE_YET,
        width=shutil.get_terminal_size().columns,
    )  # fmt: skip
    context.answer(every, _drawn(context, drawn))
    return Exit.DONE


def show(context: Context) -> Exit:
    """One schedule: its next times, what became of its last ticks, and the missed ones."""
    detail, now = _detail(context, context.options.name), context.now()
    text = "" if context.json else _in_words(context, detail)
    document = plain(detail.schedule) | {
        "in_words": rows.in_words(detail.schedule), "catch_up": detail.catch_up,
        "catch_up_window_s": detail.catch_up_window_s, "coming": plain(detail.coming),
        "unanswered": plain(detail.missed), "recent": plain(detail.recent), "at": plain(now),
    }  # fmt: skip
    context.answer(document, text)
    return Exit.DONE


def _in_words(context: Context, detail: ScheduleDetail) -> str:
    lines = rows.of_schedule(detail, context.now())
    return _drawn(context, "\n".join("".join(part.text for part in line).rstrip() for line in lines))


def run(context: Context) -> Exit:
    """Runs a schedule's task once, now."""
    return context.done(context.actions.run_schedule(context.options.name))


def pause(context: Context) -> Exit:
    """Stops a schedule from firing, for a while or until it is resumed."""
    options = context.options
    return context.done(context.actions.pause_schedule(options.name, end_of_pause(context), options.note))


def end_of_pause(context: Context) -> datetime | None:
    """When a pause ends by itself, as `--for` or `--until` say; None: when it is resumed.

    Raises:
        CommandError: what was typed is no span or no time.
    """
    options = context.options
    if options.until:
        return moment(options.until)
    return context.now() + span(options.span) if options.span else None


def resume(context: Context) -> Exit:
    """Lets a paused schedule fire again."""
    return context.done(context.actions.resume_schedule(context.options.name))


def missed(context: Context) -> Exit:
    """The ticks that got no run; `--all` also those that were answered late."""
    options, now = context.options, context.now()
    names = [options.name] if options.name else [one.name for one in _every(context)]
    ticks = [tick for name in names for tick in _ticks(context, name)]
    first = 1 if options.name else 0  # of one schedule its name need not be said
    drawn = "" if context.json else table(
        rows.TICK_COLUMNS[first:], [rows.tick_cells(tick, now)[first:] for tick in ticks],
        empty="Every tick had its run: nothing was missed.", width=shutil.get_terminal_size().columns,
    )  # fmt: skip
    context.answer(ticks, _drawn(context, drawn))
    return Exit.DONE


def _ticks(context: Context, name: str) -> tuple[Tick, ...]:
    detail = _detail(context, name)
    if context.options.all:
        return context.readings.late_ticks(name, context.options.limit)
    return tuple(tick for tick in detail.missed if tick.state == "missed")[-context.options.limit :]


def replay(context: Context) -> Exit:
    """Runs missed ticks after all."""
    options = context.options
    how = "once" if options.once else "all" if options.all else "spread"
    over = span(options.spread, "--spread").total_seconds() if options.spread else None
    if how != "once":
        ticks = [
            tick
            for tick in _detail(context, options.name).missed
            if tick.count == 1 and (options.paused or tick.state == "missed")
        ]
        if len(ticks) > MANY:
            context.confirm(f"Start {plural(len(ticks), 'run')} of {options.name}?")
    return context.done(context.actions.replay_ticks(options.name, how, over=over, paused=options.paused))


def acknowledge(context: Context) -> Exit:
    """Says that missed ticks need no run."""
    options = context.options
    return context.done(context.actions.acknowledge_ticks(options.name, note=options.note))


def span(text: str, option: str = "--for") -> timedelta:
    """A span that was typed, such as `2h`.

    Raises:
        CommandError: it is none.
    """
    seconds = seconds_of(text)
    if not seconds:
        raise CommandError(f"{option}: expected a span such as 30m, 2h or 1d, found {text!r}", Exit.UNUSABLE)
    return timedelta(seconds=seconds)


def _every(context: Context) -> tuple[Schedule, ...]:
    snapshot = context.readings.snapshot()
    if snapshot.unreadable:
        raise CommandError(snapshot.unreadable, Exit.UNUSABLE)
    return snapshot.schedules


def _detail(context: Context, name: str) -> ScheduleDetail:
    detail = context.readings.schedule(name)
    if detail is None:
        known = ", ".join(one.name for one in _every(context)) or "none yet: a worker has to start once"
        raise CommandError(f"no schedule is named {name!r}; known are: {known}")
    return detail


def _drawn(context: Context, text: str) -> str:
    return ascii_signs(text) if context.options.ascii else text
