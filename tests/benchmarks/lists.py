"""Filtering and acting on lists as long as they get: how soon something is seen, and who has to wait.

python -m tests.benchmarks.lists HOME

HOME is one that `tests.benchmarks.big_home` has written. Baselines: a page of the same list without a filter, and
an enqueue beside nothing. What is taken away is brought back; the enqueued tasks stay.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from pathlib import Path

from console.readings import Edge, Readings
from tests.benchmarks.figures import head, line
from worker.places import Home
from worker.queue import Operator

PAGE = 200
ROUNDS = 5


def search(listing) -> tuple[float, float, float, int]:
    """Milliseconds to the first window, to the last, and of the longest step; and how many were found."""
    started = before = time.perf_counter()
    first = longest = found = 0
    for window in listing.steps(Edge.FIRST, None, PAGE):
        now = time.perf_counter()
        first = first or now - started
        longest, before = max(longest, now - before), now
        found += len(window.rows)
    return first * 1000, (time.perf_counter() - started) * 1000, longest * 1000, found


def median(work, rounds: int = ROUNDS) -> list[float]:
    """Medians of several rounds, value by value."""
    return [statistics.median(values) for values in zip(*(work() for _ in range(rounds)), strict=True)]


def filters(readings: Readings) -> None:
    """A common word, a rare one, and one that is nowhere."""
    head("filtering a list, ms", "one page without a filter")
    for name, listing in (
        ("1,000,000 tasks", readings.queue),
        ("100,000 letters", lambda text: readings.letters(None, text)),
    ):
        (plain,) = median(lambda listing=listing: (search(listing(""))[1],))
        for what, text in (("common word", "task"), ("rare", "id:t99999"), ("nowhere", "nowhere-at-all")):
            first, whole, longest, found = median(lambda listing=listing, text=text: search(listing(text)))
            line(f"{name}, {what}: first window", first, plain, "ms")
            line(f"{name}, {what}: whole search ({found:.0f} found)", whole, plain, "ms")
            line(f"{name}, {what}: longest step", longest, plain, "ms")


def waiting(operator: Operator, act) -> tuple[float, float, float]:
    """Seconds that an act takes, and the median and longest wait of enqueues beside it, in ms."""
    times: list[float] = []
    ended = threading.Event()

    def enqueue() -> None:
        while not ended.is_set():
            started = time.perf_counter()
            operator.enqueue("a.task", [1], delay=86_400)
            times.append((time.perf_counter() - started) * 1000)
            time.sleep(0.01)

    beside = threading.Thread(target=enqueue)
    beside.start()
    started = time.perf_counter()
    act()
    took = time.perf_counter() - started
    time.sleep(0.1)
    ended.set()
    beside.join()
    return took, statistics.median(times), max(times)


def acts(home: Home, readings: Readings) -> None:
    """A hundred thousand letters deleted, brought back, and as many tasks cancelled and brought back."""
    from worker.queue.change import Chosen

    operator = Operator(home.tasks_db, home.dlq_db)
    other = Operator(home.tasks_db, home.dlq_db)
    _, alone, alone_longest = waiting(other, lambda: time.sleep(2))
    head("acting on many, while another enqueues every 10 ms", "enqueues beside nothing")
    line("enqueue beside nothing, longest", alone_longest, alone_longest, "ms")
    ids = list(readings.letters().freeze())[-1].numbers[""]
    rows = list(readings.queue("market:m1").freeze())[-1].numbers["p"]
    entries: list[str] = []
    for name, act in (
        (f"delete {len(ids):,} letters", lambda: operator.delete_letters(ids)),
        ("undo it", lambda: operator.undo(entries[-1])),
        (f"cancel {len(rows):,} tasks", lambda: operator.cancel(Chosen(pending=rows))),
        ("undo that", lambda: operator.undo(entries[-1])),
    ):
        took, middle, longest = waiting(other, lambda act=act: entries.append(act().entry))
        line(f"{name}: takes", took, None, "s")
        line(f"{name}: enqueue beside it, median", middle, alone, "ms")
        line(f"{name}: enqueue beside it, longest", longest, alone_longest, "ms")
    operator.close()
    other.close()


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    home = Home(parser.parse_args().home)
    readings = Readings(home)
    filters(readings)
    acts(home, readings)
    readings.close()


if __name__ == "__main__":
    main()
