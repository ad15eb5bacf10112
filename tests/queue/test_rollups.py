"""Rollups: every run counts exactly once, and percentiles are right within a few percent."""

from __future__ import annotations

import random
import threading

import pytest

from worker.queue import DurableHuey, schema, schema_tasks
from worker.queue.errors import QueueError
from worker.queue.rollups import BATCH, DepthRecord, Histogram, Rollup, Rollups, Span
from worker.queue.schema_tasks import MIGRATIONS
from worker.sqlite import sqlite3

HOUR = 3_600


@pytest.fixture
def storage(home):
    huey = DurableHuey("topics", filename=home / "tasks.db", dlq_filename=home / "dlq.db")
    yield huey.storage
    huey.storage.close()


def ran(
    storage, count, *, at=HOUR * 500, state="completed", name="job", waited=1.0, took=2.0, queue="topics"
):
    with storage.db(commit=True) as cursor:
        cursor.executemany(
            "INSERT INTO run (queue, task_id, name, state, attempt, enqueued_at, ready_at, started_at, finished_at) "
            "VALUES (?, 't', ?, ?, 1, 0, ?, ?, ?)",
            [(queue, name, state, at - waited - took, at - took, at)] * count,
        )  # fmt: skip


def summed(storage, span="day", column="completed"):
    query = f"SELECT sum({column}) FROM rollup WHERE span = ?"
    return storage.sql(query, (span,), results=True)[0][0] or 0


@pytest.mark.parametrize(
    "spans",
    [
        [random.Random(1).lognormvariate(0, 2) for _ in range(5000)],
        [random.Random(2).uniform(0.01, 30) for _ in range(999)],
        [random.Random(3).paretovariate(1.2) for _ in range(2000)],
        [0.25],
    ],
)
def test_a_percentile_is_within_two_and_a_half_percent(spans):
    histogram = Histogram()
    for span in spans:
        histogram.count(span)
    for share in (0.5, 0.95, 0.99):
        exact = sorted(spans)[max(0, -(-len(spans) * round(share * 100) // 100) - 1)]
        assert histogram.percentile(share) == pytest.approx(exact, rel=0.025)


def test_no_span_has_no_percentile_and_none_is_too_short_or_too_long():
    assert Histogram().percentile(0.5) is None
    histogram = Histogram()
    for span in (-5.0, 0.0, 1e-9, 1e9):
        histogram.count(span)
    assert histogram.percentile(0.5) == pytest.approx(0.001, rel=0.03)
    assert histogram.percentile(1) == pytest.approx(1e9, rel=0.03)
    assert Histogram.unpacked(histogram.packed()) == histogram


def test_sums_by_task_state_and_span(storage):
    ran(storage, 3)
    ran(storage, 2, at=HOUR * 500 + 61, state="dead")
    ran(storage, 1, at=HOUR * 501, name="other", state="skipped")
    assert Rollups(storage).step() == 6
    rows = storage.sql(
        "SELECT span, at, name, completed, dead, skipped FROM rollup ORDER BY 1, 2, 3", results=True
    )
    assert rows == [
        ("day", Span.DAY.begins(HOUR * 500), "job", 3, 2, 0),
        ("day", Span.DAY.begins(HOUR * 500), "other", 0, 0, 1),
        ("hour", HOUR * 500, "job", 3, 2, 0),
        ("hour", HOUR * 501, "other", 0, 0, 1),
        ("minute", HOUR * 500, "job", 3, 0, 0),
        ("minute", HOUR * 500 + 60, "job", 0, 2, 0),
        ("minute", HOUR * 501, "other", 0, 0, 1),
    ]


def test_only_what_ran_to_an_end_says_how_long_it_takes(storage):
    ran(storage, 5, took=1.0)
    ran(storage, 5, took=0.0, state="skipped")
    ran(storage, 5, took=100.0, state="interrupted")
    Rollups(storage).step()
    row = storage.sql("SELECT completed, retrying, dead, skipped, cancelled, interrupted, waited, took "
                      "FROM rollup WHERE span = 'hour'", results=True)[0]  # fmt: skip
    held = Rollup.of(row)
    assert held.took.total() == held.waited.total() == 5
    assert held.took.percentile(0.99) == pytest.approx(1.0, rel=0.03)
    assert Rollup.of(held.row()) == held


def test_every_run_once_in_batches_and_over_restarts(storage):
    ran(storage, 2 * BATCH + 7)
    steps = []
    while not steps or steps[-1]:
        steps.append(Rollups(storage).step())  # as many as a fifth of a second allows
    assert sum(steps) == 2 * BATCH + 7
    ran(storage, 3)
    assert Rollups(storage).step() == 3
    assert {summed(storage, span) for span in Span} == {2 * BATCH + 10}


def test_every_run_once_with_several_workers(storage, home):
    others = [
        DurableHuey("topics", filename=home / "tasks.db", dlq_filename=home / "dlq.db") for _ in range(3)
    ]
    stop = threading.Event()
    faults = []

    def work(rollups):
        try:
            while not stop.is_set():
                rollups.step()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(Rollups(huey.storage),)) for huey in others]
    for thread in threads:
        thread.start()
    for _ in range(20):
        ran(storage, 50)
    stop.set()
    for thread in threads:
        thread.join()
    Rollups(storage).step()
    for huey in others:
        huey.storage.close()
    assert not faults
    assert summed(storage, "minute") == 1000


def test_a_batch_that_is_not_committed_counts_for_nothing(storage, monkeypatch):
    ran(storage, 10)
    storage.sql(
        "CREATE TEMP TRIGGER full BEFORE UPDATE ON rollup_mark BEGIN SELECT RAISE(ABORT, 'no room'); END",
        commit=True,
    )
    with pytest.raises(QueueError, match="no room"):
        Rollups(storage).step()
    assert summed(storage) == 0
    storage.sql("DROP TRIGGER full", commit=True)
    assert Rollups(storage).step() == 10
    assert summed(storage) == 10


def test_a_file_of_version_1_is_added_up_by_the_worker_not_by_the_migration(home):
    path = home / "tasks.db"
    conn = sqlite3.connect(path, isolation_level=None)
    schema.make_current(conn, path, schema.TASKS_APPLICATION_ID, MIGRATIONS[:1])
    conn.executemany(
        "INSERT INTO run (queue, task_id, name, state, attempt, enqueued_at, ready_at, started_at, finished_at) "
        "VALUES ('topics', 't', 'job', 'completed', 1, 0, 0, 0, ?)", [(number,) for number in range(1200)],
    )  # fmt: skip
    conn.close()
    huey = DurableHuey("topics", filename=path, dlq_filename=home / "dlq.db")
    assert summed(huey.storage) == 0
    assert Rollups(huey.storage).step() == 1200
    assert summed(huey.storage) == 1200
    huey.storage.close()


def waiting(storage, count):
    storage.sql(
        "INSERT OR REPLACE INTO tally VALUES ('topics', ?, 'pending', ?)",
        (schema_tasks.NOW, count),
        commit=True,
    )


def test_the_depth_of_each_minute_is_the_most_that_was_seen(storage):
    clock = [HOUR * 500.0]
    storage.now = lambda: clock[0]
    record = DepthRecord(storage)

    def step(seconds, pending):
        clock[0] += seconds
        waiting(storage, pending)
        record.step()

    step(0, 3)
    step(10, 9)
    step(10, 1)
    step(45, 2)  # the next minute
    step(300, 4)  # five minutes later: nobody was here between
    rows = storage.sql(
        "SELECT minute - ?, pending FROM depth_minute ORDER BY 1", (HOUR * 500 // 60,), results=True
    )
    assert rows == [(0, 9), (1, 2), (6, 4)]


def test_two_workers_keep_the_higher_depth(storage):
    storage.now = lambda: HOUR * 500.0
    waiting(storage, 7)
    DepthRecord(storage).step()
    waiting(storage, 2)
    DepthRecord(storage).step()
    assert storage.sql("SELECT pending, running FROM depth_minute", results=True) == [(7, 0)]
