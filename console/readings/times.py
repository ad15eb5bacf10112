"""Unix seconds of the files as aware times."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(seconds: float) -> datetime:
    """The time in UTC; an absurd number becomes the nearest time there is, and what is no number the earliest."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except TypeError:  # SQLite keeps a text where a number belongs
        return datetime.min.replace(tzinfo=UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC) if seconds > 0 else datetime.min.replace(tzinfo=UTC)


def maybe(seconds: float | None) -> datetime | None:
    """The same, where there may be none."""
    return None if seconds is None else moment(seconds)
