"""Version 4 of the library's tables: fingerprints are gathered before they are put among the others."""

from __future__ import annotations

V4 = """
CREATE TABLE fingerprint_new (                -- as `fingerprint`, of the newest documents: see dedup_index
    hash INTEGER NOT NULL,
    document INTEGER NOT NULL,
    PRIMARY KEY (hash, document)
) WITHOUT ROWID;
"""
