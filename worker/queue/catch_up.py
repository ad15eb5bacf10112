"""What happens to ticks that passed while no worker ran: the policy of a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.queue.ticks import EACH, Late, Passed
from worker.queue.watch import span

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from worker.queue.cron import Cron

    Chosen = tuple[tuple[dt.datetime, str | None], ...]

# A tick that fires this late is on time: workers look once a second, and a restart takes a moment.
ON_TIME_S = 90.0
DEFAULT_WINDOW_S = 86_400.0


class CatchUp(StrEnum):
    """What happens to ticks that passed while no worker ran."""

    ONCE = "once"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """What the configuration says of a schedule.

    Attributes:
        cron: expression and time zone; None keeps what the code says.
        catch_up: the policy for missed ticks.
        catch_up_window: seconds; a tick missed by more is not caught up.
        enabled: False: it never fires and is not listed.
        wanted: asked when a tick has come: where it says no there is nothing to do, and the tick passes without
            a run. None: every tick is.
    """

    cron: Cron | None = None
    catch_up: CatchUp = CatchUp.ONCE
    catch_up_window: float = DEFAULT_WINDOW_S
    enabled: bool = True
    wanted: Callable[[], bool] | None = None

    def in_words(self) -> str:
        """What the policy does, in a sentence."""
        window = span(self.catch_up_window)
        match self.catch_up:
            case CatchUp.NONE:
                return f"none: a tick that passes while no worker runs is listed as missed, unless a worker comes within {span(ON_TIME_S)}"
            case CatchUp.ALL:
                return (
                    f"all: each tick missed by at most {window} gets its run; older ones are listed as missed"
                )
            case CatchUp.ONCE:
                return f"once: the newest tick missed by at most {window} gets a run; the others are listed as missed"


def choose(
    found: Passed, now: float, spec: ScheduleSpec, cause: Callable[[float], str]
) -> tuple[Chosen, Late]:
    """The ticks that are answered by a run, and those that are not: on time all, late ones by policy.

    Args:
        found: what has passed.
        now: Unix seconds.
        spec: the schedule's policy.
        cause: why a tick, given in Unix seconds, did not fire when it was due.

    Returns:
        The answered ticks, each with the reason of its lateness or None; and the missed ones.
    """
    on_time = [tick for tick in found.each if now - tick.timestamp() <= ON_TIME_S]
    late = found.each[: len(found.each) - len(on_time)]
    recent = [tick for tick in late if now - tick.timestamp() <= spec.catch_up_window]
    match spec.catch_up:
        case CatchUp.NONE:
            caught = []
        case CatchUp.ALL:
            caught = recent
        case CatchUp.ONCE:
            caught = [] if on_time else recent[-1:]
    answered: dict[dt.datetime, str | None] = {
        tick: f"{cause(tick.timestamp())}; caught up {span(now - tick.timestamp())} late" for tick in caught
    }
    missed = [
        (tick, f"{cause(tick.timestamp())}; {_left(now - tick.timestamp(), spec)}")
        for tick in late
        if tick not in answered
    ]
    answered |= dict.fromkeys(on_time)
    older = found.older
    why = f"{cause(older.first.timestamp())}; {_left(now - older.last.timestamp(), spec)}" if older else ""
    return tuple(answered.items()), Late(missed, older, why)


def _left(age: float, spec: ScheduleSpec) -> str:
    """Why a late tick gets no run."""
    if spec.catch_up is CatchUp.NONE:
        return "catch_up is none"
    if age > spec.catch_up_window:
        return f"older than the catch_up_window of {span(spec.catch_up_window)}"
    if spec.catch_up is CatchUp.ONCE:
        return "catch_up is once, and a newer tick had its run"
    return f"more than {EACH} are not caught up"
