"""Short tasks share a transaction; nobody waits behind a long one, and nothing is lost."""

from __future__ import annotations

import threading
import time

import pytest

from worker.queue import DurableHuey, Operator, hands
from worker.queue.hands import MOST

# Longer than in earnest, so that a busy machine does not make short tasks look long.
LINGER_S, LONG_S = 0.15, 0.3


class Bench:
    """A queue whose worker is this thread, and its rows."""

    def __init__(self, home) -> None:
        self.huey = DurableHuey("app", filename=home / "tasks.db", dlq_filename=home / "dlq.db")
        self.begun = []

        @self.huey.task(name="work", retries=1)
        def work(number, seconds=0.0, *, fails=False):
            self.begun.append(number)
            time.sleep(seconds)
            if fails:
                raise ValueError(number)
            return number

        self.work, self.storage = work, self.huey.storage
        self.storage.claim_ahead(True)

    def fill(self, *calls) -> None:
        self.huey.enqueue_many([self.work.s(*args, **kwargs) for args, kwargs in calls])

    def one(self) -> None:
        task = self.huey.dequeue()
        assert task is not None
        self.huey.execute(task)

    def warm_up(self) -> None:
        """Until the thread knows that its tasks are short."""
        self.fill(*(((-1,), {}) for _ in range(200)))
        for _ in range(150):
            self.one()
        while self.rows("SELECT 1 FROM task"):
            self.one()
        while self.rows("SELECT 1 FROM claim"):
            self.one()
        self.begun.clear()

    def rows(self, query, *params):
        return self.storage.sql(query, params, results=True)

    def claimed(self) -> int:
        return self.rows("SELECT count(*) FROM claim")[0][0]

    def until(self, fact, seconds=5.0):
        deadline = time.monotonic() + seconds
        while not fact():
            assert time.monotonic() < deadline, (self.begun, self.rows("SELECT state, error FROM run"))
            time.sleep(0.001)


@pytest.fixture
def bench(home, monkeypatch):
    monkeypatch.setattr(hands, "LINGER_S", LINGER_S)
    monkeypatch.setattr(hands, "LONG_S", LONG_S)
    made = Bench(home)
    yield made
    made.storage.claim_ahead(False)
    made.storage.identity.retire()
    made.storage.close()


def test_a_thread_begins_with_one_task_at_a_time(bench):
    bench.fill(((1,), {}), ((2,), {}), ((3,), {}))
    bench.one()
    assert bench.rows("SELECT count(*) FROM run") == [(1,)]


def test_short_tasks_are_taken_together_and_stored_together(bench):
    bench.warm_up()
    bench.fill(*(((number,), {}) for number in range(MOST)))
    bench.one()  # the first is taken alone, and its outcome takes the next ones
    assert 1 < bench.claimed() <= MOST
    before = bench.rows("SELECT count(*) FROM run WHERE name LIKE '%work'")
    bench.storage.hands._work.clear()
    bench.one()
    assert bench.rows("SELECT count(*) FROM run WHERE name LIKE '%work'") == before, "the outcome lingers"
    while bench.claimed() or bench.rows("SELECT 1 FROM task"):
        bench.one()
    assert bench.begun == list(range(MOST))
    assert bench.rows(
        "SELECT count(*) FROM run WHERE state = 'completed' AND task_id IN (SELECT task_id FROM run)"
    )
    assert bench.rows("SELECT n FROM depth WHERE state = 'pending'") == [(0,)]


def test_an_outcome_does_not_wait_behind_a_long_task_and_neither_does_another_task(bench):
    bench.warm_up()
    bench.fill(((0,), {}), ((1,), {}), ((2, 6 * LONG_S), {}), ((3,), {}), ((4,), {}))
    bench.one()
    bench.one()
    seen = []

    def look():
        bench.until(lambda: 2 in bench.begun)
        bench.until(lambda: bench.rows("SELECT n FROM depth WHERE state = 'pending'") == [(2,)])
        seen.append((list(bench.begun), bench.claimed(), bench.rows("SELECT deliveries FROM task")))

    watcher = threading.Thread(target=look)
    watcher.start()
    bench.one()
    watcher.join()
    assert seen == [([0, 1, 2], 1, [(0,), (0,)])], "while the long one ran, the two behind it were given back"
    bench.one()
    bench.one()
    assert bench.begun == [0, 1, 2, 3, 4]


def test_an_outcome_is_stored_within_milliseconds_though_nothing_follows(bench):
    bench.warm_up()
    bench.fill(((0,), {}), ((1,), {}), ((2, 8 * LINGER_S), {}))
    bench.one()
    result_of_one = bench.rows("SELECT task_id FROM claim ORDER BY id")[0][0]
    bench.one()
    bench.until(lambda: bench.rows("SELECT 1 FROM run WHERE task_id = ?", result_of_one))


def test_one_that_failed_is_stored_at_once_with_its_retry(bench):
    bench.warm_up()
    bench.fill(((0,), {}), ((1,), {"fails": True}), ((2,), {}))
    bench.one()
    bench.one()
    assert bench.rows("SELECT attempt FROM task UNION SELECT attempt FROM claim ORDER BY 1 DESC LIMIT 1") == [
        (2,)
    ]


def test_an_outcome_whose_claim_was_lost_is_refused_and_the_others_are_kept(bench, home):
    bench.warm_up()
    bench.storage.hands.watch = lambda: None  # so that the outcomes wait
    bench.fill(*(((number,), {}) for number in range(6)))
    bench.one()
    lost, kept = (row[0] for row in bench.rows("SELECT id FROM claim ORDER BY id LIMIT 2"))
    task_of = dict(bench.rows("SELECT id, task_id FROM claim"))
    bench.one()
    thief = Operator(home / "tasks.db", home / "dlq.db", queue="app")
    with thief.storage.db(commit=True) as cursor:
        cursor.execute("DELETE FROM claim WHERE id = ?", (lost,))
    thief.close()
    while bench.claimed():
        bench.one()
    ended = {row[0] for row in bench.rows("SELECT task_id FROM run WHERE state = 'completed'")}
    assert task_of[lost] not in ended
    assert task_of[kept] in ended


def test_a_task_that_was_handed_out_before_comes_alone(bench):
    bench.warm_up()
    bench.fill(*(((number,), {}) for number in range(6)))
    bench.storage.sql("UPDATE task SET deliveries = 1 WHERE id = (SELECT max(id) - 2 FROM task)", commit=True)
    bench.one()
    names = bench.rows("SELECT deliveries FROM claim")
    assert names == [(1,), (1,)], "those before it: numbers 1 and 2"
    bench.one()
    bench.one()
    assert bench.rows("SELECT deliveries FROM claim") == [(2,)]


def test_what_was_taken_and_not_begun_goes_back_when_the_worker_ends(bench):
    bench.warm_up()
    bench.fill(*(((number,), {}) for number in range(8)))
    bench.one()
    bench.one()
    bench.storage.claim_ahead(False)
    assert bench.claimed() == 0
    assert len(bench.rows("SELECT 1 FROM task WHERE deliveries = 0")) == 6
    assert bench.begun == [0, 1]
    bench.storage.claim_ahead(True)


def test_paused_nothing_more_is_taken(bench, home):
    bench.warm_up()
    bench.fill(*(((number,), {}) for number in range(4 * MOST)))
    operator = Operator(home / "tasks.db", home / "dlq.db", queue="app")
    bench.one()
    operator.pause_queue()
    for _ in range(bench.claimed()):
        bench.one()
    assert bench.huey.dequeue() is None
    assert bench.rows("SELECT 1 FROM task")
    operator.close()
