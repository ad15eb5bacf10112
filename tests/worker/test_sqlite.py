"""The one place that decides which SQLite is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from worker.sqlite import has_wal_reset_bug, sqlite3

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False),
        ((3, 50, 6), True), ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 53, 4), False),
    ],
)  # fmt: skip
def test_which_versions_can_damage_a_file(version, affected):
    assert has_wal_reset_bug(version) is affected


def test_where_there_are_wheels_a_fixed_one_is_used():
    pytest.importorskip("pysqlite3")
    assert not has_wal_reset_bug(sqlite3.sqlite_version_info)


def test_all_of_a_process_use_the_same():
    """Two libraries on one file would drop each other's locks."""
    from sqlite_utils.utils import sqlite3 as theirs

    assert theirs.sqlite_version == sqlite3.sqlite_version


STANDARD = """
import sys
sys.modules["pysqlite3"] = None
from worker.queue import DurableHuey
from worker.sqlite import sqlite3
huey = DurableHuey("app", filename=sys.argv[1])
@huey.task()
def job(): return 7
result = job()
huey.execute(huey.dequeue())
print(sqlite3.__name__, result.get(), "pysqlite3.dbapi2" in sys.modules)
from console.readings.connection import TASKS, File
from pathlib import Path
print(File(Path(sys.argv[1]), TASKS).value("SELECT state FROM run"))
"""


def test_the_standard_librarys_does_as_well(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", STANDARD, str(tmp_path / "tasks.db")],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["sqlite3", "7", "False", "completed"]
