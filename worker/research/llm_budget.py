"""What a model may cost: reserved before it is asked, settled after, remembered by the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.research.errors import LlmError

if TYPE_CHECKING:
    from worker.research.clock import Clock
    from worker.research.library import Library
    from worker.research.llm import LlmOptions


def estimate(text: str) -> int:
    """About how many tokens a text is, rather too many: German has some three letters to one."""
    return len(text) // 3 + 1


class Budget:
    """The tokens that are left for a run and for the day (UTC).

    What is reserved counts at once, so that a run that is killed in mid-question has spent it.
    """

    def __init__(self, library: Library, options: LlmOptions, now: Clock) -> None:
        self._library, self._options, self._now = library, options, now
        self.spent = 0

    def today(self) -> int:
        """Tokens of this day so far, over all runs."""
        rows = self._library.rows("SELECT tokens FROM llm_usage WHERE day = ?", self._day())
        return int(rows[0][0]) if rows else 0

    def reserve(self, tokens: int) -> None:
        """Takes tokens out of both budgets.

        Raises:
            LlmError: one of them does not suffice; nothing was taken.
        """
        if self.spent + tokens > self._options.run_tokens:
            raise LlmError(f"the run's budget of {self._options.run_tokens:,} tokens is used up")
        with self._library.transaction() as conn:
            row = conn.execute("SELECT tokens FROM llm_usage WHERE day = ?", (self._day(),)).fetchone()
            if (row[0] if row else 0) + tokens > self._options.day_tokens:
                raise LlmError(f"the day's budget of {self._options.day_tokens:,} tokens is used up")
            conn.execute(
                "INSERT INTO llm_usage (day, requests, tokens) VALUES (?, 1, ?) ON CONFLICT (day) DO UPDATE "
                "SET requests = requests + 1, tokens = tokens + excluded.tokens",
                (self._day(), tokens),
            )
        self.spent += tokens

    def settle(self, reserved: int, used: int | None) -> None:
        """Puts what was really used in the place of what was reserved; None: it is not known."""
        if used is None or used == reserved:
            return
        self.spent += used - reserved
        with self._library.transaction() as conn:
            conn.execute(
                "UPDATE llm_usage SET tokens = max(0, tokens + ?) WHERE day = ?",
                (used - reserved, self._day()),
            )

    def _day(self) -> str:
        return self._now().date().isoformat()
