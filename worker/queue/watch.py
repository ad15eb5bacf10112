"""Why a tick was not fired when it was due: what the scheduler knows of the time since its last look.

Three clocks tell three mishaps apart: the wall clock can be set, the monotonic clock stands still while
the machine sleeps, and the boot clock does neither (clock_gettime(2), CLOCK_BOOTTIME; Linux only).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

# Differences below this are the clocks' own, or are of no use to anybody.
NOTABLE_S = 60.0


def boot_time() -> float:
    """Seconds since the machine was started, those asleep included; without such a clock, those awake."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class _Look(NamedTuple):
    wall: float
    awake: float
    passed: float


class Watch:
    """Remembers when the schedules were looked at last.

    Args:
        wall: Unix seconds.
        awake: seconds that stand still while the machine sleeps.
        passed: seconds that do not.
    """

    def __init__(
        self,
        wall: Callable[[], float],
        awake: Callable[[], float] = time.monotonic,
        passed: Callable[[], float] = boot_time,
    ) -> None:
        self._clocks = (wall, awake, passed)
        self._last: _Look | None = None
        self._since = wall()

    def look(self) -> None:
        """The schedules are being looked at now."""
        self._last = _Look(*(clock() for clock in self._clocks))

    def why(self, tick_at: float) -> str:
        """Why nobody fired a tick that is late now, in words."""
        last = self._last
        if last is None or tick_at <= self._since:
            return "no worker was running"
        wall, awake, passed = (clock() - then for clock, then in zip(self._clocks, last, strict=True))
        if wall - passed > NOTABLE_S:
            return f"the clock was set forward by {span(wall - passed)}"
        if passed - awake > NOTABLE_S:
            return f"the machine slept for {span(passed - awake)}"
        return f"the worker stood still for {span(passed)}"


def span(seconds: float) -> str:
    """A span in its two largest units: `7h 55m`."""
    whole = max(int(seconds), 0)
    parts = [(whole // 86_400, "d"), (whole // 3_600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")]
    first = next((at for at, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    return " ".join(f"{amount}{unit}" for amount, unit in parts[first : first + 2] if amount) or "0s"
