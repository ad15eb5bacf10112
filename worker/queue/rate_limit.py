"""A rate limit that holds however many workers ask at the same moment."""

from __future__ import annotations

import time

from huey.api import RateLimit
from huey.exceptions import RateLimitExceeded


class DurableRateLimit(RateLimit):
    """Huey's fixed-window limit, with a counter for each window.

    Huey's own has one counter, which whoever first sees a new window empties: two workers that see it at
    once empty it twice, and what came in between is not counted (`huey.api.RateLimit.acquire`, 3.5).
    """

    def acquire(self) -> None:
        """Goes in.

        Raises:
            RateLimitExceeded: the window is full; says in how many seconds the next begins.
        """
        now = time.time()
        window = self._current_window(now)
        entered = self._huey.storage.incr(self._counter_of(window))
        if entered == 1:
            self._forget_all_but(window)
        if entered > self._limit:
            raise RateLimitExceeded(self._name, self._time_until_reset(now), retry=self._retry)

    def reset(self) -> None:
        """Empties the window."""
        self._huey.storage.delete_counter(self._counter_of(self._current_window(time.time())))

    def current_usage(self) -> int:
        """How many have asked in this window."""
        used: int = self._huey.storage.incr(self._counter_of(self._current_window(time.time())), 0)
        return used

    def _counter_of(self, window: int) -> str:
        return f"{self._counter_key}.{window}"

    def _forget_all_but(self, window: int) -> None:
        last = self._huey.get(self._window_key, peek=True)
        if last is not None and last != window:
            self._huey.storage.delete_counter(self._counter_of(last))
        self._huey.put(self._window_key, window)
