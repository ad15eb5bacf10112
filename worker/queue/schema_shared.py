"""What `tasks.db` and `dlq.db` have in common: the columns of a failure, and the operators' journal."""

from __future__ import annotations

# What is known of an ended attempt, and of a dead task.
FAILURE = """
    error_type TEXT,                          -- qualified class name of the exception
    error TEXT,                               -- its message, or why a run was skipped or cancelled
    traceback TEXT,
    fingerprint TEXT                          -- groups failures of one cause
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
