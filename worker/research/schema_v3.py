"""Version 3 of the library's tables: feeds that were found and wait for an operator's word. Times are Unix seconds (UTC)."""

from __future__ import annotations

V3 = """
CREATE TABLE proposal (                       -- a feed that a market could take in
    market TEXT NOT NULL,
    key TEXT NOT NULL,                        -- as source.key
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    site TEXT NOT NULL,                       -- where it was found
    why TEXT NOT NULL,                        -- what led there, in words
    entries INTEGER NOT NULL,
    newest REAL,                              -- null: its entries have no dates
    per_week REAL,
    found_at REAL NOT NULL,
    declined_at REAL,                         -- an operator does not want it; null: nobody has said so
    PRIMARY KEY (market, key)
) WITHOUT ROWID;

CREATE TABLE looked (                         -- the sites that were searched for feeds
    market TEXT NOT NULL,
    site TEXT NOT NULL,                       -- empty: the market itself
    at REAL NOT NULL,
    PRIMARY KEY (market, site)
) WITHOUT ROWID;
"""
