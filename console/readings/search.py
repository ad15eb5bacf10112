"""Searching a list for what a filter wants, in steps.

A word has no index: that of every task would cost each enqueue. So the list is walked in its own order, a
stretch of some thousand rows at a time, and what is found is given at once. After each step the reader looks
whether something newer was asked; no step takes much longer than `STEP_S`.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from console.readings.pages import Cursor, Edge, Window, as_window, beyond

if TYPE_CHECKING:
    from collections.abc import Iterator

    from console.readings.connection import File, Row
    from console.readings.pages import Listing, Segment

RowT = TypeVar("RowT")
# As long as nobody notices; the stretch grows until one takes about so long.
STEP_S = 0.05
FIRST_STRETCH, LONGEST_STRETCH = 1_000, 64_000


def search(listing: Listing[RowT], edge: Edge, place: Cursor | None, limit: int) -> Iterator[Window[RowT]]:
    """The rows that a filter wants, as they are found.

    Args:
        listing: has a filter.
        edge: which rows.
        place: where they begin or end.
        limit: how many at the most.

    Yields:
        What a step has found; each window goes on where the one before it ended.
    """
    of = listing.total()
    started = paused = time.monotonic()
    found: list[tuple[Cursor, RowT]] = []
    left, searched = limit, 0
    more = False
    for stretch in stretches(listing, place, edge, limit + 1):
        searched += stretch.looked
        more = len(stretch.rows) > left
        number, segment = stretch.number, stretch.segment
        found += segment.built(number, listing.file, stretch.rows[:left])
        left -= min(len(stretch.rows), left)
        if more:
            break
        if time.monotonic() - paused > STEP_S:
            yield _window(
                found, edge, place, ended=False, searching=True, searched=searched, of=of,
                took=time.monotonic() - started,
            )  # fmt: skip
            found, paused = [], time.monotonic()
    whole = edge in {Edge.FIRST, Edge.LAST} and not more
    yield _window(
        found, edge, place, ended=not more, searching=False, searched=searched if whole else None,
        of=of if whole else None, took=time.monotonic() - started,
    )  # fmt: skip


def _window(
    found: list[tuple[Cursor, RowT]], edge: Edge, place: Cursor | None, *, ended: bool, **search: Any
) -> Window[RowT]:
    # Whether something is found behind the place is not looked for: that could mean to search everything.
    other = place is None
    if edge.backward:
        return as_window(found[::-1], at_start=ended, at_end=other, total=None, **search)
    return as_window(found, at_start=other, at_end=ended, total=None, **search)


class Stretch(NamedTuple):
    """Some rows of a list that were looked at.

    Attributes:
        number: of the segment.
        segment: the part of the list.
        rows: those that the filter wants, in the walk's order.
        looked: how many were looked at.
    """

    number: int
    segment: Segment[Any]
    rows: list[Row]
    looked: int


def stretches(
    listing: Listing[Any], place: Cursor | None, edge: Edge, limit: int, *, slim: bool = False
) -> Iterator[Stretch]:
    """Walks a list stretch by stretch.

    Args:
        listing: with or without a filter.
        place: where the walk begins; None: at an end.
        edge: which way.
        limit: how many rows of one stretch are wanted at the most.
        slim: no more than their numbers and times are wanted.
    """
    size, backward = FIRST_STRETCH, edge.backward
    for number, segment, ranges in listing.parts(place, inclusive=edge is Edge.AGAIN, backward=backward):
        left = deque(ranges)
        while left:
            before = time.monotonic()
            rows, looked, end = _stretch(
                listing.file, segment, left[0], size, limit, backward=backward, slim=slim
            )
            yield Stretch(number, segment, rows, looked)
            if end is None:
                left.popleft()
            else:
                left = deque(beyond(segment.order, end, inclusive=False, backward=backward))
            quick = time.monotonic() - before < STEP_S / 2
            size = min(size * 2, LONGEST_STRETCH) if quick else max(size // 2, FIRST_STRETCH)


def _stretch(
    file: File, segment: Segment[Any], where: tuple[str, tuple[Any, ...]], size: int, limit: int,
    *, backward: bool, slim: bool,
) -> tuple[list[Row], int, tuple[Any, ...] | None]:  # fmt: skip
    """What is found in the next `size` rows, how many there were, and where they end; None: the range does."""
    order, names = segment.order_by(backward=backward), ", ".join(column for column, _ in segment.order)
    params, table = (*segment.params, *where[1]), segment.select.partition(" FROM ")[2]
    columns = ", ".join(dict.fromkeys(filter(None, ("id", segment.since)))) if slim else "*"
    keys = f"SELECT {names} FROM {table}{where[0]} ORDER BY {order}"
    with file.one_moment():
        rows = file.rows_as_they_are(
            f"SELECT {columns} FROM ({segment.select}{where[0]} ORDER BY {order} LIMIT {size}) "
            f"WHERE 1{segment.where} ORDER BY {order} LIMIT ?",
            (*params, *segment.wanted, limit),
        )
        if len(rows) == limit:
            return rows, size, segment.place(0, rows[-1]).values
        looked = file.value(f"SELECT count(*) FROM ({keys} LIMIT {size})", params) or 0
        end = file.rows_as_they_are(f"{keys} LIMIT 1 OFFSET {size - 1}", params) if looked == size else []
    return rows, looked, tuple(end[0].values()) if end else None
