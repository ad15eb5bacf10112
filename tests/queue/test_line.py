"""Who writes once goes before who writes again and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from worker.queue import line
from worker.queue.line import Line


def test_without_a_folder_there_is_no_line(tmp_path):
    one = Line(tmp_path / "none")
    one.give_way()
    with one.standing():
        pass
    assert not (tmp_path / "none").exists()


def test_a_worker_lets_those_go_first_who_wait_but_not_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(line, "LONGEST_S", 0.2)
    waiting, worker = Line(tmp_path), Line(tmp_path)
    started = time.monotonic()
    with waiting.standing():
        worker.give_way()
    assert time.monotonic() - started >= 0.2
    started = time.monotonic()
    worker.give_way()
    assert time.monotonic() - started < 0.2
    waiting.close(), worker.close()


def test_several_stand_in_the_line_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(line, "LONGEST_S", 0.05)
    first, second, worker = Line(tmp_path), Line(tmp_path), Line(tmp_path)
    with first.standing():
        with second.standing():
            pass
        started = time.monotonic()
        worker.give_way()
        assert time.monotonic() - started >= 0.05
    for one in (first, second, worker):
        one.close()


def test_nobody_waits_for_the_dead(tmp_path, monkeypatch):
    monkeypatch.setattr(line, "LONGEST_S", 5.0)
    script = (
        "import sys, time, pathlib; from worker.queue.line import Line\n"
        "with Line(pathlib.Path(sys.argv[1])).standing():\n print('in', flush=True); time.sleep(60)"
    )
    waiting = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert waiting.stdout.readline() == "in\n"
    os.kill(waiting.pid, signal.SIGKILL)
    waiting.wait()
    waiting.stdout.close()
    worker, started = Line(tmp_path), time.monotonic()
    worker.give_way()
    assert time.monotonic() - started < 1
    worker.close()
