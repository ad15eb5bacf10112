"""Which sources a run asks, and why not the others."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from worker.research.errors import SourceError
from worker.research.library_sources import Known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.research.sources import Source


@dataclass(frozen=True, slots=True)
class Choice:
    """What a run is to ask.

    Attributes:
        only: the key of the one source to ask, whatever it is waiting for; None: all.
        due_only: leave out what brought nothing new lately and is not expected to have anything yet, and
            what has been failing for long; for runs that nobody waits for.
        wanted_at: Unix seconds at which an operator had a failed run repeated: something has been mended, so
            that what was put off before is asked, once, and what has answered since is not; what is gone stays so.
        disabled: the keys of sources that an operator has switched off, with the reason.
    """

    only: str | None = None
    due_only: bool = False
    wanted_at: float | None = None
    disabled: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a run asks.

    Attributes:
        asked: the sources.
        skipped: source to reason, of those that are not asked and might have been.
        failing: source to its last error, of those that are left alone because they fail.
        well: how many are left alone that are well.
    """

    asked: tuple[Source, ...]
    skipped: dict[str, str] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    well: int = 0


def choose(
    market: str, sources: Mapping[str, Source], known: Mapping[str, Known], choice: Choice, *, now: float
) -> Chosen:
    """Which sources a run asks.

    Args:
        market: its name, for an error.
        sources: all there are, by key.
        known: what earlier runs know of them.
        choice: what was wished for.
        now: Unix seconds.

    Raises:
        SourceError: there is no such source.
    """
    if choice.only is not None:
        return Chosen((find(market, sources, choice.only),))
    asked: list[Source] = []
    skipped: dict[str, str] = {}
    failing: dict[str, str] = {}
    well = 0
    for key, source in sources.items():
        one = known.get(key, Known())
        why = _why_not(one, choice, key, now)
        if why is None:
            asked.append(source)
            continue
        skipped[key] = why
        if key in choice.disabled:
            continue
        if one.errors_in_row:
            failing[key] = f"{one.last_error}; {why}" if one.last_error else why
        else:
            well += 1
    return Chosen(tuple(asked), skipped, failing, well)


def _why_not(known: Known, choice: Choice, key: str, now: float) -> str | None:
    if key in choice.disabled:
        note = choice.disabled[key]
        return f"disabled: {note}" if note else "disabled"
    gone = known.gone_at is not None
    if (
        choice.wanted_at is not None
        and not known.errors_in_row
        and (known.last_attempt or 0.0) > choice.wanted_at
    ):
        return "well, and asked already since that was wanted"
    if choice.wanted_at is not None and (known.last_attempt or 0.0) < choice.wanted_at and not gone:
        return None
    if known.held_until is not None and known.held_until > now:
        why = "gone" if gone else "asked to be left alone"
        return f"{why}, asked again after {_when(known.held_until)}"
    if choice.due_only and known.next_due is not None and known.next_due > now:
        times = known.errors_in_row
        why = f"failed {times} times in a row" if times else "nothing new is expected yet"
        return f"{why}, asked again after {_when(known.next_due)}"
    return None


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def find(market: str, sources: Mapping[str, Source], wanted: str) -> Source:
    """The source of this key, or of this name or address if it is the only one.

    Raises:
        SourceError: there is none; names those that were perhaps meant.
    """
    if wanted in sources:
        return sources[wanted]
    named = [source for source in sources.values() if wanted in {source.name, source.url}]
    if len(named) == 1:
        return named[0]
    near = (
        [one.key for one in named]
        or [key for key in sources if wanted and wanted in key]
        or difflib.get_close_matches(wanted, sources, n=1)
    )
    hint = f"; did you mean {' or '.join(near[:3])}?" if near else ""
    raise SourceError(f"the market {market} has no source {wanted[:200]!r}{hint}")
