"""Read-only is held at the connection: no statement that gets there can write."""

from __future__ import annotations

import os

import pytest

from console import cli
from console.readings.connection import LETTERS, LIBRARY, TASKS, File, ReadingError
from tests.console import homes
from tests.console.test_odd_arguments import leaves
from worker.sqlite import sqlite3


@pytest.mark.parametrize(
    ("name", "kind", "statement"),
    [
        ("tasks_db", TASKS, "DELETE FROM task"), ("tasks_db", TASKS, "CREATE TABLE mine (x)"),
        ("dlq_db", LETTERS, "UPDATE letter SET state = 'x'"), ("topics_db", LIBRARY, "DELETE FROM document"),
        ("tasks_db", TASKS, "PRAGMA user_version = 99"), ("tasks_db", TASKS, "VACUUM"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("query_only", [True, False])
def test_no_statement_writes_through_a_reading(builder, name, kind, statement, query_only):
    homes.busy(builder)
    file = File(getattr(builder.home, name), kind)
    assert file.value("SELECT 1") == 1
    conn = file._db.conn
    assert conn.execute("PRAGMA query_only").fetchone()[0] == 1
    if not query_only:
        # Either lock holds alone: without this one, the file itself is opened for reading only.
        conn.execute("PRAGMA query_only = 0")
    with pytest.raises(sqlite3.OperationalError, match=r"readonly|read-only|query_only"):
        conn.execute(statement)
    file.close()


# What each command that changes something is given here; a command that is new has to be added, or only looks.
CHANGING = {
    "collect": "demo", "enqueue": "collect_all_sources", "queue cancel": "x", "queue run": "x", "queue priority": "x 1",
    "queue edit": "x []", "queue quarantine": "", "queue pause": "", "queue resume": "", "queue clear": "", "failures retry": "1",
    "failures stop-canary": "f1", "failures edit": "1 []", "failures delete": "1", "failures clear": "",
    "schedules run": "daily_collection", "schedules pause": "daily_collection", "schedules resume": "daily_collection",
    "schedules replay": "daily_collection --once", "schedules acknowledge": "daily_collection", "sources disable": "gone.example/rss.xml",
    "sources enable": "gone.example/rss.xml", "runs again": "1", "undo": "", "report": "", "sync": "",
    "workers hold": "1", "workers drain": "1", "workers resume": "1",
}  # fmt: skip
LOOKING = {
    "status", "doctor", "queue list", "queue show", "failures list", "failures show", "schedules list", "schedules show",
    "schedules missed", "sources list", "sources show", "runs list", "runs show", "runs stats", "journal list", "journal show",
    "search", "topics list", "topics show", "logs", "export", "incident", "completion", "workers list",
}  # fmt: skip


def rows(conn):
    """All that is in a file."""
    names = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: conn.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}


def test_every_command_that_changes_something_is_refused_in_one_sentence(builder, capsys):
    homes.broken(builder)
    asked = {" ".join(path): parser for path, parser in leaves(cli.parser())}
    assert set(asked) == set(CHANGING) | LOOKING
    before = [rows(conn) for conn in (builder.tasks, builder.letters, builder.library)]
    for command, words in CHANGING.items():
        yes = ["--yes"] if "--yes" in asked[command].format_help() else []
        code = cli.main(
            ["--read-only", "--home", str(builder.home.root), *f"{command} {words}".split(), *yes]
        )
        assert (code, "read-only" in capsys.readouterr().err) == (1, True), command
    assert before == [rows(conn) for conn in (builder.tasks, builder.letters, builder.library)]


def test_a_file_that_a_newer_version_takes_over_is_refused_until_it_is_back(builder):
    file = File(builder.home.tasks_db, TASKS)
    assert file.value("SELECT count(*) FROM task") == 0
    builder.pending()
    assert file.state()
    (known,) = builder.tasks.execute("PRAGMA user_version").fetchone()
    builder.tasks.execute("PRAGMA user_version = 99")
    for _ in range(2):
        with pytest.raises(ReadingError, match="its schema is version 99"):
            file.state()
        with pytest.raises(ReadingError, match="its schema is version 99"):
            file.rows("SELECT 1 FROM task")
    builder.tasks.execute(f"PRAGMA user_version = {known}")
    assert file.state()
    assert file.value("SELECT count(*) FROM task") == 1
    file.close()


def test_a_file_that_is_emptied_is_said_not_shown_as_an_empty_queue(builder):
    file = File(builder.home.dlq_db, LETTERS)
    assert file.value("SELECT count(*) FROM letter") == 0
    os.truncate(builder.home.dlq_db, 0)
    with pytest.raises(ReadingError, match="found an empty file"):
        file.state()
    file.close()
