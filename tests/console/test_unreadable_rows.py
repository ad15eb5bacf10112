"""One row that cannot be read is one row: the lists around it stay whole."""

from __future__ import annotations

import json

import pytest

from console import cli
from console.rows.details import arguments
from tests.console import homes
from worker.sqlite import sqlite3

BROKEN = "{not json"
DEEP = "[" * 30_000
FIELDS = (
    ("dlq.db", "letter", "args"), ("dlq.db", "letter", "attempts"), ("dlq.db", "letter", "last_seen"),
    ("dlq.db", "cause", "first_seen"), ("dlq.db", "journal", "detail"), ("tasks.db", "journal", "detail"),
    ("tasks.db", "run", "result"), ("tasks.db", "run", "args"), ("tasks.db", "run", "finished_at"),
    ("tasks.db", "task", "data"), ("tasks.db", "task", "ready_at"), ("tasks.db", "worker", "host"),
    ("tasks.db", "tick", "why"), ("dlq.db", "cause", "n"), ("dlq.db", "journal", "actor"), ("tasks.db", "task", "priority"),
    ("tasks.db", "run", "attempt"), ("tasks.db", "periodic", "next_at"), ("tasks.db", "periodic", "missed"),
    ("tasks.db", "worker", "heartbeat_s"), ("tasks.db", "handler", "retries"),
)  # fmt: skip
LISTS = (
    "failures list", "failures list --causes", "runs list", "queue list", "schedules list", "journal list", "workers list",
    "runs stats", "queue list --filter !nowhere", "failures list --filter !nowhere",
)  # fmt: skip
SINGLE = ("status", "failures show 1", "failures show 2", "runs show 1", "incident", "doctor")


@pytest.fixture
def home(tmp_path):
    builder = homes.Builder(tmp_path / "home")
    homes.broken(builder)
    yield builder.home
    builder.close()


def change(home, file, table, column, value):
    with sqlite3.connect(home.root / file) as conn:
        first = conn.execute(f"SELECT {column} FROM {table} LIMIT 1").fetchone()[0]
        changed = conn.execute(f"UPDATE {table} SET {column} = ? WHERE {column} IS ?", (value, first))
        assert changed.rowcount
    conn.close()


@pytest.mark.parametrize("value", [BROKEN, DEEP, b"\xff\xfe"], ids=["broken", "deep", "bytes"])
def test_the_rest_is_shown_as_it_is(home, capsys, value):
    def lengths():
        return {words: len(json.loads(answer(f"{words} --json"))) for words in LISTS}

    def answer(words):
        code = cli.main(["--home", str(home.root), *words.split()])
        said = capsys.readouterr()
        assert code in {0, 1} or words.startswith("doctor"), (words, said.err)
        assert "unexpected" not in said.err, (words, said.err)
        return said.out

    before = lengths()
    for field in FIELDS:
        change(home, *field, value)
    assert lengths() == before
    for words in (*LISTS, *SINGLE):
        assert answer(words)
    for place in ("cause.n (1)", "task.priority ("):
        assert place in answer("doctor --json")


def test_a_letter_that_cannot_be_read_says_so_and_is_retried_by_its_message(home, capsys):
    change(home, "dlq.db", "letter", "args", BROKEN)
    command = ["--home", str(home.root), "failures"]
    assert cli.main([*command, "show", "1"]) == 0
    assert f"arguments cannot be read: {BROKEN}" in capsys.readouterr().out
    assert arguments(BROKEN) == f"cannot be read: {BROKEN}"
    assert cli.main([*command, "edit", "1", '["smart_city"]', "--yes"]) == 0
    assert cli.main([*command, "retry", "2", "--yes"]) == 0


def test_an_act_whose_entry_cannot_be_read_is_refused_in_a_sentence_and_others_are_not(home, capsys):
    undo, letters = ["--home", str(home.root), "undo"], ["--home", str(home.root), "failures"]
    assert cli.main([*letters, "delete", "1", "--yes", "--json"]) == 0
    good = json.loads(capsys.readouterr().out)["entry"]
    assert cli.main([*letters, "delete", "2", "--yes", "--json"]) == 0
    bad = json.loads(capsys.readouterr().out)["entry"]
    with sqlite3.connect(home.dlq_db) as conn:
        conn.execute("UPDATE journal SET detail = ? WHERE id = ?", (BROKEN, bad))
        # An undo whose own entry is unreadable must not stand in the way of the next.
        conn.execute("INSERT INTO journal VALUES ('f', 0, 'x', 'undo', 'failures', 1, ?, NULL)", (BROKEN,))
    conn.close()
    assert cli.main(undo) == 1
    assert f"entry {bad} of the journal cannot be read" in capsys.readouterr().err
    assert cli.main([*undo, good]) == 0


def test_bytes_that_are_no_text_are_shown_as_far_as_they_are(home, capsys):
    change(home, "dlq.db", "letter", "error", b"\xff\xfe after")
    with sqlite3.connect(home.dlq_db) as conn:
        conn.execute("UPDATE letter SET error = CAST(error AS TEXT) WHERE typeof(error) = 'blob'")
    conn.close()
    assert cli.main(["--home", str(home.root), "failures", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed) == 48
    assert "\ufffd\ufffd after" in {one["error"] for one in listed}
