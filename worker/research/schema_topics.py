"""What version 2 of the library adds for topics: their history, their stories, and what a model said of them."""

from __future__ import annotations

TOPICS = """
ALTER TABLE topic ADD COLUMN place INTEGER;             -- in the market's latest ranking; null: not in it
ALTER TABLE topic ADD COLUMN trend TEXT NOT NULL DEFAULT 'unknown'; -- new | rising | steady | falling | unknown
ALTER TABLE topic ADD COLUMN velocity REAL;             -- times its usual voices; null: no history yet
ALTER TABLE topic ADD COLUMN confidence REAL NOT NULL DEFAULT 0; -- 0 to 1
ALTER TABLE topic ADD COLUMN phrases TEXT NOT NULL DEFAULT '[]'; -- JSON: by which it is known again
ALTER TABLE topic ADD COLUMN days TEXT NOT NULL DEFAULT '[]';    -- JSON: outlets on each of its days, oldest first
ALTER TABLE topic ADD COLUMN named_by TEXT;             -- the model that named it; null: its phrase
ALTER TABLE topic ADD COLUMN summary TEXT;              -- what happened, by the model
ALTER TABLE topic ADD COLUMN angle TEXT;                -- what to write about it, by the model
ALTER TABLE topic ADD COLUMN creating_at REAL;          -- a Notion page was being made then; null: none was
ALTER TABLE topic ADD COLUMN notion_source TEXT;        -- the data source its page is in; null: as version 1 left it
CREATE INDEX topic_current ON topic (score, id) WHERE place IS NOT NULL;

CREATE TABLE topic_document (                           -- the stories of a topic, as last ranked
    topic INTEGER NOT NULL REFERENCES topic (id) ON DELETE CASCADE,
    document INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    PRIMARY KEY (topic, document)
) WITHOUT ROWID;
CREATE INDEX topic_of_document ON topic_document (document);

CREATE TABLE document_terms (                           -- the word stems of a story, made once
    document INTEGER PRIMARY KEY REFERENCES document (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,                           -- of how they are made
    terms TEXT NOT NULL
);
CREATE TRIGGER document_terms_old AFTER UPDATE OF title, summary, content ON document BEGIN
    DELETE FROM document_terms WHERE document = old.id;
END;

CREATE TABLE ranking (                                  -- the latest of each market
    market TEXT PRIMARY KEY,
    at REAL NOT NULL,
    stories INTEGER NOT NULL,                           -- of the window that was ranked
    outlets INTEGER NOT NULL,
    history INTEGER NOT NULL,                           -- earlier windows it was compared with; 0: no history yet
    seconds REAL NOT NULL,
    llm TEXT                                            -- JSON: what the model did and cost, or why it did not
) WITHOUT ROWID;

CREATE TABLE llm_answer (                               -- what a model said, so that it is asked once
    hash TEXT PRIMARY KEY,                              -- of model, prompt and question
    at REAL NOT NULL,
    model TEXT NOT NULL,
    answer TEXT NOT NULL                                -- JSON
) WITHOUT ROWID;

CREATE TABLE llm_usage (                                -- what was spent on each day (UTC)
    day TEXT PRIMARY KEY,
    requests INTEGER NOT NULL,
    tokens INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE delivery (                                 -- the latest of each sink
    sink TEXT PRIMARY KEY,                              -- notion | report
    at REAL NOT NULL,
    error TEXT,                                         -- null: it went well
    stats TEXT NOT NULL                                 -- JSON
) WITHOUT ROWID;
"""
