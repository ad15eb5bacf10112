"""Who lives, who is taken for dead, and what the living may still say when they wake."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from worker.queue import DurableHuey
from worker.queue.identity import is_alive, workers_folder

LEASE_S = 4.5  # 15 heartbeats of tests.queue.app


def letters(site):
    return [(one["reason"], one["task_id"]) for one in site.operator.storage.letters.entries()]


def pid_of_claim(site, task_id):
    query = "SELECT pid FROM worker JOIN claim ON claim.worker = worker.id WHERE task_id = ?"
    return site.wait(lambda: site.rows(query, task_id), "a claim")[0][0]


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_a_worker_stopped_for_longer_than_its_lease_may_not_store_its_outcome(site, kind, home):
    """Without flock, the heartbeat decides: its task runs elsewhere, and what it says on waking is refused."""
    first = site.start("-k", kind, log=home / "log", APP_LEASE="1")
    task_id = site.enqueue("work", "a", 3.0)
    site.wait_for_mark("begin a")
    pid = pid_of_claim(site, task_id)
    site.stop(pid)
    if kind == "process":
        site.stop(first.pid)  # or its supervisor would start another
    site.start("-k", kind, APP_LEASE="1")
    site.wait(lambda: site.states(task_id)[-1:] == ["completed"], "the second run")
    os.kill(pid, signal.SIGCONT)
    first.send_signal(signal.SIGCONT)
    query = "SELECT error FROM run WHERE task_id = ? AND state = 'interrupted' ORDER BY id"
    refused = site.wait(
        lambda: "late outcome refused: completed" in (found := site.rows(query, task_id)[0][0]) and found,
        "the refusal in the history",
    )
    assert "died" in refused
    assert f"late outcome refused: task {task_id}" in (home / "log").read_text()
    assert site.states(task_id).count("completed") == 1
    assert site.rows("SELECT * FROM claim") == []
    # It goes on as a worker of a new id.
    site.wait(
        lambda: site.rows("SELECT 1 FROM worker WHERE pid = ? AND heartbeat_at > ?", pid, time.time() - 2),
        "the stopped worker among the living",
    )


def test_a_worker_stopped_while_it_holds_its_lock_keeps_its_task(site):
    """The kernel says that it lives; its task waits for it and runs once."""
    first = site.start()
    task_id = site.enqueue("work", "a", 1.0)
    site.wait_for_mark("begin a")
    site.stop(first.pid)
    site.start()
    other = site.enqueue("work", "b")
    site.wait(lambda: site.states(other) == ["completed"], "the other worker")
    time.sleep(LEASE_S + 1)
    assert site.states(task_id) == []
    first.send_signal(signal.SIGCONT)
    site.wait(lambda: site.states(task_id) == ["completed"], "the outcome")
    assert site.marks()["begin a"] == 1


def test_a_late_failure_leaves_no_dead_letter(home):
    huey, thief = (DurableHuey("app", filename=home / "tasks.db", heartbeat=3600) for _ in range(2))

    @huey.task()
    def job():
        with thief.storage.db(commit=True) as cursor:
            cursor.execute("UPDATE claim SET id = id + 1000")  # as if it had been given to another
        raise ValueError("too late")

    job()
    assert huey.execute(huey.dequeue()) is None
    assert huey.storage.letters.count() == 0
    for one in (huey, thief):
        one.storage.identity.retire()
        one.storage.close()


def test_a_lock_file_that_somebody_removed_kills_nobody(site):
    site.start()
    task_id = site.enqueue("work", "a", 2.0)
    site.wait_for_mark("begin a")
    tasks_db = site.folder / "tasks.db"
    (worker_id,) = site.rows("SELECT id FROM worker")[0]
    (workers_folder(tasks_db) / f"{worker_id}.lock").unlink()
    assert is_alive(tasks_db, worker_id) is None
    assert site.operator.storage.claims.reap() == 0
    site.wait(lambda: is_alive(tasks_db, worker_id), "a new lock")
    site.wait(lambda: site.states(task_id) == ["completed"], "the outcome")
    assert site.marks()["begin a"] == 1


def test_claims_of_a_worker_that_nobody_knows_go_back(home):
    huey = DurableHuey("app", filename=home / "tasks.db", heartbeat=3600)
    storage = huey.storage
    storage.enqueue(b"{}")
    assert storage.claim_next() is not None
    storage.identity.retire()  # its row is gone, the claim is not: as after a backup was put back
    assert storage.claims.reap() == 1
    assert storage.sql("SELECT deliveries FROM task", results=True) == [(1,)]
    storage.close()


def test_a_worker_without_its_row_takes_nothing(home):
    huey = DurableHuey("app", filename=home / "tasks.db", heartbeat=3600)
    storage = huey.storage
    storage.identity.ensure()
    storage.enqueue(b"{}")
    storage.sql("DELETE FROM worker", commit=True)
    assert storage.claim_next() is None
    assert storage.queue_size() == 1
    with storage.lock:
        storage.identity._show_life()
    assert storage.claim_next() is not None
    storage.identity.retire()
    storage.close()


def test_another_queues_dead_are_left_to_its_own_workers(home):
    ours, theirs = (DurableHuey(name, filename=home / "tasks.db", heartbeat=3600) for name in ("a", "b"))
    theirs.storage.enqueue(b"{}")
    assert theirs.storage.claim_next() is not None
    os.close(theirs.storage.identity._lock_fd)  # it dies
    theirs.storage.identity._lock_fd = None
    assert ours.storage.claims.reap() == 0
    assert theirs.storage.sql("SELECT count(*) FROM claim", results=True) == [(1,)]
    theirs.storage.identity.retire()
    for one in (ours, theirs):
        one.storage.close()


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_innocents_survive_the_task_that_kills_its_worker(site, kind):
    """Four at once; the pill stands first in the line, with the same neighbours each time."""
    site.enqueue("poison", 0.15)
    innocents = [site.enqueue("work", f"i{number}", 0.4) for number in range(12)]
    deadline = time.monotonic() + 60
    worker = None
    while time.monotonic() < deadline and not letters(site):
        if worker is None or worker.poll() is not None:
            worker = site.start("-w", "4", "-k", kind, "-c", "1", APP_MAX_DELIVERIES="4")
        time.sleep(0.05)
    site.wait(
        lambda: site.rows("SELECT count(*) FROM run WHERE state = 'completed'") == [(12,)], "all of them"
    )
    assert [reason for reason, _ in letters(site)] == ["poison"]
    assert site.marks()["poison"] == 4
    assert all(site.states(one)[-1] == "completed" for one in innocents)


def test_no_process_outlives_its_supervisor(site):
    supervisor = site.start("-k", "process", "-w", "2")
    site.wait(lambda: len(site.rows("SELECT 1 FROM worker WHERE kind = 'process'")) == 2, "the workers")
    listed = Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children").read_text()
    children = [Path(f"/proc/{pid}") for pid in listed.split()]
    assert len(children) == 3
    supervisor.kill()
    supervisor.wait()
    site.wait(lambda: not any(child.exists() for child in children), "their end")
