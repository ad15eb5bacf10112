"""When a source is asked again: as often as it brings something, as late as it asks, ever later while it fails.

A collection that an operator starts asks every source that did not itself ask to be left alone; what is worked
out here as *due* binds only the scheduled ones, so that `daily_collection` may as well run every hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

HOUR_S: Final = 3_600.0
DAY_S: Final = 24 * HOUR_S
WEEK_S: Final = 7 * DAY_S

# Asked hourly at the most with validators, and seldom without: https://rachelbythebay.com/fs/help.html
SHORTEST_S: Final = HOUR_S
SHORTEST_BLIND_S: Final = 4 * HOUR_S
# Less than a day, so that a daily run finds everything due.
LONGEST_S: Final = 23 * HOUR_S
UNKNOWN_S: Final = 6 * HOUR_S

# One run with its three retries is one bad moment; only what goes on failing is left alone.
PATIENCE: Final = 4
LONGEST_BACKOFF_S: Final = WEEK_S
BUSY_S: Final = 900.0
LONGEST_BUSY_S: Final = DAY_S
# Gone means gone, but servers have been wrong: https://www.rfc-editor.org/rfc/rfc9110#status.410
GONE_S: Final = 30 * DAY_S

# The answers by which a server says "not now".
BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
# After so many runs in a row that a permanent redirect led to one and the same feed, it is asked directly.
MOVED_FOR_GOOD: Final = 3


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a source is left alone.

    Attributes:
        due_s: by scheduled runs.
        held_s: by every run of the whole market; 0 where it may be asked at any time.
    """

    due_s: float
    held_s: float = 0.0


NO_WAIT: Final = Wait(0.0)


def after_success(
    *, per_week: float | None, window_s: float | None, asked_s: float, conditional: bool
) -> Wait:
    """The wait after an answer.

    Args:
        per_week: entries a week; None: unknown.
        window_s: the time that the feed's entries span; half of it later the first of them may be gone.
        asked_s: how long the source itself says that asking is of no use; 0 where it does not.
        conditional: whether it can be asked for changes only.
    """
    wait = UNKNOWN_S if per_week is None else WEEK_S / max(per_week, 0.001)
    if window_s:
        wait = min(wait, window_s / 2)
    wait = max(wait, SHORTEST_S if conditional else SHORTEST_BLIND_S, asked_s)
    return Wait(min(wait, LONGEST_S))


def after_failure(
    *, errors_in_row: int, status: int | None, retry_after_s: float | None, limited: bool
) -> Wait:
    """The wait after a failure.

    Args:
        errors_in_row: this one included.
        status: of the HTTP answer, where there was one.
        retry_after_s: what the server asked for.
        limited: whether this kind of source answers 403 to those who ask too often.
    """
    if status == HTTPStatus.GONE:
        return Wait(GONE_S, GONE_S)
    if status in BUSY or (limited and status == HTTPStatus.FORBIDDEN) or retry_after_s is not None:
        grown = min(BUSY_S * 2.0 ** min(errors_in_row - 1, 20), LONGEST_BUSY_S)
        wait = grown if retry_after_s is None else retry_after_s
        return Wait(wait, wait)
    if errors_in_row <= PATIENCE:
        return NO_WAIT
    return Wait(min(HOUR_S * 2.0 ** min(errors_in_row - PATIENCE - 1, 20), LONGEST_BACKOFF_S))
