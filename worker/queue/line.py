"""Who waits to write: so that a worker that drains a queue lets others in between.

SQLite keeps no line of those that wait for its write lock. A worker takes it again a moment after it let it go, and an
enqueue beside it may find it taken a hundred times in a row (measured: 99th of a hundred at 105 ms). Who has to wait
here holds a shared flock; a worker looks for one before it writes, and lets it go first. The kernel frees the flock of
a process that dies, so nobody waits for the dead.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock; then there is no line
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "waiting"
LOOK_S = 0.000_2
# Longer is not waited for others: they may be stopped, or come without end.
LONGEST_S = 0.003


class Line:
    """The line before one file; used by one thread at a time.

    Args:
        folder: where the workers' locks are; without it no worker has been here, and there is no line.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._descriptor: int | None = None
        self._pid = 0

    def give_way(self) -> None:
        """Waits for those who stand in the line, a few milliseconds at most."""
        descriptor = self._open()
        if descriptor is None:
            return
        until = time.monotonic() + LONGEST_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > until:
                    return
                time.sleep(LOOK_S)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                return

    @contextlib.contextmanager
    def standing(self) -> Iterator[None]:
        """Stands in the line meanwhile."""
        descriptor = self._open()
        if descriptor is None:
            yield
            return
        with contextlib.suppress(OSError):  # a worker is looking at this very moment
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _open(self) -> int | None:
        if fcntl is None:
            return None
        if self._descriptor is not None and self._pid != os.getpid():
            # A flock belongs to the open file, which a forked child shares with its parent.
            self.close()
        if self._descriptor is None:
            with contextlib.suppress(OSError):
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._pid = os.getpid()
        return self._descriptor

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
