"""A program on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyte
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
LONGEST_S = 25.0
# What a terminal is asked for at the start and must be told back at the end.
LEFT_CLEAN = (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?25h")


class Terminal:
    """A program on a pseudo-terminal of 80 by 24, and what stands on it."""

    def __init__(
        self,
        *arguments: str,
        env: dict[str, str] | None = None,
        module: str = "console.cli",
        cwd: Path = ROOT,
    ) -> None:
        self.master, slave = pty.openpty()
        self.resize(80, 24)
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=cwd,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **(env or {})},
        )  # fmt: skip
        os.close(slave)
        self.output = b""

    def resize(self, width: int, height: int) -> None:
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.ByteStream(self.screen)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, seconds: float = 0.05) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += data
        self.stream.feed(data)
        return bool(data)

    def text(self) -> str:
        return re.sub(
            r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[=>]|\x1b\][^\x07]*\x07", "", self.output.decode(errors="replace")
        )

    def shows(self, words: str) -> bool:
        """Whether they stand on the screen; only what differs is written, often a single digit."""
        return any(words in line for line in self.screen.display)

    def until(self, words: str) -> None:
        """Waits until the words stand on the screen, or were written (a line of the shell is cut at the edge)."""
        self._until(lambda: self.shows(words) or words in self.text(), f"never said {words!r}")

    def until_written(self, words: str) -> None:
        """Waits until the words are written, whether they stood there before or not."""
        self._until(lambda: words in self.text(), f"never wrote {words!r}")

    def until_gone(self, words: str) -> None:
        """Waits until the words stand on the screen no longer."""
        self._until(lambda: not self.shows(words), f"still says {words!r}")

    def _until(self, fact: Callable[[], bool], fault: str) -> None:
        deadline = time.monotonic() + LONGEST_S
        while not fact():
            said = "\n".join(self.screen.display)
            assert time.monotonic() < deadline, f"{fault}; the screen:\n{said}"
            assert self.process.poll() is None or self.read(), said
            self.read()

    def press(self, keys: str) -> None:
        self.output = b""
        os.write(self.master, keys.encode())

    def end(self) -> int:
        deadline = time.monotonic() + LONGEST_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "never ended"
            self.read()
        while self.read():
            pass
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal(tmp_path):
    opened = []

    def make(*arguments, env=None, **options):
        # What is remembered and configured for the user who runs the tests is none of ours.
        ours = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "user config")}
        opened.append(
            Terminal("--home", str(tmp_path / "home"), *arguments, env=ours | (env or {}), **options)
        )
        return opened[-1]

    yield make
    for one in opened:
        one.close()
