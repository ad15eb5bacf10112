"""Files that are locked, full, foreign, or made by two at once."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from huey import SqliteHuey

from worker.queue import DurableHuey, Operator, schema
from worker.queue import consumer as consumer_module
from worker.queue.errors import (
    BusyError,
    EmptiedFileError,
    ForeignFileError,
    NewerFileError,
    StockHueyFileError,
    UnusableFileError,
)
from worker.sqlite import sqlite3

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tasks_db(home):
    return home / "tasks.db"


def count(path, table="task"):
    with sqlite3.connect(path) as conn:
        return conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_a_writer_waits_for_a_lock_and_then_stores(tasks_db):
    huey = DurableHuey("app", filename=tasks_db, timeout=5)
    huey.storage.initialize_schema()
    blocker = sqlite3.connect(tasks_db, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    threading.Timer(0.5, lambda: blocker.execute("COMMIT")).start()
    started = time.monotonic()
    huey.storage.enqueue(b"{}")
    assert time.monotonic() - started >= 0.4
    assert count(tasks_db) == 1
    huey.storage.close()
    blocker.close()


def test_a_lock_that_is_held_too_long_is_said_and_stores_nothing(tasks_db):
    operator = Operator(tasks_db, tasks_db.with_name("dlq.db"))
    operator.storage.initialize_schema()
    operator.storage.conn.execute("PRAGMA busy_timeout = 200")
    blocker = sqlite3.connect(tasks_db, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match="locked"):
        operator.enqueue("job")
    blocker.execute("ROLLBACK")
    blocker.close()
    operator.close()
    assert count(tasks_db) == count(tasks_db, "journal") == 0


def test_an_outcome_outlasts_a_lock(tasks_db):
    """A database locked for longer than the timeout when a task ends: its outcome is stored afterwards."""
    huey = DurableHuey("app", filename=tasks_db, timeout=0.1)

    @huey.task()
    def job():
        blocker.execute("BEGIN IMMEDIATE")
        threading.Timer(1.0, lambda: blocker.execute("COMMIT")).start()
        return "done"

    blocker = sqlite3.connect(tasks_db, isolation_level=None, check_same_thread=False)
    result = job()
    huey.execute(huey.dequeue())
    assert result.get() == "done"
    assert (count(tasks_db), count(tasks_db, "claim"), count(tasks_db, "run")) == (0, 0, 1)
    huey.storage.close()
    blocker.close()


FULL = """
import sys
from worker.queue import DurableHuey
huey = DurableHuey("app", filename=sys.argv[1])
@huey.task()
def job(text): return text
job("small")
conn = huey.storage.conn
conn.execute(f"PRAGMA max_page_count = {conn.execute('PRAGMA page_count').fetchone()[0]}")
try:
    for _ in range(50): job("x" * 5000)
except Exception as error:
    print(type(error).__name__, error)
task = huey.dequeue()
print(task is None or task.args)
"""


def test_a_full_disk_is_said_and_what_was_stored_stays(tasks_db):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tasks_db)], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )  # fmt: skip
    assert "full" in done.stdout
    assert count(tasks_db) + count(tasks_db, "claim") >= 1
    with sqlite3.connect(tasks_db) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def stock(path):
    huey = SqliteHuey(filename=str(path))
    huey.storage.enqueue(b"\x80\x04pickled")
    huey.storage.close()


def newer(path):
    conn = sqlite3.connect(path, isolation_level=None)
    schema.make_current(conn, path, schema.TASKS_APPLICATION_ID, schema.TASKS_MIGRATIONS)
    conn.execute("PRAGMA user_version = 99")
    conn.close()


def foreign(path):
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE recipe (a)")
    conn.close()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (stock, StockHueyFileError, "pickled"),
        (newer, NewerFileError, "version 99"),
        (foreign, ForeignFileError, "another program"),
        (lambda path: path.write_bytes(b"nonsense" * 500), UnusableFileError, "expected a SQLite database"),
        (lambda path: path.mkdir(), UnusableFileError, "tasks.db"),
    ],
)
def test_a_file_that_is_not_ours_is_left_as_it_was(tasks_db, make, error, words):
    make(tasks_db)
    before = tasks_db.read_bytes() if tasks_db.is_file() else None
    for attempt in (lambda: DurableHuey("app", filename=tasks_db).storage.enqueue(b"{}"),
                    lambda: DurableHuey("app", filename=tasks_db).dequeue(),
                    lambda: Operator(tasks_db, tasks_db.with_name("dlq.db")).enqueue("job")):  # fmt: skip
        with pytest.raises(error, match=words):
            attempt()
    assert before == (tasks_db.read_bytes() if tasks_db.is_file() else None)


@pytest.mark.skipif(os.geteuid() == 0, reason="permission bits do not bind root")
def test_a_folder_that_cannot_be_written_is_said(home):
    home.chmod(0o500)
    try:
        with pytest.raises(UnusableFileError):
            DurableHuey("app", filename=home / "tasks.db").storage.enqueue(b"{}")
    finally:
        home.chmod(0o700)


def test_many_processes_may_make_the_file_at_once(tasks_db):
    code = textwrap.dedent("""
        import sys
        from worker.queue import DurableHuey
        huey = DurableHuey("app", filename=sys.argv[1])
        sys.stdin.readline()
        huey.storage.enqueue(b"{}")
    """)
    racers = [
        subprocess.Popen([sys.executable, "-c", code, str(tasks_db)], stdin=subprocess.PIPE, cwd=ROOT)
        for _ in range(6)
    ]
    time.sleep(0.8)  # all of them wait at the line
    for racer in racers:
        racer.communicate(b"\n", timeout=30)
    assert [racer.returncode for racer in racers] == [0] * 6
    assert count(tasks_db) == 6


def test_nothing_is_opened_before_it_is_needed(tasks_db):
    huey = DurableHuey("app", filename=tasks_db)
    huey.task()(lambda: None)
    assert not tasks_db.exists()


def test_a_file_with_strange_signs_in_its_path_works(home):
    folder = home / "wärme? #1 100%"
    folder.mkdir()
    huey = DurableHuey("app", filename=folder / "tasks.db")
    huey.storage.enqueue(b"{}")
    assert huey.storage.queue_size() == 1
    huey.storage.close()


@pytest.mark.parametrize("name", ["tasks.db", "dlq.db"])
def test_a_worker_whose_file_is_replaced_ends_and_says_so_and_the_next_one_serves_the_new_file(
    site, tmp_path, name
):
    log = tmp_path / "log"
    worker = site.start("-v", log=log)
    site.wait(lambda: site.rows("SELECT 1 FROM worker WHERE kind = 'thread'"), "a worker")
    site.operator.close()
    for end in ("", "-wal", "-shm"):
        (site.folder / f"{name}{end}").unlink(missing_ok=True)
    operator = Operator(site.folder / "tasks.db", site.folder / "dlq.db", queue="app")
    operator.open()
    operator.enqueue("tests.queue.app.work", ["after"])
    operator.close()
    site.wait(lambda: worker.poll() is not None, "its end")
    assert f"{name} was taken away, emptied or replaced under this worker" in log.read_text()
    site.start()
    site.wait(lambda: any("after" in line for line in site.marks()), "the task of the new file")


def test_a_file_that_is_emptied_is_said_by_all_and_the_worker_ends(site, tmp_path):
    log = tmp_path / "log"
    worker = site.start("-v", log=log)
    site.wait(lambda: site.rows("SELECT 1 FROM worker WHERE kind = 'thread'"), "a worker")
    site.operator.close()
    os.truncate(site.folder / "tasks.db", 0)
    operator = Operator(site.folder / "tasks.db", site.folder / "dlq.db", queue="app")
    with pytest.raises(EmptiedFileError, match="was emptied"):
        operator.enqueue("tests.queue.app.work", ["after"])
    site.wait(lambda: worker.poll() is not None, "its end")
    assert "tasks.db was taken away, emptied or replaced under this worker" in log.read_text()


@pytest.mark.parametrize("name", ["tasks.db", "dlq.db"])
def test_a_file_that_a_newer_version_takes_over_is_written_no_more(site, tmp_path, name):
    log = tmp_path / "log"
    worker = site.start("-v", log=log)
    site.wait(lambda: site.rows("SELECT 1 FROM worker WHERE kind = 'thread'"), "a worker")
    site.enqueue("work", "first", 0.5)
    site.wait(lambda: site.rows("SELECT 1 FROM claim"), "a claim")
    conn = sqlite3.connect(site.folder / name, isolation_level=None)
    conn.execute("PRAGMA user_version = 99")
    (before,) = conn.execute("PRAGMA data_version")
    act = {
        "tasks.db": lambda: site.enqueue("work", "after"),
        "dlq.db": lambda: site.operator.delete_letters([1]),
    }
    with pytest.raises(NewerFileError, match="its schema is version 99"):
        act[name]()
    site.wait(lambda: worker.poll() is not None, "its end")
    assert "its schema is version 99" in log.read_text()
    (after,) = conn.execute("PRAGMA data_version")
    assert after == before, "somebody has written into it"
    conn.close()


def test_a_file_that_is_back_at_once_is_no_other_file(tasks_db, monkeypatch):
    monkeypatch.setattr(consumer_module, "GONE_S", 0)
    huey = DurableHuey("app", filename=tasks_db)
    consumer = huey.create_consumer(periodic=False)
    consumer.prepare()
    aside = tasks_db.with_name("aside")
    for _ in range(3):
        tasks_db.rename(aside)
        assert consumer._lost_file() is None
        aside.rename(tasks_db)
        assert consumer._lost_file() is None
    tasks_db.rename(aside)
    assert [consumer._lost_file(), consumer._lost_file()] == [None, tasks_db]
    huey.storage.close()
