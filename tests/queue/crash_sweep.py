"""Kills a process at each point of a scenario in turn, and looks at what is left.

A point is a line of Huey's or of our code (its first and its last execution, or the first only), or an SQL statement.
Run as a program, one scenario a process: it forks, and must have no other threads when it does.

    python -m tests.queue.crash_sweep SCENARIO lines|statements STEP

Prints one JSON document: {"points": n, "lost": [...], "doubled": n, "wrong": [...]}; `doubled` counts bodies that had
begun when the process died, and ran again.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import huey as huey_package

import worker.queue as our_package
from tests.queue.lab import SCENARIOS, Lab

logging.disable(logging.CRITICAL)
STARTED = time.time()
WATCHED = tuple(str(Path(package.__file__).parent) + os.sep for package in (huey_package, our_package))
AFTER_S = 1_000


class Lines:
    """Traces every line of Huey and of the queue."""

    def __init__(self, fatal=None) -> None:
        self.seen: Counter = Counter()
        self._fatal = fatal  # (file, line), which time

    def start(self) -> None:
        sys.settrace(self._enter)

    def _enter(self, frame, _event, _arg):
        return self._line if frame.f_code.co_filename.startswith(WATCHED) else None

    def _line(self, frame, event, _arg):
        if event == "line":
            place = (frame.f_code.co_filename, frame.f_lineno)
            self.seen[place] += 1
            if self._fatal is not None and self._fatal == (place, self.seen[place]):
                os._exit(9)
        return self._line


def act(folder: Path, name: str, *, trace: Lines | None = None, statement: int | None = None) -> int:
    """The whole story in this process, which may die in it; returns how many statements it took."""
    lab, statements = Lab(folder, STARTED, daily=name == "tick"), 0

    def count(_sql):
        nonlocal statements
        statements += 1
        if statements == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    lab.begin()
    lab.huey.storage.conn.set_trace_callback(count)
    lab.huey.storage.letters.connection().set_trace_callback(count)
    if trace is not None:
        trace.start()
    SCENARIOS[name].enqueue(lab)
    sys.settrace(None)
    lab.leave("enqueued")
    if trace is not None:
        trace.start()
    lab.drain()
    sys.settrace(None)
    return statements


def forked(work) -> object:
    """Does it in a child; what it returns, or None if it died."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = json.dumps(work()).encode()
            os.write(writer, len(answer).to_bytes(8, "big"))
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(answer)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(answer[8:]) if answer else None


def look(folder: Path, name: str) -> dict[str, list[str]]:
    """A worker comes back to what is left: what is lost, what is wrong, what ran twice?"""
    scenario, lab = SCENARIOS[name], Lab(folder, STARTED, AFTER_S, daily=name == "tick")
    before = lab.marks()
    lab.begin()
    lab.drain()
    after, storage = lab.marks(), lab.huey.storage
    again = [body for body, runs in scenario.bodies.items() if after[f"begin {body}"] > runs]
    found: dict[str, list[str]] = {"lost": [], "wrong": [], "doubled": again}
    # Killed before enqueue returned, nothing may be stored; or all of it.
    nothing = not before["enqueued"] and name != "tick" and not storage.sql("SELECT 1 FROM run", results=True)
    if not nothing:
        found["lost"] += [
            f"{body} {what}"
            for body, runs in scenario.bodies.items()
            for what in ("begin", "end")
            if after[f"{what} {body}"] < runs
        ]
        states = Counter(row[0] for row in storage.sql("SELECT state FROM run", results=True))
        completed, other = states.pop("completed", 0), states.total() - states["interrupted"]
        expected = (scenario.completed, scenario.other, scenario.letters)
        if before["enqueued"] and expected != (completed, other, storage.letters.count()):
            found["wrong"].append(f"{states}, {completed} completed, {storage.letters.count()} letters")
    for body in again:
        if not before[f"begin {body}"]:
            found["wrong"].append(f"{body} ran twice, and had not begun")
        if after[f"begin {body}"] > scenario.bodies[body] + 1:
            found["wrong"].append(f"{body} ran {after[f'begin {body}']} times")
    if len(again) > 1:
        found["wrong"].append(f"one died, and {again} ran again")
    found["wrong"] += [
        f"{table} holds {rows}"
        for table in ("task", "schedule", "claim", "counter")
        if (rows := storage.sql(f"SELECT * FROM {table}", results=True))
    ]
    if locks := storage.sql("SELECT key FROM kv WHERE key LIKE '%.lock.%'", results=True):
        found["wrong"].append(f"locked: {locks}")
    lab.close()
    return found


def places(name: str, how: str) -> list:
    """The points of a scenario, in the order in which they are reached."""
    with tempfile.TemporaryDirectory() as made:
        if how == "statements":
            return list(range(1, forked(lambda: act(Path(made), name)) + 1))

        def record():
            lines = Lines()
            act(Path(made), name, trace=lines)
            return list(lines.seen.items())

        seen = [((file, line), times) for (file, line), times in forked(record)]
    return [(place, 1) for place, _ in seen] + [(place, times) for place, times in seen if times > 1]


def strike(name: str, how: str, point) -> tuple[bool, dict[str, list[str]]]:
    """Dies at one point: whether it did, and what was found afterwards."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        trace = Lines(fatal=point) if how == "lines" else None
        at = point if how == "statements" else None
        died = forked(lambda: act(folder, name, trace=trace, statement=at)) is None
        found = forked(lambda: look(folder, name))
    return died, found or {"lost": [], "wrong": ["nobody could look"], "doubled": []}


def sweep(name: str, how: str, step: int) -> dict:
    """Every `step`-th point of a scenario."""
    total: dict = {"points": 0, "died": 0, "lost": [], "doubled": 0, "wrong": []}
    for point in places(name, how)[::step]:
        died, found = strike(name, how, point)
        where = f"{Path(point[0][0]).name}:{point[0][1]} ({point[1]})" if how == "lines" else str(point)
        total["points"] += 1
        total["died"] += died
        total["doubled"] += len(found["doubled"])
        for what in ("lost", "wrong"):
            total[what] += [f"{where}: {one}" for one in found[what]]
    return total


if __name__ == "__main__":
    faulthandler.dump_traceback_later(3_000, exit=True)
    print(json.dumps(sweep(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
