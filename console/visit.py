"""When the operator looked at this home last: what has happened since is news.

It is remembered with the user's other habits, not in the databases: each operator has looked at another time.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from console.memory import Memory


class Visit:
    """The operator's look at a home, from opening the console to leaving it.

    Args:
        memory: where the last look is remembered.
        home: which data it is.
        clock: the time, aware.

    Attributes:
        since: when the last look ended; None for the first one, and once the news is dismissed.
    """

    def __init__(self, memory: Memory, home: Path, clock: Callable[[], datetime]) -> None:
        self._memory, self._name, self._clock = memory, f"seen {home}", clock
        self.since = _moment(memory.text(self._name))

    def dismiss(self) -> None:
        """All that is new has been seen."""
        self.since = None
        self.end()

    def end(self) -> None:
        """The operator leaves; what happens from now on is news to the next look."""
        self._memory.keep(self._name, self._clock().isoformat(timespec="seconds"))


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
