"""Topics: how fast 10,000 documents are ranked, and how many planted risers are found, beside two simpler ways.

    python -m tests.benchmarks.topics [--quick]

The baselines read the same stories: the commonest words of the week's titles, and the word sequences whose frequency
differs most from earlier weeks (G2, at least three outlets, overlaps merged), the best of the methods compared before.
Each ranking runs in a process of its own, so that its peak memory is its own; it uses one core, and its CPU seconds
are told, for a shared machine stretches the others.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.figures import head, line
from tests.research import planted
from tests.research.baselines import bursts, term_counts
from tests.research.notion_runner import market
from worker.research.library import Library
from worker.research.topics import rank_topics
from worker.research.topics_store import save_ranking

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.research.topics import Topic


def fill(path: Path, corpus: planted.Corpus, *, without: int = 0) -> list[list[object]]:
    """Stores all days of a corpus but the last ones, and returns those."""
    days = list(corpus.days())
    with Library(path) as library:
        for day in days[: len(days) - without]:
            planted.store(library, day)
    return days[len(days) - without :]


def new_day(stories: int) -> planted.Day:
    """A day with about so many everyday stories, as none of the corpus."""
    corpus = planted.Corpus(seed=99, everyday=stories / len(planted.OUTLETS), first=1_000_000)
    return list(corpus.days(weeks=1))[-1]


def apart(work: Callable[..., object], *args: object) -> tuple[object, float]:
    """What a call returns in a fresh process, and that process's peak memory in MB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, *args))


def _measured(work: Callable[..., object], *args: object) -> tuple[object, float]:
    result = work(*args)
    status = Path("/proc/self/status").read_text()
    return result, int(status.partition("VmHWM:")[2].split()[0]) / 1024


def ranked(path: Path, now_days_back: int = 0) -> tuple[float, int]:
    """CPU seconds to rank and keep the ranking, and stories in the window."""
    with Library(path) as library:
        started = time.process_time()
        ranking = rank_topics(market(), library, now=planted.NOW - timedelta(days=now_days_back))
        save_ranking(library, ranking)
        return time.process_time() - started, ranking.stories


def burst_ranked(path: Path) -> float:
    """CPU seconds of the burst baseline."""
    with Library(path) as library:
        started = time.process_time()
        bursts(library, planted.NOW)
        return time.process_time() - started


def words(topic: Topic) -> str:
    """What a reader sees of a topic first."""
    return " ".join([topic.title, topic.key, *(one.title for one in topic.samples[:3])]).casefold()


def found(texts: list[str]) -> int:
    """How many planted risers are named."""
    return sum(any(plant.name in text for text in texts) for plant in planted.RISING)


def speed(quick: bool) -> None:
    """10,000 documents from nothing, then a day of 500 more; and all of them within one window."""
    head("Speed", "bursts")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "topics.db"
        everyday = 1.4 if quick else 4.6
        fill(path, planted.Corpus(everyday=everyday), without=1)
        last = new_day(60 if quick else 440)
        with Library(path) as library:
            count = library.tally("documents")
        (seconds, stories), memory = apart(ranked, path, 1)
        burst, burst_memory = apart(burst_ranked, path)
        line(f"rank {count:,} documents, {stories:,} in the week", seconds, burst, "s")
        line("peak memory", memory, burst_memory, "MB")
        with Library(path) as library:
            new = planted.store(library, last)
        (again, _), memory = apart(ranked, path)
        line(f"rank again with a new day of {new:,}", again, burst, "s")
        line(
            "rank again with nothing new",
            statistics.median(apart(ranked, path)[0][0] for _ in range(3)),
            burst,
            "s",
        )  # type: ignore[index]


def precision(quick: bool) -> None:
    """Of the ten planted risers, how many stand in the top ten."""
    print(
        f"\nPlanted risers in the top ten (median of seeds)\n{'':44} {'ours':>8} {'bursts':>8} {'counts':>8}"
    )
    for strength in (1.0, 0.6, 0.4):
        results = []
        for seed in range(1, 3 if quick else 6):
            with tempfile.TemporaryDirectory() as name, Library(Path(name) / "topics.db") as library:
                for day in planted.Corpus(seed, strength=strength).days():
                    planted.store(library, day)
                ranking = rank_topics(market(), library, now=planted.NOW)
                results.append(
                    (
                        found([words(topic) for topic in ranking.topics[:10]]),
                        found(bursts(library, planted.NOW)),
                        found(term_counts(library, planted.NOW)),
                    )
                )
        medians = [statistics.median(column) for column in zip(*results, strict=True)]
        told = f"told by {strength:.0%} of the planned outlets"
        print(f"{told:<44} {medians[0]:>8g} {medians[1]:>8g} {medians[2]:>8g}   {results}", flush=True)


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer documents and seeds")
    quick = parser.parse_args().quick
    speed(quick)
    precision(quick)


if __name__ == "__main__":
    main()
