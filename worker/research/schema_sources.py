"""What version 2 of the library adds to the health of sources. Times are Unix seconds (UTC)."""

from __future__ import annotations

SOURCES = """
ALTER TABLE source ADD COLUMN kind TEXT NOT NULL DEFAULT 'feed';  -- feed | search | reddit | trends | suggestions
ALTER TABLE source ADD COLUMN next_due REAL;          -- a scheduled run does not ask it before
ALTER TABLE source ADD COLUMN held_until REAL;        -- no run of the whole market asks it before: it said so, or is gone
ALTER TABLE source ADD COLUMN per_week REAL;          -- entries a week, by its own dates; null: it gives none
ALTER TABLE source ADD COLUMN moved_seen INTEGER NOT NULL DEFAULT 0;  -- runs in a row that were led to moved_to
ALTER TABLE source ADD COLUMN unlisted_at REAL;       -- since when the market's file names it no more
CREATE INDEX source_failing ON source (market, key) WHERE errors_in_row > 0;
"""
