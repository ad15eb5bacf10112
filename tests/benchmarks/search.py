"""Searching 200,000 documents, beside what SQLite alone takes for the plainest query of the same words.

    python -m tests.benchmarks.search [--documents N] [--keep FILE]

The baseline is `ORDER BY rank LIMIT 20` over the same full-text index: no stems, no filters, no snippets. Each figure
is the median of nine searches of an opened file, as the console does them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.figures import head, line, median_ms
from tests.benchmarks.texts import made_texts
from worker.research.library import Library
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = 120
DAY_S = 86_400
NEWEST = 1_795_000_000
_INSERT = (
    "INSERT INTO document (id, market, source, title, url, source_url, canonical_key, content_hash, summary, content, "
    "language, domain, country, vertical, reliability_score, published_at, fetched_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'd', 'c', 'v', 0.5, ?, ?)"
)


def filled(path: Path, documents: int) -> None:
    """A library of four markets, 400 sources and two years, in the order in which it would have been collected."""
    rows = _rows(documents)
    with Library(path) as library:
        with library.transaction() as conn:
            conn.executemany(
                "INSERT INTO source (market, key, name, url, last_attempt) VALUES (?, ?, ?, '', 0)",
                [(f"m{n % 4}", f"x{n}.example/feed", f"x{n}.example") for n in range(400)],
            )
            conn.executemany(
                "INSERT INTO tally (name, n) VALUES (?, ?)",
                [(f"documents:m{n}", documents // 4) for n in range(4)],
            )
        while chunk := list(itertools.islice(rows, 500)):
            with library.transaction() as conn:
                conn.executemany(_INSERT, chunk)
                conn.execute(
                    "INSERT INTO document_fts (rowid, title, summary, content) "
                    "SELECT id, title, summary, content FROM document WHERE id >= ?",
                    (chunk[0][0],),
                )


def _rows(documents: int) -> Iterator[tuple[object, ...]]:
    texts = made_texts(11, WORDS)
    for number in range(1, documents + 1):
        text = next(texts)
        words = text.split()
        at = NEWEST - (documents - number) * 2 * 365 * DAY_S / documents
        url = f"https://x{number % 400}.example/{number}"
        yield (
            number, f"m{number % 4}", f"x{number % 400}.example/feed", " ".join(words[:8]), url, url, url[8:],
            f"h{number}", " ".join(words[:30]), text, "de" if number % 3 else "en", at, at,
        )  # fmt: skip


def queries(path: Path) -> dict[str, str]:
    """Words that are in nearly all documents, in some, in few; alone, together, and with filters."""
    conn = sqlite3.connect(path)
    conn.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab (main, document_fts, row)")
    total = conn.execute("SELECT n FROM (SELECT max(id) AS n FROM document)").fetchone()[0]

    def near(share: float) -> str:
        sql = "SELECT term FROM vocabulary WHERE length(term) > 4 ORDER BY abs(doc - ?) LIMIT 1"
        return str(conn.execute(sql, (share * total,)).fetchone()[0])

    most, tenth, hundredth, few = near(0.6), near(0.1), near(0.01), near(0.0002)
    conn.close()
    return {
        "in most": most,
        "in a tenth": tenth,
        "in a hundredth": hundredth,
        "in a few": few,
        "three words": f"{most} {tenth} {hundredth}",
        "a phrase": f'"{most} {tenth}"',
        "the beginning of a word": few[:3],
        "market": f"{tenth} market:m1",
        "source": f"{most} source:x7.example",
        "source, rare": f"{hundredth} source:x7.example",
        "after": f"{tenth} after:2026-09-01",
        "language": f"{most} lang:en",
        "all filters": f"{tenth} market:m3 source:x7.example after:2026-01-01 lang:de",
        "nothing": "xyzzyx",
    }


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--keep", type=Path, help="where the library is made, and found the next time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = options.keep or Path(name) / "topics.db"
        if not path.exists():
            filled(path, options.documents)
        measure(path, options.documents)


def measure(path: Path, documents: int) -> None:
    """Each query, ours and SQLite's."""
    from console.readings.connection import LIBRARY, File
    from console.readings.documents import search

    file = File(path, LIBRARY)
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    plain = "SELECT rowid, title FROM document_fts WHERE document_fts MATCH ? ORDER BY rank LIMIT 20"
    head(f"Search in {documents:,} documents", "SQLite's rank")
    for name, query in queries(path).items():
        words = " ".join(json.dumps(word.strip('"')) for word in query.split() if ":" not in word)
        line(
            name,
            median_ms(lambda query=query: search(file, query, NEWEST, 20), 9),
            median_ms(lambda words=words: conn.execute(plain, (words,)).fetchall(), 9),
            "ms",
        )
    file.close()


if __name__ == "__main__":
    main()
