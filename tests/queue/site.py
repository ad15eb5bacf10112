"""A folder with a queue, and real workers on it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from worker.queue import Operator
from worker.sqlite import sqlite3

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30


class Site:
    """A folder with a queue, an operator, and workers of `tests.queue.app`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.operator = Operator(folder / "tasks.db", folder / "dlq.db", queue="app")
        self.workers: list[subprocess.Popen] = []

    def start(self, *options: str, log: Path | None = None, **environment: str) -> subprocess.Popen:
        env = os.environ | {"APP_FOLDER": str(self.folder), "PYTHONPATH": str(ROOT)} | environment
        command = [
            sys.executable, "-m", "huey.bin.huey_consumer", "tests.queue.app.huey", "-q", "-m", "1", *options
        ]  # fmt: skip
        with (log or Path(os.devnull)).open("ab") as errors:
            worker = subprocess.Popen(command, env=env, cwd=ROOT, stderr=errors, start_new_session=True)
        self.workers.append(worker)
        return worker

    def enqueue(self, name: str, *args) -> str:
        return self.operator.enqueue(f"tests.queue.app.{name}", args)

    def rows(self, query: str, *params) -> list[tuple]:
        return self.operator.storage.sql(query, params, results=True)

    def marks(self) -> Counter:
        file = self.folder / "marks"
        return Counter(file.read_text().splitlines()) if file.exists() else Counter()

    def wait(self, condition, what: str):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.02)
        raise AssertionError(f"not within {PATIENCE_S} s: {what}; {self.marks()}")

    def wait_for_mark(self, line: str) -> None:
        self.wait(lambda: self.marks()[line], line)

    def states(self, task_id: str) -> list[str]:
        return [row[0] for row in self.rows("SELECT state FROM run WHERE task_id = ? ORDER BY id", task_id)]

    def stop(self, pid: int) -> None:
        """Stops a process at a moment at which it does not write: who holds the file's lock stops all others, too."""
        with contextlib.closing(sqlite3.connect(self.folder / "tasks.db", timeout=0.3)) as conn:
            conn.isolation_level = None
            while True:
                os.kill(pid, signal.SIGSTOP)
                with contextlib.suppress(sqlite3.OperationalError):
                    conn.execute("BEGIN IMMEDIATE")
                    conn.execute("ROLLBACK")
                    return
                os.kill(pid, signal.SIGCONT)
                time.sleep(0.01)

    def close(self) -> None:
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):  # its children, too
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        self.operator.close()
