"""The console against a bare Textual app (one Static), and its readings at ten rows against a million.

python -m tests.benchmarks.console [--quick]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from console.readings import Readings
from tests.benchmarks.big_home import ROWS, filled
from tests.benchmarks.figures import head, line, median_ms

ROOT = Path(__file__).parents[2]
# Screens, a row and a page down and up, both ends of a million rows.
KEYS = (b"2", b"j", b"k", b"\x1b[6~", b"\x1b[5~", b"G", b"g", b"3", b"4", b"1")
BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    BINDINGS = [("q", "quit", "Quit")]
    def compose(self):
        yield Static("ready")
Bare().run()
"""


def on_terminal(
    command: list[str], words: str, idle_s: float, pressed: tuple[bytes, ...] = ()
) -> dict[str, float]:
    """Runs a program on a pseudo-terminal of 120 by 40.

    Returns:
        Seconds to the first sign, to the words and from `q` to the end; bytes and CPU percent while idle; CPU
        seconds until the words, which a busy machine does not change; MB of memory; ms from a key to what it draws.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, start_new_session=True,
        env=os.environ | {"TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(slave)
    seen, first = b"", None
    while words.encode() not in seen:
        seen += os.read(master, 65536)
        if first is None and b"\x1b[?1049h" in seen and len(seen.partition(b"\x1b[?1049h")[2]) > 200:
            first = time.perf_counter() - started
    shown, start_cpu = time.perf_counter() - started, _cpu(process.pid)
    time.sleep(1)
    while select.select([master], [], [], 0)[0]:
        os.read(master, 65536)
    cpu, written, until = _cpu(process.pid), 0, time.perf_counter() + idle_s
    while (left := until - time.perf_counter()) > 0:
        if select.select([master], [], [], left)[0]:
            written += len(os.read(master, 65536))
    used = 100 * (_cpu(process.pid) - cpu) / idle_s
    keys = [took for _ in range(5) for key in pressed if (took := _answered(master, key))]
    memory = _memory_mb(process.pid)
    os.write(master, b"q")
    asked = time.perf_counter()
    while process.poll() is None:
        if select.select([master], [], [], 0.005)[0]:
            try:
                os.read(master, 65536)
            except OSError:
                break
    process.wait()
    ended = time.perf_counter() - asked
    os.close(master)
    return {
        "first": first or shown, "shown": shown, "bytes": written / idle_s, "cpu": used, "quit": ended,
        "start_cpu": start_cpu, "memory": memory, "key": sorted(keys)[int(len(keys) * 0.95)] * 1000 if keys else 0.0,
    }  # fmt: skip


def _answered(master: int, key: bytes) -> float:
    """Seconds from a key to the end of the output that follows it; 0 where none does."""
    while select.select([master], [], [], 0.15)[0]:
        os.read(master, 65536)
    asked = time.perf_counter()
    os.write(master, key)
    if not select.select([master], [], [], 2)[0]:
        return 0.0
    while select.select([master], [], [], 0.005)[0]:
        os.read(master, 65536)
    return time.perf_counter() - asked - 0.005


def _memory_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def readings_figures(root: Path, rows: int) -> dict[str, float]:
    """Milliseconds of each reading."""
    builder = filled(root, rows)
    readings = Readings(builder.home)
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
    builder.close()
    return found


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows and runs")
    quick = parser.parse_args().quick
    rows, runs, idle_s = (10_000, 1, 3) if quick else (ROWS, 5, 20)
    python = sys.executable
    head("Commands", "python -c pass")
    quiet = {"capture_output": True, "cwd": ROOT, "check": False}
    bare = median_ms(lambda: subprocess.run([python, "-c", "pass"], **quiet), 9)
    with tempfile.TemporaryDirectory() as name:
        for words in ("--version", "--help", "status --json"):
            command = [python, "-m", "console.cli", "--home", name, *words.split()]
            line(
                f"topic-console {words}",
                median_ms(lambda command=command: subprocess.run(command, **quiet), 9),
                bare,
                "ms",
            )
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        few = readings_figures(Path(small), 10)
        many = readings_figures(Path(large), rows)
        head(f"Readings at {rows:,} rows in each list", "at 10 rows")
        for name, ours in many.items():
            line(name, ours, few[name], "ms")
        head(f"On a terminal, {rows:,} rows", "bare Textual")
        ours = [
            on_terminal(
                [python, "-m", "console.cli", "--home", large], "waiting", idle_s if not n else 0.1, KEYS
            )
            for n in range(runs)
        ]
        bare_app = [on_terminal([python, "-c", BARE], "ready", idle_s if not n else 0.1) for n in range(runs)]
        for key, label in (("first", "first paint"), ("shown", "data on the screen"), ("quit", "quit")):
            line(label, *(statistics.median(one[key] for one in group) for group in (ours, bare_app)), "s")
        for key, label, unit in (
            ("start_cpu", "CPU until the data is on the screen", "s"),
            ("memory", "memory", "MB"),
        ):
            line(label, *(statistics.median(one[key] for one in group) for group in (ours, bare_app)), unit)
        line("a key to what it draws, p95", statistics.median(one["key"] for one in ours), None, "ms")
        line("idle, nothing alive: CPU", ours[0]["cpu"], bare_app[0]["cpu"] or None, "%")
        line("idle, nothing alive: written", ours[0]["bytes"], bare_app[0]["bytes"] or None, "B/s")


if __name__ == "__main__":
    main()
