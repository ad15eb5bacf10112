"""A worker that holds is alive, and nothing is done: that is said."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from console.readings.model import Snapshot, Worker, WorkerState
from console.readings.verdict import problems

NOW = dt.datetime(2026, 11, 23, 19, tzinfo=dt.UTC)


def worker(number, state):
    return Worker(
        id=number, host="h", pid=number, kind="thread", threads=1, state=state, started_at=NOW, heartbeat_at=NOW,
        heartbeat_s=2.0,
    )  # fmt: skip


def test_that_all_workers_hold_is_a_problem_with_its_way_out():
    snapshot = Snapshot(home=Path("home"), at=NOW, workers=(worker(4, WorkerState.HOLDING),))
    assert [problem.code for problem in problems(snapshot)] == ["workers_hold"]
    assert "workers resume 4" in problems(snapshot)[0].text


def test_that_one_of_two_holds_is_none():
    snapshot = Snapshot(
        home=Path("home"), at=NOW, workers=(worker(4, WorkerState.HOLDING), worker(5, WorkerState.RUNNING))
    )
    assert problems(snapshot) == ()
