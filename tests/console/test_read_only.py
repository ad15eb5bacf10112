"""Read-only is held at the connection: no statement that gets there can write."""

from __future__ import annotations

import pytest

from console.readings.connection import LETTERS, LIBRARY, TASKS, File
from tests.console import homes
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
