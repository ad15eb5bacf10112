"""What an examination finds, and what it mends."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from worker.queue import Operator, doctor, filesystem
from worker.queue.identity import workers_folder
from worker.sqlite import sqlite3

ROOT = Path(__file__).parents[2]


@pytest.fixture
def operator(home):
    made = Operator(home / "tasks.db", home / "dlq.db")
    made.open()
    yield made
    made.close()


def change(operator, *statements):
    with operator.storage.db(commit=True) as cursor:
        for statement in statements:
            cursor.execute(statement)


def found(operator, **options):
    """What is found, but for the SQLite of this machine."""
    paths = operator.storage.filename, operator.storage.letters.path
    return {one.code: one for one in doctor.examine(*paths, **options) if one.code != "sqlite_bug"}


def journal(operator):
    query = "SELECT action, detail FROM journal WHERE action = 'mend'"
    rows = (
        operator.storage.sql(query, results=True)
        + operator.storage.letters.connection().execute(query).fetchall()
    )
    return [json.loads(detail)["what"] for _, detail in rows]


def letter(operator, number, state="dead", retried_as=None):
    with operator.storage.letters.transaction() as conn:
        conn.execute(
            "INSERT INTO letter (death, queue, task_id, name, reason, first_seen, last_seen, fingerprint, state, retried_as)"
            " VALUES (?, 'topics', ?, 'app.job', 'failed', 1, 2, 'f', ?, ?)",
            (f"d{number}", f"l{number}", state, retried_as),
        )


def test_a_sound_installation_has_nothing(operator):
    operator.enqueue("job")
    assert found(operator) == {}


def test_nothing_is_made_by_looking(home):
    doctor.examine(home / "tasks.db", home / "dlq.db")
    assert list(home.iterdir()) == []


def test_counters_that_disagree_are_counted_anew(operator):
    for _ in range(3):
        operator.enqueue("job")
    change(operator, "UPDATE tally SET n = 7 WHERE event = 'pending'")
    assert "pending: 3 in the table, 7 by the counter" in found(operator)["counters"].text
    assert operator.mend("counters") == 1
    assert found(operator) == {}
    assert operator.storage.queue_size() == 3
    assert journal(operator) == ["counters"]


def test_the_dead_letters_counters_too(operator):
    for number in range(3):
        letter(operator, number)
    with operator.storage.letters.transaction() as conn:
        conn.execute("UPDATE cause SET n = 9")
    assert "3 dead letters of 1 causes" in found(operator)["letter_counters"].text
    operator.mend("letter_counters")
    assert found(operator) == {}
    assert journal(operator) == ["letter_counters"]


def test_tasks_in_the_hands_of_nobody_are_given_back(operator):
    task_id = operator.enqueue("job")
    storage = operator.storage
    assert storage.claim_next().task_id == task_id
    storage.identity.retire()
    change(operator, "INSERT INTO kv VALUES ('topics', 'a.lock.b', x'22', 4711)")
    seen = found(operator)
    assert "1 tasks are in their hands" in seen["dead_workers"].text
    assert "1 locks belong to workers that are gone" in seen["stale_locks"].text
    assert operator.mend("dead_workers") == 1
    assert operator.mend("stale_locks") == 1
    assert found(operator) == {}
    assert storage.queue_size() == 1


def test_a_living_workers_tasks_and_lock_are_left_alone(operator):
    operator.enqueue("job")
    operator.storage.claim_next()
    assert found(operator) == {}
    assert operator.mend("dead_workers") == 0
    operator.storage.identity.retire()


def test_tasks_that_no_worker_knows_are_named(operator):
    change(operator, "INSERT INTO handler (queue, name, seen_at) VALUES ('topics', 'app.known', 1)")
    operator.enqueue("app.known")
    operator.enqueue("app.renamed")
    operator.enqueue("app.renamed", delay=60)
    assert "app.renamed (2)" in found(operator)["no_handler"].text


def test_an_overdue_schedule_and_missed_ticks_are_told(operator):
    now = time.time()
    columns = "queue, name, task_name, timezone, catch_up_window, seen_at, next_at, missed, paused_at"
    values = [("late", now - 600, 2, None), ("fine", now + 600, 0, None), ("paused", now - 600, 0, now)]
    with operator.storage.db(commit=True) as cursor:
        for name, next_at, missed, paused in values:
            cursor.execute(
                f"INSERT INTO periodic ({columns}) VALUES ('topics', ?, 'app.x', 'UTC', 1, 1, ?, ?, ?)",
                (name, next_at, missed, paused),
            )
    seen = found(operator)
    assert seen["schedule_overdue"].text.startswith("late: was due 10 minutes ago")
    assert seen["missed_ticks"].hint
    assert set(seen) == {"schedule_overdue", "missed_ticks"}


def test_a_clock_that_was_set_back_is_told(operator):
    operator.enqueue("job")
    operator.storage.claim_next()
    assert "was set back" in found(operator, now=time.time() - 3600)["clock"].text
    operator.storage.identity.retire()


def test_a_letter_that_waits_for_nothing_is_dead_again(operator):
    letter(operator, 1, "retrying", "gone")
    letter(operator, 2, "retrying", operator.enqueue("job"))
    assert "1 dead letters wait" in found(operator)["lost_retries"].text
    assert operator.mend("lost_retries") == 1
    assert operator.storage.letters.count() == 1
    assert found(operator) == {}


def test_locks_of_workers_that_are_gone_are_removed(operator):
    folder = workers_folder(operator.storage.filename)
    operator.storage.identity.ensure()
    (folder / "4711.lock").touch()
    (folder / "4711.sock").touch()
    assert found(operator)["stray_files"].hint
    assert operator.mend("stray_files") == 2
    assert found(operator) == {}
    assert len(list(folder.iterdir())) == 2
    operator.storage.identity.retire()


def test_a_locked_file_is_said_at_once(operator):
    operator.enqueue("job")
    path = operator.storage.filename
    operator.close()
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("PRAGMA locking_mode = EXCLUSIVE")
    blocker.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    seen = {one.code for one in doctor.examine(path, path.with_name("dlq.db"))}
    assert "locked" in seen
    assert time.monotonic() - started < 10
    blocker.close()


def test_a_damaged_file_is_told_with_the_way_out(operator):
    for _ in range(200):
        operator.storage.enqueue(b'{"x": "' + b"y" * 500 + b'"}')
    path = operator.storage.filename
    operator.close()
    with path.open("r+b") as file:
        file.seek(4096 * 6)
        file.write(b"\xff" * 4096 * 8)
    one = next(one for one in doctor.examine(path, path.with_name("dlq.db")) if one.code == "damaged_file")
    assert one.unusable
    assert ".recover" in one.text


def test_room_and_file_system(operator, monkeypatch, home):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 5_000_000}))
    assert "5 MB are free" in found(operator)["disk_space"].text
    (home.parent / "mountinfo").write_text(f"30 22 0:27 / {home} rw,relatime - nfs4 server:/export rw")
    monkeypatch.setattr(filesystem, "MOUNTS", home.parent / "mountinfo")
    assert found(operator)["network_file_system"].unusable


def test_a_sqlite_with_the_bug_is_told(monkeypatch):
    monkeypatch.setattr(doctor.sqlite3, "sqlite_version_info", (3, 40, 1))
    assert [one.code for one in doctor.library()] == ["sqlite_bug"]


# -- the command -------------------------------------------------------------------------------


def command(home, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "console.cli", "--home", str(home), "doctor", *arguments],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip


def test_the_command_tells_mends_when_asked_and_says_so(operator, home):
    sound = command(home, "--json")
    assert sound.returncode == 0, sound.stdout
    assert json.loads(sound.stdout)["healthy"]
    operator.enqueue("worker.tasks.collect_all_sources", ["demo"])
    change(operator, "UPDATE tally SET n = 7 WHERE event = 'pending'")
    sick = command(home)
    assert sick.returncode == 1
    assert "WRONG   pending: 1 in the table, 7 by the counter" in sick.stdout
    assert command(home, "--fix").returncode == 2  # nobody can be asked
    mended = command(home, "--fix", "--yes", "--json")
    assert mended.returncode == 0
    assert {one["code"]: one["mended"] for one in json.loads(mended.stdout)["findings"]}["counters"] == 1
    assert command(home).returncode == 0
