"""What an operator has chosen in a list: rows marked one by one, or all that a filter shows at one moment.

What was chosen is frozen: an act changes exactly that, not what has arrived since. All of a filter is kept by
numbers alone, eight bytes each, so that a million rows can be chosen.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from console.readings.pages import Edge
from console.readings.times import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from console.readings.pages import Listing

RowT = TypeVar("RowT")
SAMPLE = 3
STRETCH = 1_000_000


@dataclass(frozen=True, slots=True)
class Frozen(Generic[RowT]):
    """The rows of a list at one moment.

    Attributes:
        numbers: of its rows, ascending, by what stands before them in a row's key.
        keys: of rows whose keys hold no number.
        sample: the first of its rows.
        oldest: the earliest time of a row, where rows have one.
    """

    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    sample: tuple[RowT, ...] = ()
    oldest: datetime | None = None

    def __len__(self) -> int:
        return sum(len(some) for some in self.numbers.values()) + len(self.keys)

    def joined(self, other: Frozen[RowT]) -> Frozen[RowT]:
        """Both as one; they have no row in common."""
        numbers = {
            prefix: array("q", sorted([*self.numbers.get(prefix, ()), *other.numbers.get(prefix, ())]))
            for prefix in dict.fromkeys([*self.numbers, *other.numbers])
        }
        times = [when for when in (self.oldest, other.oldest) if when is not None]
        sample = (*self.sample, *other.sample)
        return Frozen(numbers, self.keys | other.keys, sample, min(times, default=None))

    def __contains__(self, key: str) -> bool:
        if key in self.keys:
            return True
        prefix, number = split(key)
        some = self.numbers.get(prefix)
        if some is None or number is None:
            return False
        at = bisect_left(some, number)
        return at < len(some) and some[at] == number


def freeze(listing: Listing[RowT]) -> Iterator[Frozen[RowT]]:
    """The numbers of all rows of a list; while it is being searched, of those found so far."""
    from console.readings.search import stretches  # noqa: PLC0415 - the two modules need each other

    sample: tuple[RowT, ...] = ()
    numbers: dict[str, array[int]] = {}
    oldest: float | None = None
    for _, segment, rows, _ in stretches(listing, None, Edge.FIRST, STRETCH, slim=True):
        if len(sample) < SAMPLE:
            for row in rows[: SAMPLE - len(sample)]:
                whole = listing.file.rows(f"{segment.select} AND id = ?", (*segment.params, row["id"]))
                sample += tuple(segment.build(one) for one in whole)
        numbers.setdefault(segment.prefix, array("q")).extend(row["id"] for row in rows)
        if segment.since and rows:
            first = min(row[segment.since] for row in listing.file.mended(rows))
            oldest = first if oldest is None else min(oldest, first)
        yield Frozen({}, frozenset(), sample)
    ordered = {prefix: array("q", sorted(some)) for prefix, some in numbers.items()}
    yield Frozen(ordered, frozenset(), sample, moment(oldest) if oldest is not None else None)


class Marks(Generic[RowT]):
    """The marked rows of one list.

    Args:
        key: what tells a row from the others.
        since: a row's time.
    """

    def __init__(self, key: Callable[[RowT], str], since: Callable[[RowT], datetime] | None = None) -> None:
        self._key, self._since = key, since
        self._rows: dict[str, RowT] = {}
        self._frozen: Frozen[RowT] = Frozen()
        self._spared: set[str] = set()

    @classmethod
    def of(
        cls, row: RowT, key: Callable[[RowT], str], since: Callable[[RowT], datetime] | None = None
    ) -> Marks[RowT]:
        """One row as if it were marked."""
        marks = cls(key, since)
        marks.add([row])
        return marks

    def __len__(self) -> int:
        return len(self._rows) + len(self._frozen) - len(self._spared)

    def __contains__(self, key: str) -> bool:
        return key in self._rows or (key in self._frozen and key not in self._spared)

    def toggle(self, row: RowT) -> None:
        """Marks a row, or no longer."""
        key = self._key(row)
        if key in self._rows:
            del self._rows[key]
        elif key in self._frozen:
            self._spared ^= {key}
        else:
            self._rows[key] = row

    def add(self, rows: Sequence[RowT]) -> None:
        """Marks rows."""
        for row in rows:
            key = self._key(row)
            self._spared.discard(key)
            if key not in self._frozen:
                self._rows[key] = row

    def take(self, frozen: Frozen[RowT]) -> None:
        """Marks all that a list had at one moment; what was marked before is a part of it, or let go."""
        self._rows, self._frozen, self._spared = {}, frozen, set()

    def clear(self) -> None:
        """Marks nothing."""
        self.take(Frozen())

    @property
    def rows(self) -> tuple[RowT, ...]:
        """Some of them, to be shown: all that were marked one by one, else the first."""
        few = tuple(row for row in self._frozen.sample if self._key(row) not in self._spared)
        return (*self._rows.values(), *few)

    @property
    def oldest(self) -> datetime | None:
        """The earliest time of a marked row."""
        times: list[Any] = [self._since(row) for row in self._rows.values()] if self._since else []
        return min([*times, *([self._frozen.oldest] if self._frozen.oldest else [])], default=None)

    def numbers(self) -> dict[str, Sequence[int]]:
        """The marked rows' numbers, ascending, by what stands before them in a row's key."""
        extra: dict[str, list[int]] = {}
        for key in self._rows:
            prefix, number = split(key)
            if number is not None:
                extra.setdefault(prefix, []).append(number)
        found: dict[str, Sequence[int]] = {}
        for prefix in dict.fromkeys([*self._frozen.numbers, *extra]):
            frozen = self._frozen.numbers.get(prefix, array("q"))
            spared = {split(key)[1] for key in self._spared if split(key)[0] == prefix}
            kept = array("q", (one for one in frozen if one not in spared)) if spared else frozen
            found[prefix] = array("q", sorted([*kept, *extra[prefix]])) if prefix in extra else kept
        return {prefix: some for prefix, some in found.items() if some}

    def keys(self) -> list[str]:
        """The marked rows' keys; for lists that are short by nature."""
        numbered = [f"{prefix}{one}" for prefix, some in self._frozen.numbers.items() for one in some]
        return [*self._rows, *(key for key in (*numbered, *self._frozen.keys) if key not in self._spared)]


def split(key: str) -> tuple[str, int | None]:
    """A row's key as what stands before its number, and the number; None where there is none."""
    head = key.rstrip("0123456789")
    return (head, int(key[len(head) :])) if len(head) < len(key) else (key, None)
