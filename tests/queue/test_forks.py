"""A process that forks while others of its threads work."""

from __future__ import annotations

import os
import signal
import threading
import traceback

import pytest

from worker.queue import DurableHuey

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def test_a_child_uses_no_lock_and_no_connection_of_its_parent(home):
    """A thread writes all the time; whatever the moment of the fork, the child can write at once."""
    huey, stop = DurableHuey("app", filename=home / "tasks.db"), threading.Event()
    storage = huey.storage
    storage.letters.connection()

    def write():
        while not stop.is_set():
            storage.enqueue(b"{}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            pid = os.fork()
            if pid == 0:
                try:
                    signal.alarm(20)  # kills it where it hangs
                    fresh = storage._conn is None and storage.letters._conn is None
                    storage.enqueue(b'"child"')
                    os._exit(0 if fresh else 3)
                finally:
                    traceback.print_exc()
                    os._exit(4)
            assert os.waitpid(pid, 0)[1] == 0
    finally:
        stop.set()
        writer.join()
    assert storage.sql("SELECT count(*) FROM task WHERE data = ?", (b'"child"',), results=True) == [(10,)]
    assert storage.sql("PRAGMA integrity_check", results=True) == [("ok",)]
    storage.close()


def test_killed_worker_processes_are_replaced_over_and_over(site):
    """Each is forked from a supervisor whose heart beats meanwhile."""
    site.start("-k", "process", "-w", "2", "-c", "1")
    query = "SELECT pid FROM worker WHERE kind = 'process'"
    for number in range(4):
        alive = site.wait(lambda: len(found := site.rows(query)) == 2 and found, "two worker processes")
        for (pid,) in alive:
            os.kill(pid, signal.SIGKILL)
        gone = {pid for (pid,) in alive}
        site.wait(lambda gone=gone: not gone & {pid for (pid,) in site.rows(query)}, "their end to be seen")
        task_id = site.enqueue("work", f"n{number}")
        site.wait(lambda task_id=task_id: site.states(task_id) == ["completed"], "a replaced worker's work")
