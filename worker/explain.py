"""What the settings say of the schedules, in words."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from worker.queue.catch_up import ScheduleSpec
    from worker.queue.cron import Cron
    from worker.settings import Settings

SHOWN = 3
# A schedule with more ticks a year has no time of day that a change of the clocks could move.
MOST_A_YEAR = 2_000


def schedules_in_words(settings: Settings, now: datetime) -> Iterator[str]:
    """Each schedule: when it runs, its next times, and what becomes of ticks that nobody fires.

    Args:
        settings: as loaded.
        now: aware.
    """
    for name, spec in settings.schedule_specs().items():
        yield from _one(name, spec, now)


def _one(name: str, spec: ScheduleSpec, now: datetime) -> Iterator[str]:
    if not spec.enabled or spec.cron is None:
        yield f"{name}: switched off (enabled: false)"
        return
    cron = spec.cron
    yield f"{name}: {cron.in_words()}, {cron.timezone} time ({cron.expression})"
    coming = [_said(tick, cron) for tick in cron.coming(now, SHOWN)]
    yield f"  next    {', '.join(coming) or 'never: no such day comes'}"
    yield from (f"  clocks  {moved}" for moved in _moved(cron, now))
    yield f"  missed  {spec.in_words()}"


def _said(tick: datetime, cron: Cron) -> str:
    return tick.astimezone(cron.zone).strftime("%a %Y-%m-%d %H:%M %Z")


def _moved(cron: Cron, now: datetime) -> Iterator[str]:
    """The ticks of the coming year that a change of the clocks moves to another time of day."""
    year = itertools.takewhile(lambda tick: tick < now + timedelta(days=366), cron.after(now))
    ticks = [tick.astimezone(cron.zone) for tick in itertools.islice(year, MOST_A_YEAR)]
    times = Counter(tick.time() for tick in ticks)
    if len(ticks) == MOST_A_YEAR or len(times) == len(ticks):
        return
    for tick in ticks:
        before = tick - timedelta(days=1)
        if times[tick.time()] == 1 and before.utcoffset() != tick.utcoffset():
            yield f"on {tick:%a %Y-%m-%d} they go forward over it; it runs at {tick:%H:%M}"
