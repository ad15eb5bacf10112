"""What is asked of a running worker: to hold, to drain, to resume, to renew its processes."""

from __future__ import annotations

import os
import signal

import pytest

from tests.queue.site import PATIENCE_S
from worker.queue.errors import RefusedError

KINDS = pytest.mark.parametrize("kind", ["thread", "process"])


def main_worker(site):
    query = "SELECT id FROM worker WHERE kind <> 'process'"
    return site.wait(lambda: site.rows(query), "a worker")[0][0]


def state(site):
    return {row[0] for row in site.rows("SELECT state FROM worker")}


@KINDS
def test_a_worker_that_is_drained_finishes_what_runs_and_ends(site, kind):
    worker = site.start("-k", kind)
    running, waiting = site.enqueue("work", "a", 2.5), site.enqueue("work", "b")
    site.wait_for_mark("begin a")
    change = site.operator.workers.ask("drain", [main_worker(site)])
    assert change.done == 1
    assert worker.wait(timeout=PATIENCE_S) == 0
    assert site.states(running) == ["completed"]
    assert site.rows("SELECT task_id, deliveries FROM task") == [(waiting, 0)]
    assert site.rows("SELECT * FROM worker") == site.rows("SELECT * FROM claim") == []


@KINDS
def test_a_signal_drains_too_and_no_process_dies_of_it(site, kind):
    worker = site.start("-k", kind)
    running = site.enqueue("work", "a", 1.5)
    waiting = site.enqueue("work", "b")
    site.wait_for_mark("begin a")
    os.killpg(worker.pid, signal.SIGUSR1)  # all of them, as systemctl kill does
    assert worker.wait(timeout=PATIENCE_S) == 0
    assert site.states(running) == ["completed"]
    assert site.rows("SELECT task_id FROM task") == [(waiting,)]


@KINDS
def test_a_worker_that_holds_takes_nothing_until_it_may_again(site, kind):
    site.start("-k", kind)
    worker = main_worker(site)
    if kind == "process":
        site.wait(lambda: site.rows("SELECT 1 FROM worker WHERE kind = 'process'"), "its process")
    site.operator.workers.ask("hold", [worker])
    site.wait(lambda: state(site) == {"holding"}, "all of it to hold")
    task_id = site.enqueue("work", "a")
    other = site.start()
    site.wait(lambda: site.states(task_id) == ["completed"], "another worker")
    other.send_signal(signal.SIGTERM)
    other.wait(timeout=PATIENCE_S)
    task_id = site.enqueue("work", "b")
    site.operator.workers.ask("resume", [worker])
    site.wait(lambda: site.states(task_id) == ["completed"], "the worker to go on")
    site.wait(lambda: state(site) == {"running"}, "all of it to work again")


def test_what_is_asked_is_journaled_and_a_hold_can_be_undone(site):
    site.start()
    worker = main_worker(site)
    change = site.operator.workers.ask("hold", [worker, 999])
    assert change.refused == (("999", "is no worker, or has ended"),)
    assert site.operator.workers.ask("hold", [worker]).refused[0][1] == "is asked for that already"
    assert site.rows("SELECT action, target FROM journal") == [("hold", "workers")]
    site.operator.undo(change.entry)
    assert site.rows("SELECT wish FROM worker") == [(None,)]
    drained = site.operator.workers.ask("drain", [worker])
    with pytest.raises(RefusedError, match="does not turn back"):
        site.operator.undo(drained.entry)


def test_processes_are_replaced_after_so_many_tasks(site):
    site.start("-k", "process", "-c", "1", "--max-tasks=3")
    tasks = [site.enqueue("work", f"t{number}") for number in range(8)]
    site.wait(lambda: all(site.states(one) == ["completed"] for one in tasks), "all of them")
    assert len(site.rows("SELECT DISTINCT worker FROM run")) >= 3
    assert site.rows("SELECT * FROM claim") == []
