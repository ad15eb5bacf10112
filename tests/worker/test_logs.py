"""The structured log: whose line it is, without secrets, and whole when several processes rotate it."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
import structlog

from worker import logs
from worker.queue import progress

LOG = logging.getLogger("tests")


@pytest.fixture
def log(tmp_path):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure(tmp_path / "worker.jsonl", "info", lambda text: text.replace("hunter2", "*****"))
    yield lambda: [json.loads(line) for line in (tmp_path / "worker.jsonl").read_text().splitlines()]
    for handler in root.handlers:
        handler.close()
    root.handlers[:], root.level = before
    structlog.reset_defaults()


@pytest.fixture
def bound():
    unit = SimpleNamespace(claim=SimpleNamespace(task_id="t-1"))
    token = progress.bind(progress.RunHandle(unit=unit))
    yield
    progress.unbind(token)


def test_every_line_of_a_task_says_so_whoever_writes_it(log, bound):
    logging.getLogger("a.library").info("plain %s", "line", extra={"market": "demo"})
    structlog.get_logger("ours").info("structured", source="heise.de")

    async def inside():
        await asyncio.gather(asyncio.to_thread(LOG.info, "from asyncio's thread"), deeper())

    async def deeper():
        LOG.warning("from a coroutine")

    asyncio.run(inside())
    thread = threading.Thread(target=contextvars.copy_context().run, args=(LOG.info, "from a thread"))
    thread.start()
    thread.join()
    lines = log()
    assert len(lines) == 5
    assert {line["task_id"] for line in lines} == {"t-1"}
    first = lines[0]
    assert (first["event"], first["market"], first["level"], first["logger"]) == (
        "plain line",
        "demo",
        "info",
        "a.library",
    )
    assert first["timestamp"].endswith("Z")


def test_what_huey_says_of_a_task_names_it_once_and_no_retries_that_never_were(log, bound):
    huey = logging.getLogger("huey")
    huey.info("Executing %s", "worker.tasks.collect: t-1 p=2 3 retries")
    huey.info("%s executed in %0.3fs", "worker.tasks.collect: t-1 3 retries", 3.081)
    huey.info("Requeueing %s, %s retries", "t-1", 2)
    assert [line["event"] for line in log()] == [
        "Executing worker.tasks.collect p=2",
        "worker.tasks.collect executed in 3.081s",
        "Requeueing t-1, 2 retries",
    ]


def test_a_line_of_nobody_has_no_task(log):
    LOG.info("the worker itself")
    assert "task_id" not in log()[0]


def test_an_exception_is_told_whole_and_secrets_are_not(log):
    try:
        int("hunter2")
    except ValueError:
        LOG.exception("failed with hunter2")
    (line,) = log()
    assert "Traceback" in line["exception"]
    assert "hunter2" not in json.dumps(line)


WRITER = """
import logging, sys
from worker.logs import SharedFileHandler
handler = SharedFileHandler(sys.argv[1], maxBytes=20_000, backupCount=200, encoding="utf-8")
log = logging.getLogger("w"); log.addHandler(handler); log.setLevel("INFO")
for number in range(3000):
    log.info("%s %d", sys.argv[2], number)
"""


def test_processes_that_rotate_one_file_lose_no_line(tmp_path):
    path = tmp_path / "worker.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), f"w{one}"]) for one in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    files = sorted(tmp_path.glob("worker.jsonl*"))
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(f"w{one} {number}" for one in range(3) for number in range(3000))
    assert all(file.stat().st_size > 15_000 for file in files if file != path)  # none was rotated too early


def test_a_log_that_was_taken_away_comes_back(log, tmp_path):
    LOG.info("one")
    (tmp_path / "worker.jsonl").rename(tmp_path / "elsewhere")
    LOG.info("two")
    assert [line["event"] for line in log()] == ["two"]


def test_what_a_stranger_said_steers_neither_the_screen_nor_whoever_looks_at_the_file(capsys, log, tmp_path):
    evil = "\x1b]52;c;eA==\x07\x9b31m\u202e\U000e0041"
    logging.getLogger("a.library").warning("it said %s", evil)
    try:
        int(evil)
    except ValueError:
        structlog.get_logger("ours").exception(f"ours{evil}", source=evil, error=ValueError(evil))
    for seen in (capsys.readouterr().err, (tmp_path / "worker.jsonl").read_text()):
        assert "it said" in seen
        assert "ValueError" in seen
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\U000e0041"} & set(seen)
    assert log()[0]["event"] == f"it said {evil}"
