"""The files change, break, or are taken away under the open console; the console itself breaks; so does its worker."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time

import pytest

from tests.console import homes
from tests.terminal.conftest import LEFT_CLEAN
from worker.sqlite import sqlite3

pytestmark = pytest.mark.terminal


@pytest.fixture
def builder(tmp_path):
    made = homes.Builder(tmp_path / "home", homes.datetime.now(homes.UTC))
    homes.busy(made)
    made.tasks.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield made
    made.close()


@pytest.fixture
def shown(terminal, builder):
    opened = terminal()
    opened.until("30 waiting")
    yield opened
    opened.press("q")
    assert opened.end() == 0
    for sequence in LEFT_CLEAN:
        assert sequence in opened.output


def put_aside(builder):
    """Moves the file and its journal away; returns what puts them back."""
    home = builder.home.tasks_db.parent
    aside = home / "aside"
    aside.mkdir()
    names = [path.name for path in home.iterdir() if path.name.startswith("tasks.db") and path.is_file()]
    for name in names:
        (home / name).rename(aside / name)
    return lambda: [(aside / name).rename(home / name) for name in names]


def test_a_file_that_is_taken_away_is_missed_and_welcomed_back(shown, builder):
    put_back = put_aside(builder)
    shown.until("it was here a moment ago, and is gone")
    put_back()
    shown.until("1 dead letter of 1 cause")
    builder.pending("demo")
    shown.until("31 waiting")


def test_a_file_that_is_replaced_is_read_anew(shown, builder, tmp_path):
    put_aside(builder)
    other = homes.Builder(tmp_path / "other", homes.datetime.now(homes.UTC))
    for _ in range(7):
        other.pending("demo")
    other.close()
    shutil.copy(tmp_path / "other" / "tasks.db", builder.home.tasks_db.with_suffix(".new"))
    builder.home.tasks_db.with_suffix(".new").rename(builder.home.tasks_db)
    shown.until("7 waiting")


def test_a_file_that_is_overwritten_with_nonsense_is_named_and_recovers(shown, builder, tmp_path):
    good = tmp_path / "good.db"
    builder.tasks.execute("VACUUM INTO ?", (str(good),))
    with builder.home.tasks_db.open("r+b") as file:
        file.write(os.urandom(builder.home.tasks_db.stat().st_size))
    builder.home.tasks_db.with_name("tasks.db-wal").write_bytes(b"")
    shown.until("Cannot be read: tasks.db: expected a SQLite database")
    shown.press("2")
    shown.until_gone("Running now")
    shown.until("tasks.db")
    shown.press("1")
    for name in ("tasks.db-wal", "tasks.db-shm"):
        builder.home.tasks_db.with_name(name).unlink(missing_ok=True)
    good.rename(builder.home.tasks_db)
    shown.until_gone("Cannot be read")
    shown.until("30 waiting")


def test_a_file_that_another_process_locks_is_waited_for_and_the_screen_goes_on(shown, builder):
    conn = sqlite3.connect(builder.home.tasks_db, isolation_level=None)
    conn.execute("BEGIN IMMEDIATE")
    shown.press("2")
    shown.until("What it does")
    shown.press("x")
    asked = time.monotonic()
    for key, words in (("1", "Running now"), ("3", "Count"), ("1", "Running now")):
        shown.press(key)
        shown.until(words)
    assert time.monotonic() - asked < 4
    shown.until("locked")
    conn.execute("ROLLBACK")
    conn.close()
    shown.press("2")
    shown.until("What it does")
    shown.press("x")
    shown.until("Cancelled 1 task")


def test_a_fault_of_the_console_itself_leaves_the_terminal_clean_and_is_logged(terminal, builder):
    shown = terminal(module="tests.terminal.crashing")
    shown.until("30 waiting")
    shown.press("t")
    assert shown.end() == 1
    for sequence in LEFT_CLEAN:
        assert sequence in shown.output
    assert b"\x1b]52" not in shown.output
    said = shown.text().strip().splitlines()[-1]
    assert (
        said.startswith("topic-console: unexpected RuntimeError: [/foo]")
        or "unexpected RuntimeError" in shown.text()
    )
    assert "Traceback" not in shown.text()
    assert "a fault of ours" in (builder.home.root / "logs" / "console.log").read_text()


def test_a_killed_worker_is_said_and_the_console_ends_as_ever(terminal, tmp_path):
    shown = terminal("--worker")
    shown.until("worker running")
    conn = sqlite3.connect(tmp_path / "home" / "tasks.db")
    (pid,) = conn.execute("SELECT pid FROM worker").fetchone()
    conn.close()
    os.kill(pid, signal.SIGKILL)
    shown.until("Worker is not running")
    shown.press("q")
    assert shown.end() == 0
    for sequence in LEFT_CLEAN:
        assert sequence in shown.output


def test_the_smallest_terminal_shows_every_screen(terminal, builder):
    shown = terminal()
    shown.until("30 waiting")
    shown.resize(60, 15)
    shown.process.send_signal(signal.SIGWINCH)
    for key, words in (("2", "pending"), ("3", "Count"), ("4", "Schedule "), ("1", "Running now")):
        shown.press(key)
        shown.until(words)
        shown.until("q Quit")
    assert not shown.shows("too small")
    shown.press("q")
    assert shown.end() == 0


def test_idle_over_ssh_it_writes_nothing(terminal, builder):
    builder.kill_workers()
    builder.tasks.execute("DELETE FROM claim")
    shown = terminal("--theme", "dark", env={"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"})
    shown.until("30 waiting")
    # Ages tick: a line now and then is all; what runs and waits is minutes old.
    quiet_since, deadline = time.monotonic(), time.monotonic() + 20
    while time.monotonic() - quiet_since < 3:
        assert time.monotonic() < deadline, "it never was quiet for three seconds"
        if shown.read(0.2):
            quiet_since = time.monotonic()
    shown.press("q")
    assert shown.end() == 0


def test_an_unusable_key_of_ones_own_is_named_before_the_screen_opens(terminal, tmp_path):
    folder = tmp_path / "user config" / "topic-console"
    folder.mkdir(parents=True)
    (folder / "keys.yaml").write_text("queue.cancle: d\n")
    shown = terminal()
    assert shown.end() == 2
    assert re.search(r"keys\.yaml:1: queue\.cancle: there is no such action", shown.text())
    assert b"\x1b[?1049h" not in shown.output


def test_what_is_remembered_is_there_the_next_time(terminal, builder, tmp_path):
    first = terminal()
    first.until("30 waiting")
    first.press(":theme")
    first.until("theme light")
    first.press(" light\r")
    first.until("w Worker")
    first.press("2")
    first.until("What it does")
    first.press("/is:scheduled")
    first.until("filter: is:scheduled")
    first.until_gone("x Cancel")
    first.press("\r")
    first.until("x Cancel")
    first.press("q")
    assert first.end() == 0
    second = terminal()
    second.until("30 waiting")
    # The light ground, in 16 million colours or in 256.
    assert b"48;2;247;248;249" in second.output or b"48;5;255" in second.output
    second.press("2")
    second.until("is:scheduled")
    second.press("q")
    assert second.end() == 0
    assert not any((tmp_path / "home").glob("console.json"))


def test_keys_that_come_in_one_burst_go_where_the_first_of_them_leads(terminal, builder):
    """As over a slow line, or pasted: none of what follows `/` or `:` may act on the list beneath."""
    shown = terminal()
    shown.until("30 waiting")
    shown.press("2")
    shown.until("What it does")
    shown.press(":xCC")
    shown.until("nothing here begins so")
    shown.press("\x1b")
    shown.until("Worker")
    shown.press("/xxCC")
    shown.until("filter: xxCC")
    shown.press("\x1b")
    time.sleep(0.5)  # an escape and a letter at once are one key, alt and the letter
    shown.press("q")
    assert shown.end() == 0
    with sqlite3.connect(builder.home.tasks_db) as conn:
        assert conn.execute("SELECT count(*) FROM task").fetchone() == (30,)
        assert conn.execute("SELECT count(*) FROM journal WHERE actor NOT LIKE 'ann%'").fetchone()[0] == 0
