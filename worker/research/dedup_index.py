"""The index that finds what a text may be a copy of: the tables `fingerprint` and `fingerprint_new`.

A fingerprint names at most `MOST_STORIES` documents; one that more would share is of a phrase, a form or a
footer, tells nothing, and gets no more rows. So a look-up reads a bounded number of rows, and there is no
index in memory that a restart would lose.

Of a large table each new row lies on another page, and writing a page costs more than all else that a document does.
So new rows are gathered in a small table, and put among the others when there are so many that a page gets several.
"""

from __future__ import annotations

from collections import Counter
from heapq import nlargest
from itertools import chain
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from worker.sqlite import sqlite3

MOST_STORIES: Final = 8
# How many of the likeliest are compared word by word.
MOST_CANDIDATES: Final = 4
# So many rows are gathered: of some ten thousand documents, in three megabytes.
GATHERED: Final = 200_000
# How many fingerprints two texts must share to be compared; one may be chance.
_SHARED: Final = 2


class FingerprintIndex:
    """The fingerprints of stored documents, as one transaction sees them and adds to them.

    Args:
        conn: within a write transaction.
    """

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._stories: dict[int, list[int]] = {}
        self._loaded: set[int] = set()
        self._added: list[tuple[int, int]] = []

    def load(self, hashes: Iterable[int]) -> None:
        """Reads the rows of these fingerprints in one query, for the calls that follow."""
        wanted = set(hashes) - self._loaded
        self._loaded |= wanted
        found = self._conn.execute(
            "SELECT hash, document FROM json_each(?1) CROSS JOIN fingerprint ON hash = value "
            "UNION ALL SELECT hash, document FROM json_each(?1) CROSS JOIN fingerprint_new ON hash = value",
            (orjson.dumps(sorted(wanted)).decode(),),
        )
        for hashed, document in found:
            self._stories.setdefault(hashed, []).append(document)

    def candidates(self, hashes: Sequence[int]) -> list[int]:
        """The documents that share the most of these fingerprints, the likeliest first."""
        named = [self._stories[one] for one in hashes if one in self._stories]
        shared = Counter(chain.from_iterable(one for one in named if len(one) < MOST_STORIES))
        likely = [(n, document) for document, n in shared.items() if n >= _SHARED]
        return [document for _, document in nlargest(MOST_CANDIDATES, likely)]

    def add(self, document: int, hashes: Iterable[int]) -> None:
        """Remembers a new document's fingerprints; stored by `save`."""
        stories, added = self._stories, self._added
        for one in hashes:
            known = stories.get(one)
            if known is None:
                stories[one] = [document]
            elif len(known) < MOST_STORIES:
                known.append(document)
            else:
                continue
            added.append((one, document))

    def save(self) -> None:
        """Stores what was added, in the table's own order."""
        if not self._added:
            return
        self._conn.executemany(
            "INSERT OR IGNORE INTO fingerprint_new (hash, document) VALUES (?, ?)", sorted(self._added)
        )
        # No RETURNING: it opens a savepoint, at which FTS5 would write what it has gathered so far.
        self._conn.execute(
            "INSERT INTO tally (name, n) VALUES ('fingerprints:new', ?) "
            "ON CONFLICT (name) DO UPDATE SET n = n + excluded.n",
            (len(self._added),),
        )
        self._added.clear()
        gathered = self._conn.execute("SELECT n FROM tally WHERE name = 'fingerprints:new'").fetchone()
        if gathered[0] >= GATHERED:
            self._put_among_the_others()

    def _put_among_the_others(self) -> None:
        self._conn.execute(
            "INSERT OR IGNORE INTO fingerprint (hash, document) SELECT hash, document FROM fingerprint_new"
        )
        self._conn.execute("DELETE FROM fingerprint_new")
        self._conn.execute("DELETE FROM tally WHERE name = 'fingerprints:new'")
