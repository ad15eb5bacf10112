"""What a topic's score is made of: five parts that add up, each with its reason.

A rise is measured against the topic's own past: the voices of each earlier window, scaled to how much was
heard then. What comes back every few weeks, or was told in the same weeks a year ago, has a wide past, so its
return is no rise. Without a past there is no rise, and that is said.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.research.topics_candidates import Voices

MOST_POINTS: Final = {"rise": 60.0, "sources": 15.0, "fit": 12.0, "novelty": 8.0, "span": 5.0}
# A surprise of this many standard deviations is called a rise, or a fall.
RISING: Final = 1.5
FALLING: Final = -1.5
# A topic that had so many voices in the window before and has lost half of them falls, whatever its past.
_LOUD: Final = 3.0
_HALF_RISE: Final = 4.0
_HALF_SOURCES: Final = 6.0
_WINDOWS_TO_SPREAD: Final = 4
# What is left of a rise where the stories share no more than a word.
_LOOSE: Final = 0.6


class Trend(StrEnum):
    """How a topic stands to its own past."""

    NEW = "new"  # nobody spoke of it in any earlier window
    RISING = "rising"
    STEADY = "steady"
    FALLING = "falling"
    UNKNOWN = "unknown"  # no history yet


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """The facts of a topic, and what they are worth.

    Attributes:
        sources: distinct outlets that carry it, syndicated copies included.
        documents: distinct stories.
        keyword_fit: share of the stories that touch one of the market's keywords, 0 to 1.
        voices: how many speak of it now; an outlet that repeats itself is one voice, a copy a fifth of one.
        evenness: outlets it would take to speak this much if all spoke the same, 1 to `sources`.
        usual: voices in an earlier window on average, scaled to what was heard then; None: no history yet.
        before: voices in the latest of the earlier windows; None: no history yet.
        year_ago: most voices in one of the same weeks a year ago; None: nothing is kept from then.
        surprise: standard deviations above (below) what is usual; None: no history yet.
        novelty: share of the earlier windows in which nobody spoke of it, 0 to 1; None: no history yet.
        span: days of the window on which it was told.
        days: length of the window.
        history: earlier windows it was compared with.
        cohesion: share of the stories that have more in common with another than the topic's own words, 0 to 1.
    """

    sources: int
    documents: int
    keyword_fit: float
    voices: float = 0.0
    evenness: float = 0.0
    usual: float | None = None
    before: float | None = None
    year_ago: float | None = None
    surprise: float | None = None
    novelty: float | None = None
    span: int = 1
    days: int = 7
    history: int = 0
    cohesion: float = 1.0

    @property
    def points(self) -> dict[str, float]:
        """What each part is worth; none can be more than `MOST_POINTS` says."""
        rise = max(0.0, self.surprise or 0.0)
        one_thing = _LOOSE + (1 - _LOOSE) * self.cohesion
        shares = {
            "rise": one_thing * (1 - math.exp(-rise / _HALF_RISE)),
            "sources": one_thing * (1 - math.exp(-min(self.evenness, self.voices) / _HALF_SOURCES)),
            "fit": self.keyword_fit,
            "novelty": one_thing * (self.novelty or 0.0),
            "span": self.span / self.days,
        }
        return {name: round(MOST_POINTS[name] * share, 1) for name, share in shares.items()}

    @property
    def score(self) -> float:
        """The sum of the points, 0 to 100."""
        return round(sum(self.points.values()), 1)

    @property
    def velocity(self) -> float | None:
        """How many times its usual voices it has now; None: no history yet."""
        return None if self.usual is None else round((self.voices + 0.5) / (self.usual + 0.5), 2)

    @property
    def trend(self) -> Trend:
        """The surprise in a word."""
        if self.surprise is None:
            return Trend.UNKNOWN
        if self.novelty == 1.0:
            return Trend.NEW
        if self.surprise >= RISING:
            return Trend.RISING
        halved = (self.before or 0.0) >= _LOUD and 2 * self.voices <= (self.before or 0.0)
        return Trend.FALLING if self.surprise <= FALLING or halved else Trend.STEADY

    @property
    def confidence(self) -> float:
        """How sure it is that this is a topic and stands as said, 0 to 1.

        Two outlets may be chance, nine are not; nine copies of one text are one report; and without four
        windows of history little is known of what is usual.
        """
        outlets = 1 - math.pow(0.6, max(0.0, self.evenness - 0.5))
        own_reports = min(1.0, math.sqrt(self.documents / max(1, self.sources)))
        past = 0.6 + 0.4 * min(1.0, self.history / 4)
        return round(outlets * own_reports * past, 2)


def score(
    windows: Mapping[int, Voices],
    exposure: Mapping[int, int],
    history: Sequence[int],
    year_ago: Sequence[int] = (),
    *,
    documents: int,
    keyword_fit: float,
    days: int,
    cohesion: float = 1.0,
) -> ScoreParts:
    """The parts of a topic.

    Args:
        windows: who spoke of it in each window; 0 is the current one.
        exposure: how much was heard at all in each window.
        history: the earlier windows that can be compared with.
        year_ago: those of the same weeks a year ago.
        documents: distinct stories now.
        keyword_fit: see `ScoreParts`.
        cohesion: see `ScoreParts`.
        days: length of a window.
    """
    now = windows[0]

    def strength(number: int) -> float:
        return windows[number].strength * exposure[0] / exposure[number] if number in windows else 0.0

    recent, last_year = [strength(number) for number in history], [strength(number) for number in year_ago]
    usual = statistics.fmean(recent) if recent else None
    past = recent + last_year
    told = 0
    for bits in now.days.values():
        told |= bits
    return ScoreParts(
        sources=len(now.days),
        documents=documents,
        keyword_fit=round(keyword_fit, 3),
        voices=round(now.strength, 2),
        evenness=round(_evenness(now), 2),
        usual=None if usual is None else round(usual, 2),
        before=None if usual is None else round(recent[0], 2),
        year_ago=round(max(last_year), 2) if last_year else None,
        surprise=None if usual is None else round(surprise(now.strength, past), 2),
        novelty=None if usual is None else round(sum(not one for one in past) / len(past), 2),
        span=told.bit_count(),
        days=days,
        history=len(history),
        cohesion=round(cohesion, 3),
    )


def surprise(now: float, past: Sequence[float]) -> float:
    """How far the voices now are from what is usual, in standard deviations.

    The signed root of the Poisson deviance, against the mean and the spread of the past: above the mean plus
    one spread it rises, below the mean less one spread it falls, between them it is as usual.
    https://en.wikipedia.org/wiki/Deviance_(statistics)
    """
    mean = statistics.fmean(past)
    # The spread of a few windows says little; a third of their mean is then taken to be usual.
    spread = statistics.pstdev(past) if len(past) >= _WINDOWS_TO_SPREAD else mean / 3
    high, low = mean + spread + 0.5, max(mean - spread, 0.25)
    if now > high:
        return _deviation(now, high)
    return -_deviation(now, low) if now < low else 0.0


def _deviation(now: float, expected: float) -> float:
    deviance = 2 * ((now * math.log(now / expected) if now else 0.0) - (now - expected))
    return math.sqrt(max(0.0, deviance))  # of nearly equal numbers it may come out a little below zero


def _evenness(voices: Voices) -> float:
    """The exponential of the entropy of who speaks: https://en.wikipedia.org/wiki/Diversity_index."""
    shares = [bits.bit_count() * voices.loudness[outlet] for outlet, bits in voices.days.items()]
    total = sum(shares)
    return math.exp(-sum(share / total * math.log(share / total) for share in shares)) if total else 0.0
