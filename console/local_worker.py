"""A worker on this machine: started in its own session, stopped by the signal that a service manager sends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from console.actions import ActionRefused
from console.text import clean
from worker.places import PlaceError

if TYPE_CHECKING:
    from pathlib import Path

    from worker.places import Home

# A worker that cannot start says so within this time; one that is still there then has started.
STARTS_WITHIN_S = 1.5
STOPS_WITHIN_S = 35.0


class LocalWorker:
    """Starts `topic-worker` as a process of its own, which goes on when the console ends.

    Args:
        home: the data folder.
        config: the configuration folder.
    """

    def __init__(self, home: Home, config: Path) -> None:
        self._home, self._config = home, config
        self._process: subprocess.Popen[bytes] | None = None
        self.expected = False

    expected: bool
    """Whether one was started here, or is about to be, and has not ended."""

    def start(self) -> int:
        """Starts it, unless it runs already; returns its process id. Blocking, up to two seconds.

        Raises:
            ActionRefused: it ended at once; says why.
        """
        if self._process is not None and self._process.poll() is None:
            return self._process.pid
        try:
            output = self._home.prepare_logs() / "worker.out"
        except PlaceError as error:
            self.expected = False
            raise ActionRefused(str(error)) from error
        self.expected = True
        with output.open("wb") as sink:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "worker.cli", "--home", str(self._home.root), "--config", str(self._config)],
                stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self.expected = False
                words = output.read_text(errors="replace").strip().splitlines()
                said = words[-1].removeprefix("topic-worker: ") if words else "it said nothing"
                # In a narrow notification, what stands before the folder would hide which file it is.
                named = said.replace(f"{self._config.parent}{os.sep}", "")
                raise ActionRefused(f"The worker did not start: {clean(named, 300)}")
            time.sleep(0.05)
        return self._process.pid

    def ask_started_to_stop(self) -> None:
        """Asks the worker that was started here to end, and does not wait for it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop_started(self) -> None:
        """Stops the worker that was started here, gracefully, and waits for its end."""
        if self._process is None or self._process.poll() is not None:
            return
        self.ask_started_to_stop()
        try:
            self._process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def reap(self) -> None:
        """Takes note of the end of a worker that was started here, so that no zombie stays."""
        if self._process is not None and self._process.poll() is not None:
            self.expected = False


def stop(pid: int) -> None:
    """Asks a worker of this machine to finish what it does and end.

    Args:
        pid: of a process that holds a worker's lock, hence no other program's.

    Raises:
        ActionRefused: it is gone, or another user's.
    """
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError as error:
        raise ActionRefused(f"The worker (pid {pid}) is gone already.") from error
    except PermissionError as error:
        raise ActionRefused(f"The worker (pid {pid}) belongs to another user.") from error
