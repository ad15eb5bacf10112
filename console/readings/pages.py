"""Windows on lists of any length, by keyset: a page costs the same at ten rows and at a million.

A `Listing` lives on the reader thread. It gives `Window`s: some rows with their places, and whether the list
goes on before and after them; from any place the next window starts. Nothing is counted
and no row is skipped over (`OFFSET`); each query is a search in an index.

A list is one or more segments one after the other, each with its own table and order: the queue is what
runs, then what is ready in the order it will be taken, then what is scheduled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from console.readings.connection import File, Row

RowT = TypeVar("RowT")
PAGE = 500


class Cursor(NamedTuple):
    """A row's place: its segment, and its values of the segment's order."""

    segment: int
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Window(Generic[RowT]):
    """Some rows of a list, one after the other.

    Attributes:
        rows: in the list's order.
        places: of each row.
        at_start: no row comes before them.
        at_end: no row comes after them.
        total: how many the whole list has, where a counter says so.
    """

    rows: tuple[RowT, ...] = ()
    places: tuple[Cursor, ...] = ()
    at_start: bool = True
    at_end: bool = True
    total: int | None = 0

    def followed_by(self, later: Window[RowT], most: int) -> Window[RowT]:
        """Both as one; beyond `most` rows, the first ones are dropped."""
        rows, places = (self.rows + later.rows)[-most:], (self.places + later.places)[-most:]
        whole = len(rows) == len(self.rows) + len(later.rows)
        return Window(rows, places, self.at_start and whole, later.at_end, later.total)

    def preceded_by(self, earlier: Window[RowT], most: int) -> Window[RowT]:
        """Both as one; beyond `most` rows, the last ones are dropped."""
        rows, places = (earlier.rows + self.rows)[:most], (earlier.places + self.places)[:most]
        whole = len(rows) == len(self.rows) + len(earlier.rows)
        return Window(rows, places, earlier.at_start, self.at_end and whole, earlier.total)


@dataclass(frozen=True, slots=True)
class Segment(Generic[RowT]):
    """A part of a list that is in one table.

    Attributes:
        select: `SELECT ... FROM table WHERE condition`.
        params: of the condition.
        order: one or two columns, each with whether it descends; together unique, and an index serves them.
        build: makes a row of a record.
    """

    select: str
    params: tuple[Any, ...]
    order: tuple[tuple[str, bool], ...]
    build: Callable[[Row], RowT]


class Listing(Generic[RowT]):
    """A list of any length.

    Args:
        file: where it is.
        segments: its parts, in order.
        total: gives the length from a counter, or None.
    """

    def __init__(
        self, file: File, segments: Sequence[Segment[RowT]], total: Callable[[], int | None] = lambda: None
    ) -> None:
        self._file, self._segments, self._total = file, tuple(segments), total

    def first(self, limit: int) -> Window[RowT]:
        """The list's first rows."""
        return self._forward(None, limit, inclusive=False)

    def last(self, limit: int) -> Window[RowT]:
        """The list's last rows."""
        return self._backward(None, limit)

    def after(self, cursor: Cursor, limit: int) -> Window[RowT]:
        """The rows that follow a place."""
        return self._forward(cursor, limit, inclusive=False)

    def before(self, cursor: Cursor, limit: int) -> Window[RowT]:
        """The rows that lead up to a place."""
        return self._backward(cursor, limit)

    def again(self, cursor: Cursor | None, limit: int) -> Window[RowT]:
        """The rows from a place on, that row included: what a window shows now."""
        return self._forward(cursor, limit, inclusive=True)

    def all_rows(self) -> Iterator[RowT]:
        """Every row, page after page; for lists of which each row is wanted."""
        window = self.first(PAGE)
        while True:
            yield from window.rows
            if window.at_end:
                return
            window = self.after(window.places[-1], PAGE)

    def _forward(self, cursor: Cursor | None, limit: int, *, inclusive: bool) -> Window[RowT]:
        with self._file.one_moment():
            found = self._read(cursor, limit + 1, inclusive=inclusive, backward=False)
            at_end = len(found) <= limit
            found = found[:limit]
            earlier = cursor is not None and bool(
                self._read(found[0][0] if found else cursor, 1, inclusive=False, backward=True)
            )
            total = self._total()
        return _window(found, at_start=not earlier, at_end=at_end, total=total)

    def _backward(self, cursor: Cursor | None, limit: int) -> Window[RowT]:
        with self._file.one_moment():
            found = self._read(cursor, limit + 1, inclusive=False, backward=True)
            at_start = len(found) <= limit
            found = found[:limit][::-1]
            later = cursor is not None and bool(
                self._read(found[-1][0] if found else cursor, 1, inclusive=False, backward=False)
            )
            total = self._total()
        return _window(found, at_start=at_start, at_end=not later, total=total)

    def _read(
        self, cursor: Cursor | None, limit: int, *, inclusive: bool, backward: bool
    ) -> list[tuple[Cursor, RowT]]:
        found: list[tuple[Cursor, RowT]] = []
        numbers = range(len(self._segments))
        for number in reversed(numbers) if backward else numbers:
            segment = self._segments[number]
            if cursor is not None and number != cursor.segment:
                if (number < cursor.segment) != backward:
                    continue
                ranges: Iterator[tuple[str, tuple[Any, ...]]] = iter([("", ())])
            elif cursor is None:
                ranges = iter([("", ())])
            else:
                ranges = _beyond(segment.order, cursor.values, inclusive=inclusive, backward=backward)
            order = ", ".join(
                f"{column} {'DESC' if down != backward else 'ASC'}" for column, down in segment.order
            )
            for where, values in ranges:
                rows = self._file.rows(
                    f"{segment.select}{where} ORDER BY {order} LIMIT ?",
                    (*segment.params, *values, limit - len(found)),
                )
                found += [
                    (Cursor(number, tuple(row[column] for column, _ in segment.order)), segment.build(row))
                    for row in rows
                ]
                if len(found) >= limit:
                    return found
        return found


def _beyond(
    order: tuple[tuple[str, bool], ...], values: tuple[Any, ...], *, inclusive: bool, backward: bool
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Conditions that follow a place, nearest first.

    One condition each, since `a < ? OR (a = ? AND b > ?)` would make SQLite walk all rows of the same `a`.
    """
    for length in range(len(order), 0, -1):
        equal = "".join(f" AND {column} = ?" for column, _ in order[: length - 1])
        column, down = order[length - 1]
        sign = ("<" if down != backward else ">") + ("=" if inclusive and length == len(order) else "")
        yield f"{equal} AND {column} {sign} ?", values[:length]


def _window(
    found: list[tuple[Cursor, RowT]], *, at_start: bool, at_end: bool, total: int | None
) -> Window[RowT]:
    return Window(
        rows=tuple(row for _, row in found),
        places=tuple(place for place, _ in found),
        at_start=at_start,
        at_end=at_end,
        total=total,
    )
