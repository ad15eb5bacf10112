"""The tables of `tasks.db`, what is to be done and what was done, as readable SQL. Times are Unix seconds (UTC).

Version 1 is frozen. A later version is a script of its own that brings an older file up to it.
"""

from __future__ import annotations

from worker.queue.schema_shared import FAILURE, JOURNAL

APPLICATION_ID = 0x746F7069  # "topi"

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

_V1 = f"""
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
    {FAILURE}
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


# -- version 2 ---------------------------------------------------------------------------------

_ROLLUPS = """
CREATE TABLE rollup (                         -- what each task did in each minute, hour and day; see rollups.py
    queue TEXT NOT NULL,
    span TEXT NOT NULL,                       -- minute | hour | day (of UTC)
    at INTEGER NOT NULL,                      -- Unix second at which it begins
    name TEXT NOT NULL,                       -- module.function
    completed INTEGER NOT NULL, retrying INTEGER NOT NULL, dead INTEGER NOT NULL,
    skipped INTEGER NOT NULL, cancelled INTEGER NOT NULL, interrupted INTEGER NOT NULL,
    waited TEXT NOT NULL,                     -- JSON: {bucket: n} of the seconds from ready to start
    took TEXT NOT NULL,                       -- likewise, from start to end
    PRIMARY KEY (queue, span, at, name)
) WITHOUT ROWID;
CREATE TABLE rollup_mark (run_id INTEGER NOT NULL);  -- the last run that is in the rollups; one row
INSERT INTO rollup_mark VALUES (0);

CREATE TABLE depth_minute (                   -- the most that was in each minute; no row: no worker was there
    queue TEXT NOT NULL,
    minute INTEGER NOT NULL,                  -- Unix time // 60
    pending INTEGER NOT NULL, running INTEGER NOT NULL, scheduled INTEGER NOT NULL,
    PRIMARY KEY (queue, minute)
) WITHOUT ROWID;
"""

_TICKS = """
CREATE TABLE tick (                           -- what became of each tick of a schedule
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    schedule TEXT NOT NULL,                   -- periodic.name
    tick_at REAL NOT NULL,                    -- when it was due
    last_at REAL,                             -- of a row that stands for several ticks: the last of them
    n INTEGER NOT NULL DEFAULT 1,             -- how many ticks it stands for
    state TEXT NOT NULL,                      -- fired | missed | caught_up | replayed | acknowledged | paused
    noticed_at REAL NOT NULL,                 -- when a worker dealt with it
    why TEXT,                                 -- why it did not fire on time, in words; null: it did
    task_id TEXT,                             -- of the run that answers it
    settled_at REAL,                          -- null: missed
    entry TEXT,                               -- journal.id of the operator's act that settled it
    was TEXT                                  -- its state before that act
);
CREATE UNIQUE INDEX tick_once ON tick (queue, schedule, tick_at);
CREATE INDEX tick_state ON tick (queue, schedule, state, tick_at);
CREATE INDEX tick_task_id ON tick (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX tick_entry ON tick (entry) WHERE entry IS NOT NULL;
CREATE INDEX tick_settled ON tick (settled_at) WHERE settled_at IS NOT NULL;
ALTER TABLE periodic ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;
INSERT INTO tick (queue, schedule, tick_at, n, state, noticed_at, why)
    SELECT queue, name, seen_at, missed, 'missed', seen_at, 'noticed by an earlier version, which kept only their number'
    FROM periodic WHERE missed > 0;
INSERT INTO tick (queue, schedule, tick_at, state, noticed_at, task_id, settled_at)
    SELECT queue, name, last_at, 'fired', last_at, last_task_id, last_at FROM periodic WHERE last_at IS NOT NULL
    ON CONFLICT (queue, schedule, tick_at) DO NOTHING;
"""


_ALERTS = """
CREATE TABLE alert (                          -- breaches of limits, each told once; see alerts.py
    queue TEXT NOT NULL,
    code TEXT NOT NULL,                       -- worker_silent | oldest_age | schedule_overdue | new_cause
    subject TEXT NOT NULL,                    -- whose: worker.id, periodic.name, cause.fingerprint
    text TEXT NOT NULL,
    raised_at REAL NOT NULL,
    ended_at REAL,                            -- null: it goes on
    taken_at REAL,                            -- when a process took it to tell it
    tries INTEGER NOT NULL DEFAULT 0,
    sent_at REAL,                             -- null: not told yet
    error TEXT,                               -- why it could not be told, the last time
    PRIMARY KEY (queue, code, subject)
) WITHOUT ROWID;
"""

_WISHES = """
ALTER TABLE worker ADD COLUMN wish TEXT;      -- hold | drain: what an operator asks of it; null: to work
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


# The counters that every arrival and every outcome changes are one small table, and those of now stand beside
# those of this minute: on the same page, so that a commit writes one page for all of them.
NOW = 1 << 40  # the `minute` of what is the case now
_TALLY_V2 = f"""
CREATE TABLE tally (
    queue TEXT NOT NULL,
    minute INTEGER NOT NULL,                  -- Unix time // 60; or {NOW}: now
    event TEXT NOT NULL,                      -- of a minute: enqueued, or a run's state
                                              -- now: pending | scheduled, and `sequence`: the highest task.id ever
    n INTEGER NOT NULL,
    PRIMARY KEY (queue, minute, event)
) WITHOUT ROWID;
INSERT INTO tally SELECT queue, minute, event, n FROM minute;
INSERT INTO tally SELECT queue, {NOW}, state, n FROM depth WHERE state <> 'running';
INSERT INTO tally SELECT DISTINCT queue, {NOW}, 'sequence', (SELECT seq FROM sqlite_sequence WHERE name = 'task')
    FROM depth WHERE EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'task');
DROP TRIGGER task_in;
DROP TRIGGER task_out;
DROP TRIGGER schedule_in;
DROP TRIGGER schedule_out;
DROP TRIGGER claim_in;
DROP TRIGGER claim_out;
DROP TABLE minute;
DROP TABLE depth;
CREATE VIEW minute AS SELECT queue, minute, event, n FROM tally WHERE minute < {NOW};
CREATE VIEW depth AS                          -- claims are as few as there are workers, so they are counted
    SELECT queue, event AS state, n FROM tally WHERE minute = {NOW} AND event <> 'sequence'
    UNION ALL SELECT queue, 'running', count(*) FROM claim GROUP BY queue;
"""

# AUTOINCREMENT keeps its high mark on a page of its own, which each arrival would have to write.
_TASK_V2 = f"""
CREATE TABLE task_v2 (
    id INTEGER PRIMARY KEY,                   -- given by NEXT_ID: never used twice, and in the order of arrival
    ready_at REAL NOT NULL,
    {_ENVELOPE}
);
INSERT INTO task_v2 SELECT * FROM task ORDER BY id;
DROP TABLE task;
ALTER TABLE task_v2 RENAME TO task;
CREATE INDEX task_next ON task (queue, priority DESC, id);
CREATE INDEX task_task_id ON task (task_id);
"""

# The id of a row that arrives in `task`; to be bound: the queue.
NEXT_ID = f"""(SELECT 1 + max(
    coalesce((SELECT n FROM tally WHERE queue = ? AND minute = {NOW} AND event = 'sequence'), 0),
    coalesce((SELECT max(id) FROM task), 0)))"""


_SWITCHES = """
CREATE TABLE switched_off (                   -- what an operator has switched off
    queue TEXT NOT NULL,
    scope TEXT NOT NULL,                      -- what kind of names they are, for example sources:demo
    name TEXT NOT NULL,
    off_at REAL NOT NULL, off_by TEXT NOT NULL, note TEXT,
    PRIMARY KEY (queue, scope, name)
) WITHOUT ROWID;
"""


def _tally_triggers(table: str, state: str, *, sequence: bool = False) -> str:
    keep = f"""
    INSERT INTO tally VALUES (new.queue, {NOW}, 'sequence', new.id)
    ON CONFLICT (queue, minute, event) DO UPDATE SET n = max(n, excluded.n);"""
    return f"""
CREATE TRIGGER {table}_in AFTER INSERT ON {table} BEGIN
    INSERT INTO tally VALUES (new.queue, {NOW}, '{state}', 1)
    ON CONFLICT (queue, minute, event) DO UPDATE SET n = n + 1;{keep if sequence else ""}
END;
CREATE TRIGGER {table}_out AFTER DELETE ON {table} BEGIN
    UPDATE tally SET n = n - 1 WHERE queue = old.queue AND minute = {NOW} AND event = '{state}';
END;
"""


# What an act of an operator created or changed, task by task, so that undo finds a hundred thousand of them.
_TOUCHED_V2 = """
CREATE TABLE touched_task (
    entry TEXT NOT NULL,                      -- journal.id
    task_id TEXT NOT NULL,
    before TEXT,                              -- JSON: what undo gives back to it
    PRIMARY KEY (entry, task_id)
) WITHOUT ROWID;
"""

_V2 = (
    _TALLY_V2
    + _TASK_V2
    + _TOUCHED_V2
    + _tally_triggers("task", "pending", sequence=True)
    + _tally_triggers("schedule", "scheduled")
    + _ROLLUPS
    + _TICKS
    + _SWITCHES
    + _ALERTS
    + _WISHES
)

# Each entry brings a file from version n to n + 1. Never edit one that has shipped: add the next.
MIGRATIONS = (
    _V1
    + JOURNAL
    + _depth_triggers("task", "pending")
    + _depth_triggers("schedule", "scheduled")
    + _depth_triggers("claim", "running"),
    _V2,
)
