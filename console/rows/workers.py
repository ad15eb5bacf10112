"""Workers, a line each; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.readings.verdict import ALIVE
from console.text import ago, clean, plural, when

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from console.readings.model import Worker


def in_a_line(worker: Worker, now: datetime) -> str:
    """Which it is, how it is, since when, and how old its heartbeat is."""
    return (
        f"{worker.id:>4}  {worker.state:8}  {clean(worker.host, 40)}:{worker.pid}  {at_once(worker)}, "
        f"up {ago(worker.started_at, now)}, heartbeat {ago(worker.heartbeat_at, now)} ago"
    )


def in_few_words(worker: Worker, now: datetime) -> str:
    """The same for a question above a screen."""
    return (
        f"{worker.id}  {clean(worker.host, 24)}:{worker.pid}  {worker.state}, "
        f"up {ago(worker.started_at, now)}, heartbeat {ago(worker.heartbeat_at, now)} ago"
    )


def at_once(worker: Worker) -> str:
    """How many tasks it runs at once."""
    return plural(worker.threads, "task") + " at once" if worker.threads else "with worker processes"


def note(workers: Sequence[Worker], now: datetime, *, utc: bool = False) -> str:
    """Who takes tasks, beside what runs: `worker 5 on desk, 2 tasks at once, since 09:53`."""
    alive = [worker for worker in workers if worker.state in ALIVE]
    if len(alive) == 1:
        (one,) = alive
        since = when(one.started_at, now, utc=utc)
        return f"worker {one.id} on {clean(one.host, 40)}, {at_once(one)}, since {since}"
    hosts = ", ".join(dict.fromkeys(clean(worker.host, 24) for worker in alive))
    return f"{plural(len(alive), 'worker')} on {hosts}" if alive else ""
