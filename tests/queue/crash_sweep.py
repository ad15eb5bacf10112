"""Kills a process before each SQL statement of a scenario in turn, and looks at what is left.

Run as a program, one scenario a process: it forks, and must have no other threads when it does.
Prints one JSON document: {"points": n, "lost": [...], "doubled": n, "wrong": [...]}.
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
from datetime import UTC, datetime
from pathlib import Path

from huey import chord

from worker.queue import DurableHuey

logging.disable(logging.CRITICAL)


class Lab:
    """A queue in a folder, with tasks that leave a mark when their body has run."""

    def __init__(self, folder: Path) -> None:
        self.marks = folder / "marks"
        # A long heartbeat: a second thread would make the points differ from run to run.
        self.huey = huey = DurableHuey(
            "lab", filename=folder / "tasks.db", heartbeat=3600, max_deliveries=50, now=lambda: self.clock
        )
        self.clock = time.time()

        @huey.task()
        def mark(name, *_):
            self.leave(name)
            return name

        @huey.task(retries=1, retry_delay=5)
        def fails(name):
            self.leave(name)
            raise ValueError(name)

        @huey.task()
        def total(names):
            self.leave("total:" + ",".join(map(str, names)))

        self.mark, self.fails, self.total = mark, fails, total

    def leave(self, name: str) -> None:
        with self.marks.open("a") as file:
            file.write(name + "\n")

    def left(self) -> list[str]:
        return self.marks.read_text().split() if self.marks.exists() else []

    def drain(self) -> None:
        """What a worker and a scheduler do, until nothing is left."""
        storage = self.huey.storage
        storage.claim_ahead(True)
        for _ in range(200):
            while (task := self.huey.dequeue()) is not None:
                # Huey's own clock cannot be set, so a task is told the time.
                self.huey.execute(task, datetime.fromtimestamp(self.clock, UTC).replace(tzinfo=None))
            self.clock += 10
            if (
                not storage.move_due(self.huey.reseal)
                and not storage.queue_size()
                and not storage.schedule_size()
            ):
                break
        storage.claim_ahead(False)


def _plain(lab):
    lab.mark("a")
    lab.mark("b")
    return {"a", "b"}


def _pipeline(lab):
    lab.huey.enqueue(lab.mark.s("a").then(lab.mark, "b"))
    return {"a", "b"}


def _retry_and_death(lab):
    lab.fails("a")
    return {"a"}


def _later(lab):
    lab.mark.schedule(("a",), delay=20)
    return {"a"}


def _chord(lab):
    lab.huey.enqueue(chord([lab.mark.s("a"), lab.mark.s("b")], lab.total.s()))
    return {"a", "b", "total:a,b"}


def _unknown(lab):
    lab.mark("a")
    lab.huey.storage.enqueue(b'{"v":1,"id":"x","name":"renamed.task","args":[],"kwargs":{}}')
    lab.huey.storage.enqueue(b"\x80 no JSON")
    return {"a"}


def _on_error(lab):
    lab.huey.enqueue(lab.fails.s("a").error(lab.mark, "e"))
    return {"a", "e"}


SCENARIOS = {
    f.__name__.strip("_"): f
    for f in (_plain, _pipeline, _retry_and_death, _later, _chord, _unknown, _on_error)
}
DEATHS = {"retry_and_death": 1, "unknown": 2, "on_error": 1}


def _child(folder: Path, at: int) -> None:
    """Works, and dies before statement number `at`."""
    lab = Lab(folder)
    seen = 0

    def count(_sql):
        nonlocal seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)

    lab.huey.storage.identity.ensure()
    lab.huey.storage.conn.set_trace_callback(count)
    lab.huey.storage.letters.connection().set_trace_callback(count)
    lab.drain()
    os._exit(0)


def sweep(name: str, step: int) -> dict:
    """Every `step`-th point of a scenario."""
    lost, wrong, doubled, points, at = [], [], 0, 0, 1
    while True:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            lab = Lab(folder)
            expected = SCENARIOS[name](lab)
            lab.huey.storage.close()
            pid = os.fork()
            if pid == 0:
                _child(folder, at)
            _, status = os.waitpid(pid, 0)
            lab = Lab(folder)
            before = lab.left()
            lab.clock += 1000
            lab.huey.storage.claims.reap()
            lab.drain()
            left = lab.left()
            lost += [f"{at}: {gone}" for gone in expected - set(left)]
            doubled += len(left) != len(set(left)) + (name in {"retry_and_death", "on_error"})
            if lab.huey.storage.letters.count() != DEATHS.get(name, 0):
                wrong.append(f"{at}: {lab.huey.storage.letters.count()} letters")
            wrong += [
                f"{at}: {table} holds {rows}"
                for table in ("task", "schedule", "claim", "counter")
                if (rows := lab.huey.storage.sql(f"SELECT * FROM {table}", results=True))
            ]
            # Killed inside the callback, it runs again; it must not have been enqueued twice.
            if len([mark for mark in left[len(before) :] if mark.startswith("total")]) > 1:
                wrong.append(f"{at}: the chord's callback ran twice")
            lab.huey.storage.identity.retire()
            lab.huey.storage.close()
            if os.WIFEXITED(status):
                return {"points": points, "lost": lost, "doubled": doubled, "wrong": wrong}
            points += 1
            at += step


if __name__ == "__main__":
    faulthandler.dump_traceback_later(120, exit=True)
    print(json.dumps(sweep(sys.argv[1], int(sys.argv[2]))))
