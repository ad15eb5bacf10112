"""A fork in the middle of work: the child starts with locks that are free and without its parent's connections.

Huey replaces a dead worker process by forking the running supervisor, whose heartbeat thread may hold a lock at that
moment: the child would wait for it for ever. And a SQLite connection must not be used, nor even closed, in a child
(https://sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_).
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Protocol

# So long a fork waits for other threads to come to a rest; the child gets new locks in any case.
PATIENCE_S = 10.0


class Forking(Protocol):
    """What holds locks and connections."""

    def locks(self) -> list[Any]:
        """What has to be held so that nothing is in the middle of something, in order."""

    def start_anew(self) -> list[Any]:
        """In the child: makes new locks and forgets the connections, which it returns."""


_watched: weakref.WeakSet[Forking] = weakref.WeakSet()
_forking = threading.local()  # what this thread holds while it forks
# Kept for ever: if they were collected, they would be closed.
_parents_connections: list[Any] = []


def watch(one: Forking) -> None:
    """From now on, forks are safe for it."""
    _watched.add(one)


def _before() -> None:
    locks = [lock for one in list(_watched) for lock in one.locks()]
    _forking.held = [lock for lock in locks if lock.acquire(timeout=PATIENCE_S)]


def _in_parent() -> None:
    for lock in reversed(_forking.held):
        lock.release()


def _in_child() -> None:
    for one in list(_watched):
        _parents_connections.extend(one.start_anew())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
