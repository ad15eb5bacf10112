"""The two files of the queue, as readable SQL, and how a file becomes current.

`tasks.db` holds what is to be done and what was done; `dlq.db` holds dead letters. Times are Unix
seconds (UTC). Every file carries our `application_id` and its schema's number in `user_version`
(https://sqlite.org/pragma.html#pragma_application_id), so that a stranger's file, a stock Huey file
and a file of a newer version are told apart before anything is written.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from worker.queue.errors import ForeignFileError, NewerFileError, StockHueyFileError

if TYPE_CHECKING:
    from pathlib import Path

TASKS_APPLICATION_ID = 0x746F7069  # "topi"
LETTERS_APPLICATION_ID = 0x746F7064  # "topd"

# What a waiting task is, wherever it waits. `seq` of a claim is the id it had in `task`, so that a
# task given back returns to its old place in the line.
_ENVELOPE = """
    queue TEXT NOT NULL,
    data BLOB NOT NULL,                       -- the JSON message, see message.py
    priority REAL NOT NULL DEFAULT 0,         -- higher first
    task_id TEXT,                             -- Huey's id; kept over redeliveries and retries
    name TEXT,                                -- module.function
    subject TEXT,                             -- what it is about, for people: here the market
    enqueued_at REAL NOT NULL,                -- when it was first stored
    attempt INTEGER NOT NULL DEFAULT 1,       -- which attempt the next execution is
    deliveries INTEGER NOT NULL DEFAULT 0     -- times handed out without an outcome coming back
"""

# What is known of an ended attempt, and of a dead task.
_FAILURE = """
    error_type TEXT,                          -- qualified class name of the exception
    error TEXT,                               -- its message, or why a run was skipped or cancelled
    traceback TEXT,
    fingerprint TEXT                          -- groups failures of one cause
"""

TASKS_V1 = f"""
CREATE TABLE task (                           -- ready: a worker may take it now
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ready_at REAL NOT NULL,                   -- since when it waits for a worker
    {_ENVELOPE}
);
CREATE INDEX task_next ON task (queue, priority DESC, id);
CREATE INDEX task_task_id ON task (task_id);

CREATE TABLE schedule (                       -- waits for a time
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at REAL NOT NULL,
    reason TEXT NOT NULL DEFAULT 'delay',     -- delay | retry
    {_ENVELOPE}
);
CREATE INDEX schedule_due ON schedule (queue, due_at, id);
CREATE INDEX schedule_task_id ON schedule (task_id);

CREATE TABLE claim (                          -- in the hands of a worker
    id INTEGER PRIMARY KEY,                   -- worker << 32 | counter: never used twice, so it fences late outcomes
    seq INTEGER NOT NULL,
    ready_at REAL NOT NULL,
    worker INTEGER NOT NULL,
    claimed_at REAL NOT NULL,
    done INTEGER, total INTEGER, note TEXT,   -- progress
    progress_at REAL,
    cancel INTEGER NOT NULL DEFAULT 0,        -- the operator asked it to stop
    {_ENVELOPE}
);

CREATE TABLE worker (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    parent INTEGER,                           -- pid of the process that started it, for process workers
    kind TEXT NOT NULL,                       -- thread | process | supervisor | greenlet
    threads INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'running',    -- running | stopping
    started_at REAL NOT NULL,
    heartbeat_at REAL NOT NULL,
    heartbeat_s REAL NOT NULL                 -- promised seconds between heartbeats
);

CREATE TABLE run (                            -- one ended execution each
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    task_id TEXT NOT NULL,
    name TEXT NOT NULL,
    subject TEXT,
    state TEXT NOT NULL,                      -- completed | retrying | dead | skipped | cancelled | interrupted
    attempt INTEGER NOT NULL,
    worker INTEGER,
    enqueued_at REAL NOT NULL,
    ready_at REAL NOT NULL,
    started_at REAL NOT NULL,
    finished_at REAL NOT NULL,
    retry_at REAL,                            -- state retrying: when the next attempt is due
    args TEXT,                                -- JSON: {{"args": [...], "kwargs": {{...}}}}
    result TEXT,                              -- JSON
    {_FAILURE}
);
CREATE INDEX run_task_id ON run (task_id);

CREATE TABLE depth (                          -- rows in task, schedule and claim, kept by triggers
    queue TEXT NOT NULL, state TEXT NOT NULL, -- pending | scheduled | running
    n INTEGER NOT NULL,
    PRIMARY KEY (queue, state)
) WITHOUT ROWID;

CREATE TABLE minute (                         -- what happened in each minute, for rates and graphs
    queue TEXT NOT NULL,
    minute INTEGER NOT NULL,                  -- Unix time // 60
    event TEXT NOT NULL,                      -- enqueued, or a run's state
    n INTEGER NOT NULL,
    PRIMARY KEY (queue, minute, event)
) WITHOUT ROWID;

CREATE TABLE periodic (                       -- the state of each schedule
    queue TEXT NOT NULL,
    name TEXT NOT NULL,                       -- short: the function's name
    task_name TEXT NOT NULL,                  -- module.function
    cron TEXT,                                -- null: a validator function, matched minute by minute
    timezone TEXT NOT NULL,
    catch_up TEXT NOT NULL DEFAULT 'once',    -- once | all | none
    catch_up_window REAL NOT NULL,            -- seconds
    seen_at REAL NOT NULL,                    -- up to when its ticks have been dealt with
    next_at REAL,                             -- null: unknown, or its validator raised
    last_at REAL,                             -- the tick that fired last
    last_task_id TEXT,
    missed INTEGER NOT NULL DEFAULT 0,        -- ticks that no run answered, not yet acknowledged
    paused_at REAL, paused_until REAL, pause_note TEXT, paused_by TEXT,
    error TEXT,                               -- why the schedule cannot be evaluated
    PRIMARY KEY (queue, name)
) WITHOUT ROWID;

CREATE TABLE pause (                          -- a queue from which no worker takes anything now
    queue TEXT PRIMARY KEY,
    paused_at REAL NOT NULL, paused_until REAL, pause_note TEXT, paused_by TEXT
) WITHOUT ROWID;

CREATE TABLE handler (                        -- the tasks that the last worker knew
    queue TEXT NOT NULL,
    name TEXT NOT NULL,
    summary TEXT,                             -- first line of its docstring
    retries INTEGER, retry_delay REAL, retry_backoff REAL, priority REAL, timeout REAL,
    seen_at REAL NOT NULL,
    PRIMARY KEY (queue, name)
) WITHOUT ROWID;

CREATE TABLE kv (                             -- Huey's results, locks and revocations
    queue TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
    owner INTEGER,                            -- the worker that holds the lock, so that a dead one's are freed
    PRIMARY KEY (queue, key)
);
CREATE INDEX kv_owner ON kv (owner) WHERE owner IS NOT NULL;
CREATE TABLE counter (
    queue TEXT NOT NULL, key TEXT NOT NULL, value INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (queue, key)
);

CREATE TABLE removed_task (                   -- what an operator took away, for undo
    entry TEXT NOT NULL,                      -- journal.id
    source TEXT NOT NULL,                     -- pending | scheduled
    id INTEGER NOT NULL,
    ready_at REAL, due_at REAL, reason TEXT,
    {_ENVELOPE}
);
CREATE INDEX removed_task_entry ON removed_task (entry);
"""

JOURNAL = """
CREATE TABLE journal (                        -- every change an operator made in this file
    id TEXT PRIMARY KEY,                      -- sorts by time; unique over both files
    at REAL NOT NULL,
    actor TEXT NOT NULL,                      -- user@host
    action TEXT NOT NULL,                     -- enqueue | cancel | clear | run_now | retry | delete | pause | resume | undo
    target TEXT NOT NULL,                     -- queue | failures | schedules
    count INTEGER NOT NULL,
    detail TEXT NOT NULL,                     -- JSON: what undo needs, and what people want to read
    undone_by TEXT                            -- journal.id of the entry that took it back
) WITHOUT ROWID;
"""

# A dead letter, and a dead letter that an operator took away: the same columns, so that undo loses no digit.
_LETTER = f"""
    queue TEXT NOT NULL,
    task_id TEXT NOT NULL,
    name TEXT NOT NULL,
    subject TEXT,
    reason TEXT NOT NULL,                     -- failed | poison | unreadable | unknown_task | logged
    data BLOB,                                -- the message as it was; null where only a report came
    priority REAL NOT NULL DEFAULT 0,
    args TEXT,                                -- JSON: {{"args": [...], "kwargs": {{...}}}}; null if unreadable
    attempts TEXT NOT NULL DEFAULT '[]',      -- JSON: [{{"attempt": 1, "at": "ISO 8601", "error": "..."}}]
    worker TEXT,                              -- host:pid
    first_seen REAL NOT NULL,                 -- first failure
    last_seen REAL NOT NULL,                  -- death
    retries INTEGER NOT NULL DEFAULT 0,       -- times an operator retried it
    retried_as TEXT,                          -- task_id of the latest retry
    retried_at REAL,
    {_FAILURE}
"""

LETTERS_V1 = f"""
CREATE TABLE letter (                         -- a task that will not run again by itself
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL DEFAULT 'dead',       -- dead | retrying
    death TEXT NOT NULL UNIQUE,               -- one death, one letter, however often it is reported
    {_LETTER}
);
CREATE INDEX letter_recent ON letter (state, last_seen, id);
CREATE INDEX letter_cause ON letter (state, fingerprint, last_seen, id);
CREATE INDEX letter_task_id ON letter (task_id);
CREATE INDEX letter_retried_as ON letter (retried_as) WHERE retried_as IS NOT NULL;

CREATE TABLE cause (                          -- letters in state dead, by cause, kept by triggers
    fingerprint TEXT PRIMARY KEY,
    n INTEGER NOT NULL,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL,
    sample INTEGER NOT NULL                   -- letter.id that speaks for it
) WITHOUT ROWID;

CREATE TABLE depth (state TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;  -- dead | retrying

CREATE TABLE removed_letter (                 -- what an operator deleted, for undo
    entry TEXT NOT NULL,                      -- journal.id
    id INTEGER NOT NULL,
    state TEXT NOT NULL,
    death TEXT NOT NULL,
    {_LETTER}
);
CREATE INDEX removed_letter_entry ON removed_letter (entry);
{JOURNAL}
"""


def _depth_triggers(table: str, state: str) -> str:
    return f"""
CREATE TRIGGER {table}_in AFTER INSERT ON {table} BEGIN
    INSERT INTO depth (queue, state, n) VALUES (new.queue, '{state}', 1)
    ON CONFLICT (queue, state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER {table}_out AFTER DELETE ON {table} BEGIN
    UPDATE depth SET n = n - 1 WHERE queue = old.queue AND state = '{state}';
END;
"""


LETTER_TRIGGERS = """
CREATE TRIGGER letter_in AFTER INSERT ON letter BEGIN
    INSERT INTO depth (state, n) VALUES (new.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;
    INSERT INTO cause (fingerprint, n, first_seen, last_seen, sample)
        SELECT new.fingerprint, 1, new.first_seen, new.last_seen, new.id WHERE new.state = 'dead'
    ON CONFLICT (fingerprint) DO UPDATE SET n = n + 1,
        first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen), sample = excluded.sample;
END;
CREATE TRIGGER letter_out AFTER DELETE ON letter BEGIN
    UPDATE depth SET n = n - 1 WHERE state = old.state;
    UPDATE cause SET n = n - 1 WHERE old.state = 'dead' AND fingerprint = old.fingerprint;
    DELETE FROM cause WHERE fingerprint = old.fingerprint AND n <= 0;
END;
CREATE TRIGGER letter_state AFTER UPDATE OF state ON letter WHEN old.state <> new.state BEGIN
    UPDATE depth SET n = n - 1 WHERE state = old.state;
    INSERT INTO depth (state, n) VALUES (new.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;
    UPDATE cause SET n = n - 1 WHERE old.state = 'dead' AND fingerprint = old.fingerprint;
    DELETE FROM cause WHERE fingerprint = old.fingerprint AND n <= 0;
    INSERT INTO cause (fingerprint, n, first_seen, last_seen, sample)
        SELECT new.fingerprint, 1, new.first_seen, new.last_seen, new.id WHERE new.state = 'dead'
    ON CONFLICT (fingerprint) DO UPDATE SET n = n + 1,
        first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen), sample = excluded.sample;
END;
"""

# Each entry brings a file from version n to n + 1. Never edit one that has shipped: add the next.
TASKS_MIGRATIONS = (
    TASKS_V1
    + JOURNAL
    + _depth_triggers("task", "pending")
    + _depth_triggers("schedule", "scheduled")
    + _depth_triggers("claim", "running"),
)
LETTERS_MIGRATIONS = (LETTERS_V1 + LETTER_TRIGGERS,)


def make_current(
    conn: sqlite3.Connection, path: Path, application_id: int, migrations: tuple[str, ...]
) -> None:
    """Creates the schema in an empty file, or migrates an older one, in one transaction.

    Args:
        conn: in autocommit mode (`isolation_level=None`).
        path: for the sentence of an error.
        application_id: what the file must carry, or will carry if it is empty.
        migrations: SQL scripts; script n brings version n to n + 1.

    Raises:
        QueueFileError: as `check`.
    """
    if check(conn, path, application_id, len(migrations)) == len(migrations):
        return
    conn.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have migrated it while this one waited for the lock.
        version = check(conn, path, application_id, len(migrations))
        for number, script in enumerate(migrations[version:], start=version + 1):
            for statement in _statements(script):
                conn.execute(statement)
            conn.execute(f"PRAGMA user_version = {number}")
        conn.execute(f"PRAGMA application_id = {application_id}")
        conn.execute("COMMIT")
    except BaseException:
        conn.rollback()
        raise


def check(conn: sqlite3.Connection, path: Path, application_id: int, newest: int) -> int:
    """The version of the file's schema, 0 for an empty file; reads only.

    Raises:
        StockHueyFileError: the file belongs to Huey's own SqliteHuey (pickled messages).
        ForeignFileError: the file belongs to another program.
        NewerFileError: the file was written by a newer version of this program.
    """
    found: int = conn.execute("PRAGMA application_id").fetchone()[0]
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    if found == application_id:
        if version > newest:
            raise NewerFileError(path, version, newest)
        return version
    tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    if found == 0 and {"kv", "schedule", "task"} <= tables:
        raise StockHueyFileError(path)
    raise ForeignFileError(path)


def _statements(script: str) -> list[str]:
    """The script's single statements; `executescript` would commit the transaction around them."""
    found: list[str] = []
    buffer = ""
    for line in script.splitlines(keepends=True):
        buffer += line
        if sqlite3.complete_statement(buffer) and buffer.strip():
            found.append(buffer)
            buffer = ""
    return found
