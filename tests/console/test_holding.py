"""A worker that holds is alive, and nothing is done: that is said."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

from console.readings.model import Snapshot, Worker, WorkerState
from console.readings.verdict import problems
from console.rows.workers import note
from tests.console.conftest import console
from tests.console.waiting import press, until

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


def test_who_takes_tasks_stands_beside_what_runs():
    one, other = worker(4, WorkerState.RUNNING), worker(5, WorkerState.RUNNING)
    assert note((one,), NOW, utc=True) == "worker 4 on h, 1 task at once, since 19:00"
    assert note((one, replace(other, host="desk")), NOW) == "2 workers on h, desk"
    assert note((worker(4, WorkerState.DEAD),), NOW) == ""


async def test_of_several_workers_one_is_chosen_and_another_machines_is_asked_to_end(builder):
    builder.worker()
    builder.tasks.execute("UPDATE worker SET host = 'elsewhere' WHERE id = ?", (builder.worker(),))
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "w")
        assert [str(option.prompt).split("  ")[0] for option in app.screen.options.options] == ["1", "2"]
        await press(pilot, "j", "enter")
        assert "Stop the worker 2 on elsewhere?" in str(app.screen.question.content)
        await press(pilot, "y")
        wish = "SELECT id FROM worker WHERE wish = 'drain'"
        await until(pilot, lambda: builder.tasks.execute(wish).fetchall() == [(2,)])


async def test_where_only_another_machine_works_one_may_be_started_here(builder):
    builder.worker()
    builder.tasks.execute("UPDATE worker SET host = 'elsewhere'")
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "w")
        assert str(app.screen.options.options[-1].prompt) == "start one on this machine"
