"""The console against a bare Textual app (one Static), on a pseudo-terminal; and its readings at ten rows against many.

python -m tests.benchmarks.console [--home DIR] [--quick]

DIR is a home that `tests.benchmarks.big_home` has written; without it a smaller one is written first. Wall times are
those of this machine as loaded as it is, which is said; CPU seconds and bytes depend on it least.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from console.readings import Readings
from tests.benchmarks.big_home import filled
from tests.benchmarks.figures import head, line, median_ms
from tests.benchmarks.terminal import ROOT, Terminal
from tests.console import homes
from worker.places import Home
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = sys.executable
# A row and a page down and up, both ends of the list.
KEYS = {
    "row down": b"j",
    "row up": b"k",
    "page down": b"\x1b[6~",
    "page up": b"\x1b[5~",
    "end": b"G",
    "start": b"g",
}
SCREENS = b"234567891"
OVERVIEW = ord("1")
TASKS = 20
BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    BINDINGS = [("q", "quit", "Quit")]
    def compose(self):
        yield Static("ready")
Bare().run()
"""


def bare() -> Terminal:
    """The app that draws one word."""
    return Terminal([PYTHON, "-c", BARE])


def console(home: Path) -> Terminal:
    """The console on a home."""
    return Terminal([PYTHON, "-m", "console.cli", "--home", str(home)])


def start_and_end(make, words: str) -> tuple[float, float, float, float, float]:
    """Seconds to the first sign and to the words, CPU seconds until then, MB, and seconds from `q` to the end."""
    with make() as terminal:
        first, shown, cpu = terminal.first_paint(), terminal.until(words), terminal.cpu
        terminal.settle()
        return first, shown, cpu, terminal.memory, terminal.quit()


def starts(home: Path, runs: int) -> None:
    """Start and end of both, in turns."""
    head(f"Start and end, {runs} in turns, medians", "bare Textual")
    pairs = [
        (start_and_end(lambda: console(home), "waiting"), start_and_end(bare, "ready")) for _ in range(runs)
    ]
    columns = [
        [statistics.median(values) for values in zip(*group, strict=True)]
        for group in zip(*pairs, strict=True)
    ]
    labels = (
        ("first paint", "s"), ("data on the screen", "s"), ("CPU until then", "s"), ("memory", "MB"), ("quit", "s"),
    )  # fmt: skip
    for (label, unit), ours, theirs in zip(labels, *columns, strict=True):
        line(label, ours, theirs, unit)


def quiet(terminal: Terminal, label: str, seconds: float) -> None:
    """CPU and bytes while nothing is pressed."""
    before = terminal.cpu
    written = len(terminal.rest(seconds))
    line(f"{label}: CPU", 100 * (terminal.cpu - before) / seconds, None, "%")
    line(f"{label}: written", written / seconds, None, "B/s")


def idle(home: Path, warm: float, seconds: float) -> None:
    """Nothing alive; and a worker that has nothing to do."""
    head(f"Idle for {seconds:.0f} s, after {warm:.0f} s", "")
    with bare() as terminal:
        terminal.until("ready")
        terminal.settle()
        quiet(terminal, "bare Textual", seconds)
    with console(home) as terminal:
        terminal.until("waiting")
        terminal.rest(warm)
        quiet(terminal, "no worker, Overview", seconds)
    with tempfile.TemporaryDirectory() as name, working(Path(name)), console(Path(name)) as terminal:
        terminal.until("worker running")
        terminal.rest(warm)
        quiet(terminal, "worker without work, Overview", seconds)


@contextmanager
def working(home: Path) -> Iterator[None]:
    """A real worker on a home."""
    command = [PYTHON, "-m", "worker.cli", "--home", str(home), "--config", str(ROOT / "config")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def running(seconds: float) -> None:
    """Twenty tasks that run and tell their progress twice a second."""
    head(f"{TASKS} tasks run and tell their progress twice a second, {seconds:.0f} s", "")
    with tempfile.TemporaryDirectory() as name:
        builder = homes.Builder(Path(name), datetime.now(UTC))
        homes.busy(builder)
        worker = builder.worker()
        for number in range(TASKS):
            builder.running(f"market_{number}", worker=worker, done=number, total=1_000)
        with progressing(builder.home), console(Path(name)) as terminal:
            terminal.until("waiting")
            terminal.rest(5)
            quiet(terminal, "Overview", seconds)
            terminal.press(b"2")
            terminal.rest(2)
            quiet(terminal, "Queue", seconds)
        builder.close()


@contextmanager
def progressing(home: Home) -> Iterator[None]:
    """The rows of running tasks change as a worker changes them."""
    ended = threading.Event()

    def go_on() -> None:
        conn = sqlite3.connect(home.tasks_db, isolation_level=None)
        ids = [row[0] for row in conn.execute("SELECT id FROM claim")]
        while not ended.wait(0.5):
            now = time.time()
            conn.execute("UPDATE worker SET heartbeat_at = ?", (now,))
            for number in ids:
                conn.execute("UPDATE claim SET done = done + 1, progress_at = ? WHERE id = ?", (now, number))
        conn.close()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def keys(home: Path, rounds: int) -> None:
    """Every screen opened, every move on each; the filter; memory meanwhile; leaving while a search runs."""
    head(
        f"Keys, {rounds} rounds on every screen; ms to the first and to the last byte of what a key draws",
        "last byte",
    )
    with console(home) as terminal, bare() as other:
        terminal.until("waiting")
        other.until("ready")
        other.settle()
        every: list[tuple[float, float]] = []
        for screen in SCREENS:
            terminal.press(bytes((screen,)))
            terminal.rest(1)
            took = [terminal.answered(key, 0.5) for _ in range(rounds) for key in KEYS.values()]
            # A key at the end of a short list draws nothing; the Overview has no list.
            took = [pair for pair in took if pair[0] and screen != OVERVIEW]
            every += took
            _keys_line(f"screen {chr(screen)}", took)
        _keys_line("all screens", every)
        line("memory with every screen opened", terminal.memory, other.memory, "MB")
        for _ in range(10):
            for screen in SCREENS:
                terminal.press(bytes((screen,)))
                terminal.rest(0.15)
        terminal.settle()
        line("memory after ten more rounds of the screens", terminal.memory, other.memory, "MB")
        filtering(terminal)
        line("quit while a search runs", terminal.quit(b"\x11"), None, "s")


def _keys_line(label: str, took: list[tuple[float, float]]) -> None:
    if took:
        at = min(int(len(took) * 0.95), len(took) - 1)
        first, last = (sorted(pair[place] * 1000 for pair in took)[at] for place in (0, 1))
        line(f"{label}: p95 of {len(took)}", first, last, "ms")


def filtering(terminal: Terminal) -> None:
    """A word typed into the filter of the queue: each letter, and the first page; then one that is nowhere."""
    terminal.press(b"2")
    terminal.rest(1)
    terminal.press(b"/")
    terminal.rest(0.5)
    _keys_line("a letter of a filter", [terminal.answered(bytes((letter,)), 0.5) for letter in b"m49"])
    terminal.settle()
    for letter in b" nowhere":
        terminal.press(bytes((letter,)))
    terminal.rest(0.1)


def readings_figures(home: Home) -> dict[str, float]:
    """Milliseconds of each reading."""
    readings = Readings(home)
    queue, letters, runs = readings.queue(), readings.letters(), readings.runs()
    place = queue.first(200).places[-1]
    found = {
        "did anything change": median_ms(readings.changed, 50),
        "snapshot": median_ms(readings.snapshot, 50),
        "queue, first page": median_ms(lambda: queue.first(200), 20),
        "queue, next page": median_ms(lambda: queue.after(place, 200), 20),
        "queue, last page": median_ms(lambda: queue.last(200), 20),
        "dead letters, first page": median_ms(lambda: letters.first(200), 20),
        "causes": median_ms(readings.causes, 20),
        "runs, last page": median_ms(lambda: runs.last(200), 20),
        "filter that finds nothing": median_ms(lambda: readings.queue("nowhere").first(200), 3),
    }
    readings.close()
    return found


# A worker of tasks that do nothing, enough of them for the time; for each line it is given, how many it did in a second.
DRAINING = """
import sys, time
from worker.queue import DurableHuey
from worker.sqlite import sqlite3
huey = DurableHuey("topics", filename=sys.argv[1], dlq_filename=sys.argv[2])
@huey.task(name="nothing")
def nothing(): return None
nothing()
conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.execute(
    "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
    "INSERT INTO task (ready_at, queue, data, task_id, name, enqueued_at) "
    "SELECT ready_at, queue, data, task_id || i, name, enqueued_at FROM task, n", (int(sys.argv[3]),),
)
conn.close()
consumer = huey.create_consumer(workers=2)
consumer.start()
print("started", flush=True)
for _ in sys.stdin:
    before, started = huey.pending_count(), time.perf_counter()
    time.sleep(1)
    print((before - huey.pending_count()) / (time.perf_counter() - started), flush=True)
consumer.stop(graceful=True)
"""
MOST_TASKS_A_SECOND = 15_000


def slowed(turns: int) -> None:
    """What an open console takes from a worker's throughput: it is halted and let go on, second by second."""
    head(f"A worker's throughput beside the Queue, {turns} turns of a second", "console halted")
    with tempfile.TemporaryDirectory() as name:
        home = Home(Path(name))
        home.prepare()
        tasks = MOST_TASKS_A_SECOND * (2 * turns + 5)
        command = [PYTHON, "-c", DRAINING, str(home.tasks_db), str(home.dlq_db), str(tasks)]
        with (
            subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            ) as worker,
            console(Path(name)) as terminal,
        ):
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdout.readline()
            terminal.until("waiting")
            terminal.press(b"2")
            terminal.rest(2)
            rates: dict[signal.Signals, list[float]] = {signal.SIGCONT: [], signal.SIGSTOP: []}
            for _ in range(turns):
                for sign, found in rates.items():
                    terminal.process.send_signal(sign)
                    worker.stdin.write("go\n")
                    worker.stdin.flush()
                    terminal.rest(1)
                    found.append(float(worker.stdout.readline()))
            worker.stdin.close()
    beside, alone = (statistics.median(found) for found in rates.values())
    line("tasks a second", beside, alone, "1/s")


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, help="a home that tests.benchmarks.big_home has written")
    parser.add_argument("--quick", action="store_true", help="fewer runs, shorter windows")
    options = parser.parse_args()
    runs, warm, seconds, rounds = (3, 3.0, 5.0, 1) if options.quick else (9, 66.0, 30.0, 4)
    print(f"load average of the last minute: {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as name:
        home = options.home
        if home is None:
            home = Path(name) / "home"
            filled(home, 10_000).close()
        starts(home, runs)
        idle(home, warm, seconds)
        running(seconds)
        keys(home, rounds)
        slowed(3 if options.quick else 15)
    commands()
    readings(options.home)
    print(f"\nload average of the last minute: {os.getloadavg()[0]:.1f}")


def commands() -> None:
    """What a script waits for."""
    head("Commands", "python -c pass")
    silent = {"capture_output": True, "cwd": ROOT, "check": False}
    least = median_ms(lambda: subprocess.run([PYTHON, "-c", "pass"], **silent), 9)
    with tempfile.TemporaryDirectory() as name:
        for words in ("--version", "--help", "status --json"):
            command = [PYTHON, "-m", "console.cli", "--home", name, *words.split()]
            took = median_ms(lambda command=command: subprocess.run(command, **silent), 9)
            line(f"topic-console {words}", took, least, "ms")


def readings(home: Path | None) -> None:
    """Each reading at ten rows, and at as many as there are."""
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        filled(Path(small), 10).close()
        if home is None:
            filled(Path(large), 10_000).close()
        few, many = readings_figures(Home(Path(small))), readings_figures(Home(home or Path(large)))
        head("Readings", "at 10 rows")
        for name, ours in many.items():
            line(name, ours, few[name], "ms")


if __name__ == "__main__":
    main()
