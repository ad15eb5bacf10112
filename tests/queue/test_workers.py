"""Real worker processes: killed, stopped, woken, poisoned."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.queue.site import PATIENCE_S
from worker.sqlite import sqlite3

LONG = os.environ.get("SOAK") == "long"


def test_an_idle_worker_starts_a_task_within_milliseconds(site):
    site.start()
    site.enqueue("work", "first")
    site.wait_for_mark("end first")
    time.sleep(1.5)  # now it sleeps; the polls beneath are a second apart
    waits = []
    for number in range(5):
        asked = time.time()
        task_id = site.enqueue("work", f"n{number}")
        site.wait(lambda task_id=task_id: site.states(task_id), "an outcome")
        waits.append(site.rows("SELECT started_at FROM run WHERE task_id = ?", task_id)[0][0] - asked)
    assert sorted(waits)[2] < 0.1


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_a_killed_workers_task_runs_again_on_the_next(site, kind):
    first = site.start("-k", kind)
    task_id = site.enqueue("work", "a", 2.0)
    site.wait_for_mark("begin a")
    first.kill()
    first.wait()
    if kind == "process":
        # A worker process outlives its parent until its task has ended; it is to die in the middle.
        os.kill(site.rows("SELECT pid FROM worker WHERE kind = 'process'")[0][0], signal.SIGKILL)
    site.start("-k", kind)
    site.wait_for_mark("end a")
    site.wait(lambda: site.states(task_id)[-1:] == ["completed"], "the outcome")
    assert site.states(task_id) == ["interrupted", "completed"]
    assert site.marks()["begin a"] == 2
    assert site.rows("SELECT * FROM claim") == []


def test_killed_over_and_over_a_worker_loses_nothing(site):
    count, kills = (1000, 25) if LONG else (120, 4)
    for number in range(count):
        site.enqueue("work", f"t{number}", 0.01)
    for _ in range(kills):
        seen = sum(site.marks().values())
        worker = site.start("-w", "4")
        site.wait(
            lambda seen=seen: sum(site.marks().values()) > seen + 20 or site.marks()["end t119"], "progress"
        )
        worker.kill()
        worker.wait()
    site.start("-w", "4")
    site.wait(lambda: site.rows("SELECT n FROM depth WHERE state = 'pending'")[0][0] == 0, "an empty queue")
    site.wait(lambda: not site.rows("SELECT 1 FROM claim"), "no claims")
    ends = {line for line in site.marks() if line.startswith("end")}
    assert len(ends) == count
    completed = site.rows("SELECT task_id, count(*) FROM run WHERE state = 'completed' GROUP BY task_id")
    assert len(completed) == count
    assert {times for _, times in completed} == {1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_either_signal_lets_the_running_task_finish(site, number):
    worker = site.start()
    task_id = site.enqueue("work", "a", 1.0)
    waiting = site.enqueue("work", "b", 0.0)
    site.wait_for_mark("begin a")
    worker.send_signal(number)
    assert worker.wait(timeout=PATIENCE_S) == 0
    assert site.states(task_id) == ["completed"]
    assert site.marks()["begin b"] == 0
    assert site.rows("SELECT task_id FROM task") == [(waiting,)]
    assert site.rows("SELECT * FROM claim") == []
    assert site.rows("SELECT * FROM worker") == []


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_what_does_not_end_within_the_timeout_is_given_back_uncounted(site, kind):
    worker = site.start("-k", kind, "-t", "1")
    task_id = site.enqueue("sleeper", "a", 20.0)
    site.wait_for_mark("begin a")
    started = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=PATIENCE_S) == 0
    assert time.monotonic() - started < 10
    assert site.rows("SELECT task_id, deliveries FROM task") == [(task_id, 0)]
    assert site.states(task_id) == ["interrupted"]
    assert site.rows("SELECT * FROM worker") == site.rows("SELECT * FROM claim") == []


def test_a_second_signal_stops_at_once_and_gives_the_task_back(site):
    worker = site.start()
    task_id = site.enqueue("work", "a", 20.0)
    site.wait_for_mark("begin a")
    worker.send_signal(signal.SIGTERM)
    site.wait(
        lambda: site.rows("SELECT 1 FROM worker WHERE state = 'stopping'"), "the worker to say that it stops"
    )
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=PATIENCE_S) == 0
    assert site.rows("SELECT task_id, deliveries FROM task") == [(task_id, 0)]
    assert site.states(task_id) == ["interrupted"]


def test_a_task_that_kills_its_worker_becomes_a_dead_letter(site):
    site.enqueue("poison")
    innocent = site.enqueue("work", "innocent")
    for _ in range(3):
        site.start(APP_MAX_DELIVERIES="3").wait(timeout=PATIENCE_S)
    site.start(APP_MAX_DELIVERIES="3")
    site.wait(lambda: site.states(innocent) == ["completed"], "the innocent task")
    letters = site.operator.storage.letters.entries()
    assert [(letter["reason"], letter["error_type"]) for letter in letters] == [
        ("poison", "worker.queue.errors.PoisonError")
    ]
    assert site.marks()["poison"] == 3


def test_a_task_that_exits_is_a_failure_and_not_the_end_of_its_worker(site):
    site.start()
    task_id = site.enqueue("leaves")
    after = site.enqueue("work", "after")
    site.wait(lambda: site.states(after) == ["completed"], "the next task")
    assert site.states(task_id) == ["dead"]
    assert "SystemExit" in site.operator.storage.letters.entries()[0]["error"]


def test_two_workers_fire_a_tick_once(site):
    # An earlier minute has been seen, so that the current one is due as soon as a worker looks.
    first = site.start(APP_TICK="0")
    site.wait(lambda: site.rows("SELECT 1 FROM periodic"), "the schedule")
    first.kill()  # it would see the minute, too, and find that its rule says no
    first.wait()
    with site.operator.storage.db(commit=True) as cursor:
        cursor.execute("UPDATE periodic SET seen_at = ?", (time.time() // 60 * 60 - 30,))
    minute = int(time.time() // 60)
    for _ in range(3):
        site.start(APP_TICK="1")
    site.wait_for_mark("tick")
    time.sleep(2.5)
    assert site.marks()["tick"] <= int(time.time() // 60) - minute + 1


def test_a_running_task_shows_its_progress_and_can_be_stopped(site):
    site.start()
    task_id = site.enqueue("steps", "s", 600)
    site.wait(lambda: site.rows("SELECT 1 FROM claim WHERE done > 5 AND total = 600"), "progress")
    change = site.operator.cancel([task_id])
    assert change.done == 1
    site.wait(lambda: site.states(task_id) == ["cancelled"], "the stop")
    assert site.rows("SELECT error FROM run") == [("cancelled by the operator",)]
    assert site.operator.storage.letters.count() == 0


@pytest.mark.parametrize(
    ("kind", "tells", "why"),
    [
        ("thread", True, "took longer than its timeout of 0.6 s"),
        ("process", False, "timeout (0.6s)"),
    ],
)
def test_a_task_that_takes_too_long_fails_in_a_thread_where_it_tells_its_progress(site, kind, tells, why):
    site.start("-k", kind)
    task_id = site.operator.enqueue("tests.queue.app.slow", ["s"], {"tells": tells})
    site.wait(lambda: site.states(task_id) == ["dead"], "the end")
    assert site.rows("SELECT error_type, error FROM run") == [("huey.exceptions.TaskTimeout", why)]
    marks = site.marks()
    assert (marks["begin s"], marks["end s"]) == (1, 0)


def test_a_thread_that_tells_nothing_cannot_be_interrupted_and_ends_when_it_ends(site):
    site.start("-k", "thread")
    task_id = site.operator.enqueue("tests.queue.app.slow", ["s"], {"tells": False})
    site.wait(lambda: site.states(task_id), "the end")
    assert site.states(task_id) == ["completed"]
    assert site.marks()["end s"] == 1


def test_a_workers_death_frees_the_lock_it_held(site):
    storage = site.operator.storage
    storage.identity.ensure()
    with sqlite3.connect(site.folder / "tasks.db") as conn:
        # A worker of another process, gone without a trace but its rows.
        conn.execute(
            "INSERT INTO worker (id, queue, host, pid, kind, threads, started_at, heartbeat_at, heartbeat_s) "
            "VALUES (999, 'app', 'x', 1, 'thread', 1, 0, 0, 2)"
        )
        conn.execute("INSERT INTO kv VALUES ('app', 'app.lock.one', x'22', 999)")
    conn.close()
    storage.claims.reap()
    assert site.rows("SELECT * FROM kv") == []
    assert site.rows("SELECT count(*) FROM worker") == [(1,)]
    storage.identity.retire()


def test_two_worker_processes_fire_each_tick_once_while_one_is_killed_and_one_is_stopped(site):
    every_second = {"APP_CRON": "* * * * * *"}
    first, second = site.start("-k", "thread", **every_second), site.start("-k", "process", **every_second)

    def ticks():
        return site.rows("SELECT tick_at, state, task_id FROM tick ORDER BY tick_at")

    site.wait(lambda: len(ticks()) >= 3, "the first ticks")
    first.kill()
    first.wait()
    site.start("-k", "thread", **every_second)
    site.wait(lambda: len(ticks()) >= 6, "ticks after the kill")
    site.stop(second.pid)
    site.wait(lambda: len(ticks()) >= 9, "ticks beside a stopped worker")
    os.kill(second.pid, signal.SIGCONT)
    site.wait(lambda: len(ticks()) >= 12, "ticks of both again")
    for worker in site.workers:
        worker.terminate()
    for worker in site.workers:
        worker.wait()
    found = ticks()
    assert [at for at, *_ in found] == [found[0][0] + number for number in range(len(found))]
    assert {state for _, state, _ in found} == {"fired"}
    stored = site.rows("SELECT task_id FROM run WHERE attempt = 1 UNION SELECT task_id FROM task")
    assert {row[0] for row in stored} == {task_id for *_, task_id in found}
    assert site.rows("SELECT sum(n) FROM minute WHERE event = 'enqueued'") == [(len(found),)]
    told = {mark for mark in site.marks() if mark.startswith("tick ")}
    assert told <= {f"tick {time.strftime('%H:%M:%S', time.gmtime(at))}" for at, *_ in found}
