"""From candidates to clusters: phrases that stand in the same stories are one topic."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from worker.research.topics_scores import surprise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.research.phrases import Phrase
    from worker.research.topics_candidates import Candidate
    from worker.research.topics_stories import Stories

MAX_CLUSTERS: Final = 300
# Two phrases are one topic when so many of the smaller one's stories are shared, or so many of all.
_CONTAINED: Final = 0.75
_OVERLAP: Final = 0.4
# A phrase brings its own stories into the topic only where it is nearly the topic itself.
_BRINGS: Final = 0.5
_AS_HOT: Final = 0.5
# What a phrase weighs as a name that does not rise, and one that does.
_STEADY, _RISING = 0.5, 2.0
_NAME_SHARE: Final = 0.6
_NAME_SHARE_SMALL: Final = 0.8


@dataclass(slots=True)
class Cluster:
    """A topic in the making.

    Attributes:
        phrase: what it is called.
        phrases: all that were merged, the hottest first.
        stories: of the window, by their number in it.
        members: the candidates that brought them.
    """

    phrase: Phrase
    phrases: list[Phrase]
    stories: set[int]
    members: list[Candidate]


def find_clusters(candidates: Sequence[Candidate], stories: Stories) -> list[Cluster]:
    """The clusters, the hottest first."""
    for candidate in candidates:
        candidate.rise = _rise(candidate, stories)
    ordered = sorted(candidates, key=_heat, reverse=True)
    clusters: list[Cluster] = []
    in_story: defaultdict[int, list[int]] = defaultdict(list)
    for candidate in ordered:
        number = _home(candidate, clusters, in_story)
        hot = number is None or candidate.rise >= _AS_HOT * clusters[number].members[0].rise
        if number is not None and not hot and not _are_same(candidate.stories, clusters[number].stories):
            number = None  # what is always spoken of is no part of what rises, though it stands in the same stories
        if number is None:
            if len(clusters) == MAX_CLUSTERS:
                continue
            number = len(clusters)
            clusters.append(Cluster(candidate.phrase, [], set(), []))
        cluster = clusters[number]
        cluster.phrases.append(candidate.phrase)
        shared = len(cluster.stories & candidate.stories)
        if not cluster.stories or (hot and shared >= _BRINGS * len(candidate.stories | cluster.stories)):
            for story in candidate.stories - cluster.stories:
                in_story[story].append(number)
            cluster.stories |= candidate.stories
            cluster.members.append(candidate)
    known = {candidate.phrase: candidate for candidate in ordered}
    for cluster in clusters:
        cluster.phrase = name_of(cluster, known)
    return clusters


def join(one: Cluster, other: Cluster) -> Cluster:
    """Both as one topic; it has the first one's name."""
    return Cluster(
        one.phrase, one.phrases + other.phrases, one.stories | other.stories, one.members + other.members
    )


def _heat(candidate: Candidate) -> tuple[float, float, int, int, Phrase]:
    now = candidate.windows[0].strength
    return (candidate.rise, round(now, 3), len(candidate.titled), len(candidate.phrase), candidate.phrase)


def _rise(candidate: Candidate, stories: Stories) -> float:
    past = [
        candidate.windows[number].strength * stories.exposure[0] / stories.exposure[number]
        if number in candidate.windows
        else 0.0
        for number in (*stories.history, *stories.year_ago)
    ]
    return round(max(0.0, surprise(candidate.windows[0].strength, past)), 3) if stories.history else 0.0


def _home(candidate: Candidate, clusters: Sequence[Cluster], in_story: dict[int, list[int]]) -> int | None:
    """The cluster in whose stories the phrase stands, if there is one."""
    shared: Counter[int] = Counter()
    for story in candidate.stories:
        shared.update(in_story.get(story, ()))
    for number, n in shared.most_common(5):
        ours, theirs = len(candidate.stories), len(clusters[number].stories)
        if n >= _CONTAINED * min(ours, theirs) or n >= _OVERLAP * (ours + theirs - n):
            # A wide phrase is not taken up by a narrow topic that it merely contains.
            if ours > 3 * theirs and n < _OVERLAP * ours:
                continue
            return number
    return None


def _are_same(one: set[int], other: set[int]) -> bool:
    return len(one & other) >= _CONTAINED * len(one | other)


def name_of(cluster: Cluster, known: dict[Phrase, Candidate]) -> Phrase:
    """The longest phrase around its hottest that most of its titles have: "Smart Building" for "Building"."""

    def titled(phrase: Phrase) -> int:
        return len(known[phrase].titled & cluster.stories)

    def heat(phrase: Phrase) -> tuple[float, int, Phrase]:
        # Of equals the longer word says more: "Asbestregister", not "Register".
        return titled(phrase) * (_STEADY + min(_RISING, known[phrase].rise)), len(" ".join(phrase)), phrase

    plain = [phrase for phrase in cluster.phrases if not known[phrase].begins_small]
    first = max(plain or cluster.phrases, key=heat)

    def weight(phrase: Phrase) -> tuple[bool, int, int, Phrase]:
        # "Fürchten Asbestregister" is said by a few, "digitaler Gebäudepass" by nearly all.
        share = _NAME_SHARE_SMALL if known[phrase].begins_small else _NAME_SHARE
        fits = titled(phrase) >= share * titled(first) and set(first) <= set(phrase)
        return fits, len(phrase), titled(phrase), phrase

    return max(cluster.phrases, key=weight)
