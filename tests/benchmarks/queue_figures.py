"""What is measured of a queue, one function each; `queue` prints them beside stock Huey's."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.app import made
from tests.benchmarks.figures import median_ms
from worker.queue import DurableHuey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
LONGEST_S = 120.0
WARM_UP = 1_000
KINDS = ("ours", "stock")


class Consumer:
    """Huey's own consumer on a queue of a kind, in a folder of its own."""

    def __init__(self, kind: str, folder: Path, *options: str, env: Mapping[str, str] | None = None) -> None:
        environment = os.environ | {"BENCH_KIND": kind, "BENCH_FOLDER": str(folder), "PYTHONPATH": str(ROOT)}
        command = [
            sys.executable,
            "-m",
            "huey.bin.huey_consumer",
            "tests.benchmarks.app.huey",
            "-q",
            *options,
        ]
        self.process = subprocess.Popen(
            command,
            env=environment | (env or {}),
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> subprocess.Popen:
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def until(fact: Callable[[], bool]) -> None:
    """Waits for a fact."""
    deadline = time.monotonic() + LONGEST_S
    while not fact():
        assert time.monotonic() < deadline, "the consumer does not work"
        time.sleep(0.002)


def left(huey) -> int:
    """How many tasks have no outcome yet."""
    claimed = huey.storage.sql("SELECT count(*) FROM claim", results=True)[0][0] if is_ours(huey) else 0
    return huey.storage.queue_size() + claimed


def is_ours(huey) -> bool:
    """Whether it is the queue of this project."""
    return isinstance(huey, DurableHuey)


def fill(huey, count: int, *, value: bool = False) -> None:
    """Tasks to work on, stored quickly: how is not measured here."""
    name = "value" if value else "nothing"
    task = getattr(huey, name)
    batch = [(huey.serialize_task(task.s(1) if value else task.s()), 0.0) for _ in range(count)]
    if is_ours(huey):
        huey.storage.enqueue_many(batch)
        return
    with huey.storage.db(commit=True) as cursor:
        cursor.executemany("insert into task (queue, data, priority) values ('bench', ?, ?)", batch)


def throughput(count: int, *options: str, value: bool = False, env: Mapping[str, str] | None = None):
    """Tasks a second from the first that is taken to the last that is done, by a real consumer."""

    def measure(kind: str) -> float:
        with tempfile.TemporaryDirectory() as name:
            huey = made(kind, Path(name))
            fill(huey, count, value=value)
            with Consumer(kind, Path(name), *options, env=env):
                until(lambda: huey.storage.queue_size() < count)
                started, begun = time.perf_counter(), left(huey)
                until(lambda: not left(huey))
                took = time.perf_counter() - started
            huey.storage.close()
        return begun / took

    return measure


def _warm_up(huey) -> None:
    """Enqueues until the write-ahead log is as long as it gets: a file that grows costs more than one that stays."""
    for _ in range(WARM_UP):
        huey.nothing()


def enqueue_rate(count: int):
    """Tasks a second, each in a transaction of its own."""

    def measure(kind: str) -> float:
        with tempfile.TemporaryDirectory() as name:
            huey = made(kind, Path(name))
            _warm_up(huey)
            started = time.perf_counter()
            for _ in range(count):
                huey.nothing()
            took = time.perf_counter() - started
            huey.storage.close()
        return count / took

    return measure


def many_rate(count: int) -> Callable[[str], float]:
    """Tasks a second in transactions of a hundred; stock Huey has only single ones."""

    def measure(kind: str) -> float:
        if kind == "stock":
            return enqueue_rate(count)(kind)
        with tempfile.TemporaryDirectory() as name:
            huey = made(kind, Path(name))
            _warm_up(huey)
            started = time.perf_counter()
            for _ in range(count // 100):
                huey.enqueue_many([huey.nothing.s() for _ in range(100)])
            took = time.perf_counter() - started
            huey.storage.close()
        return count / took

    return measure


def enqueue_p99(count: int):
    """The 99th of a hundred enqueues in ms, while a consumer of another process drains the queue."""

    def measure(kind: str) -> float:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            huey = made(kind, folder)
            fill(huey, 40 * count)
            taken = []
            with Consumer(kind, folder, "-w", "2"):
                until(lambda: huey.storage.queue_size() < 40 * count)
                for _ in range(count):
                    started = time.perf_counter()
                    huey.nothing()
                    taken.append((time.perf_counter() - started) * 1000)
                    if not huey.storage.queue_size():
                        break
            huey.storage.close()
        return sorted(taken)[int(len(taken) * 0.99)]

    return measure


def latency(count: int, idle: float) -> tuple[dict[str, tuple[float, float]], int]:
    """From enqueue to start on a worker that was idle, in ms: median and 99th; both kinds idle at one time."""
    found: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hueys = {kind: made(kind, folder) for kind in KINDS}

        def watch(kind: str) -> None:
            huey, stamps = hueys[kind], folder / f"{kind}.stamps"
            with Consumer(kind, folder, "-w", "2"):
                time.sleep(2)
                for number in range(1, count + 1):
                    time.sleep(idle)
                    huey.stamp(time.time())
                    until(
                        lambda number=number: (
                            stamps.exists() and len(stamps.read_text().splitlines()) >= number
                        )
                    )
            taken = sorted(float(text) * 1000 for text in stamps.read_text().splitlines())
            found[kind] = statistics.median(taken), taken[int(len(taken) * 0.99)]

        threads = [threading.Thread(target=watch, args=(kind,)) for kind in KINDS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return found, count


def idle_cpu(seconds: float):
    """CPU of an idle worker, in percent of a core."""

    def measure(kind: str) -> float:
        with tempfile.TemporaryDirectory() as name:
            made(kind, Path(name)).storage.queue_size()
            with Consumer(kind, Path(name), "-w", "2") as process:
                time.sleep(3)
                before = _cpu(process.pid)
                time.sleep(seconds)
                return 100 * (_cpu(process.pid) - before) / seconds

    return measure


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/schedstat").read_text().split()
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9 if fields else 0.0


def memory(rows: int):
    """Resident memory of a worker in MB, on a queue with so many rows that are not due."""

    def measure(kind: str) -> float:
        with tempfile.TemporaryDirectory() as name:
            huey = made(kind, Path(name))
            if rows:
                rows_in(huey, rows, "schedule")
            with Consumer(kind, Path(name), "-w", "2") as process:
                time.sleep(4)
                status = Path(f"/proc/{process.pid}/status").read_text()
                return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    return measure


def rows_in(huey, rows: int, table: str = "task") -> None:
    """So many rows in a table, made by SQLite itself."""
    columns, values = ("data, priority", "x'7b7d', 0")
    if table == "schedule":
        columns, values = (
            ("data, due_at", "x'7b7d', 4e9") if is_ours(huey) else ("data, timestamp", "x'7b7d', 4e9")
        )
    if is_ours(huey):
        columns, values = f"{columns}, enqueued_at", f"{values}, 0"
        if table == "task":
            columns, values = f"{columns}, ready_at, task_id", f"{values}, 0, printf('%032x', i)"
    huey.storage.sql(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
        f"INSERT INTO {table} (queue, {columns}) SELECT 'bench', {values} FROM n",
        commit=True,
    )


def redelivery() -> float:
    """Seconds from a kill -9 to the start of the same task on another worker; stock Huey has lost it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        huey = made("ours", folder)
        with Consumer("ours", folder, "-w", "1") as first, Consumer("ours", folder, "-w", "1") as second:
            time.sleep(2)
            huey.rest(60)
            query = "SELECT pid FROM worker JOIN claim ON claim.worker = worker.id"
            until(lambda: bool(huey.storage.sql(query, results=True)))
            pid = huey.storage.sql(query, results=True)[0][0]
            assert pid in {first.pid, second.pid}
            os.kill(pid, signal.SIGKILL)
            killed = time.perf_counter()
            until(lambda: any(row[0] != pid for row in huey.storage.sql(query, results=True)))
            took = time.perf_counter() - killed
            os.kill(({first.pid, second.pid} - {pid}).pop(), signal.SIGKILL)
        huey.storage.close()
    return took


def letter_ms() -> float:
    """Milliseconds to write a dead letter."""
    from worker.queue.dead_letters import Death
    from worker.queue.failures import describe

    with tempfile.TemporaryDirectory() as name:
        letters = made("ours", Path(name)).storage.letters
        numbers = iter(range(10_000))
        failure = describe(ValueError("no answer"), str)

        def bury() -> None:
            number = next(numbers)
            letters.bury(
                Death(
                    f"d{number}",
                    f"t{number}",
                    "nothing",
                    None,
                    "failed",
                    b"{}",
                    0,
                    "{}",
                    "[]",
                    "h:1",
                    0,
                    0,
                    failure,
                )
            )

        return median_ms(bury, 200)
