"""A module of tasks for the tests that run real workers: `huey_consumer tests.queue.app.huey`."""

from __future__ import annotations

import os
import time
from pathlib import Path

from huey import CancelExecution
from huey.signals import SIGNAL_COMPLETE

from worker.queue import Cron, DurableHuey, current_run, identity

if os.environ.get("APP_LEASE"):
    identity.fcntl = None  # a system without flock: only the heartbeat tells the living from the dead

FOLDER = Path(os.environ["APP_FOLDER"])

huey = DurableHuey(
    "app",
    filename=lambda: FOLDER / "tasks.db",
    dlq_filename=lambda: FOLDER / "dlq.db",
    heartbeat=0.3,
    max_deliveries=int(os.environ.get("APP_MAX_DELIVERIES", "5")),
)


def leave(line):
    with (FOLDER / "marks").open("a") as file:
        file.write(f"{line}\n")


@huey.task()
def work(name, seconds=0.0):
    leave(f"begin {name}")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.01)
    leave(f"end {name}")
    return name


@huey.task()
def steps(name, count):
    leave(f"begin {name}")
    for number in range(count):
        current_run().progress(number, count, f"step {number}")
        time.sleep(0.05)
    leave(f"end {name}")


@huey.task(timeout=0.6)
def slow(name, *, tells=True):
    leave(f"begin {name}")
    for number in range(400):
        if tells:
            current_run().progress(number, 400)
        time.sleep(0.02)
    leave(f"end {name}")


@huey.task()
def poison(seconds=0.0):
    leave("poison")
    time.sleep(seconds)
    os.kill(os.getpid(), 9)


@huey.task()
def sleeper(name, seconds):
    """One long call, as a task has that waits for a server: nothing of it can be interrupted."""
    leave(f"begin {name}")
    time.sleep(seconds)
    leave(f"end {name}")
    return name


@huey.task(retries=1, retry_delay=0.2)
def fails(name):
    leave(f"try {name}")
    raise ValueError(name)


@huey.task()
def follow(name):
    leave(f"begin {name}/2")


@huey.task()
def total(names):
    leave(f"begin total {'+'.join(map(str, names))}")
    return len(names)


@huey.task(retries=20, retry_delay=0)
@huey.rate_limit("door", 3, 2)
def limited(name):
    leave(f"in {int(time.time()) // 2} {name}")


@huey.task(retries=20, retry_delay=0.1)
@huey.lock_task("one at a time")
def exclusive(name):
    leave(f"enter {name}")
    time.sleep(0.15)
    leave(f"leave {name}")


@huey.on_startup()
def started():
    leave("hook started")


@huey.on_shutdown()
def stopped():
    leave("hook stopped")


@huey.pre_execute()
def before(task):
    if task.args == ("unwanted",):
        raise CancelExecution


@huey.post_execute()
def after(task, value, error):
    if task.args == ("observed",):
        leave(f"hook after {value} {error}")


@huey.signal(SIGNAL_COMPLETE)
def completed(signal, task):
    if task.args == ("observed",):
        leave(f"signal {signal}")


@huey.task()
def leaves():
    raise SystemExit(3)


@huey.periodic_task(lambda _moment: os.environ.get("APP_TICK") == "1")
def every_minute():
    leave("tick")


if "APP_CRON" in os.environ:

    @huey.periodic_task(Cron(os.environ["APP_CRON"]))
    def every_tick():
        leave(f"tick {current_run().due_at:%H:%M:%S}")
