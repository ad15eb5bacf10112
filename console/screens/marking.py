"""A screen on whose list rows are marked, and what is done to those that are chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from console.readings import Frozen, Marks
from console.screens.base import ConsoleScreen
from console.text import ago, clean
from console.widgets.window_table import PAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from console.readings import Cursor, Listing, Readings
    from console.screens.dialogs import Other
    from console.widgets.window_table import WindowTable

MOST_IN_RANGE = 100_000
SAMPLE = 5


class MarkingScreen(ConsoleScreen):
    """The screen. What its lists are, a subclass says.

    Attributes:
        can_mark: whether its acts can be done to marked rows (`self.table.chosen`).
        table: the list that is shown.
        filter_text: what it is filtered by.
    """

    can_mark: ClassVar[bool] = False
    table: WindowTable[Any]
    filter_text: str

    def listing(self, readings: Readings) -> Listing[Any]:
        """The list behind the current table; called on the reader's thread."""
        raise NotImplementedError

    def _caption(self) -> None:
        """What stands above the list has changed."""

    # -- acts -----------------------------------------------------------------------------------

    @property
    def sort_id(self) -> str:
        """The order that the list is shown in."""
        return self.table.sort.id if self.table.sort else ""

    def about(self, sample: Sequence[str]) -> dict[str, Any]:
        """What the journal says of an act on some of the list."""
        return {"filter": self.filter_text, "sample": [clean(line, 120) for line in sample[:SAMPLE]]}

    def on_chosen(
        self,
        question: Callable[[int], str],
        chosen: Marks[Any] | Frozen[Any],
        told: Callable[[Any], str],
        act: Callable[[dict[str, Any]], None],
        other: Other | None = None,
    ) -> None:
        """Asks whether something is to be done to all that is chosen, then does it.

        Args:
            question: asks, given how many.
            chosen: the rows, frozen.
            told: a row in a line.
            act: does it; is given what the journal is to say.
            other: another answer, and what it does.
        """
        sample = [told(row) for row in (chosen.rows if isinstance(chosen, Marks) else chosen.sample)]
        count, oldest = len(chosen), chosen.oldest
        age_line = [f"the oldest is {ago(oldest, self.console.clock())} old"] if oldest and count > 1 else []

        def agreed() -> None:
            act(self.about(sample))
            self._drop_marks()

        self.console.asking.confirm(
            question(count), count=count, sample=[*age_line, *sample], agreed=agreed, other=other
        )

    def freeze(
        self, lists: Callable[[Readings], Iterable[Listing[Any]]], then: Callable[[Frozen[Any]], None]
    ) -> None:
        """Finds out which rows some lists have now; nothing waits for it.

        Args:
            lists: gives them, on the reader's thread.
            then: is given their rows, frozen.
        """

        def question(readings: Readings) -> Iterator[Frozen[Any] | None]:
            whole: Frozen[Any] = Frozen()
            for listing in lists(readings):
                part: Frozen[Any] = Frozen()
                for part in listing.freeze():  # noqa: B007 - the last one is complete
                    yield None
                whole = whole.joined(part)
            yield whole

        def take(whole: Frozen[Any] | None) -> None:
            if whole is not None:
                then(whole)

        self.console.ask(self.named("frozen"), question, take)

    # -- marks ----------------------------------------------------------------------------------

    def action_mark(self) -> None:
        """Marks the row under the cursor, or no longer, and goes on to the next."""
        row = self.table.highlighted
        if row is not None:
            self.table.marks.toggle(row)
            self._anchor = self.table.place
            self._marked()
            self.table.action_cursor_down()

    _anchor: Cursor | None = None

    def action_mark_range(self) -> None:
        """Marks the rows from the last mark to the cursor, wherever they are."""
        table, window = self.table, self.table.window
        if window is None or table.place is None:
            return
        anchor, here, listing = self._anchor or table.place, table.place, self.listing
        if anchor in window.places:
            start, end = sorted((window.places.index(anchor), window.places.index(here)))
            self._mark_rows(window.rows[start : end + 1])
        else:
            self.console.ask(
                self.named("range"),
                lambda readings: between(listing(readings), anchor, here),
                self._mark_rows,
            )
        self._anchor = here

    def _mark_rows(self, rows: Sequence[Any]) -> None:
        self.table.marks.add(rows)
        self._marked()

    def action_mark_all(self) -> None:
        """Marks all that the filter shows, or nothing any more."""
        if len(self.table.marks):
            self._drop_marks()
            return
        listing = self.listing
        self.console.ask(self.named("marks"), lambda readings: listing(readings).freeze(), self._take_marks)

    def _take_marks(self, frozen: Frozen[Any]) -> None:
        self.table.marks.take(frozen)
        self._marked()

    def _drop_marks(self) -> None:
        self.console.forget(self.named("marks"))
        self.table.marks.clear()
        self._anchor = None
        self._marked()

    def _marked(self) -> None:
        self.table.remark()
        self._caption()


def between(listing: Listing[Any], one: Cursor, other: Cursor) -> Sequence[Any]:
    """The rows from one place to another, whichever comes first; at the most MOST_IN_RANGE."""
    for start, end in ((one, other), (other, one)):
        rows: list[Any] = []
        window = listing.again(start, PAGE)
        while len(rows) < MOST_IN_RANGE:
            rows += window.rows
            if end in window.places:
                return rows[: len(rows) - len(window.rows) + window.places.index(end) + 1]
            if window.at_end:
                break
            window = listing.after(window.places[-1], PAGE)
    return ()
