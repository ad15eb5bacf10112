"""The part of an examination that looks into the tables. It may count rows: it is asked for, not polled."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from worker.queue.connection import wrapped
from worker.queue.finding import Finding
from worker.queue.identity import is_alive, workers_folder
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OVERDUE_S = 120.0
# Between two machines or two looks at a clock, nothing to speak of.
SKEW_S = 5.0
NAMES = 5
_NUMBERS = """SELECT m.name, p.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS p
    WHERE m.type = 'table' AND p.type IN ('INTEGER', 'REAL') ORDER BY 1, p.cid"""
PLACES = {"pending": "task", "scheduled": "schedule"}


def tasks(conn: sqlite3.Connection, path: Path, queue: str, now: float) -> Iterator[Finding]:
    """What is wrong in `tasks.db`."""
    yield from _values(conn)
    yield from _counters(conn, queue)
    yield from _workers(conn, path, queue)
    yield from _drift(conn, queue)
    yield from _schedules(conn, queue, now)
    yield from _clock(conn, queue, now)


def _values(conn: sqlite3.Connection) -> Iterator[Finding]:
    """SQLite keeps whatever is put into a column: only a damaged file, or a stranger's hand, has texts for numbers."""
    columns: dict[str, list[str]] = {}
    for table, column in conn.execute(_NUMBERS):
        columns.setdefault(table, []).append(column)
    wrong: dict[str, int] = {}
    for table, names in columns.items():
        counts = ", ".join(f"total(typeof({name}) IN ('text', 'blob'))" for name in names)
        found = conn.execute(f"SELECT {counts} FROM {table}").fetchone()
        wrong |= {f"{table}.{name}": int(n) for name, n in zip(names, found, strict=True) if n}
    if wrong:
        places = ", ".join(f"{place} ({n})" for place, n in wrong.items())
        text = f"{sum(wrong.values())} values are no numbers where there must be some: {places}; lists show nothing for them"
        yield Finding("wrong_values", text)


def _number(column: str) -> str:
    return f"CASE WHEN typeof({column}) IN ('integer', 'real') THEN {column} END"


def _counters(conn: sqlite3.Connection, queue: str) -> Iterator[Finding]:
    wrong = []
    for state, table in PLACES.items():
        (rows,) = conn.execute(f"SELECT count(*) FROM {table} WHERE queue = ?", (queue,)).fetchone()
        counted = conn.execute("SELECT n FROM depth WHERE queue = ? AND state = ?", (queue, state)).fetchone()
        if rows != (counted[0] if counted else 0):
            wrong.append(f"{state}: {rows} in the table, {counted[0] if counted else 0} by the counter")
    if wrong:
        yield Finding("counters", f"{'; '.join(wrong)}, which every screen shows", mend="Count anew")


def _workers(conn: sqlite3.Connection, path: Path, queue: str) -> Iterator[Finding]:
    known = {
        row[0]: row[1]
        for row in conn.execute("SELECT id, host || ':' || pid FROM worker WHERE queue = ?", (queue,))
    }
    dead = [who for worker, who in known.items() if is_alive(path, worker) is False]
    held = conn.execute(
        "SELECT worker, count(*) FROM claim WHERE queue = ? GROUP BY worker", (queue,)
    ).fetchall()
    orphans = sum(
        n for worker, n in held if (worker not in known and is_alive(path, worker) is not True)
        or is_alive(path, worker) is False
    )  # fmt: skip
    if dead or orphans:
        who = f"{len(dead)} dead workers are still listed" if dead else "a worker is not known any more"
        yield Finding(
            "dead_workers",
            f"{who}, and {orphans} tasks are in their hands; the next worker that starts takes them back",
            mend=f"Give their {orphans} tasks back now" if orphans else "Forget them",
        )
    (locks,) = conn.execute(
        "SELECT count(*) FROM kv WHERE queue = ? AND owner IS NOT NULL AND owner NOT IN (SELECT id FROM worker)",
        (queue,),
    ).fetchone()
    if locks:
        yield Finding(
            "stale_locks",
            f"{locks} locks belong to workers that are gone; tasks that need them are refused",
            mend=f"Free {locks} locks",
        )


def _drift(conn: sqlite3.Connection, queue: str) -> Iterator[Finding]:
    handlers = {row[0] for row in conn.execute("SELECT name FROM handler WHERE queue = ?", (queue,))}
    if not handlers:
        return  # no worker has ever said which tasks it knows
    query = " UNION ALL ".join(f"SELECT name FROM {table} WHERE queue = :queue" for table in PLACES.values())
    waiting = conn.execute(f"SELECT name, count(*) FROM ({query}) GROUP BY name", {"queue": queue}).fetchall()
    strange = [(name or "(unreadable)", n) for name, n in waiting if name not in handlers]
    if strange:
        named = ", ".join(f"{name} ({n})" for name, n in strange[:NAMES])
        yield Finding(
            "no_handler",
            f"{sum(n for _, n in strange)} waiting tasks have a name that the last worker did not know: {named}; they will "
            "become dead letters, from where they can be retried once a worker knows them again",
        )


def _schedules(conn: sqlite3.Connection, queue: str, now: float) -> Iterator[Finding]:
    query = f"""SELECT name, {_number("next_at")}, error, missed FROM periodic WHERE queue = ? AND enabled AND
        (paused_at IS NULL OR paused_until <= ?) ORDER BY name"""
    for name, next_at, error, missed in conn.execute(query, (queue, now)):
        if error:
            yield Finding("schedule_error", f"{name}: cannot be evaluated: {error}")
        elif next_at is not None and now - next_at > OVERDUE_S:
            yield Finding(
                "schedule_overdue",
                f"{name}: was due {(now - next_at) / 60:.0f} minutes ago, and no worker has fired it; is one running?",
            )
        if missed:
            yield Finding(
                "missed_ticks",
                f"{name}: {missed} ticks got no run; see: topic-console schedules missed {name}",
                hint=True,
            )


def _clock(conn: sqlite3.Connection, queue: str, now: float) -> Iterator[Finding]:
    latest = max(
        (
            row[0] or 0.0
            for query in (
                f"SELECT max({_number('heartbeat_at')}) FROM worker WHERE queue = ?",
                f"SELECT {_number('finished_at')} FROM run WHERE queue = ? ORDER BY id DESC LIMIT 1",
            )
            for row in conn.execute(query, (queue,))
        ),
        default=0.0,
    )
    if latest - now > SKEW_S:
        yield Finding(
            "clock",
            f"the files know of a moment {latest - now:.0f} s after now: this clock was set back, or a worker's clock is "
            "ahead; ages and due times are wrong by as much",
        )
    if time.gmtime(now).tm_year < 2024:
        yield Finding("clock", f"this machine's clock says {time.ctime(now)}")


def letters(conn: sqlite3.Connection) -> Iterator[Finding]:
    """What is wrong in `dlq.db`."""
    yield from _values(conn)
    rows = dict(conn.execute("SELECT state, count(*) FROM letter GROUP BY state"))
    counted = dict(conn.execute("SELECT state, n FROM depth WHERE n <> 0"))
    causes = dict(conn.execute("SELECT fingerprint, n FROM cause"))
    grouped = dict(
        conn.execute("SELECT fingerprint, count(*) FROM letter WHERE state = 'dead' GROUP BY fingerprint")
    )
    if rows != counted or causes != grouped:
        yield Finding(
            "letter_counters",
            f"{sum(rows.values())} dead letters of {len(grouped)} causes are there, the counters say "
            f"{sum(counted.values())} of {len(causes)}",
            mend="Count the dead letters anew",
        )


def lost_retries(tasks_db: Path, dlq_db: Path, queue: str) -> list[Finding]:
    """Letters that wait for the outcome of a retry of which there is no trace."""
    if not (tasks_db.exists() and dlq_db.exists()):
        return []
    lost = lost_retry_ids(tasks_db, dlq_db, queue)
    if not lost:
        return []
    text = f"{len(lost)} dead letters wait for a retry that is nowhere: neither waiting nor running nor ended"
    return [Finding("lost_retries", text, mend="Show them as dead again")]


def lost_retry_ids(tasks_db: Path, dlq_db: Path, queue: str) -> list[str]:
    """The tasks that such letters wait for."""
    with wrapped(dlq_db), contextlib.closing(_reader(dlq_db)) as conn:
        waited = [
            row[0]
            for row in conn.execute(
                "SELECT retried_as FROM letter WHERE queue = ? AND state = 'retrying'", (queue,)
            )
        ]
    query = " UNION ALL ".join(
        f"SELECT 1 FROM {table} WHERE task_id = :id"
        for table in ("task", "schedule", "claim", "run", "removed_task")
    )
    with wrapped(tasks_db), contextlib.closing(_reader(tasks_db)) as conn:
        return [one for one in waited if conn.execute(f"{query} LIMIT 1", {"id": one}).fetchone() is None]


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=2.0)


def strays(tasks_db: Path) -> Iterator[Finding]:
    """Locks and sockets of workers that are gone."""
    found = stray_files(tasks_db)
    if found:
        yield Finding(
            "stray_files",
            f"{len(found)} locks and sockets in {workers_folder(tasks_db).name} belong to no worker; they do no harm",
            mend="Remove them",
            hint=True,
        )


def stray_files(tasks_db: Path) -> list[Path]:
    """Files of workers that neither live nor are listed."""
    folder = workers_folder(tasks_db)
    if not (folder.is_dir() and tasks_db.exists()):
        return []
    try:
        with wrapped(tasks_db), contextlib.closing(_reader(tasks_db)) as conn:
            known = {row[0] for row in conn.execute("SELECT id FROM worker")}
    except Exception:  # noqa: BLE001 - what is wrong with the file is said elsewhere
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if path.stem.isdigit()
        and int(path.stem) not in known
        and is_alive(tasks_db, int(path.stem)) is not True
    ]
