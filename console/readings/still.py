"""What still holds of the last look: nothing is read again that nobody has written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.readings.model import Snapshot

# The workers' locks are looked at this often: a dead one commits nothing.
MAX_AGE_S = 1.0


def silent_after(heartbeat_s: float) -> float:
    """After how many seconds without a heartbeat a worker is called silent.

    One second of grace: a heartbeat that is written while we look is not a missed one.
    """
    return 2 * heartbeat_s + 1


def true_until(snapshot: Snapshot, now: float, paused_until: float | None, overdue_after: float) -> float:
    """The Unix second at which time alone changes a look: the minute or a pause ends, a heart or a schedule is late."""
    times = [(now // 60 + 1) * 60]
    times += [paused_until] if paused_until else []
    times += [
        worker.heartbeat_at.timestamp() + silent_after(worker.heartbeat_s) for worker in snapshot.workers
    ]
    for schedule in snapshot.schedules:
        times += [schedule.paused_until.timestamp()] if schedule.paused_until else []
        times += [schedule.next_at.timestamp() + overdue_after] if schedule.next_at else []
    return min(one for one in times if one > now)


def of_tasks(snapshot: Snapshot, last: Snapshot) -> Snapshot:
    """A look with what the last one saw in `tasks.db`."""
    return replace(
        snapshot, paused=last.paused, pause_note=last.pause_note, workers=last.workers,
        depth=replace(last.depth, dead_letters=snapshot.depth.dead_letters), running=last.running,
        schedules=last.schedules, minutes=last.minutes, last_runs=last.last_runs, retrying=last.retrying,
    )  # fmt: skip


def of_letters(snapshot: Snapshot, last: Snapshot) -> Snapshot:
    """A look with what the last one saw in `dlq.db`."""
    depth = replace(snapshot.depth, dead_letters=last.depth.dead_letters)
    return replace(
        snapshot,
        depth=depth,
        causes=last.causes,
        newest_causes=last.newest_causes,
        fingerprints=last.fingerprints,
    )


def of_library(snapshot: Snapshot, last: Snapshot) -> Snapshot:
    """A look with what the last one saw in `topics.db`."""
    return replace(snapshot, library=last.library)


def tells_the_same(one: Snapshot, other: Snapshot) -> bool:
    """Whether nothing has happened between two looks: only time has passed, hearts have beaten."""
    return one.number == other.number or _timeless(one) == _timeless(other)


def _timeless(snapshot: Snapshot) -> tuple[object, ...]:
    return (
        snapshot.depth, snapshot.paused, snapshot.pause_note, snapshot.running, snapshot.schedules, snapshot.causes,
        snapshot.last_runs, snapshot.retrying, snapshot.library, snapshot.unreadable,
        [(worker.id, worker.state) for worker in snapshot.workers],
    )  # fmt: skip
