"""What an answer's headers say of time: when to ask again, and when asking is of no use."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Beyond a week a date is a mistake, or means "never".
LONGEST_S: Final = 7 * 86_400.0
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,10})", re.IGNORECASE)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to be left alone; None where it does not ask.

    Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    asked = _seconds(headers.get("Retry-After", ""), headers)
    return spent_for(headers) if asked is None else asked


def spent_for(headers: Mapping[str, str]) -> float | None:
    """Seconds until a server takes requests again, where it says that none are left; else None.

    As Reddit counts: https://github.com/reddit-archive/reddit/wiki/API
    """
    left = headers.get("X-Ratelimit-Remaining", "").strip().partition(".")[0]
    return _seconds(headers.get("X-Ratelimit-Reset", ""), headers) if left in {"0", "-0"} else None


def fresh_for(headers: Mapping[str, str]) -> float | None:
    """Seconds for which a server says its answer stays as it is; None where it does not say.

    `max-age` goes before `Expires`: https://www.rfc-editor.org/rfc/rfc9111#section-4.2.1
    """
    control = headers.get("Cache-Control", "")
    if "no-store" in control.lower() or "no-cache" in control.lower():
        return None
    if found := _MAX_AGE.search(control):
        age = headers.get("Age", "")
        spent = float(age) if age.isascii() and age.isdecimal() and len(age) < 11 else 0.0
        return max(0.0, min(float(found[1]) - spent, LONGEST_S)) or None
    expires = headers.get("Expires", "")
    # `Expires: 0` and the like mean "already stale".
    return None if expires.isdecimal() else _seconds(expires, headers) or None


def _seconds(value: str, headers: Mapping[str, str]) -> float | None:
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return min(float(value[:12]), LONGEST_S)
    try:
        then = parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    try:  # by the server's own clock, where it tells it
        now = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        now = time.time()
    return max(0.0, min(then - now, LONGEST_S))
