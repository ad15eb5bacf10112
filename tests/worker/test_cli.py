"""`topic-worker` as it is called: one sentence, exit code 2, nothing written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huey import SqliteHuey

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path):
    def command(*arguments, **env):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TOPIC_")}
        return subprocess.run(
            [sys.executable, "-m", "worker.cli", *map(str, arguments)], capture_output=True, text=True, timeout=30,
            cwd=tmp_path, env=clean | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)} | env, check=False,
        )  # fmt: skip

    return command


def refused(done, *words):
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in done.stderr


def test_init_writes_a_configuration_that_check_finds_fine(run, tmp_path):
    done = run("init", "mine")
    assert done.returncode == 0
    assert (tmp_path / "mine" / "markets" / "demo" / "bautakt.xml").exists()
    checked = run("check", "--config", "mine")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "daily_collection: At 02:00, Europe/Berlin time (0 2 * * *)\n    next    " in checked.stdout
    assert "missed  once: the newest tick missed by at most 1d gets a run" in checked.stdout


@pytest.mark.parametrize("program", ["worker.cli", "console.cli"])
def test_a_reader_that_is_gone_is_no_error(tmp_path, program):
    reads, writes = os.pipe()
    os.close(reads)
    config = ("--config", ROOT / "config")
    command = {"worker.cli": ("check", *config), "console.cli": ("completion", "bash")}[program]
    done = subprocess.run(
        [sys.executable, "-m", program, *map(str, command)], stdout=writes, stderr=subprocess.PIPE, text=True, timeout=30,
        cwd=ROOT, env=os.environ | {"TOPIC_HOME": str(tmp_path / "home")}, check=False,
    )  # fmt: skip
    os.close(writes)
    assert (done.returncode, done.stderr) == (0, "")


def test_check_says_each_schedule_in_words(run, tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "config" / "settings.yaml").write_text(
        "timezone: Europe/Berlin\nschedules:\n"
        "  daily_collection: {cron: '30 2 * * *', catch_up: all, catch_up_window: 7200}\n"
        "  weekly_notion_sync: {cron: '0 9 * * 1', enabled: false}\n"
    )
    said = run("check").stdout
    assert "daily_collection: At 02:30, Europe/Berlin time (30 2 * * *)" in said
    assert "they go forward over it; it runs at 03:00" in said
    assert "missed  all: each tick missed by at most 2h gets its run" in said
    assert "weekly_notion_sync: switched off (enabled: false)" in said


def test_init_overwrites_nothing(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("x")
    refused(run("init", "mine"), "already exists")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["precious"]


def test_init_where_nothing_can_be_written(run, tmp_path):
    (tmp_path / "file").write_text("x")
    refused(run("init", "file/config"), "cannot be written")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_check_names_every_fault_of_every_file(run, tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "config" / "settings.yaml").write_text("workers: many\n")
    (tmp_path / "config" / "markets" / "a.yaml").write_text("domain: [\n")
    (tmp_path / "config" / "markets" / "b.yaml").write_text("languag: de\n")
    done = run("check")
    assert done.returncode == 2
    for word in (
        "settings.yaml:1: workers",
        "a.yaml:",
        "b.yaml:1: languag: unknown key; did you mean language?",
    ):
        assert word in done.stderr
    assert "demo.yaml: fine" in done.stdout


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda home: home.write_text("x"), "expected a folder"),
        (
            lambda home: (home.mkdir(), (home / "tasks.db").write_bytes(b"nonsense" * 99)),
            "expected a SQLite database",
        ),
        (lambda home: (home.mkdir(), (home / "tasks.db").mkdir()), "tasks.db"),
    ],
)
def test_a_home_that_cannot_be_used(run, tmp_path, make, words):
    make(tmp_path / "home")
    before = sorted(tmp_path.rglob("*"))
    refused(run("--home", tmp_path / "home"), words)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_home_that_cannot_be_made(run):
    refused(run("--home", "/proc/nowhere/home"), "/proc/nowhere/home")


def test_a_stock_queue_is_refused_and_left_as_it_was(run, tmp_path):
    (tmp_path / "home").mkdir()
    path = tmp_path / "home" / "tasks.db"
    stock = SqliteHuey(filename=str(path))
    stock.storage.enqueue(b"\x80\x04pickled")
    stock.storage.close()
    before = path.read_bytes()
    refused(run("--home", tmp_path / "home"), "pickled", "--home")
    assert path.read_bytes() == before
    assert [one.name for one in (tmp_path / "home").iterdir()] == ["tasks.db"]


@pytest.mark.parametrize(
    "option",
    [
        ["--workers", "0"],
        ["--config", "nowhere"],
        ["--worker-type", "fibre"],
        ["--nonsense"],
        ["--max-tasks", "0", "--worker-type", "process"],
        ["--max-tasks", "5", "--worker-type", "thread"],
    ],
)
def test_bad_options(run, tmp_path, option):
    done = run("--home", tmp_path / "home", *option)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()


def test_a_bad_variable(run, tmp_path):
    refused(run("--home", tmp_path / "home", TOPIC_WORKERS="many"), "TOPIC_WORKERS")


def test_version_and_help(run):
    assert run("--version").stdout.startswith("topic-worker ")
    assert "init" in run("--help").stdout


def test_a_place_that_cannot_be_is_named(run):
    for words in (("--config", "x" * 300), ("init", "x" * 300), ("check", "--home", "x" * 300)):
        done = run(*words)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert "cannot be a folder: File name too long" in done.stderr
    refused(run("--home", "~nobody-of-that-name/x"), "no user of this name")
