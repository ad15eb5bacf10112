"""The terminal is gone, or nobody reads it any more: the console ends all the same, and at once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.console import homes
from tests.terminal.conftest import LEFT_CLEAN
from worker.sqlite import sqlite3

pytestmark = pytest.mark.terminal

ENDS_WITHIN_S = 6.0  # on a machine that is busy with other tests; by itself it takes 1.6 at the most


def ended(process):
    """The exit code; fails when the process is still there after a while."""
    return process.wait(ENDS_WITHIN_S)


def fill(shown):
    """Has the console draw, and reads nothing, until its thread that writes waits for a reader for ever."""
    quiet = 0
    for turn in range(400):
        shown.resize(80 + turn % 40, 24 + turn % 7)
        shown.process.send_signal(signal.SIGWINCH)
        before = switches(shown.process.pid)
        time.sleep(0.05)
        quiet = quiet + 1 if switches(shown.process.pid) == before else 0
        if quiet == 20:
            return
    raise AssertionError("the terminal never filled")


def switches(pid):
    """How often the thread that writes to the terminal has gone to sleep."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().startswith("textual-output"):
            return (task / "status").read_text().partition("voluntary_ctxt_switches:")[2].split()[0]
    return None


@pytest.fixture
def shown(terminal, tmp_path):
    builder = homes.Builder(tmp_path / "home", homes.datetime.now(homes.UTC))
    homes.busy(builder)
    opened = terminal()
    opened.until("30 waiting")
    yield opened
    builder.close()


def test_a_terminal_that_hangs_up_ends_the_console_though_nobody_signals_it(shown):
    os.close(shown.master)
    shown.master = os.open(os.devnull, os.O_RDONLY)
    assert ended(shown.process) == 128 + signal.SIGHUP


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminal_that_nobody_reads_is_restored_and_left(shown, number):
    fill(shown)
    shown.process.send_signal(number)
    assert ended(shown.process) == 128 + number
    while shown.read(0.2):
        pass
    for sequence in LEFT_CLEAN:
        assert sequence in shown.output


def test_the_worker_that_came_with_it_goes_with_it(terminal, tmp_path):
    shown = terminal("--worker")
    shown.until("worker running")
    conn = sqlite3.connect(tmp_path / "home" / "tasks.db")
    (pid,) = conn.execute("SELECT pid FROM worker").fetchone()
    conn.close()
    os.close(shown.master)
    shown.master = os.open(os.devnull, os.O_RDONLY)
    assert ended(shown.process) == 128 + signal.SIGHUP
    deadline = time.monotonic() + ENDS_WITHIN_S
    while alive(pid):
        assert time.monotonic() < deadline, "the worker goes on"
        time.sleep(0.05)


def alive(pid):
    """Whether it runs; one that nobody has taken note of yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
