"""A console that is killed amid an act on thousands: nothing is lost, nothing runs twice, what is done can be undone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest

MANY = 6_000
# Which part of the time that the whole act takes has passed; what is left out is the start of the program.
MOMENTS = (0.15, 0.4, 0.7, 0.95)


@pytest.fixture
def letters(builder):
    builder.letter("demo")
    columns = [row[1] for row in builder.letters.execute("PRAGMA table_info(letter)")]
    same = ", ".join(name for name in columns if name not in ("id", "task_id", "death"))
    builder.letters.execute(
        f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY - 1})
        INSERT INTO letter (task_id, death, {same})
        SELECT 'task-' || i, 'death-' || i, {same} FROM n, (SELECT * FROM letter LIMIT 1)"""
    )
    return builder


def command(builder, *arguments) -> list[str]:
    return [sys.executable, "-m", "console.cli", *arguments, "--home", str(builder.home.root), "--json"]


def answer(builder, *arguments) -> Any:
    done = subprocess.run(command(builder, *arguments), capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr  # 1: some or all was refused
    return json.loads(done.stdout)


def count(conn, query: str) -> int:
    return conn.execute(query).fetchone()[0]


def killed_after(builder, conn, query: str, share: float, *arguments) -> int:
    """Kills the command once so large a part of its act is done; how many that were."""
    process = subprocess.Popen(command(builder, *arguments), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while count(conn, query) < share * MANY:
        assert time.monotonic() < deadline, "it never came so far"
        assert process.poll() is None or count(conn, query) == MANY
    process.kill()
    process.wait()
    return count(conn, query)


@pytest.mark.parametrize("share", MOMENTS)
def test_what_was_cleared_until_then_is_in_the_journal_and_comes_back(letters, share):
    gone = killed_after(
        letters, letters.letters, "SELECT count(*) FROM removed_letter", share, "failures", "clear", "--yes"
    )
    assert count(letters.letters, "SELECT count(*) FROM letter") == MANY - gone
    (act,) = answer(letters, "journal", "list")
    assert act["count"] == gone
    assert answer(letters, "undo")["done"] == gone
    assert count(letters.letters, "SELECT count(*) FROM letter WHERE state = 'dead'") == MANY
    assert count(letters.letters, "SELECT count(*) FROM removed_letter") == 0


@pytest.mark.parametrize("share", MOMENTS)
def test_what_was_retried_until_then_runs_once_and_the_rest_with_the_next_retry(letters, share):
    tasks = "SELECT count(*) FROM task"
    before = count(letters.tasks, tasks)
    killed_after(
        letters,
        letters.tasks,
        f"SELECT count(*) - {before} FROM task",
        share,
        "failures",
        "retry",
        "--all",
        "--yes",
    )
    first = count(letters.tasks, tasks) - before
    (act,) = answer(letters, "journal", "list")
    assert act["count"] == first
    rest = answer(letters, "failures", "retry", "--all", "--yes")["done"]
    assert first + rest == MANY
    assert count(letters.tasks, "SELECT count(DISTINCT task_id) FROM task") == before + MANY
    assert count(letters.letters, "SELECT count(*) FROM letter WHERE state = 'retrying'") == MANY
    linked = {row[0] for row in letters.letters.execute("SELECT retried_as FROM letter")}
    assert linked <= {row[0] for row in letters.tasks.execute("SELECT task_id FROM task")}


@pytest.mark.parametrize("share", MOMENTS)
def test_an_undo_that_was_killed_goes_on_where_it_was(letters, share):
    assert answer(letters, "failures", "clear", "--yes")["done"] == MANY
    killed_after(letters, letters.letters, "SELECT count(*) FROM letter", share, "undo")
    there = count(letters.letters, "SELECT count(*) FROM letter")
    assert there + count(letters.letters, "SELECT count(*) FROM removed_letter") == MANY
    if there < MANY:
        answer(letters, "undo")
    assert count(letters.letters, "SELECT count(*) FROM letter WHERE state = 'dead'") == MANY
