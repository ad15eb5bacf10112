"""Dead letters: by cause, then one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console import keys
from console.readings import Whole
from console.readings.failures import CAUSE_SORTS, SORTS, sorted_causes
from console.readings.model import Cause
from console.rows import details, failures
from console.rows.base import short_name
from console.screens.listing import ListScreen
from console.text import ago, clean, number, plural
from console.widgets.lines import as_content
from console.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.content import Content

    from console.readings import Listing, Readings
    from console.readings.model import Letter

CAUSES = 500


class FailuresScreen(ListScreen):
    """Causes first; a cause opens into its letters."""

    here = "go_failures"
    scope = keys.Scope.FAILURES
    heading = "Failures by cause"
    can_mark = True
    BINDINGS = keys.bindings(keys.Scope.FAILURES)
    _cause: Cause | None = None

    def tables(self) -> Iterable[WindowTable[Any]]:
        """Causes, and letters."""
        plain = self.console.ascii_only
        self.causes: WindowTable[Cause] = WindowTable(
            failures.CAUSE_COLUMNS, failures.cause_cells, failures.cause_key, sorts=CAUSE_SORTS,
            since=failures.cause_since,
            empty="No dead letters: nothing has failed for good.", ascii_only=plain, id="causes-table",
        )  # fmt: skip
        self.letters: WindowTable[Letter] = WindowTable(
            failures.LETTER_COLUMNS, failures.letter_cells, failures.letter_key, sorts=SORTS,
            since=failures.letter_since,
            empty="No dead letter here any more.\nesc goes back to the causes.", ascii_only=plain, id="letters-table",
        )  # fmt: skip
        yield self.causes
        yield self.letters

    def caption_text(self) -> str:
        """Which letters these are."""
        if self.table is self.causes:
            return self.heading
        if self._cause is None:
            return "Failures › all letters"
        name = clean(short_name(self._cause.error_type), 40)
        return f"Failures › {name}: {clean(self._cause.error, 60)}"

    def listing(self, readings: Readings) -> Listing[Any]:
        """Causes or letters."""
        if self.table is self.causes:
            causes = sorted_causes(readings.causes(CAUSES), _id_of(self.causes))
            return Whole(causes, failures.cause_key, failures.cause_since)
        return self._letters_of(readings, self._cause)

    def _letters_of(self, readings: Readings, cause: Cause | None, only: str = "") -> Listing[Letter]:
        text = f"{self.filter_text} {only}".strip()
        return readings.letters(cause.fingerprint if cause else None, text, _id_of(self.letters))

    def describe(self, readings: Readings, row: Any) -> Content | None:
        """A cause, or a letter with its traceback."""
        now, utc, plain = self.console.clock(), self.console.utc, self.console.ascii_only
        if isinstance(row, Cause):
            return as_content(details.of_cause(row, now, utc=utc), ascii_only=plain)
        detail = readings.letter(row.id)
        return (
            None if detail is None else as_content(details.of_letter(detail, now, utc=utc), ascii_only=plain)
        )

    def on_window_table_opened(self, event: WindowTable.Opened) -> None:
        """A cause opens into its letters, a letter into its story."""
        if event.table is self.causes:
            self._cause = self.causes.highlighted
            self.letters.forget()
            self.switch(self.letters)
        else:
            super().on_window_table_opened(event)

    def filtered(self) -> None:
        """A filter looks at the letters of all causes, unless one is open."""
        if self.table is self.causes:
            self._cause = None
            self.show_table(self.letters)
        super().filtered()

    def leave(self) -> None:
        """Back to the causes."""
        if self.table is self.letters:
            self._cause = None
            self.switch(self.causes)

    # -- acts -----------------------------------------------------------------------------------

    def action_retry(self) -> None:
        """Runs it again: the letter, or all of the cause."""
        self._with_letters("Retry", self._retry)

    def action_delete(self) -> None:
        """Takes it away: the letter, or all of the cause."""
        self._with_letters("Delete", self._delete)

    def _retry(self, ids: Sequence[int]) -> None:
        self.console.act(lambda actions: actions.retry(ids))

    def _delete(self, ids: Sequence[int]) -> None:
        self.console.act(lambda actions: actions.delete_letters(ids))

    def _with_letters(self, verb: str, act: Any) -> None:
        row = self.table.highlighted
        if row is None:
            return
        if not isinstance(row, Cause):
            act([row.id])
            return
        self.console.ask(
            self.named("ids"),
            lambda readings: list(self._letters_of(readings, row, "is:dead").all_rows()),
            lambda letters: self._confirm(f"{verb} {plural(len(letters), 'dead letter')} of this cause?", letters, act),
        )  # fmt: skip

    def action_clear(self) -> None:
        """Takes away every dead letter there is now, or those that the filter shows now."""
        if self.filter_text or self._cause is not None:
            self.console.ask(
                self.named("ids"),
                lambda readings: list(self._letters_of(readings, self._cause, "is:dead").all_rows()),
                lambda letters: self._confirm(f"Clear {plural(len(letters), 'dead letter')} shown here?", letters, self._delete),
            )  # fmt: skip
        else:
            self.console.mark(lambda actions: actions.letters_mark(), self._confirm_all)

    def _confirm(self, question: str, letters: list[Letter], act: Any) -> None:
        ids = [letter.id for letter in letters]
        self.console.confirm(
            question, count=len(ids), agreed=lambda: act(ids),
            sample=[f"{short_name(letter.name)}  {letter.subject or ''}  {letter.error}" for letter in letters],
        )  # fmt: skip

    def _oldest(self) -> str:
        first = min((cause.first_seen for cause in self.causes.rows), default=None)
        return ago(first, self.console.clock())

    def _confirm_all(self, mark: tuple[int, int]) -> None:
        last, count = mark
        self.console.confirm(
            f"Clear {plural(count, 'dead letter')}?",
            count=count,
            sample=[
                f"the oldest is {self._oldest()} old",
                *(
                    f"{number(cause.count)}× {short_name(cause.error_type)} {cause.error}"
                    for cause in self.causes.rows
                ),
            ],
            agreed=lambda: self.console.act(lambda actions: actions.clear_letters(last)),
        )


def _id_of(table: WindowTable[Any]) -> str:
    return table.sort.id if table.sort else ""
