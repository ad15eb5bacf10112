"""The queue against stock Huey (`SqliteHuey`) in the same folder, with the same durability (fsync at each commit).

    python -m tests.benchmarks.queue [--quick]

Stock Huey deletes a task when it is taken and stores no history; ours claims it, and stores outcome and history in
one transaction. So a ratio below 1 of throughput is the price of losing nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.app import made
from tests.benchmarks.figures import head, line, median_ms
from worker.queue import DurableHuey

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
LONGEST_S = 60.0


def consumer(kind: str, folder: Path, workers: int, *options: str) -> subprocess.Popen:
    """Huey's own consumer on a queue of a kind."""
    env = os.environ | {"BENCH_KIND": kind, "BENCH_FOLDER": str(folder), "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-m",
        "huey.bin.huey_consumer",
        "tests.benchmarks.app.huey",
        "-q",
        "-w",
        str(workers),
    ]
    return subprocess.Popen([*command, *options], env=env, cwd=ROOT, stderr=subprocess.DEVNULL)


def enqueue_rate(huey, count: int) -> float:
    """Tasks a second, each in a transaction of its own."""
    started = time.perf_counter()
    for _ in range(count):
        huey.nothing()
    return count / (time.perf_counter() - started)


def throughput(kind: str, count: int, workers: int) -> float:
    """Tasks a second from the first that is taken to the last that is done, by a real consumer."""
    with tempfile.TemporaryDirectory() as name:
        huey = made(kind, Path(name))
        for _ in range(count):
            huey.nothing()
        process = consumer(kind, Path(name), workers)
        _until(lambda: huey.storage.queue_size() < count)
        started = time.perf_counter()
        _until(lambda: not (huey.storage.queue_size() or _claimed(huey)))
        took = time.perf_counter() - started
        process.terminate()
        process.wait()
    return count / took


def _until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_S
    while not fact():
        assert time.monotonic() < deadline, "the consumer does not work"
        time.sleep(0.005)


def _claimed(huey) -> int:
    return (
        huey.storage.sql("SELECT count(*) FROM claim", results=True)[0][0]
        if isinstance(huey, DurableHuey)
        else 0
    )


def latency(kind: str, count: int) -> tuple[float, float]:
    """From enqueue to start on an idle worker, in ms: median and 95th of a hundred."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        huey = made(kind, folder)
        process = consumer(kind, folder, 2)
        time.sleep(2)
        stamps = folder / f"{kind}.stamps"
        for number in range(1, count + 1):
            time.sleep(0.5)  # idle workers go to sleep, stock Huey's for longer and longer
            huey.stamp(time.time())
            _until(lambda number=number: stamps.exists() and len(stamps.read_text().splitlines()) >= number)
        process.terminate()
        process.wait()
        found = sorted(float(text) * 1000 for text in stamps.read_text().splitlines())
    return statistics.median(found), found[int(len(found) * 0.95)]


def idle_cpu(kind: str, seconds: float) -> float:
    """CPU of an idle worker, in percent of a core."""
    with tempfile.TemporaryDirectory() as name:
        made(kind, Path(name)).storage.queue_size()
        process = consumer(kind, Path(name), 2)
        time.sleep(2)
        before = _cpu(process.pid)
        time.sleep(seconds)
        used = _cpu(process.pid) - before
        process.terminate()
        process.wait()
    return 100 * used / seconds


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer tasks")
    quick = parser.parse_args().quick
    many, few = (300, 3) if quick else (3000, 30)
    head("Queue", "stock Huey")
    with tempfile.TemporaryDirectory() as name:
        ours, stock = made("ours", Path(name)), made("stock", Path(name))
        line("enqueue", enqueue_rate(ours, many), enqueue_rate(stock, many), "/s")
    for workers in (1, 2, 4):
        line(
            f"throughput, {workers} threads",
            throughput("ours", many, workers),
            throughput("stock", many, workers),
            "/s",
        )
    ours_ms, stock_ms = latency("ours", few), latency("stock", few)
    line("idle worker: enqueue to start, median", ours_ms[0], stock_ms[0], "ms")
    line("idle worker: enqueue to start, 95th", ours_ms[1], stock_ms[1], "ms")
    line("idle worker: CPU", idle_cpu("ours", 3 if quick else 10), idle_cpu("stock", 3 if quick else 10), "%")
    for rows in (10, 10_000) if quick else (10, 10_000, 1_000_000):
        with tempfile.TemporaryDirectory() as name:
            ours, stock = made("ours", Path(name)), made("stock", Path(name))
            for huey in (ours, stock):
                extra, values = (", ready_at, enqueued_at", ", 0, 0") if huey is ours else ("", "")
                huey.storage.sql(
                    f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
                    f"INSERT INTO task (queue, data, priority{extra}) SELECT 'bench', x'7b7d', 0{values} FROM n",
                    commit=True,
                )
            line(
                f"depth at {rows:,} rows",
                median_ms(ours.storage.queue_size, 20),
                median_ms(stock.storage.queue_size, 20),
                "ms",
            )


if __name__ == "__main__":
    main()
