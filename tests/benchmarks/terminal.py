"""A program on a pseudo-terminal of 120 by 40: what it writes, what it uses, how soon it answers."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
COLUMNS, ROWS = 120, 40
PATIENCE_S = 60.0
# What a program may ask of a terminal, and what one answers: a program that waits for it would look slow.
_ANSWERS = ((b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[?2026$p", b"\x1b[?2026;2$y"), (b"\x1b[6n", b"\x1b[1;1R"))
_SEQUENCE = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][0-9A-B]|\x1b.")


class Terminal:
    """The program, from its start on.

    Args:
        command: of the program.
        environment: added to that of this process.
    """

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self._fd, slave = pty.openpty()
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.written = 0
        self.output = b""
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | (environment or {}),
        )  # fmt: skip
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._fd)

    def _read(self, seconds: float) -> bytes:
        """What the program writes next; nothing when it is silent for so long."""
        if not select.select([self._fd], [], [], max(seconds, 0))[0]:
            return b""
        try:
            part = os.read(self._fd, 65536)
        except OSError:  # it has ended
            return b""
        for asked, answer in _ANSWERS:
            if asked in part:
                os.write(self._fd, answer)
        self.written += len(part)
        self.output += part
        return part

    def until(self, words: str) -> float:
        """Seconds from the start until it has shown the words.

        Raises:
            TimeoutError: it never did.
        """
        sought = words.encode()
        while sought not in _SEQUENCE.sub(b"", self.output):
            if not self._read(0.5) and time.perf_counter() - self.started > PATIENCE_S:
                raise TimeoutError(f"no {words!r} in {self.output[-2000:]!r}")
        return time.perf_counter() - self.started

    def first_paint(self) -> float:
        """Seconds from the start until anything could be seen.

        Raises:
            TimeoutError: nothing ever was.
        """
        while not _SEQUENCE.sub(b"", self.output.partition(b"\x1b[?1049h")[2]).strip(b" \r\n\x00"):
            if not self._read(0.5) and time.perf_counter() - self.started > PATIENCE_S:
                raise TimeoutError("nothing was drawn")
        return time.perf_counter() - self.started

    def rest(self, seconds: float) -> bytes:
        """Lets it go on for a time; what it wrote."""
        before, until = len(self.output), time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self._read(left)
        return self.output[before:]

    def settle(self, quiet: float = 0.4, most: float = 3.0) -> None:
        """Waits until it is silent."""
        until = time.perf_counter() + most
        while self._read(quiet) and time.perf_counter() < until:
            pass

    def press(self, key: bytes) -> None:
        """Presses a key, and waits for nothing."""
        os.write(self._fd, key)

    def answered(self, key: bytes, most: float = 2.0) -> tuple[float, float]:
        """Seconds from a key to the first and to the last byte of what it draws; 0 where it draws nothing."""
        self.settle(0.12, 1.0)
        asked = time.perf_counter()
        self.press(key)
        if not self._read(most):
            return 0.0, 0.0
        first = last = time.perf_counter() - asked
        while self._read(0.03):
            last = time.perf_counter() - asked
        return first, last

    def quit(self, key: bytes = b"q") -> float:
        """Seconds from the key that leaves to the end of the process."""
        asked = time.perf_counter()
        self.press(key)
        while self.process.poll() is None:
            if not self._read(0.005):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(0.002)
            if time.perf_counter() - asked > PATIENCE_S:
                raise TimeoutError("it does not end")
        return time.perf_counter() - asked

    @property
    def cpu(self) -> float:
        """Seconds of CPU that it has used, all threads; to the nanosecond, where ticks of 10 ms would hide them."""
        return sum(
            int((task / "schedstat").read_text().split()[0])
            for task in Path(f"/proc/{self.process.pid}/task").iterdir()
        ) / 1e9  # fmt: skip

    @property
    def memory(self) -> float:
        """MB that it holds."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6
