"""Leaving when the console is told to, whatever the terminal does.

A terminal that is gone, or that nobody reads any more, holds up whoever writes to it. Textual then waits for its own
output for ever, and reads the end of its input over and over. So the end has a deadline of its own.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

# Textual's own end takes a tenth of this when the terminal listens.
GRACE_S = 1.5
ATTEMPTS, ATTEMPT_S = 40, 0.01
WRITER = "textual-output"
SIGNALS = (signal.SIGTERM, signal.SIGHUP)
# Exit codes from here on say which signal has ended the console.
SIGNALLED = 128
# What Textual's driver takes back at its end: paste, wrap, mouse, Kitty's keys, the other screen, cursor, focus.
# https://invisible-island.net/xterm/ctlseqs/ctlseqs.html, https://sw.kovidgoyal.net/kitty/keyboard-protocol/
RESTORE = (
    b"\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
    b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)


class Leaving:
    """Ends the console on SIGTERM, on SIGHUP, and when its terminal hangs up."""

    def __init__(self) -> None:
        self._last: Callable[[], None] | None = None
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._terminal = sys.__stdin__.fileno() if sys.__stdin__ and sys.__stdin__.isatty() else None
        self._before = _attributes(self._terminal)

    def watch(
        self,
        loop: asyncio.AbstractEventLoop,
        leave: Callable[[int], None],
        last: Callable[[], None] | None = None,
    ) -> None:
        """Listens from now on.

        Args:
            loop: what the console runs in.
            leave: begins the ordinary end, with an exit code; called in the loop.
            last: what must be done even when there is no time for the ordinary end; must not block.
        """
        self._last = last

        def begin(code: int) -> None:
            if not self._begun.is_set():
                self._begun.set()
                threading.Thread(
                    target=self._insist, args=(code,), name="console-leaving", daemon=True
                ).start()
            # A loop that is closed has ended already.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(leave, code)

        for number in SIGNALS:
            # Not the loop's own handler: it would wait for a loop that waits for the terminal.
            signal.signal(number, lambda number, _: begin(SIGNALLED + number))
        if self._terminal is not None:
            threading.Thread(
                target=self._listen, args=(self._terminal, begin), name="console-hangup", daemon=True
            ).start()

    def ended(self) -> None:
        """The terminal is given back: there is nothing to insist on."""
        self._ended.set()
        if self._terminal is not None:
            # What the mouse told while it was being switched off is not for the shell.
            with contextlib.suppress(termios.error):
                termios.tcflush(self._terminal, termios.TCIFLUSH)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    @property
    def hung_up(self) -> bool:
        """Whether nobody is there to read another word."""
        return self._terminal is not None and bool(_hung_up(self._terminal, 0))

    @staticmethod
    def _listen(terminal: int, begin: Callable[[int], None]) -> None:
        if _hung_up(terminal, None):
            begin(SIGNALLED + signal.SIGHUP)

    def _insist(self, code: int) -> None:
        if self._ended.wait(GRACE_S):
            return
        if self._last is not None:
            self._last()
        if self._terminal is not None:
            with contextlib.suppress(OSError, termios.error):
                self._restore(self._terminal)
        os._exit(code)

    def _restore(self, terminal: int) -> None:
        # Opened anew: the shell shares the other description, and must not find it non-blocking.
        ours = os.open(os.ttyname(terminal), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        if self._before is not None:
            termios.tcsetattr(ours, termios.TCSANOW, self._before)
        # What Textual's thread still has goes nowhere. What it is writing now holds the terminal's lock: a signal, of
        # whatever kind, makes the kernel let go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stderr__.fileno())  # type: ignore[union-attr]  # where it writes
        for writer in (one for one in threading.enumerate() if one.name == WRITER and one.ident):
            signal.pthread_kill(writer.ident, SIGNALS[0])  # type: ignore[arg-type]  # it has been started
        for _ in range(ATTEMPTS):
            termios.tcflush(ours, termios.TCOFLUSH)
            with contextlib.suppress(BlockingIOError):
                os.write(ours, RESTORE)
                return
            time.sleep(ATTEMPT_S)


def _attributes(terminal: int | None) -> list[Any] | None:
    with contextlib.suppress(termios.error):
        return None if terminal is None else termios.tcgetattr(terminal)
    return None


def _hung_up(terminal: int, timeout: float | None) -> bool:
    """Waits for the terminal's end, and for nothing else."""
    waiting = select.poll()
    waiting.register(terminal, 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in waiting.poll(timeout))
