"""Waking idle workers at once: one datagram to each worker's socket beside `tasks.db`.

Slow polling stays beneath it as the net, for a system without Unix sockets or a missed datagram.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# sockaddr_un.sun_path holds 104 bytes on BSD and macOS, 108 on Linux, the ending zero included.
MAX_SOCKET_PATH = 100
PEERS_KEPT_S = 0.5
# A stop flag has no file descriptor in thread workers, so a waiting ear looks at it this often.
STOP_CHECK_S = 0.25

HAS_UNIX_SOCKETS = hasattr(socket, "AF_UNIX")


class StopFlag(Protocol):
    """What Huey gives its workers to know when to end."""

    def is_set(self) -> bool:
        """Whether the worker is to end."""

    def wait(self, timeout: float) -> bool:
        """Waits until it is set, `timeout` seconds at most; returns whether it is."""


class Bell:
    """Rings at all workers of a folder.

    Args:
        folder: where the workers' sockets are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket: socket.socket | None = None
        self._peers: tuple[float, tuple[str, ...]] = (0.0, ())
        self._pid = 0

    def ring(self) -> None:
        """Wakes every idle worker; never blocks, never raises."""
        names = self._names() if HAS_UNIX_SOCKETS else ()
        if not names:
            return
        with contextlib.suppress(OSError), _short(self._folder) as prefix:
            sender = self._sender()
            for name in names:
                # A dead worker's socket refuses, a busy one's buffer is full: both are fine.
                with contextlib.suppress(OSError):
                    sender.sendto(b"1", f"{prefix}/{name}")

    def _names(self) -> tuple[str, ...]:
        now = time.monotonic()
        if now > self._peers[0]:
            names: tuple[str, ...] = ()
            with contextlib.suppress(OSError):  # no worker has ever run here
                names = tuple(
                    entry.name for entry in os.scandir(self._folder) if entry.name.endswith(".sock")
                )
            self._peers = (now + PEERS_KEPT_S, names)
        return self._peers[1]

    def _sender(self) -> socket.socket:
        if self._socket is None or self._pid != os.getpid():
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._pid = os.getpid()
        return self._socket

    def close(self) -> None:
        """Closes the sending socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Ear:
    """Hears the bell; all idle threads of a process share one.

    Args:
        folder: where the workers' sockets are.
        name: the file name of this one.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / name
        self._socket: socket.socket | None = None
        if not HAS_UNIX_SOCKETS:
            return
        self._path.unlink(missing_ok=True)  # of a worker of an earlier database with the same ids
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            ear.setblocking(False)
            with _short(folder) as prefix:
                ear.bind(f"{prefix}/{name}")
        except OSError:
            ear.close()  # for example a file system without sockets: polling remains
            return
        self._socket = ear

    def wait(self, seconds: float, stop: StopFlag) -> None:
        """Returns when the bell rings, the time is over, or `stop` is set."""
        if self._socket is None:
            stop.wait(seconds)
            return
        deadline = time.monotonic() + seconds
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        while not stop.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                return
            if poller.poll(min(left, STOP_CHECK_S) * 1000):
                with contextlib.suppress(BlockingIOError):
                    while True:
                        self._socket.recv(16)
                return

    def close(self, *, remove: bool = True) -> None:
        """Closes the socket; `remove` also takes its file away."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            if remove:
                self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def _short(folder: Path) -> Iterator[str]:
    """The folder under a name short enough for a socket address.

    Raises:
        OSError: there is no such name on this system.
    """
    if len(os.fsencode(folder)) + 24 <= MAX_SOCKET_PATH:
        yield str(folder)
        return
    if not sys.platform.startswith("linux"):
        raise OSError(f"{folder}: too long for a socket's address")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
