"""Files of the first version, full of data, are brought up to date; or nothing happens to them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from worker.queue import Operator, backup, filesystem, schema
from worker.queue.errors import NetworkFileError, NewerFileError, UnusableFileError
from worker.sqlite import sqlite3

ROOT = Path(__file__).parents[2]
ENVELOPE = "queue, data, priority, task_id, name, subject, enqueued_at, attempt, deliveries"
TASK = '{{"v":1,"id":"{0}","name":"app.job","args":["{0}"],"kwargs":{{}}}}'


def first_version(path, application_id, migrations):
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA auto_vacuum = INCREMENTAL")
    conn.execute("PRAGMA journal_mode = WAL")
    schema.make_current(conn, path, application_id, migrations[:1])
    return conn


def old_home(home, tasks=300):
    """What the first version left: tasks in every place, runs, letters, acts."""
    conn = first_version(home / "tasks.db", schema.TASKS_APPLICATION_ID, schema.TASKS_MIGRATIONS)
    conn.execute("BEGIN")
    for number in range(tasks):
        task_id = f"t{number}"
        row = (
            "topics",
            TASK.format(task_id).encode(),
            number % 3,
            task_id,
            "app.job",
            "demo",
            1000.0 + number,
            1,
            0,
        )
        marks = "?, ?, ?, ?, ?, ?, ?, ?, ?"
        if number % 3 == 0:
            conn.execute(f"INSERT INTO task (ready_at, {ENVELOPE}) VALUES (?, {marks})", (1000.0, *row))
        elif number % 3 == 1:
            conn.execute(f"INSERT INTO schedule (due_at, {ENVELOPE}) VALUES (?, {marks})", (4e9, *row))
        else:
            conn.execute(
                "INSERT INTO run (queue, task_id, name, state, attempt, enqueued_at, ready_at, started_at, finished_at) "
                "VALUES ('topics', ?, 'app.job', 'completed', 1, 1000, 1000, 1001, 1002)",
                (task_id,),
            )
            conn.execute(
                "INSERT INTO minute VALUES ('topics', 16, 'completed', 1) ON CONFLICT DO UPDATE SET n = n + 1"
            )
    held = ("topics", TASK.format("held").encode(), 0, "held", "app.job", None, 1000.0, 1, 0)
    (seq,) = conn.execute(
        f"INSERT INTO task (ready_at, {ENVELOPE}) VALUES (1000, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id", held
    ).fetchone()
    conn.execute("DELETE FROM task WHERE id = ?", (seq,))
    conn.execute(
        f"INSERT INTO claim (id, seq, ready_at, worker, claimed_at, {ENVELOPE}) "
        "VALUES (4294967297, ?, 1000, 1, 1000, 'topics', ?, 0, 'held', 'app.job', null, 1000, 1, 1)",
        (seq, TASK.format("held").encode()),
    )
    conn.execute("INSERT INTO kv VALUES ('topics', 'result', x'31', null)")
    conn.execute(
        "INSERT INTO periodic (queue, name, task_name, cron, timezone, catch_up_window, seen_at, missed) "
        "VALUES ('topics', 'daily', 'app.daily', '0 2 * * *', 'UTC', 86400, 1000, 2)"
    )
    conn.execute("INSERT INTO journal VALUES ('0001', 1000, 'me@here', 'enqueue', 'queue', 1, '{}', null)")
    conn.execute("COMMIT")
    conn.close()
    conn = first_version(home / "dlq.db", schema.LETTERS_APPLICATION_ID, schema.LETTERS_MIGRATIONS)
    for number in range(5):
        conn.execute(
            "INSERT INTO letter (death, queue, task_id, name, reason, first_seen, last_seen, error, fingerprint) "
            "VALUES (?, 'topics', ?, 'app.job', 'failed', 1000, 1001, 'boom', 'f')",
            (f"d{number}", f"l{number}"),
        )
    conn.close()


def rows(path, query):
    conn = sqlite3.connect(path)
    try:
        return conn.execute(query).fetchall()
    finally:
        conn.close()


def state_of(home):
    """Everything that a migration must keep, version by version alike."""
    tasks, letters = home / "tasks.db", home / "dlq.db"
    return {
        "task": rows(tasks, f"SELECT id, {ENVELOPE} FROM task ORDER BY id"),
        "schedule": rows(tasks, f"SELECT due_at, {ENVELOPE} FROM schedule ORDER BY id"),
        "claim": rows(tasks, f"SELECT id, {ENVELOPE} FROM claim"),
        "run": rows(tasks, "SELECT task_id, state, finished_at FROM run ORDER BY task_id"),
        "kv": rows(tasks, "SELECT queue, key, value FROM kv"),
        "journal": rows(tasks, "SELECT id, actor, action FROM journal"),
        "depth": [row for row in rows(tasks, "SELECT queue, state, n FROM depth ORDER BY state") if row[2]],
        "minute": rows(tasks, "SELECT queue, minute, event, n FROM minute ORDER BY event"),
        "missed": rows(tasks, "SELECT name, missed FROM periodic"),
        "letter": rows(letters, "SELECT id, death, task_id, error FROM letter ORDER BY id"),
        "dead": rows(letters, "SELECT n FROM depth WHERE state = 'dead'"),
    }


def versions(home):
    return [rows(home / name, "PRAGMA user_version")[0][0] for name in ("tasks.db", "dlq.db")]


NEWEST = [len(schema.TASKS_MIGRATIONS), len(schema.LETTERS_MIGRATIONS)]


def test_a_first_version_full_of_data_keeps_all_of_it(home):
    old_home(home)
    before = state_of(home)
    operator = Operator(home / "tasks.db", home / "dlq.db")
    operator.open()
    assert versions(home) == NEWEST
    assert state_of(home) == before
    # And it goes on: what comes now is behind what was there, and the counters go on from where they were.
    task_id = operator.enqueue("app.job")
    assert rows(
        home / "tasks.db",
        "SELECT max(id) = (SELECT id FROM task WHERE task_id = '" + task_id + "') FROM task",
    ) == [(1,)]
    assert operator.storage.queue_size() == 101
    operator.storage.claims.reap()
    assert operator.storage.queue_size() == 102
    operator.close()
    for name in ("tasks.db", "dlq.db"):
        assert rows(home / name, "PRAGMA integrity_check") == [("ok",)]


def test_the_file_as_it_was_is_kept_beside_it(home):
    old_home(home)
    before = state_of(home)
    operator = Operator(home / "tasks.db", home / "dlq.db")
    operator.open()
    operator.close()
    for name in ("tasks.db", "dlq.db"):
        kept = backup.backup_path(home / name, 1)
        assert kept.stat().st_mode & 0o777 == 0o600
        (home / name).unlink()
        kept.rename(home / name)  # the way back
    assert versions(home) == [1, 1]
    assert state_of(home) == before
    assert not list(home.glob("*.part"))


def test_without_room_for_the_copy_nothing_is_touched(home, monkeypatch):
    old_home(home)
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 1000}))
    operator = Operator(home / "tasks.db", home / "dlq.db")
    with pytest.raises(UnusableFileError, match="MB are needed beside it"):
        operator.open()
    operator.close()
    assert versions(home) == [1, 1]


def test_a_migration_that_fails_leaves_the_file_as_it_was(home, monkeypatch):
    old_home(home)
    before = state_of(home)
    broken = (
        *schema.TASKS_MIGRATIONS[:1],
        schema.TASKS_MIGRATIONS[1] + "INSERT INTO no_such_table VALUES (1);\n",
    )
    monkeypatch.setattr(schema, "TASKS_MIGRATIONS", broken)
    operator = Operator(home / "tasks.db", home / "dlq.db")
    with pytest.raises(UnusableFileError, match="no_such_table"):
        operator.open()
    operator.close()
    assert state_of(home) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from worker.queue import Operator, schema
statements = schema._statements
def some(script):
    found = statements(script)
    at = int(sys.argv[2])
    class Deadly(str): pass
    for number, statement in enumerate(found):
        if number == at: os.kill(os.getpid(), signal.SIGKILL)
        yield statement
schema._statements = some
home = Path(sys.argv[1])
Operator(home / "tasks.db", home / "dlq.db").open()
"""


@pytest.mark.parametrize("at", [0, 3, 9, 20])
def test_killed_in_the_middle_it_is_migrated_the_next_time(home, at):
    old_home(home)
    before = state_of(home)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(home), str(at)], cwd=ROOT, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert versions(home)[0] == 1
    operator = Operator(home / "tasks.db", home / "dlq.db")
    operator.open()
    operator.close()
    assert versions(home) == NEWEST
    assert state_of(home) == before


def test_two_processes_may_migrate_at_once(home):
    old_home(home)
    before = state_of(home)
    code = (
        "import sys; from pathlib import Path; from worker.queue import Operator; home = Path(sys.argv[1]);"
        "operator = Operator(home / 'tasks.db', home / 'dlq.db'); print(flush=True); sys.stdin.readline(); operator.open()"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        for _ in range(4)
    ]  # fmt: skip
    for racer in racers:
        racer.stdout.readline()  # it is ready
    for racer in racers:
        racer.stdin.write(b"\n")
        racer.stdin.flush()
    for racer in racers:
        racer.communicate(timeout=60)
    assert [racer.returncode for racer in racers] == [0] * 4
    assert state_of(home) == before


def console(home, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "console.cli", "--home", str(home), *arguments],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip


def test_a_console_brings_files_up_to_date_and_one_that_only_reads_says_that_it_may_not(home):
    old_home(home)
    refused = console(home, "--read-only", "status", "--json")
    assert refused.returncode == 2
    assert "its schema is version 1" in refused.stderr
    assert versions(home) == [1, 1]
    assert console(home, "status", "--json").returncode in {0, 1}
    assert versions(home) == NEWEST
    assert console(home, "--read-only", "status", "--json").returncode in {0, 1}


def test_a_newer_file_is_refused_and_not_copied(home):
    old_home(home)
    conn = sqlite3.connect(home / "tasks.db")
    conn.execute("PRAGMA user_version = 99")
    conn.close()
    operator = Operator(home / "tasks.db", home / "dlq.db")
    with pytest.raises(NewerFileError, match="99"):
        operator.open()
    operator.close()
    assert not list(home.glob("*.bak"))


# -- the file system ---------------------------------------------------------------------------

MOUNTS = """
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:27 / /srv/nfs rw,relatime - nfs4 server:/export rw,vers=4.2
31 22 0:28 / /srv/windows\\040share rw - cifs //host/share rw
32 22 0:29 / /srv/ssh rw - fuse.sshfs me@host: rw
33 30 254:1 / /srv/nfs/local rw - xfs /dev/vdb1 rw
34 22 0:30 / /srv/ntfs rw - fuse.ntfs-3g /dev/sdb1 rw
35 22 0:31 / /srv/twice rw - nfs server:/a rw
36 22 254:2 / /srv/twice rw - ext4 /dev/vdc rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/tasks.db", None), ("/srv/nfs/tasks.db", "nfs4"), ("/srv/nfs/deep/er/tasks.db", "nfs4"),
        ("/srv/windows share/tasks.db", "cifs"), ("/srv/ssh/tasks.db", "fuse.sshfs"), ("/srv/nfs/local/tasks.db", None),
        ("/srv/ntfs/tasks.db", None), ("/srv/twice/tasks.db", None), ("/srv/nfsx/tasks.db", None),
    ],
)  # fmt: skip
def test_network_file_systems_are_recognised(tmp_path, monkeypatch, path, kind):
    (tmp_path / "mountinfo").write_text(MOUNTS.strip())
    monkeypatch.setattr(filesystem, "MOUNTS", tmp_path / "mountinfo")
    assert filesystem.network_kind(Path(path)) == kind


def test_a_home_on_a_network_is_refused_before_anything_is_made(home, monkeypatch):
    (home.parent / "mountinfo").write_text(f"30 22 0:27 / {home} rw,relatime - nfs4 server:/export rw")
    monkeypatch.setattr(filesystem, "MOUNTS", home.parent / "mountinfo")
    operator = Operator(home / "tasks.db", home / "dlq.db")
    with pytest.raises(NetworkFileError, match="nfs4"):
        operator.open()
    operator.close()
    assert not list(home.iterdir())


def test_a_system_that_does_not_tell_its_mounts_is_taken_as_local(monkeypatch, tmp_path):
    monkeypatch.setattr(filesystem, "MOUNTS", tmp_path / "absent")
    assert filesystem.network_kind(tmp_path) is None
