"""What an open console does when something new needs the operator: nothing, ring the bell, or notify.

The same problems that the verdict names, each told once while it lasts, and again only after it was over for a
while. What was so already when the console opened is on the screen and needs no bell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from console.readings.model import Snapshot

TOLD = frozenset({"worker_down", "worker_silent", "schedule_overdue", "schedule_error", "unreadable"})
QUIET_S = 600.0
MAX_TEXT = 200


class Watch:
    """Tells new problems from old ones.

    Args:
        oldest_age: seconds that the oldest ready task may have waited; 0: for ever.
    """

    def __init__(self, oldest_age: float = 0.0) -> None:
        self._oldest_age = oldest_age
        self._seen: dict[str, datetime] | None = None

    def news(self, snapshot: Snapshot) -> tuple[str, ...]:
        """The sentences of what is new in this look."""
        now = snapshot.at
        lasting = dict(self._lasting(snapshot))
        if self._seen is None:
            self._seen = dict.fromkeys(lasting, now)
            return ()
        fresh = [text for key, text in lasting.items() if text and key not in self._seen]
        self._seen |= dict.fromkeys(lasting, now)
        self._seen = {key: at for key, at in self._seen.items() if (now - at).total_seconds() < QUIET_S}
        return tuple(fresh)

    def _lasting(self, snapshot: Snapshot) -> Iterator[tuple[str, str]]:
        """What is so, by a key that stays; without a sentence where it cannot be news."""
        for problem in snapshot.problems:
            if problem.code in TOLD:
                # Ages in the sentence go on; its first word says whose it is.
                yield f"{problem.code} {problem.text.partition(' ')[0]}", problem.text
        yield from ((f"cause {known}", "") for known in snapshot.fingerprints)
        for cause in snapshot.newest_causes:
            yield f"cause {cause.fingerprint}", f"new cause of failure: {cause.error_type}: {cause.error}"
        oldest = snapshot.depth.oldest_pending_at
        if oldest and 0 < self._oldest_age < (snapshot.at - oldest).total_seconds():
            yield "oldest", "the oldest ready task has waited too long"


def sequences(texts: Iterable[str], place: str) -> str:
    """The terminal's own notification: OSC 9 (iTerm2, kitty, Windows Terminal) and OSC 777 (urxvt, foot, VTE)."""
    text = clean("; ".join(texts), MAX_TEXT)
    # A semicolon parts the fields of OSC 777.
    fields = f"{clean(place, 40)};{text}".replace("; ", ", ")
    return f"\x1b]9;{clean(place, 40)}: {text}\x07\x1b]777;notify;{fields}\x07"
