"""A lock that stays, a full disk, a read-only file system: said once, nothing is lost, and work goes on by itself."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.queue.site import Site
from worker.queue.errors import BusyError, QueueError, UnusableFileError
from worker.sqlite import sqlite3

LONG = os.environ.get("SOAK") == "long"
ROOT = Path(__file__).parents[2]
LOCKED_S = 60 if LONG else 7  # longer than the five seconds that a writer waits


def said(log):
    """The lines of trouble in a worker's log, without their times."""
    return [line for line in log.read_text().splitlines() if "tried again until it works" in line]


def over(log):
    return [line for line in log.read_text().splitlines() if "can be written again" in line]


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_a_foreign_lock_delays_everything_and_loses_nothing(site, home, kind):
    log = home / "log"
    site.start("-k", kind, "-w", "2", log=log)
    running = [site.enqueue("work", f"r{number}", 0.8) for number in range(2)]
    later = site.operator.enqueue("tests.queue.app.work", ["later"], delay=2)
    for number in range(2):
        site.wait_for_mark(f"begin r{number}")
    blocker = sqlite3.connect(site.folder / "tasks.db", isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(LOCKED_S, lambda: blocker.execute("ROLLBACK"))
    release.start()
    started = time.monotonic()
    with pytest.raises(BusyError, match="another process has kept the database locked"):
        site.enqueue("work", "refused")
    assert time.monotonic() - started < 6.5
    release.join()
    for task_id in (*running, later):
        site.wait(lambda task_id=task_id: site.states(task_id) == ["completed"], "its outcome")
    fresh = site.enqueue("work", "fresh")
    site.wait(lambda: site.states(fresh) == ["completed"], "the next task")
    blocker.close()
    assert [site.marks()[f"begin r{number}"] for number in range(2)] == [1, 1]
    assert site.marks()["begin refused"] == 0
    processes = 1 if kind == "thread" else 4  # each of its processes says it for itself
    site.wait(lambda: len(over(log)) >= 1, "the end of the trouble to be said")
    assert 1 <= len(said(log)) <= processes
    assert "Traceback" not in log.read_text()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of three megabytes; needs the right to mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", disk], check=False, capture_output=True
    )
    if not done or done.returncode:
        pytest.skip("this user may not mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", disk], check=False)


def fill(disk):
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(b"x" * 65_536):
            pass
    assert shutil.disk_usage(disk).free == 0
    return ballast


def test_a_full_disk_delays_outcomes_and_refuses_enqueuers(small_disk, tmp_path):
    log, site = tmp_path / "log", Site(small_disk)
    marks = tmp_path / "marks"
    (small_disk / "marks").symlink_to(marks)
    try:
        site.start("-w", "2", log=log)
        running = [site.enqueue("work", f"r{number}", 1.0) for number in range(2)]
        waiting = [site.enqueue("work", f"w{number}") for number in range(5)]
        for number in range(2):
            site.wait_for_mark(f"begin r{number}")
        ballast = fill(small_disk)
        with pytest.raises(QueueError, match="full") as refused:
            any(
                not site.enqueue("work", f"x{number}") for number in range(2_000)
            )  # there may be room in old pages
        assert "\n" not in str(refused.value)
        site.wait(lambda: said(log), "the reason")
        time.sleep(4)
        assert len(said(log)) <= 2
        assert "Traceback" not in log.read_text()
        ballast.unlink()
        for task_id in (*running, *waiting):
            site.wait(lambda task_id=task_id: site.states(task_id)[-1:] == ["completed"], "its outcome")
        site.wait(lambda: over(log), "the end of the trouble to be said")
        assert [site.marks()[f"begin r{number}"] for number in range(2)] == [1, 1]
        site.wait(lambda: not site.rows("SELECT 1 FROM task UNION ALL SELECT 1 FROM claim"), "all of it")
        assert site.rows("PRAGMA integrity_check") == [("ok",)]
    finally:
        site.close()


def test_a_read_only_file_system_is_said_and_loses_nothing(small_disk, tmp_path):
    site = Site(small_disk)
    task_id = site.enqueue("work", "a")
    site.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(UnusableFileError) as refused:
        site.enqueue("work", "b")
    assert str(small_disk / "tasks.db") in str(refused.value)
    assert "read" in str(refused.value)
    worker = subprocess.run(
        [sys.executable, "-m", "worker.cli", "--home", str(small_disk)],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip
    assert worker.returncode == 2
    assert len(worker.stderr.strip().splitlines()) == 1, worker.stderr
    site.operator.close()
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    try:
        site.start()
        site.wait(lambda: site.states(task_id) == ["completed"], "the task")
    finally:
        site.close()


LIMITED = """
import resource, signal, sys, threading
from worker.queue import DurableHuey
from worker.queue.errors import QueueError
huey = DurableHuey("app", filename=sys.argv[1], heartbeat=0.2)
@huey.task()
def job(text): return text
result = job("x" * 3000)
soft = resource.getrlimit(resource.RLIMIT_FSIZE)
task = huey.dequeue()
def relax(): resource.setrlimit(resource.RLIMIT_FSIZE, soft)
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, soft[1]))
try: job("y")
except QueueError as error: print("refused:", error)
threading.Timer(1.5, relax).start()
huey.execute(task)
print("outcome:", result.get()[:3], huey.storage.queue_size())
huey.storage.identity.retire()
"""


def test_a_limit_on_the_size_of_files_is_a_full_disk(home):
    """`ulimit -f`: the write fails with another error than a full disk does, and is waited for alike."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(home / "tasks.db")],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=True,
    )  # fmt: skip
    assert "refused: " in done.stdout
    assert "outcome: xxx 0" in done.stdout


def test_two_thousand_overdue_tasks_and_a_kill(site):
    """Stock Huey deletes them all and moves them from memory: a kill loses a thousand and more."""
    name = "tests.queue.app.work"
    past = time.time() - 60
    with site.operator.storage.db(commit=True) as cursor:
        for number in range(2_000):
            sealed = site.operator.seal(f"t{number}", name, [f"t{number}"])
            cursor.execute(
                "INSERT INTO schedule (due_at, queue, data, task_id, name, enqueued_at) VALUES (?, 'app', ?, ?, ?, ?)",
                (past, bytes(sealed), f"t{number}", name, past),
            )
    first = site.start("-w", "2")
    site.wait(
        lambda: site.rows("SELECT 1 FROM task UNION ALL SELECT 1 FROM claim UNION ALL SELECT 1 FROM run"),
        "it to move them",
    )
    first.kill()
    first.wait()
    site.start("-w", "4")
    query = "SELECT count(DISTINCT task_id), count(*) FROM run WHERE state = 'completed'"
    site.wait(lambda: site.rows(query) == [(2_000, 2_000)], "all of them, each once")
