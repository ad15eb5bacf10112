"""Forgetting: old successes go, failures stay longer, and what is gone is said to be."""

from __future__ import annotations

import time

import pytest

from worker.queue import DurableHuey, Operator
from worker.queue.retention import DAY_S, Pruner, Retention
from worker.queue.rollups import Rollups

KEEP = Retention(successes=10 * DAY_S, failures=100 * DAY_S, undo=5 * DAY_S, minutes=2 * DAY_S, rollups=())


@pytest.fixture
def huey(home):
    made = DurableHuey("topics", filename=home / "tasks.db", dlq_filename=home / "dlq.db")
    yield made
    made.storage.close()


def ran(huey, number, *, days, state):
    at = huey.storage.now() - days * DAY_S
    huey.storage.sql(
        "INSERT INTO run (queue, task_id, name, state, attempt, enqueued_at, ready_at, started_at, finished_at, result) "
        "VALUES ('topics', ?, 'job', ?, 1, ?, ?, ?, ?, ?)",
        (f"t{number}", state, at, at, at, at, "x" * 500), commit=True,
    )  # fmt: skip


def left(huey, table="run"):
    return huey.storage.sql(f"SELECT count(*) FROM {table}", results=True)[0][0]


def roll_up(huey):
    rollups = Rollups(huey.storage)
    while rollups.step():
        pass


def all_steps(huey, keep=KEEP):
    roll_up(huey)
    pruner = Pruner(huey.storage, keep)
    gone = 0
    while step := pruner.step():
        gone += step
    return gone, pruner


def test_successes_go_first_and_failures_stay_longer(huey):
    for days in (1, 9, 11, 99, 101):
        for state in ("completed", "skipped", "dead", "retrying", "cancelled", "interrupted"):
            ran(huey, days, days=days, state=state)
    ran(huey, 0, days=0, state="completed")
    assert all_steps(huey)[0] == 3 * 2 + 1 * 4
    kept = huey.storage.sql(
        "SELECT DISTINCT state FROM run WHERE finished_at < ?",
        (huey.storage.now() - 50 * DAY_S,),
        results=True,
    )
    assert {row[0] for row in kept} == {"dead", "retrying", "cancelled", "interrupted"}


def test_a_long_history_goes_in_batches_and_the_file_shrinks(huey):
    storage = huey.storage
    with storage.db(commit=True) as cursor:
        for number in range(6000):
            at = storage.now() - (400 - number / 100) * DAY_S
            state = "dead" if number % 1000 == 0 else "completed"
            cursor.execute(
                "INSERT INTO run (queue, task_id, name, state, attempt, enqueued_at, ready_at, started_at, finished_at, "
                "result) VALUES ('topics', ?, 'job', ?, 1, 0, 0, 0, ?, ?)", (f"t{number}", state, at, "x" * 2000),
            )  # fmt: skip
    before = storage.sql("PRAGMA page_count", results=True)[0][0]
    roll_up(huey)
    pruner = Pruner(storage, Retention(successes=10 * DAY_S, failures=1000 * DAY_S, rollups=()))
    steps = [pruner.step() for _ in range(40)]
    assert max(steps) <= 500
    assert left(huey) == 7  # and the newest
    assert storage.sql("PRAGMA page_count", results=True)[0][0] < before / 2
    assert storage.sql("PRAGMA integrity_check", results=True) == [("ok",)]


def test_between_rounds_nothing_is_asked_of_the_file(huey):
    _, pruner = all_steps(huey)
    ran(huey, 1, days=50, state="completed")
    ran(huey, 2, days=50, state="completed")
    roll_up(huey)
    assert pruner.step() == 0
    huey.storage.now = lambda: time.time() + 3700
    assert pruner.step() == 1


def test_a_run_that_is_not_in_the_rollups_yet_is_not_forgotten(huey):
    for number in range(3):
        ran(huey, number, days=50, state="completed")
    pruner = Pruner(huey.storage, KEEP)
    assert pruner.step() == 0
    roll_up(huey)
    huey.storage.now = lambda: time.time() + 3700
    assert pruner.step() == 2


def test_the_newest_run_stays_so_that_no_id_comes_twice(huey):
    ran(huey, 1, days=50, state="completed")
    all_steps(huey)
    ran(huey, 2, days=50, state="completed")
    assert huey.storage.sql("SELECT id FROM run ORDER BY id", results=True) == [(1,), (2,)]
    roll_up(huey)
    assert huey.storage.sql("SELECT sum(completed) FROM rollup WHERE span = 'day'", results=True) == [(2,)]


def test_old_rollups_go_by_their_span(huey):
    now = huey.storage.now()
    for days in (1, 3, 100, 800):
        ran(huey, days, days=days, state="completed")
    keep = Retention(10_000 * DAY_S, 10_000 * DAY_S)
    all_steps(huey, keep)
    spans = huey.storage.sql("SELECT span, count(*), min(at) FROM rollup GROUP BY span", results=True)
    assert {span: n for span, n, _ in spans} == {"minute": 1, "hour": 2, "day": 3}
    assert all(at >= now - 101 * DAY_S for _, _, at in spans)


def test_minutes_of_last_week_go(huey):
    minute = int(huey.storage.now() // 60)
    for ago in (0, 60, 60 * 24 * 3):
        huey.storage.sql(
            "INSERT INTO tally VALUES ('topics', ?, 'completed', 1)", (minute - ago,), commit=True
        )
    assert all_steps(huey)[0] == 1
    assert left(huey, "minute") == 2


def test_what_was_taken_away_long_ago_cannot_be_undone_and_undo_says_so(huey, home):
    operator = Operator(home / "tasks.db", home / "dlq.db")
    operator.cancel([operator.enqueue("job"), operator.enqueue("job")])
    assert all_steps(huey)[0] == 0
    huey.storage.now = lambda: time.time() + 6 * DAY_S
    assert all_steps(huey)[0] == 5  # and that they were enqueued, and the minute of it
    undone = operator.undo()
    assert undone.done == 0
    assert "not kept any more" in undone.refused[0][1]
    assert left(huey, "journal") == 4  # two enqueues, the cancel, the undo
    operator.close()


def test_ticks_that_were_dealt_with_go_and_missed_ones_stay_until_somebody_does(huey):
    now = huey.storage.now()
    rows = [
        (now - days * DAY_S, state, None if state == "missed" else now - days * DAY_S)
        for days in (400, 11, 9)
        for state in ("fired", "missed")
    ]
    for number, (at, state, settled) in enumerate(rows):
        huey.storage.sql(
            "INSERT INTO tick (queue, schedule, tick_at, state, noticed_at, settled_at) VALUES ('topics', 's', ?, ?, ?, ?)",
            (at + number, state, at, settled), commit=True,
        )  # fmt: skip
    all_steps(huey)
    states = huey.storage.sql("SELECT state FROM tick ORDER BY tick_at", results=True)
    assert states == [("missed",), ("missed",), ("fired",), ("missed",)]
