"""Version 1 of the library's tables. It has shipped and is frozen: changes go into a later version's script.

Times are Unix seconds (UTC).
"""

from __future__ import annotations

V1 = """
CREATE TABLE document (                       -- one story each, as the first source told it
    id INTEGER PRIMARY KEY,
    market TEXT NOT NULL,                     -- the market's name, for which it was first collected
    source TEXT NOT NULL,                     -- source.key
    title TEXT NOT NULL,
    url TEXT,                                 -- canonical; null: the feed gave no link
    source_url TEXT,                          -- as the feed gave it
    canonical_key TEXT NOT NULL UNIQUE,       -- the same for one page at any source
    content_hash TEXT NOT NULL UNIQUE,        -- the same for one text at any source
    guid TEXT,
    summary TEXT,
    content TEXT NOT NULL,
    author TEXT,
    language TEXT NOT NULL,
    domain TEXT NOT NULL,
    country TEXT NOT NULL,                    -- what the market's file calls market
    vertical TEXT NOT NULL,
    entities TEXT NOT NULL DEFAULT '[]',      -- JSON
    keywords TEXT NOT NULL DEFAULT '[]',      -- JSON
    reliability_score REAL NOT NULL,
    paywall INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT 'new',       -- new | processed | rejected
    published_at REAL,                        -- null: the feed gave no date
    fetched_at REAL NOT NULL                  -- first seen
);
CREATE INDEX document_recent ON document (market, fetched_at, id);
CREATE INDEX document_guid ON document (source, guid) WHERE guid IS NOT NULL;

CREATE TABLE duplicate (                      -- the same story at another source, or for another market
    document INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    market TEXT NOT NULL,
    url TEXT,
    reason TEXT NOT NULL,                     -- url | content | guid
    seen_at REAL NOT NULL,
    PRIMARY KEY (document, source, market)
) WITHOUT ROWID;
CREATE INDEX duplicate_recent ON duplicate (market, seen_at);

CREATE TABLE source (                         -- how each source of a market is doing
    market TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    etag TEXT, last_modified TEXT,            -- as the server sent them, with the last documents stored
    last_attempt REAL NOT NULL,
    last_success REAL,
    last_error TEXT,                          -- kept after a success; null: never failed
    last_error_at REAL,
    errors_in_row INTEGER NOT NULL DEFAULT 0,
    status INTEGER,                           -- HTTP status of the last answer
    items INTEGER NOT NULL DEFAULT 0,         -- entries in the last feed read
    documents INTEGER NOT NULL DEFAULT 0,     -- stored from it so far
    latency REAL,                             -- seconds of the last fetch
    bytes INTEGER NOT NULL DEFAULT 0,         -- of the last body
    warning TEXT,                             -- what the parser read over
    moved_to TEXT,                            -- where permanent redirects lead
    gone_at REAL,                             -- since when it answers 410 Gone
    PRIMARY KEY (market, key)
) WITHOUT ROWID;

CREATE TABLE tally (                          -- kept with every insert: documents, duplicates, documents:<market>
    name TEXT PRIMARY KEY,
    n INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE topic (
    id INTEGER PRIMARY KEY,
    market TEXT NOT NULL,
    key TEXT NOT NULL,                        -- stable over weeks
    title TEXT NOT NULL,
    score REAL NOT NULL,
    parts TEXT NOT NULL,                      -- JSON: what the score is made of
    sources INTEGER NOT NULL,                 -- distinct ones
    documents INTEGER NOT NULL,
    samples TEXT NOT NULL,                    -- JSON: [{title, url, source, at}]
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL,                  -- when it was last ranked
    notion_page_id TEXT,
    payload_hash TEXT,                        -- of what Notion was sent last
    synced_at REAL,
    UNIQUE (market, key)
);
CREATE INDEX topic_rank ON topic (market, last_seen, score);

CREATE VIRTUAL TABLE document_fts USING fts5 (
    title, summary, content,
    content = 'document', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2'
);
-- New documents are added in bulk by their transaction, which costs a third of a trigger for each row.
CREATE TRIGGER document_gone AFTER DELETE ON document BEGIN
    INSERT INTO document_fts (document_fts, rowid, title, summary, content)
    VALUES ('delete', old.id, old.title, old.summary, old.content);
    UPDATE tally SET n = n - 1 WHERE name IN ('documents', 'documents:' || old.market);
END;
CREATE TRIGGER document_changed AFTER UPDATE OF title, summary, content ON document BEGIN
    INSERT INTO document_fts (document_fts, rowid, title, summary, content)
    VALUES ('delete', old.id, old.title, old.summary, old.content);
    INSERT INTO document_fts (rowid, title, summary, content)
    VALUES (new.id, new.title, new.summary, new.content);
END;
CREATE TRIGGER duplicate_gone AFTER DELETE ON duplicate BEGIN
    UPDATE tally SET n = n - 1 WHERE name = 'duplicates';
END;
"""
