"""The queue against stock Huey (`SqliteHuey`) in the same folder, with the same durability (fsync at each commit).

    python -m tests.benchmarks.queue [--quick] [--only WORD]

Stock Huey deletes a task when it is taken and stores no history; ours claims it, and stores outcome and history in
one transaction. Rounds of both take turns, and medians are compared.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from huey.registry import Message
from huey.serializer import Serializer

from tests.benchmarks import queue_figures as figures
from tests.benchmarks.app import made
from tests.benchmarks.figures import head, line, median_ms
from tests.benchmarks.slow_disk import slow_disk
from worker.queue.message import JsonSerializer

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = figures.KINDS
PROCESSES = ("-w", "2", "-k", "process")


class Bench:
    """How much is measured."""

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self.rounds = 1 if quick else 7
        self.many = 200 if quick else 2000

    def versus(
        self, name: str, unit: str, measure: Callable[[str], float], rounds: int | None = None
    ) -> None:
        """Measures both in turns, and prints their medians."""
        found: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for _ in range(rounds or self.rounds):
            for kind in KINDS:
                found[kind].append(measure(kind))
        ours, stock = (statistics.median(found[kind]) for kind in KINDS)
        line(name, ours, stock, unit)


def messages(_bench: Bench) -> None:
    """Encoding plus decoding a message, beside pickle."""

    bare = Message(
        "7d5f3a8a-823f-472d-a316-d14454dcf519", "app.nothing", retries=0, retry_delay=0, args=(), kwargs={}
    )
    usual = bare._replace(args=("proptech_de",), retries=3, retry_delay=60, retry_backoff=2)
    moment = dt.datetime(2026, 11, 25, 2, 0)
    later = usual._replace(eta=moment, expires_resolved=moment, kwargs={"limit": 10, "tags": ["a", "b"]})
    ours, stock = JsonSerializer(), Serializer()
    for name, message in (("no arguments", bare), ("a market's name", usual), ("eta, expiry, a dict", later)):
        times = {}
        for serializer in (ours, stock):
            packed = serializer.serialize(message)
            assert serializer.deserialize(packed) == message
            times[serializer] = _microseconds(lambda s=serializer, m=message: s.deserialize(s.serialize(m)))
        line(f"message: {name}", times[ours], times[stock], "us")


def _microseconds(work: Callable[[], object], times: int = 5000) -> float:
    rounds = []
    for _ in range(9):
        started = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - started) / times * 1e6)
    return statistics.median(rounds)


def growth(bench: Bench) -> None:
    """What one enqueue, one claim with its outcome, the depth and a page cost as the queue grows."""
    print("\nCost by pending rows (ms)" + " " * 19 + "enqueue   claim+outcome   depth    stock's depth")
    for rows in (10, 10_000) if bench.quick else (10, 10_000, 1_000_000):
        with tempfile.TemporaryDirectory() as name:
            ours, stock = made("ours", Path(name)), made("stock", Path(name))
            for huey in (ours, stock):
                figures.rows_in(huey, rows)
            for _ in range(60):
                ours.enqueue(ours.nothing.s(priority=9))

            def work(ours=ours) -> None:
                ours.execute(ours.dequeue())

            found = (
                median_ms(ours.nothing, 200),
                median_ms(work, 50),
                median_ms(ours.storage.queue_size, 50),
                median_ms(stock.storage.queue_size, 9),
            )
            print(f"{rows:>12,}{'':31}" + "   ".join(f"{figure:>8.3f}" for figure in found), flush=True)
            ours.storage.identity.retire()
            ours.storage.close()


def enqueue(bench: Bench) -> None:
    """What storing a task costs the caller."""
    many = bench.many
    bench.versus("enqueue", "/s", figures.enqueue_rate(many))
    bench.versus("enqueue, 100 in a transaction; stock: 1", "/s", figures.many_rate(many))
    bench.versus("enqueue p99 while a worker drains", "ms", figures.enqueue_p99(many // 2))


def work(bench: Bench) -> None:
    """How many tasks a worker does."""
    for label, options in (("1 thread", ("-w", "1")), ("4 threads", ("-w", "4")), ("2 processes", PROCESSES)):
        bench.versus(f"nothing, {label}", "/s", figures.throughput(bench.many, *options))
    for label, workers in (("1 thread", "1"), ("4 threads", "4")):
        measure = figures.throughput(bench.many, "-w", workers, value=True)
        bench.versus(f"a result, {label}", "/s", measure)


def slow(bench: Bench) -> None:
    """The same on a slow disk."""
    with tempfile.TemporaryDirectory() as name:
        env = slow_disk(Path(name))
        if env is None:
            print("slow disk: not measured, there is no C compiler")
            return
        for label, value in (("nothing", False), ("a result", True)):
            measure = figures.throughput(bench.many // 4, "-w", "4", value=value, env=env)
            bench.versus(f"fsync 2 ms slower, 4 threads: {label}", "/s", measure)


def idle(bench: Bench) -> None:
    """A worker that has nothing to do."""
    seconds = 1 if bench.quick else 60
    found, count = figures.latency(3 if bench.quick else 20, seconds)
    for number, what in enumerate(("median", "99th")):
        name = f"idle for {seconds} s: enqueue to start, {what} of {count}"
        line(name, found["ours"][number], found["stock"][number], "ms")
    bench.versus("idle worker: CPU of a core", "%", figures.idle_cpu(3 if bench.quick else 20), rounds=3)
    many = 1_000 if bench.quick else 1_000_000
    bench.versus("idle worker: memory, empty queue", "MB", figures.memory(0), rounds=1)
    bench.versus(f"idle worker: memory, {many:,} scheduled", "MB", figures.memory(many), rounds=1)


def deaths(_bench: Bench) -> None:
    """What a death costs; stock Huey loses the task."""
    line("kill -9 to the next start of the task", figures.redelivery(), None, "s")
    line("writing a dead letter", figures.letter_ms(), None, "ms")


SECTIONS: dict[str, Callable[[Bench], None]] = {
    one.__name__: one for one in (enqueue, work, slow, deaths, messages, growth, idle)
}


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="fewer tasks and rounds: whether it runs, not how fast"
    )
    parser.add_argument("--only", choices=tuple(SECTIONS), help="one section")
    given = parser.parse_args()
    head("Queue", "stock Huey")
    for name, section in SECTIONS.items():
        if given.only in {None, name}:
            section(Bench(quick=given.quick))


if __name__ == "__main__":
    main()
