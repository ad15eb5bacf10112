"""Texts for people: foreign strings made harmless, and ages, amounts and times in few characters.

`clean` and `clean_lines` are the worker's own: what it prints and what is drawn here keep one rule. Textual passes
control characters through.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from worker.foreign import ELLIPSIS as ELLIPSIS  # noqa: PLC0414 - the rooms that draw know no worker
from worker.foreign import clean as clean  # noqa: PLC0414
from worker.foreign import clean_lines as clean_lines  # noqa: PLC0414

if TYPE_CHECKING:
    from datetime import datetime

DOT = "·"


def cell(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """A cleaned text in exactly `width` columns of a terminal; wide characters count as two."""
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415 - `status --json` draws nothing

    length = cell_len(text)
    if length > width:
        return set_cell_size(set_cell_size(text, max(width - 1, 0)).rstrip() + ELLIPSIS, width)
    return " " * (width - length) + text if align == "right" else text + " " * (width - length)


def age(seconds: float) -> str:
    """A span in its largest unit: `3s`, `4m`, `2h`, `5d`."""
    whole = max(int(seconds), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def ago(then: datetime | None, now: datetime) -> str:
    """How long ago: `4m`; a dot where it never was."""
    return age((now - then).total_seconds()) if then else DOT


def until(then: datetime | None, now: datetime) -> str:
    """How long until: `in 4m`, or `4m late`; a dot where that is not known."""
    if then is None:
        return DOT
    seconds = (then - now).total_seconds()
    return f"in {age(seconds)}" if seconds >= 0 else f"{age(-seconds)} late"


def duration(seconds: float) -> str:
    """How long something took: `4ms`, `0.2s`, `12s`, `3m 05s`, `2h 10m`."""
    if seconds < 0.1:
        return f"{max(seconds, 0) * 1000:.0f}ms"
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3_600:
        return f"{whole // 60}m {whole % 60:02}s"
    return f"{whole // 3_600}h {whole % 3_600 // 60:02}m"


def rate(per_second: float) -> str:
    """How often, in the unit in which it is a number one can imagine: `3.2/s`, `12/min`, `4/h`."""
    return rates(per_second)[0]


def rates(*per_second: float) -> list[str]:
    """Several rates that are to be compared, all in the unit that suits the greatest of them."""
    units = ((1, "s"), (60, "min"), (3_600, "h"), (86_400, "d"))
    most = max(per_second)
    seconds, unit = next((one for one in units if most * one[0] >= 1), units[-1])
    return [
        f"{times:.1f}/{unit}" if times < 10 else f"{times:,.0f}/{unit}"
        for times in (one * seconds for one in per_second)
    ]


def number(amount: float) -> str:
    """`12,345`."""
    return f"{amount:,}"


def compact(amount: float) -> str:
    """A number in five characters: `1,234`, `12k`, `3.4M`."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if amount >= max(size, 10_000):
            return f"{amount / size:.1f}{unit}" if amount < size * 10 else f"{amount / size:.0f}{unit}"
    return f"{amount:,.0f}"


def dot(amount: int) -> str:
    """A number, or a quiet dot for zero."""
    return number(amount) if amount else DOT


def plural(amount: int, one: str, many: str | None = None) -> str:
    """`1 task`, `2 tasks`, `2 entries`."""
    return f"{number(amount)} {one if amount == 1 else many or one + 's'}"


def clock(moment: datetime, *, utc: bool = False) -> str:
    """Hours and minutes in local time or UTC: `02:00`."""
    return local(moment, utc=utc).strftime("%H:%M")


def when(moment: datetime | None, now: datetime, *, utc: bool = False) -> str:
    """A moment as people say it: `14:05`, `tomorrow 02:00`, `Mon 09:00`, `2026-11-30 09:00`."""
    if moment is None:
        return DOT
    there, here = local(moment, utc=utc), local(now, utc=utc)
    days = (there.date() - here.date()).days
    day = {0: "", 1: "tomorrow ", -1: "yesterday "}.get(days)
    if day is None:
        day = there.strftime("%a " if 1 < days < 7 else "%Y-%m-%d ")
    return f"{day}{there:%H:%M}"


def stamp(moment: datetime | None, *, utc: bool = False) -> str:
    """The whole moment with its offset, to the second."""
    return local(moment, utc=utc).isoformat(sep=" ", timespec="seconds") if moment else DOT


def precise(moment: datetime | None, *, utc: bool = False) -> str:
    """The whole moment to the second, in the zone that the clock on the screen names."""
    return f"{local(moment, utc=utc):%Y-%m-%d %H:%M:%S}" if moment else DOT


def local(moment: datetime, *, utc: bool = False) -> datetime:
    """The moment in the zone that is shown."""
    from datetime import UTC  # noqa: PLC0415 - the module's other import is for types only

    return moment.astimezone(UTC if utc else None)


def bar(done: int | None, total: int | None, width: int, *, ascii_only: bool = False) -> str:
    """A progress bar of `width` columns; with no total, only its frame."""
    share = min(max((done or 0) / total, 0.0), 1.0) if total else 0.0
    if ascii_only:
        full = int(share * (width - 2))
        return "[" + "#" * full + "-" * (width - 2 - full) + "]"
    eighths = round(share * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[part] if part else "")).ljust(width, "░")


_ASCII = str.maketrans(
    {
        "·": ".", "…": "~", "×": "x", "–": "-", "—": "-", "›": ">", "»": "=", "●": "*", "○": "o", "◐": "~", "▸": ">", "▲": "!", "■": "#",
        "█": "#", "░": "-", "▕": "|", "↑": "^", "↓": "v", "→": ">", "✓": "+", "✗": "x", "─": "-", "│": "|", "└": "+", "┤": "+", "╌": ".",
        **dict.fromkeys("▁▂▃▏▎▍", "."), **dict.fromkeys("▄▅▌▋", ":"), **dict.fromkeys("▆▇▊▉", "#"),
    }
)  # fmt: skip


def ascii_signs(text: str) -> str:
    """Our own signs (bars, dots, arrows) in plain characters; letters of any language stay."""
    return text.translate(_ASCII)


def cron_in_words(expression: str | None) -> str:
    """`At 02:00`; an expression that cannot be put into words stays as it is."""
    from worker.queue.cron import in_words  # noqa: PLC0415 - for schedules only

    return "by its own rule" if expression is None else clean(in_words(expression))


LONGEST_SPAN_S = 1000 * 365 * 86_400
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def span(text: str) -> float | None:
    """The seconds of a span that was typed, such as `30m`, `2h` or `1d`; None where it is none, or beyond any calendar."""
    found = _SPAN.fullmatch(text)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else None
    return seconds if seconds is None or seconds <= LONGEST_SPAN_S else None
