"""What a migration left for later, done in small batches after a collection: a file of any size opens at once."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from worker.research.dedup import tellings, words_of
from worker.research.dedup_index import FingerprintIndex

if TYPE_CHECKING:
    from worker.research.library import Library
    from worker.sqlite import sqlite3

_BATCH: Final = 200
# About twenty thousand documents after each collection; the newest, which are copied most, come first.
BUDGET_S: Final = 10.0


def fingerprint_old(library: Library, *, budget_s: float = BUDGET_S) -> int:
    """Gives documents of an older version their fingerprints; answers how many got theirs.

    Args:
        library: open.
        budget_s: no batch begins later; at least one is done.

    Raises:
        LibraryError: the library cannot be written; whole batches stay done.
    """
    deadline = time.monotonic() + budget_s
    done = 0
    while library.rows("SELECT 1 FROM upkeep WHERE name = 'fingerprints'"):
        with library.transaction() as conn:
            done += _batch(conn)
        if time.monotonic() >= deadline:
            break
    return done


def _batch(conn: sqlite3.Connection) -> int:
    rows = conn.execute(
        "SELECT id, source, canonical_key, title, summary, content FROM document "
        "WHERE id <= (SELECT up_to FROM upkeep WHERE name = 'fingerprints') ORDER BY id DESC LIMIT ?",
        (_BATCH,),
    ).fetchall()
    if not rows:
        conn.execute("DELETE FROM upkeep WHERE name = 'fingerprints'")
        return 0
    by_source: defaultdict[str, list[sqlite3.Row]] = defaultdict(list)
    for row in rows:
        by_source[row["source"]].append(row)
    told = [
        (row["id"], telling.fingerprints)
        for group in by_source.values()
        for row, telling in zip(
            group,
            tellings(
                (words_of(row["title"], row["summary"], row["content"]) for row in group),
                [row["canonical_key"] for row in group],
            ),
            strict=True,
        )
    ]
    index = FingerprintIndex(conn)
    index.load(one for _, fingerprints in told for one in fingerprints)
    for document, fingerprints in told:
        index.add(document, fingerprints)
    index.save()
    conn.execute("UPDATE upkeep SET up_to = ? WHERE name = 'fingerprints'", (rows[-1]["id"] - 1,))
    return len(rows)
