"""Textual's driver for a terminal, with an end that nobody waits for.

Its thread that reads the keys looks every 0.1 s whether it is to end, and then waits for another 0.1 s: two thirds of
the time that quitting took, and a third of what the console costs while nothing happens. Here it sleeps until it is
woken. There is no public way to have it otherwise.
"""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder
from typing import Any

from textual._xterm_parser import XTermParser
from textual.constants import ESCAPE_DELAY
from textual.drivers.linux_driver import LinuxDriver

# After the last byte it is looked so often whether an escape sequence will go on.
LOOKS = 3
READ = 4096


class PromptDriver(LinuxDriver):
    """The driver; takes what Textual's takes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wakes, self._waker = os.pipe()

    def disable_input(self) -> None:
        """Stops reading keys, at once."""
        os.write(self._waker, b"\0")
        super().disable_input()
        # The driver is used again after ctrl+z and `fg`.
        os.read(self._wakes, READ)

    def run_input_thread(self) -> None:
        """Reads keys until it is woken."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")().decode
        looks = 0
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self._wakes, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = {key.fd for key, _ in selector.select(ESCAPE_DELAY if looks else None)}
                looks = LOOKS if self.fileno in ready else max(looks - 1, 0)
                if self.fileno in ready:
                    read = os.read(self.fileno, READ)
                    if not read:
                        return  # nothing ever comes again
                    if text := decode(read):
                        for event in parser.feed(text):
                            self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
