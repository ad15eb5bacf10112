"""Windows on lists of any length, by keyset: a page costs the same at ten rows and at a million.

A `Listing` lives on the reader thread. It gives `Window`s: some rows with their places, and whether the list
goes on before and after them; from any place the next window starts. Nothing is counted
and no row is skipped over (`OFFSET`); each query is a search in an index.

A list is one or more segments one after the other, each with its own table and order: the queue is what
runs, then what is ready in the order it will be taken, then what is scheduled.

A filter has no index: what it finds is searched for, in steps short enough that other questions are answered
between them (`console.readings.search`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from console.readings.connection import File, Row
    from console.readings.marks import Frozen

RowT = TypeVar("RowT")
PAGE = 500


class Edge(StrEnum):
    """Which rows of a list are wanted."""

    FIRST = "first"
    LAST = "last"
    AFTER = "after"  # a place
    BEFORE = "before"  # a place
    AGAIN = "again"  # from a place on, its row included

    @property
    def backward(self) -> bool:
        """Whether they are read from the list's end towards its start."""
        return self in {Edge.LAST, Edge.BEFORE}


class Cursor(NamedTuple):
    """A row's place: its segment, and its values of the segment's order."""

    segment: int
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sort:
    """One order of a list.

    Attributes:
        id: names it, for the reading that carries it out.
        title: in words: `newest first`.
        column: the title of the column that it goes by.
        descending: whether the largest comes first.
    """

    id: str
    title: str
    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Window(Generic[RowT]):
    """Some rows of a list, one after the other.

    Attributes:
        rows: in the list's order.
        places: of each row.
        at_start: no row comes before them.
        at_end: no row comes after them.
        total: how many the whole list has, where a counter says so.
        searching: a filter is still looking; more windows follow.
        searched: how many rows a filter has looked at so far.
        of: how many there are to look at.
        took: seconds that the search has taken so far.
    """

    rows: tuple[RowT, ...] = ()
    places: tuple[Cursor, ...] = ()
    at_start: bool = True
    at_end: bool = True
    total: int | None = 0
    searching: bool = False
    searched: int | None = None
    of: int | None = None
    took: float = 0.0

    def followed_by(self, later: Window[RowT], most: int) -> Window[RowT]:
        """Both as one; beyond `most` rows, the first ones are dropped."""
        rows, places = (self.rows + later.rows)[-most:], (self.places + later.places)[-most:]
        whole = len(rows) == len(self.rows) + len(later.rows)
        return Window(rows, places, self.at_start and whole, later.at_end, later.total, *_search_of(later))

    def preceded_by(self, earlier: Window[RowT], most: int) -> Window[RowT]:
        """Both as one; beyond `most` rows, the last ones are dropped."""
        rows, places = (earlier.rows + self.rows)[:most], (earlier.places + self.places)[:most]
        whole = len(rows) == len(self.rows) + len(earlier.rows)
        return Window(
            rows, places, earlier.at_start, self.at_end and whole, earlier.total, *_search_of(earlier)
        )


def _search_of(window: Window[Any]) -> tuple[bool, int | None, int | None, float]:
    return window.searching, window.searched, window.of, window.took


@dataclass(frozen=True, slots=True)
class Segment(Generic[RowT]):
    """A part of a list that is in one table.

    Attributes:
        select: `SELECT ... FROM table WHERE condition`; an index serves condition and order.
        params: of the condition.
        order: one or more columns, each with whether it descends; together unique.
        build: makes a row of a record.
        where: a filter's condition over the columns that `select` names, beginning with AND; or nothing.
        wanted: its parameters.
        prefix: what stands before the number in a row's key; the number is the column `id`.
        since: the column of a row's age.
    """

    select: str
    params: tuple[Any, ...]
    order: tuple[tuple[str, bool], ...]
    build: Callable[[Row], RowT]
    where: str = ""
    wanted: tuple[Any, ...] = ()
    prefix: str = ""
    since: str = ""

    def order_by(self, *, backward: bool) -> str:
        """The order as SQL."""
        return ", ".join(f"{column} {'DESC' if down != backward else 'ASC'}" for column, down in self.order)

    def place(self, number: int, row: Row) -> Cursor:
        """A record's place in segment `number`."""
        return Cursor(number, tuple(row[column] for column, _ in self.order))

    def built(self, number: int, file: File, records: list[Row]) -> list[tuple[Cursor, RowT]]:
        """Rows of records of segment `number`, each with its place."""
        places = [self.place(number, record) for record in records]
        return list(zip(places, map(self.build, file.mended(records)), strict=True))


class Listing(Generic[RowT]):
    """A list of any length.

    Args:
        file: where it is.
        segments: its parts, in order.
        total: gives its length without a filter from a counter, or None.
    """

    def __init__(
        self, file: File, segments: Sequence[Segment[RowT]], total: Callable[[], int | None] = lambda: None
    ) -> None:
        self.file, self.segments, self.total = file, tuple(segments), total

    @property
    def filtered(self) -> bool:
        """Whether its rows have to be searched for."""
        return any(segment.where for segment in self.segments)

    def steps(self, edge: Edge, place: Cursor | None, limit: int) -> Iterator[Window[RowT]]:
        """The rows that are wanted; with a filter window after window, as they are found.

        Args:
            edge: which rows.
            place: where they begin or end; None for the first or the last.
            limit: how many at the most, over all windows.

        Yields:
            A window; the next one follows it, or precedes it where the list is read backward.
        """
        if self.filtered:
            from console.readings.search import search  # noqa: PLC0415 - it needs this module

            yield from search(self, edge, place, limit)
        elif edge.backward:
            yield self._backward(place, limit)
        else:
            yield self._forward(place, limit, inclusive=edge is Edge.AGAIN)

    def freeze(self) -> Iterator[Frozen[RowT]]:
        """Which rows it has now, by their numbers alone; the last that is given is complete."""
        from console.readings.marks import freeze  # noqa: PLC0415 - it needs this module

        yield from freeze(self)

    def _whole(self, edge: Edge, place: Cursor | None, limit: int) -> Window[RowT]:
        window: Window[RowT] | None = None
        for part in self.steps(edge, place, limit):
            if window is None:
                window = part
            else:
                join = window.preceded_by if edge.backward else window.followed_by
                window = join(part, limit)
        return window or Window()

    def first(self, limit: int) -> Window[RowT]:
        """The list's first rows."""
        return self._whole(Edge.FIRST, None, limit)

    def last(self, limit: int) -> Window[RowT]:
        """The list's last rows."""
        return self._whole(Edge.LAST, None, limit)

    def after(self, cursor: Cursor, limit: int) -> Window[RowT]:
        """The rows that follow a place."""
        return self._whole(Edge.AFTER, cursor, limit)

    def before(self, cursor: Cursor, limit: int) -> Window[RowT]:
        """The rows that lead up to a place."""
        return self._whole(Edge.BEFORE, cursor, limit)

    def again(self, cursor: Cursor | None, limit: int) -> Window[RowT]:
        """The rows from a place on, that row included: what a window shows now."""
        return self._whole(Edge.AGAIN, cursor, limit)

    def all_rows(self) -> Iterator[RowT]:
        """Every row, page after page; for lists of which each row is wanted."""
        window = self.first(PAGE)
        while True:
            yield from window.rows
            if window.at_end:
                return
            window = self.after(window.places[-1], PAGE)

    def _forward(self, cursor: Cursor | None, limit: int, *, inclusive: bool) -> Window[RowT]:
        with self.file.one_moment():
            found = self._read(cursor, limit + 1, inclusive=inclusive, backward=False)
            at_end = len(found) <= limit
            found = found[:limit]
            earlier = cursor is not None and bool(
                self._read(found[0][0] if found else cursor, 1, inclusive=False, backward=True)
            )
            total = self.total()
        return as_window(found, at_start=not earlier, at_end=at_end, total=total)

    def _backward(self, cursor: Cursor | None, limit: int) -> Window[RowT]:
        with self.file.one_moment():
            found = self._read(cursor, limit + 1, inclusive=False, backward=True)
            at_start = len(found) <= limit
            found = found[:limit][::-1]
            later = cursor is not None and bool(
                self._read(found[-1][0] if found else cursor, 1, inclusive=False, backward=False)
            )
            total = self.total()
        return as_window(found, at_start=at_start, at_end=not later, total=total)

    def parts(
        self, cursor: Cursor | None, *, inclusive: bool, backward: bool
    ) -> Iterator[tuple[int, Segment[RowT], list[tuple[str, tuple[Any, ...]]]]]:
        """The segments beyond a place, nearest first, each with the conditions of what is beyond it."""
        numbers = range(len(self.segments))
        for number in reversed(numbers) if backward else numbers:
            segment = self.segments[number]
            if cursor is None or number == cursor.segment:
                ranges = (
                    [("", ())]
                    if cursor is None
                    else list(beyond(segment.order, cursor.values, inclusive=inclusive, backward=backward))
                )
                yield number, segment, ranges
            elif (number < cursor.segment) == backward:
                yield number, segment, [("", ())]

    def _read(
        self, cursor: Cursor | None, limit: int, *, inclusive: bool, backward: bool
    ) -> list[tuple[Cursor, RowT]]:
        found: list[tuple[Cursor, RowT]] = []
        for number, segment, ranges in self.parts(cursor, inclusive=inclusive, backward=backward):
            order = segment.order_by(backward=backward)
            for where, values in ranges:
                rows = self.file.rows_as_they_are(
                    f"{segment.select}{where} ORDER BY {order} LIMIT ?",
                    (*segment.params, *values, limit - len(found)),
                )
                found += segment.built(number, self.file, rows)
                if len(found) >= limit:
                    return found
        return found


class Whole(Listing[RowT]):
    """A list that is short by nature and always held whole, such as the schedules.

    Args:
        rows: all of them.
        key: what tells a row from the others.
        since: a row's time, for the oldest of those that are marked.
    """

    def __init__(
        self,
        rows: Sequence[RowT],
        key: Callable[[RowT], str] | None = None,
        since: Callable[[RowT], Any] | None = None,
    ) -> None:
        self._rows, self._key, self._since = tuple(rows), key, since

    @property
    def filtered(self) -> bool:
        """Nothing has to be searched for."""
        return False

    def steps(self, edge: Edge, place: Cursor | None, limit: int) -> Iterator[Window[RowT]]:
        """All of them, whatever is wanted."""
        del edge, place, limit
        yield Window(self._rows, total=len(self._rows))

    def freeze(self) -> Iterator[Frozen[RowT]]:
        """All of them."""
        from console.readings.marks import Frozen  # noqa: PLC0415 - it needs this module

        keys = frozenset(self._key(row) for row in self._rows) if self._key else frozenset()
        oldest = min((self._since(row) for row in self._rows), default=None) if self._since else None
        yield Frozen({}, keys, self._rows, oldest)


def beyond(
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


def as_window(
    found: Sequence[tuple[Cursor, RowT]], *, at_start: bool, at_end: bool, total: int | None, **search: Any
) -> Window[RowT]:
    """Rows with their places as a window."""
    return Window(
        rows=tuple(row for _, row in found),
        places=tuple(place for place, _ in found),
        at_start=at_start,
        at_end=at_end,
        total=total,
        **search,
    )
