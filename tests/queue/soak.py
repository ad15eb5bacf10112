"""Mixed load on several workers that are killed at random; in the end everything must add up, to the task.

    python -m tests.queue.soak SECONDS [SEED]

Prints one JSON document: how much was done, and every disagreement.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from huey import chord

from tests.queue.site import Site

KINDS = (("-k", "thread", "-w", "4"), ("-k", "process", "-w", "2"), ("-k", "thread", "-w", "2"))
DRAIN_S = 240
# In a hundred tasks: what kind they are.
MIX = ("work",) * 48 + ("fails",) * 12 + ("pipeline",) * 12 + ("chord",) * 8 + ("later",) * 10 + ("unknown",) * 4 + ("cancel",) * 6  # fmt: skip


class Soak:
    """The load, the kills and the books."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.site = Site(folder)
        os.environ["APP_FOLDER"] = str(folder)
        from tests.queue import app

        self.app = app
        self.number = 0
        self.expected: dict[str, str] = {}  # task id -> how it must end
        self.cancelled: set[str] = set()
        self.chords = self.kills = self.by_operator = 0
        self.workers = [(kind, self._start(kind)) for kind in KINDS]

    def _start(self, kind):
        return self.site.start(*kind, "-c", "1", APP_MAX_DELIVERIES="6")

    # -- load -----------------------------------------------------------------------------------

    def enqueue(self) -> None:
        self.number += 1
        getattr(self, f"_{self.random.choice(MIX)}")(f"t{self.number}")

    def _expect(self, result, end: str) -> None:
        self.expected[result.id] = end

    def _work(self, name):
        self._expect(self.app.work(name, self.random.choice((0, 0, 0.01, 0.05))), "completed")

    def _fails(self, name):
        self._expect(self.app.fails(name), "dead")

    def _pipeline(self, name):
        for result in self.app.huey.enqueue(self.app.work.s(name).then(self.app.follow)):
            self._expect(result, "completed")

    def _chord(self, name):
        members = [self.app.work.s(f"{name}.{part}") for part in range(3)]
        result = self.app.huey.enqueue(chord(members, self.app.total.s()))
        self.chords += 1
        for member in (*result.results, result.callback):
            self._expect(member, "completed")

    def _later(self, name):
        self._expect(self.app.work.schedule((name,), delay=self.random.uniform(0.5, 6)), "completed")

    def _by_operator(self, task, *args, **options) -> str:
        self.by_operator += 1
        return self.site.operator.enqueue(f"tests.queue.app.{task}", args, **options)

    def _unknown(self, _name):
        self.expected[self._by_operator("gone")] = "dead"

    def _cancel(self, name):
        task_id = self._by_operator("work", name, delay=30)
        self.site.operator.cancel([task_id])
        self.cancelled.add(task_id)

    def _poison(self):
        self.expected[self._by_operator("poison", 0.05)] = "dead"

    # -- kills ----------------------------------------------------------------------------------

    def keep_workers(self) -> None:
        self.workers = [
            (kind, one if one.poll() is None else self._start(kind)) for kind, one in self.workers
        ]
        self.site.workers = [one for _, one in self.workers]

    def kill(self) -> None:
        """A whole worker, or one of the processes of a supervisor; SIGKILL, sometimes SIGTERM."""
        self.kills += 1
        pids = [pid for (pid,) in self.site.rows("SELECT pid FROM worker WHERE kind = 'process'")]
        pids += [one.pid for _, one in self.workers]
        number = self.random.choice((signal.SIGKILL,) * 4 + (signal.SIGTERM,))
        try:
            os.kill(self.random.choice(pids), number)
        except ProcessLookupError:
            self.kills -= 1

    def run(self, seconds: float) -> None:
        end, next_kill, next_pill = time.monotonic() + seconds, time.monotonic() + 2, time.monotonic() + 5
        while (now := time.monotonic()) < end:
            if self.site.rows("SELECT n FROM depth WHERE queue = 'app' AND state = 'pending' AND n > 500"):
                time.sleep(0.2)  # it is the kills that are tested, not the speed
            else:
                for _ in range(self.random.randrange(1, 12)):
                    self.enqueue()
            if now > next_kill:
                self.kill()
                next_kill = now + self.random.uniform(0.3, 3)
            if now > next_pill:
                self._poison()
                next_pill = now + 45
            self.keep_workers()
            time.sleep(0.1)

    def drain(self) -> bool:
        deadline = time.monotonic() + DRAIN_S
        left = "SELECT 1 FROM task UNION ALL SELECT 1 FROM schedule UNION ALL SELECT 1 FROM claim LIMIT 1"
        while self.site.rows(left):
            self.keep_workers()
            time.sleep(0.2)
            if time.monotonic() > deadline:
                return False
        return True

    # -- books ----------------------------------------------------------------------------------

    def audit(self) -> dict:
        rows, wrong = self.site.rows, []
        ends: dict[str, Counter] = {}
        for task_id, state, n in rows("SELECT task_id, state, count(*) FROM run GROUP BY task_id, state"):
            ends.setdefault(task_id, Counter())[state] = n
        letters = Counter(
            row[0]
            for row in self.site.operator.storage.letters.connection().execute("SELECT task_id FROM letter")
        )
        for task_id, end in self.expected.items():
            found = ends.pop(task_id, Counter())
            final = {state: n for state, n in found.items() if state not in {"interrupted", "retrying"}}
            if final != {end: 1} or letters.pop(task_id, 0) != (end == "dead"):
                wrong.append(f"{task_id}: expected {end}, found {dict(found)}")
        wrong += [f"{task_id}: nobody enqueued it, {dict(found)}" for task_id, found in ends.items()]
        wrong += [f"{task_id}: {n} letters too many" for task_id, n in letters.items()]
        taken = {row[0] for row in rows("SELECT task_id FROM removed_task")}
        if taken != self.cancelled:
            wrong.append(f"cancelled {len(self.cancelled)}, kept for undo {len(taken)}")
        journal = dict(rows("SELECT action, sum(count) FROM journal GROUP BY action"))
        if journal != {"enqueue": self.by_operator, "cancel": len(self.cancelled)}:
            wrong.append(
                f"the operator enqueued {self.by_operator}, cancelled {len(self.cancelled)}; journal: {journal}"
            )
        counted = dict(rows("SELECT event, sum(n) FROM minute WHERE queue = 'app' GROUP BY event"))
        stored = dict(rows("SELECT state, count(*) FROM run GROUP BY state"))
        wrong += [
            f"{state}: {n} runs, counted {counted.get(state)}"
            for state, n in stored.items()
            if counted.get(state) != n
        ]
        depth = {state: n for state, n in rows("SELECT state, n FROM depth WHERE queue = 'app'") if n}
        if depth:
            wrong.append(f"counters say {depth}, and nothing is there")
        begins = Counter(
            line
            for line in (self.site.folder / "marks").read_text().splitlines()
            if line.startswith("begin t") and "total" not in line
        )
        return {
            "enqueued": len(self.expected) + len(self.cancelled), "chords": self.chords, "kills": self.kills,
            "runs": stored, "letters": self.site.operator.storage.letters.count(), "journal": journal,
            "bodies_begun_again": sum(n - 1 for line, n in begins.items() if n > 1),
            "integrity": rows("PRAGMA integrity_check")[0][0], "wrong": wrong[:20], "wrong_n": len(wrong),
        }  # fmt: skip

    def close(self) -> None:
        self.site.close()
        self.app.huey.storage.close()


def main(seconds: float, seed: int) -> dict:
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as made:
        soak = Soak(Path(made), seed)
        try:
            soak.run(seconds)
            drained = soak.drain()
            return {"drained": drained, "seconds": seconds, "seed": seed, **soak.audit()}
        finally:
            soak.close()


if __name__ == "__main__":
    print(json.dumps(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)))
