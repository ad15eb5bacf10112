"""The names that other programs rely on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def python(tmp_path):
    """Runs a program over a fresh home; returns what it printed as JSON."""

    def run(code):
        program = (
            "import json\nfrom worker.tasks import *\nfrom worker.tasks import huey\n" + textwrap.dedent(code)
        )
        env = {name: value for name, value in os.environ.items() if not name.startswith("TOPIC_")}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
            env=env | {"TOPIC_HOME": str(tmp_path / "home"), "NOTION_TOKEN": "ntn_very_secret_value"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    return run


def test_importing_opens_nothing(python, tmp_path):
    found = python("""
        import gc
        from worker.sqlite import sqlite3
        print(json.dumps([sum(isinstance(one, sqlite3.Connection) for one in gc.get_objects()), len(huey._registry._registry)]))
    """)
    assert found == [0, 5]
    assert not (tmp_path / "home").exists()


def test_a_call_waits_and_a_scheduled_one_waits_for_its_time(python):
    stats = python("""
        collect_all_sources("demo")
        collect_all_sources.schedule(args=("demo",), delay=60)
        print(json.dumps(get_task_stats()))
    """)
    assert stats == {"pending_tasks": 1, "scheduled_tasks": 1, "running_tasks": 0, "dlq_entries": 0}


def test_a_collection_by_name_or_path_gives_its_stats(python):
    results = python("""
        results = [collect_all_sources("demo"), collect_all_sources("config/markets/demo.yaml")]
        while task := huey.dequeue(): huey.execute(task)
        print(json.dumps([{key: one.get()[key] for key in ("documents", "sources", "errors")} for one in results]))
    """)
    assert results == [
        {"documents": 118, "sources": 12, "errors": 0},
        {"documents": 0, "sources": 12, "errors": 0},
    ]


def test_the_daily_collection_starts_every_enabled_market(python):
    names = python("""
        daily_collection()
        huey.execute(huey.dequeue())
        print(json.dumps([task.args[0] for task in huey.pending()]))
    """)
    assert names == ["demo", "proptech_de"]


def test_dead_letters_are_written_listed_and_cleared(python):
    entries, cleared, left = python("""
        import datetime
        log_to_dlq("report", ValueError("ntn_very_secret_value leaked"), datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        log_to_dlq("report", "second", "2026-01-02T00:00:00+00:00")
        print(json.dumps([get_dlq_entries(10), clear_dlq(), get_task_stats()["dlq_entries"]]))
    """)
    assert [(entry["task_name"], entry["timestamp"]) for entry in entries] == [
        ("report", "2026-01-02T00:00:00+00:00"), ("report", "2026-01-01T00:00:00+00:00"),
    ]  # fmt: skip
    assert entries[0]["error"] == "second"
    assert "very_secret" not in json.dumps(entries)
    assert (cleared, left) == (2, 0)


def test_a_secret_in_an_error_reaches_no_run_and_no_letter(python, tmp_path):
    python("""
        collect_all_sources("ntn_very_secret_value")
        for _ in range(4):
            task = huey.dequeue()
            if task is None: break
            huey.execute(task)
    """)
    from worker.sqlite import sqlite3

    with sqlite3.connect(tmp_path / "home" / "tasks.db") as conn:
        for error, traceback in conn.execute("SELECT error, traceback FROM run"):
            assert "very_secret" not in f"{error}{traceback}"
