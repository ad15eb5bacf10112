"""The two queues that are compared, for this process and for the consumers it starts."""

from __future__ import annotations

import os
import time
from pathlib import Path

from huey import SqliteHuey

from worker.queue import DurableHuey


def made(kind: str, folder: Path):
    """A Huey of a kind on a file in the folder, with the tasks of the benchmark."""
    path = folder / f"{kind}.db"
    if kind == "ours":
        huey = DurableHuey("bench", filename=path, dlq_filename=folder / "dlq.db")
    else:
        huey = SqliteHuey("bench", filename=str(path), fsync=True)

    @huey.task(name="nothing")
    def nothing():
        return None

    @huey.task(name="value")
    def value(number):
        return number

    @huey.task(name="stamp")
    def stamp(sent):
        with (folder / f"{kind}.stamps").open("a") as file:
            file.write(f"{time.time() - sent}\n")

    @huey.task(name="rest")
    def rest(seconds):
        time.sleep(seconds)

    huey.nothing, huey.value, huey.stamp, huey.rest = nothing, value, stamp, rest
    return huey


# Imported by the consumers: `tests.benchmarks.app.huey`.
if "BENCH_KIND" in os.environ:
    huey = made(os.environ["BENCH_KIND"], Path(os.environ["BENCH_FOLDER"]))
