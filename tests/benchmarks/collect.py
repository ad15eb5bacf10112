"""Collecting 500 feeds of 50 entries, 50 ms away, beside other programs that do the same in turn.

    python -m tests.benchmarks.collect [--feeds N] [--rounds N]

The peers are `reader` with its search index (`pip install reader sgmllib3k`; installed for this only), and what one
would write by hand: aiohttp, feedparser in two processes, SQLite with FTS5 by trigger. Each run is a process of its
own on a fresh file; from the first request until everything is stored and can be found by its words. Only ours looks
for near-duplicates; "exact copies only" leaves that out, as the peers do.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.feed_server import address
from tests.benchmarks.figures import head, line

ROOT = Path(__file__).parents[2]
PROGRAMS = ("ours", "exact", "plain", "reader")


def served(latency_ms: float, count: int, entries: int) -> tuple[subprocess.Popen, list[str]]:
    """A running server, and the addresses of its feeds."""
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.feed_server",
        "0",
        str(latency_ms),
        str(count),
        str(entries),
    ]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = server.stdout.readline().split()[1]
    return server, [f"http://{address(number)}:{port}/feed{number}.xml" for number in range(count)]


def run(program: str, urls: list[str], folder: Path) -> dict:
    """What one program took, in a process of its own: seconds, documents, megabytes at the most."""
    command = [sys.executable, "-m", "tests.benchmarks.collectors", program, str(folder / f"{program}.db")]
    done = subprocess.run(command, cwd=ROOT, input="\n".join(urls), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{program} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feeds", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3, help="how often each runs; medians are shown (3)")
    parser.add_argument("--without", nargs="*", default=[], choices=PROGRAMS[1:], help="peers to leave out")
    options = parser.parse_args()
    count = options.feeds
    programs = [one for one in PROGRAMS if one not in options.without]
    if "reader" in programs and not importlib.util.find_spec("reader"):
        programs.remove("reader")
        print("reader is not installed, so it is not compared: pip install reader sgmllib3k")
    results: dict[str, list[dict]] = {program: [] for program in programs}
    server, urls = served(50, count, 50)
    try:
        for _ in range(options.rounds):
            for program in programs:
                with tempfile.TemporaryDirectory() as name:
                    results[program].append(run(program, urls, Path(name)))
    finally:
        server.stdin.close()
        server.wait()
    show(results, count)


def show(results: dict[str, list[dict]], count: int) -> None:
    """Prints ours beside each peer; the ratio is ours to the peer's."""

    def median(program: str, figure: str) -> float:
        return statistics.median(one[figure] for one in results[program])

    expected = count * 50
    for program, runs in results.items():
        assert all(one["documents"] == expected for one in runs), (program, runs)
    for peer in ("plain", "reader"):
        if peer in results:
            head(f"{count} feeds of 50 entries, 50 ms", peer)
            line("near-duplicates looked for", median("ours", "seconds"), median(peer, "seconds"), "s")
            if "exact" in results:
                line("exact copies only", median("exact", "seconds"), median(peer, "seconds"), "s")
            line("processor time, near-duplicates too", median("ours", "cpu"), median(peer, "cpu"), "s")
            if "exact" in results:
                line("processor time, exact copies only", median("exact", "cpu"), median(peer, "cpu"), "s")
            line("peak memory", median("ours", "megabytes"), median(peer, "megabytes"), "MB")
    head("Again, nothing changed", "first pass")
    line("second pass", median("ours", "again"), median("ours", "seconds"), "s")


if __name__ == "__main__":
    main()
