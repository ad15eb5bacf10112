"""The tables of `dlq.db`, the dead letters, as readable SQL. Times are Unix seconds (UTC).

Version 1 is frozen. A later version is a script of its own that brings an older file up to it.
"""

from __future__ import annotations

from worker.queue.schema_shared import FAILURE, JOURNAL

APPLICATION_ID = 0x746F7064  # "topd"

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
    {FAILURE}
"""

_V1 = f"""
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

_TRIGGERS = """
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

# The orders that people ask for: by task, and by what the task is about.
_SORTS_V2 = """
ALTER TABLE letter ADD COLUMN about TEXT AS (coalesce(subject, '')) VIRTUAL;
CREATE INDEX letter_name ON letter (state, name, last_seen DESC, id DESC);
CREATE INDEX letter_about ON letter (state, about, last_seen DESC, id DESC);
"""

# A careful retry of the letters of one cause: one first, the rest once it has succeeded.
_CANARY_V2 = """
CREATE TABLE canary (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    entry TEXT NOT NULL,                      -- journal.id of the act that began it
    fingerprint TEXT NOT NULL,                -- the cause
    state TEXT NOT NULL DEFAULT 'waiting',    -- waiting | releasing | released | stopped | cancelled
    count INTEGER NOT NULL,                   -- letters it is about
    released INTEGER NOT NULL DEFAULT 0,      -- of which were retried, the first one included
    letter INTEGER,                           -- the one that goes first
    task_id TEXT,                             -- its retry
    seen_run INTEGER NOT NULL DEFAULT 0,      -- run.id up to which the history was looked at
    why TEXT,                                 -- it ended as it did
    actor TEXT NOT NULL,
    started_at REAL NOT NULL,
    changed_at REAL NOT NULL
);
CREATE INDEX canary_going ON canary (queue, id) WHERE state IN ('waiting', 'releasing');
CREATE INDEX canary_cause ON canary (fingerprint, id);
CREATE INDEX canary_entry ON canary (entry);
CREATE TABLE canary_letter (                  -- letters that wait for it
    canary INTEGER NOT NULL,
    letter INTEGER NOT NULL,
    PRIMARY KEY (canary, letter)
) WITHOUT ROWID;
"""

_V2 = _SORTS_V2 + _CANARY_V2

# Each entry brings a file from version n to n + 1. Never edit one that has shipped: add the next.
MIGRATIONS = (_V1 + _TRIGGERS, _V2)
