"""The real program on a real pseudo-terminal: what headless tests cannot see."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.console import homes
from tests.terminal.conftest import LEFT_CLEAN, LONGEST_S, ROOT
from worker.foreign import STEERING

pytestmark = pytest.mark.terminal


@pytest.mark.parametrize("key", ["q", "\x03", "\x11"])
def test_it_opens_and_leaves_the_terminal_clean(terminal, key):
    shown = terminal()
    shown.until("Worker is not running.")
    shown.press(key)
    assert shown.end() == 0
    for sequence in LEFT_CLEAN:
        assert sequence in shown.output


def test_its_end_waits_for_no_key(terminal):
    shown = terminal(module="tests.terminal.patient")
    shown.until("Worker is not running.")
    shown.press("q")
    assert shown.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_clean_too(terminal, number):
    shown = terminal()
    shown.until("Worker is not running.")
    shown.process.send_signal(number)
    assert shown.end() == 128 + number
    for sequence in LEFT_CLEAN:
        assert sequence in shown.output


def test_c_and_enter_collect_the_demo_with_a_worker_that_ends_with_the_console(terminal, tmp_path):
    shown = terminal("--worker")
    shown.until("worker running")
    shown.press("c")
    shown.until("Collect which market?")
    shown.press("\r")
    shown.until(" of 12")
    shown.until("demo: 118 new documents")
    shown.press("q")
    assert shown.end() == 0
    left = subprocess.run(
        ["pgrep", "-f", str(tmp_path / "home")], capture_output=True, text=True, check=False
    )
    assert left.stdout == ""


def test_w_starts_a_worker_that_outlives_the_console_and_stops_it(terminal):
    shown = terminal()
    shown.until("Press w to start one.")
    shown.press("w")
    shown.until("Worker started (pid ")
    pid = int(re.search(r"Worker started \(pid (\d+)", "".join(shown.screen.display))[1])
    shown.until("worker running")
    shown.press("q")
    assert shown.end() == 0
    os.kill(pid, 0)
    again = terminal()
    again.until("worker running")
    again.press("w")
    again.until(f"Stop the worker (pid {pid})?")
    again.press("h")
    again.until("The worker holds")
    again.press("w")
    again.until("h let it take tasks again")
    again.press("h")
    again.until_gone("The worker holds")
    again.until("worker running")
    again.press("w")
    again.until(f"Stop the worker (pid {pid})?")
    again.press("y")
    again.until("Worker is not running")
    again.press("q")
    again.end()


def test_a_worker_that_cannot_start_says_why(terminal, tmp_path):
    config = tmp_path / "config"
    (config / "markets").mkdir(parents=True)
    (config / "settings.yaml").write_text("workers: many\n")
    shown = terminal("--config", str(config))
    shown.until("Press w to start one.")
    shown.press("w")
    shown.until("did not start: config/settings.yaml:1:")
    shown.press("q")
    assert shown.end() == 0


def test_it_is_resized_down_and_up(terminal):
    shown = terminal()
    shown.until("Worker is not running.")
    for width, height, words in ((50, 10, "too small"), (120, 40, "Last runs"), (80, 24, "1Overview")):
        shown.resize(width, height)
        shown.process.send_signal(signal.SIGWINCH)
        shown.until(words)
    shown.press("q")
    assert shown.end() == 0


def test_no_colour_means_none(terminal):
    shown = terminal(env={"NO_COLOR": "1"})
    shown.until("Worker is not running.")
    assert not re.search(rb"\x1b\[[0-9;]*(?:[34]8;|3[0-7]|4[0-7])[0-9;]*m", shown.output)
    shown.press("q")
    shown.end()


def test_plain_characters_mean_ascii(terminal):
    shown = terminal("--ascii")
    shown.until("Worker is not running.")
    shown.press("2")
    shown.until("The queue is empty")
    shown.press("q")
    shown.end()
    assert shown.text().isascii()


# What we send ourselves: where the cursor goes, colours, modes, the pointer's shape, and what was asked to be copied.
OURS = re.compile(
    rb"\x1b\[[0-9;?<>=$]*[Hmhlup]|\x1b\]22;default\x07|\x1b\]52;c;(?P<copied>[A-Za-z0-9+/=]*)\x07|\x1b[=>]"
)
SCREENS = (
    "Running now", "What it does", "Count", "Schedule ", "Ended", "Source ", "Score", "Logs  following", "Did ",
)  # fmt: skip


def test_hostile_text_sends_no_sequence_of_its_own(terminal, tmp_path):
    builder = homes.Builder(tmp_path / "home", homes.datetime.now(homes.UTC))
    homes.hostile(builder)
    shown, sent = terminal(), b""
    for key, words in enumerate(SCREENS, 1):
        os.write(shown.master, str(key).encode())
        shown.until(words)
        shown.until_gone("Reading…")
        for keys in ("jG", "\r", "y", "*"):
            os.write(shown.master, keys.encode())
            shown.read(0.1)
        sent, shown.output = sent + shown.output, b""
    shown.press("q")
    assert shown.end() == 0
    builder.close()
    sent += shown.output
    copied = b"".join(base64.b64decode(found["copied"]) for found in OURS.finditer(sent) if found["copied"])
    rest = OURS.sub(b"", sent)
    assert b"tag" in rest
    assert b"evil." in copied
    for text in (rest, copied):
        assert STEERING.search(text.decode()) is None
        assert not set(text) & set(range(32)) - set(b"\t\n\r\b")


@pytest.mark.parametrize(
    ("env", "words"), [({"TERM": "dumb"}, "TERM=dumb"), ({"TERM": ""}, "TERM")],
)  # fmt: skip
def test_a_terminal_that_cannot_draw_is_refused(terminal, env, words):
    shown = terminal(env=env)
    assert shown.end() == 2
    assert words in shown.text()
    assert "\x1b[?1049h" not in shown.output.decode()


def test_without_a_terminal_it_says_so_and_ends(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "console.cli", "--home", str(tmp_path / "home")], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, cwd=ROOT, timeout=20, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a terminal" in done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("make", ["a file", "a stock queue", "no database"])
def test_a_home_that_cannot_be_used_is_said_before_the_screen_opens(terminal, tmp_path, make):
    home = tmp_path / "home"
    if make == "a file":
        home.write_text("x")
    else:
        home.mkdir()
        (home / "tasks.db").write_bytes(b"nonsense" * 100)
    if make == "a stock queue":
        from huey import SqliteHuey

        (home / "tasks.db").unlink()
        stock = SqliteHuey(filename=str(home / "tasks.db"))
        stock.storage.enqueue(b"\x80\x04pickled")
        stock.storage.close()
    shown = terminal()
    assert shown.end() == 2
    assert len(shown.text().strip().splitlines()) == 1
    assert b"\x1b[?1049h" not in shown.output


def test_ctrl_z_gives_the_terminal_back_and_fg_draws_everything_again(terminal):
    shown = terminal()
    shown.until("Worker is not running.")
    shown.press("\x1a")
    state = Path(f"/proc/{shown.process.pid}/stat")
    deadline = time.monotonic() + LONGEST_S
    while state.read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < deadline
        shown.read()
    while shown.read():
        pass
    assert b"\x1b[?1049l" in shown.output
    shown.output = b""
    shown.process.send_signal(signal.SIGCONT)
    shown.until_written("Worker is not running.")
    shown.press("q")
    assert shown.end() == 0
