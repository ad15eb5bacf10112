"""A home as large as it gets: a million tasks and runs, 100,000 dead letters of 50 causes, 200,000 documents.

python -m tests.benchmarks.big_home DIR [--rows N]
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from tests.console import homes

ROWS = 1_000_000
CAUSES = 50


def filled(root: Path, rows: int = ROWS) -> homes.Builder:
    """A busy home with so many more tasks and runs, a tenth of them in dead letters, a fifth in documents."""
    builder = homes.Builder(root, datetime.now(UTC))
    homes.busy(builder)
    data = homes.encode_call("x", homes.COLLECT, ("demo",))
    last = builder.tasks.execute("SELECT coalesce(max(id), 0) FROM task").fetchone()[0]
    _fill(
        builder.tasks, rows,
        f"INSERT INTO task (id, ready_at, queue, data, task_id, name, subject, enqueued_at) "
        f"SELECT {last} + i, ? - i, 'topics', ?, 't' || i, 'a.task', 'm' || (i % 50), 1 FROM n", (builder.now, data),
    )  # fmt: skip
    _fill(
        builder.tasks, rows,
        "INSERT INTO run (finished_at, queue, task_id, name, result, state, attempt, enqueued_at, ready_at, started_at) "
        "SELECT ? - ? - 1 + i, 'topics', 't' || i, 'a.task', 7, 'completed', 1, 1, 1, 1 FROM n", (builder.now, rows),
    )  # fmt: skip
    _fill(
        builder.letters, rows // 10,
        "INSERT INTO letter (last_seen, data, death, queue, task_id, name, reason, first_seen, error_type, error, "
        f"fingerprint) SELECT ? - i, ?, 'd' || i, 'topics', 't' || i, 'a.task', 'failed', 1, 'E' || (i % {CAUSES}), "
        f"'it broke', 'f' || (i % {CAUSES}) FROM n", (builder.now, data),
    )  # fmt: skip
    _fill(
        builder.library, rows // 5,
        "INSERT INTO document (market, source, title, url, canonical_key, content_hash, content, language, domain, country, "
        "vertical, reliability_score, fetched_at) SELECT 'demo', 'big.example/feed', 'Story ' || i, 'https://big.example/' || i, "
        "'big.example/' || i, 'b' || i, 'What happened ' || i, 'de', 'PropTech', 'Germany', 'PropTech', 0.5, ? - i FROM n",
        (builder.now,),
    )  # fmt: skip
    builder.library.execute("INSERT INTO document_fts (document_fts) VALUES ('rebuild')")
    builder.library.execute(
        "INSERT INTO tally (name, n) VALUES ('documents', ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n",
        (rows // 5,),
    )
    builder.logged(
        *((rows - at, "info", f"line {at}", {"task_id": f"t{at}"}) for at in range(min(rows, 10_000)))
    )
    for conn in (builder.tasks, builder.letters, builder.library):
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return builder


def _fill(conn: homes.sqlite3.Connection, rows: int, insert: str, params: tuple[object, ...]) -> None:
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {max(rows, 1)}) "
    conn.execute("BEGIN")
    conn.execute(insert.replace("INSERT", numbers + "INSERT", 1), params)
    conn.execute("COMMIT")


def main() -> None:
    """Writes one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS)
    options = parser.parse_args()
    filled(options.folder, options.rows).close()


if __name__ == "__main__":
    main()
