"""When will the queue be empty, and why not? Pure: from a snapshot's last hour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from console.readings.model import WorkerState

if TYPE_CHECKING:
    from console.readings.model import Snapshot

# Tasks that must have ended for a rate to be believed; where they have not, more of the hour is looked at.
ENOUGH = 10
LOOK_BACK = (3, 10, 30, 60)
# Arrivals and ends that differ by less are alike.
ALIKE = 0.05
MOVING = (WorkerState.RUNNING,)


class Outlook(StrEnum):
    """Where the queue is going."""

    EMPTY = "empty"  # nothing waits
    DRAINING = "draining"
    GROWING = "growing"
    LEVEL = "level"  # as many arrive as end
    STILL = "still"  # nothing ends


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected.

    Attributes:
        outlook: where it is going.
        arriving: tasks a second.
        ending: tasks a second, whatever becomes of them.
        empty_in: seconds until nothing waits; None where that will not be.
        cause: of standing still, in words.
        seen: arrivals and final ends of the last hour, where nothing waits.
    """

    outlook: Outlook
    arriving: float
    ending: float
    empty_in: float | None = None
    cause: str = ""
    seen: tuple[int, int] = (0, 0)


def forecast(snapshot: Snapshot) -> Forecast:
    """What the last minutes let expect."""
    arriving, ending = _rates(snapshot)
    waiting = snapshot.depth.pending
    if not waiting:
        came = sum(minute.enqueued for minute in snapshot.minutes)
        went = sum(minute.completed + minute.failed for minute in snapshot.minutes)
        return Forecast(Outlook.EMPTY, arriving, ending, seen=(came, went))
    if cause := _hindered(snapshot):
        return Forecast(Outlook.STILL, arriving, 0.0, cause=cause)
    if not ending:
        running = snapshot.depth.running
        cause = f"{running} running, none has ended yet" if running else "nothing has ended yet"
        return Forecast(Outlook.STILL, arriving, ending, cause=cause)
    if ending > arriving * (1 + ALIKE):
        return Forecast(Outlook.DRAINING, arriving, ending, waiting / (ending - arriving))
    outlook = Outlook.GROWING if arriving > ending * (1 + ALIKE) else Outlook.LEVEL
    return Forecast(outlook, arriving, ending)


def _hindered(snapshot: Snapshot) -> str:
    """Why no worker takes anything; empty where one does."""
    states = {worker.state for worker in snapshot.workers}
    if snapshot.paused:
        return "the queue is paused"
    if not states & set(MOVING):
        if WorkerState.SILENT in states:
            return "the worker is silent"
        return "the worker is stopping" if WorkerState.STOPPING in states else "no worker"
    return ""


def _rates(snapshot: Snapshot) -> tuple[float, float]:
    """Arrivals and ends a second, over as many of the last minutes as it takes to see some."""
    minutes = snapshot.minutes
    if not minutes:
        return 0.0, 0.0
    came = went = 0
    seconds = 1.0
    for back in LOOK_BACK:
        part = minutes[-back:]
        seconds = max((snapshot.at - part[0].at).total_seconds(), 1.0)
        came = sum(minute.enqueued for minute in part)
        went = sum(minute.completed + minute.failed + minute.retried for minute in part)
        if came >= ENOUGH and went >= ENOUGH:
            break
    working = _working(snapshot, seconds)
    return came / seconds, went / working


def _working(snapshot: Snapshot, seconds: float) -> float:
    """So many of these seconds has there been a worker: one that started just now has not been slow."""
    started = [worker.started_at for worker in snapshot.workers if worker.state in MOVING]
    if not started:
        return seconds
    return max(min(seconds, (snapshot.at - min(started)).total_seconds()), 1.0)
