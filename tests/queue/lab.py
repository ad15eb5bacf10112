"""A queue in a folder that a real worker and a real scheduler work on in one thread, so that a crash can be placed.

Used by `crash_sweep`, which kills the process at each point of a scenario in turn.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from huey import chord, group

from worker.queue import Cron, DurableHuey, current_run
from worker.queue.consumer import DurableConsumer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Instant:
    """A stop flag for which no time passes."""

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        return False


class Lab:
    """Tasks leave a mark when their body begins and when it ends.

    Args:
        folder: where the files are.
        started: what the clock says at first, Unix seconds.
        later: how much later it is now.
        daily: whether there is a schedule, due a minute after the start.
    """

    def __init__(self, folder: Path, started: float, later: float = 0, *, daily: bool = False) -> None:
        self.folder, self.clock = folder, started + later
        tick = datetime.fromtimestamp(started + 60, UTC)
        # A long heartbeat: a second thread would make the points differ from run to run.
        self.huey = huey = DurableHuey(
            "lab", filename=folder / "tasks.db", heartbeat=3600, max_deliveries=50, now=lambda: self.clock
        )

        @huey.task()
        def mark(name, *_):
            with self.body(name):
                return name

        @huey.task(retries=1, retry_delay=5)
        def fails(name):
            with self.body(name):
                raise ValueError(name)

        @huey.task(retries=1, context=True)
        def once(name, task):
            """Fails at first, and is retried at once."""
            with self.body(name):
                if task.retries:
                    raise ValueError(name)
                return name

        @huey.task()
        def total(names):
            with self.body("total"):
                return names

        @huey.task()
        @huey.lock_task("one")
        def locked(name):
            with self.body(name):
                return name

        @huey.task()
        def stopped(name):
            with self.body(name):
                huey.storage.sql("UPDATE claim SET cancel = 1", commit=True)  # what the operator's act does
                current_run().progress(1, 2)

        if daily:

            @huey.periodic_task(Cron(f"{tick.minute} {tick.hour} * * *", "UTC"))
            def daily_task():
                with self.body("daily"):
                    pass

        self.mark, self.fails, self.once, self.total = mark, fails, once, total
        self.locked, self.stopped = locked, stopped

    def body(self, name: str) -> _Marks:
        return _Marks(self, name)

    def leave(self, line: str) -> None:
        with (self.folder / "marks").open("a") as file:
            file.write(line + "\n")

    def marks(self) -> Counter[str]:
        file = self.folder / "marks"
        return Counter(file.read_text().splitlines()) if file.exists() else Counter()

    def begin(self) -> None:
        """Starts to be a worker."""
        self.consumer = DurableConsumer(self.huey, periodic=True, check_worker_health=False)
        self.consumer.stop_flag = Instant()
        self.worker, self.scheduler = self.consumer._create_worker(), self.consumer._create_scheduler()
        self.worker.delay = self.worker.default_delay = self.worker.max_delay = 0
        self.consumer.prepare()
        self.huey.storage.identity.ensure()
        self.worker.initialize()

    def drain(self) -> None:
        """Works and looks after the schedule until nothing is left."""
        storage = self.huey.storage
        for _ in range(40):
            self.scheduler.loop()
            while storage.queue_size() or storage.sql("SELECT 1 FROM claim", results=True):
                # Huey's own clock cannot be set, so a task is told the time.
                self.worker.loop(datetime.fromtimestamp(self.clock, UTC).replace(tzinfo=None))
            if not storage.schedule_size():
                break
            self.clock += 10
        self.worker.shutdown()

    def close(self) -> None:
        self.huey.storage.identity.retire()
        self.huey.storage.close()


class _Marks:
    def __init__(self, lab: Lab, name: str) -> None:
        self._lab, self._name = lab, name

    def __enter__(self) -> None:
        self._lab.leave(f"begin {self._name}")

    def __exit__(self, *_: object) -> None:
        self._lab.leave(f"end {self._name}")


@dataclass(frozen=True)
class Scenario:
    """What is enqueued, and what must have come of it.

    Attributes:
        enqueue: does it; its process may die in it, and then all of it is stored or nothing.
        bodies: how often each body runs when nothing dies.
        completed: outcomes that say so.
        letters: dead letters.
        other: outcomes of another kind than completed.
    """

    enqueue: Callable[[Lab], object]
    bodies: dict[str, int]
    completed: int
    letters: int = 0
    other: int = 0


def _unreadable(lab: Lab) -> None:
    lab.huey.storage.enqueue_many([
        (b'{"v":1,"id":"x","name":"renamed.task","args":[],"kwargs":{}}', 0),
        (b"\x80 no JSON", 0),
    ])  # fmt: skip


def _revoked(lab: Lab) -> None:
    lab.huey.revoke_by_id("fixed")
    lab.mark.schedule(("a",), delay=20, id="fixed")


def _tick(lab: Lab) -> None:
    lab.clock += 120


def _reschedule(lab: Lab) -> None:
    lab.mark.schedule(("a",), delay=20, id="fixed").reschedule(delay=30)


SCENARIOS = {
    "result": Scenario(lambda lab: lab.mark("a"), {"a": 1}, 1),
    "map": Scenario(lambda lab: lab.mark.map(["a", "b"]), {"a": 1, "b": 1}, 2),
    "group": Scenario(lambda lab: lab.huey.enqueue(group([lab.mark.s("a"), lab.mark.s("b")])), {"a": 1, "b": 1}, 2),
    "pipeline": Scenario(lambda lab: lab.huey.enqueue(lab.mark.s("a").then(lab.mark, "b")), {"a": 1, "b": 1}, 2),
    "chord": Scenario(
        lambda lab: lab.huey.enqueue(chord([lab.mark.s("a"), lab.mark.s("b")], lab.total.s())),
        {"a": 1, "b": 1, "total": 1}, 3,
    ),
    "chord_of_a_failure": Scenario(
        lambda lab: lab.huey.enqueue(chord([lab.mark.s("a"), lab.fails.s("b")], lab.total.s())),
        {"a": 1, "b": 2, "total": 1}, 2, letters=1, other=2,
    ),
    "retry": Scenario(lambda lab: lab.once("a"), {"a": 2}, 1, other=1),
    "death": Scenario(lambda lab: lab.fails("a"), {"a": 2}, 0, letters=1, other=2),
    "on_error": Scenario(
        lambda lab: lab.huey.enqueue(lab.fails.s("a").error(lab.mark, "e")), {"a": 2, "e": 2}, 2, letters=1, other=2
    ),
    "delay": Scenario(lambda lab: lab.mark.schedule(("a",), delay=20), {"a": 1}, 1),
    "tick": Scenario(_tick, {"daily": 1}, 1),
    "revoke": Scenario(_revoked, {}, 0, other=1),
    "reschedule": Scenario(_reschedule, {"a": 1}, 1, other=1),
    "unreadable": Scenario(_unreadable, {}, 0, letters=2, other=2),
    "lock": Scenario(lambda lab: lab.locked("a"), {"a": 1}, 1),
    "cancel": Scenario(lambda lab: lab.stopped("a"), {"a": 1}, 0, other=1),
}  # fmt: skip
