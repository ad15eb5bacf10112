"""Version 2 of the library's tables: one named piece for each concern, joined below.

Every piece only adds, and none but an index (0.7 s for 200,000 documents) costs more with more documents: what must
be worked out for documents that are there already is noted in `upkeep` and done by the worker in batches. Times are Unix seconds (UTC).
"""

from __future__ import annotations

from worker.research.schema_sources import SOURCES
from worker.research.schema_topics import TOPICS

UPKEEP = """
CREATE TABLE upkeep (                         -- work on old rows that a migration left to the worker
    name TEXT PRIMARY KEY,                    -- fingerprints
    up_to INTEGER NOT NULL                    -- document.id; those up to it are still to do, the highest first
) WITHOUT ROWID;
"""

COPIES = """
CREATE TABLE fingerprint (                    -- a few hashed word sequences of each text, to find what resembles it
    hash INTEGER NOT NULL,
    document INTEGER NOT NULL,                -- no reference: one that is gone is passed over
    PRIMARY KEY (hash, document)
) WITHOUT ROWID;
INSERT INTO upkeep (name, up_to) SELECT 'fingerprints', max(id) FROM document HAVING max(id) IS NOT NULL;

CREATE TABLE alias (                          -- what else a story is known by: its copies' keys and texts
    key TEXT PRIMARY KEY,                     -- canonical_key or content_hash of a copy
    document INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX alias_document ON alias (document);

-- duplicate.reason: url | content | guid | similar
ALTER TABLE duplicate ADD COLUMN title TEXT;          -- as the copy has it; null: linked by version 1
ALTER TABLE duplicate ADD COLUMN published_at REAL;
ALTER TABLE duplicate ADD COLUMN similarity REAL;     -- 0 to 1, of a similar one
"""

ENCLOSURES = """
ALTER TABLE document ADD COLUMN enclosures TEXT NOT NULL DEFAULT '[]';  -- JSON: [{url, type, length}]
"""

SEARCH = """
CREATE INDEX document_source ON document (source, id);

CREATE VIRTUAL TABLE topic_fts USING fts5 (
    title, summary, angle,
    content = 'topic', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO topic_fts (topic_fts) VALUES ('rebuild');
CREATE TRIGGER topic_added AFTER INSERT ON topic BEGIN
    INSERT INTO topic_fts (rowid, title, summary, angle) VALUES (new.id, new.title, new.summary, new.angle);
END;
CREATE TRIGGER topic_gone AFTER DELETE ON topic BEGIN
    INSERT INTO topic_fts (topic_fts, rowid, title, summary, angle)
    VALUES ('delete', old.id, old.title, old.summary, old.angle);
END;
CREATE TRIGGER topic_renamed AFTER UPDATE OF title, summary, angle ON topic BEGIN
    INSERT INTO topic_fts (topic_fts, rowid, title, summary, angle)
    VALUES ('delete', old.id, old.title, old.summary, old.angle);
    INSERT INTO topic_fts (rowid, title, summary, angle) VALUES (new.id, new.title, new.summary, new.angle);
END;
"""

# Topics' own columns come before the index over them.
V2 = f"{UPKEEP}{COPIES}{ENCLOSURES}{SOURCES}{TOPICS}{SEARCH}"
