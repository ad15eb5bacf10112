"""Cron expressions in a time zone: when they tick, and how they read in words."""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo
from functools import cached_property
from typing import TYPE_CHECKING

from cronsim import CronSim, CronSimError

from worker.queue.errors import ScheduleError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MINUTE = dt.timedelta(minutes=1)


class Cron:
    """A cron expression in a time zone.

    Around a change of the clocks it does what Debian's cron does (cronsim): a job in the skipped hour
    runs right after it, one in the repeated hour runs once.

    Args:
        expression: five fields, for example `0 2 * * *`.
        timezone: an IANA name, for example `Europe/Berlin`.

    Raises:
        ScheduleError: the expression or the time zone is not valid.
    """

    def __init__(self, expression: str, timezone: str = "UTC") -> None:
        self.expression, self.timezone = expression, timezone
        try:
            CronSim(expression, dt.datetime(2026, 1, 1, tzinfo=self.zone))
        except CronSimError as error:
            raise ScheduleError(
                f"expected a cron expression such as '0 2 * * *', found {expression!r}"
            ) from error

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone."""
        try:
            return zoneinfo.ZoneInfo(self.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ScheduleError(
                f"expected a time zone such as 'Europe/Berlin', found {self.timezone!r}"
            ) from error

    def after(self, moment: dt.datetime) -> Iterator[dt.datetime]:
        """The ticks after an aware moment, in UTC; ends if the expression has none in 50 years."""
        for tick in CronSim(self.expression, moment.astimezone(self.zone)):
            # In the second of two equal hours cronsim gives the first one's tick again.
            if tick > moment:
                yield tick.astimezone(dt.UTC)

    def coming(self, moment: dt.datetime, count: int) -> tuple[dt.datetime, ...]:
        """The next ticks after an aware moment, in UTC."""
        return tuple(itertools.islice(self.after(moment), count))

    def in_words(self) -> str:
        """What the expression says: `At 02:00`."""
        return in_words(self.expression)

    def __call__(self, timestamp: dt.datetime) -> bool:
        """Whether a minute matches: the validator that Huey expects; a naive time is taken as UTC."""
        aware = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=dt.UTC)
        minute = aware.replace(second=0, microsecond=0)
        return next(self.after(minute - _MINUTE), None) == minute.astimezone(dt.UTC)


def in_words(expression: str) -> str:
    """`At 02:00`; an expression that cannot be put into words stays as it is."""
    from cron_descriptor import FormatError, Options, get_description  # noqa: PLC0415 - 40 ms, for people only

    options = Options()
    options.use_24hour_time_format, options.locale_code = True, "en_US"
    try:
        return str(get_description(expression, options))
    except (FormatError, ValueError, IndexError):
        return expression
