"""What keeps a worker from its files, said once when it begins and once when it is over.

A database that is locked, a full disk or a read-only file system is met by every thread at every try. The operator
needs the reason once; the tries go on by themselves.
"""

from __future__ import annotations

import logging
import threading
import time

logger = logging.getLogger("worker.queue")


class Trouble:
    """The troubles of one process with its files."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._since = 0.0

    def __bool__(self) -> bool:
        return bool(self._told)

    def tell(self, error: Exception | str) -> None:
        """Says the reason, unless it has been said since all was well."""
        reason = str(error)
        with self._lock:
            if reason in self._told:
                return
            if not self._told:
                self._since = time.monotonic()
            self._told.add(reason)
        logger.error("%s; nothing is lost, this is tried again until it works", reason)

    def over(self) -> None:
        """A write has succeeded: says so, if there was trouble."""
        if not self._told:
            return
        with self._lock:
            lasted, self._told = time.monotonic() - self._since, set()
        logger.warning("the files can be written again, after %.0f s", lasted)
