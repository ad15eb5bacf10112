"""Dead letters: by cause, then one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console import keys
from console.readings import Frozen, Marks, Whole
from console.readings.failures import CAUSE_SORTS, SORTS, sorted_causes
from console.readings.model import Cause, Letter
from console.rows import details, failures
from console.rows.base import short_name
from console.screens.dialogs import SAMPLE, Other
from console.screens.listing import ListScreen
from console.text import ago, clean, number, plural
from console.widgets.lines import as_content
from console.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual.content import Content

    from console.readings import Listing, Readings
    from console.readings.model import LetterDetail

    Act = Callable[[Sequence[int], dict[str, Any]], None]

CAUSES = 10_000
DEAD = "is:dead"
CANARY = "canary: one first, the rest when it has succeeded"


class FailuresScreen(ListScreen):
    """Causes first; a cause opens into its letters."""

    here = "go_failures"
    scope = keys.Scope.FAILURES
    heading = "Failures by cause"
    can_mark = True
    BINDINGS = keys.bindings(keys.Scope.FAILURES)
    filter_hint = "words  task:  market:  err:  id:  is:dead retrying  age>2h  !inverts"
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
            failures.LETTER_COLUMNS, failures.letter_cells, failures.letter_key, same=failures.letter_place, sorts=SORTS,
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
            causes = sorted_causes(readings.causes(CAUSES), self.sort_id)
            return Whole(causes, failures.cause_key, failures.cause_since)
        return self._letters_of(readings, self._cause)

    def _letters_of(self, readings: Readings, cause: Cause | None, only: str = "") -> Listing[Letter]:
        text = f"{self.filter_text} {only}".strip()
        sort = self.letters.sort.id if self.letters.sort else "newest"
        return readings.letters(cause.fingerprint if cause else None, text, sort)

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
        """Runs it again: the letter, what is marked, or all of the cause."""
        self._with_letters("Retry", self._retry, canary=True)

    def action_canary(self) -> None:
        """Retries one first; on a cause whose canary goes on: stops it."""
        row = self.table.highlighted
        cause = row if isinstance(row, Cause) else self._cause
        marked = bool(len(self.table.marks))
        if cause is not None and cause.canary is not None and cause.canary.going and not marked:
            self.console.act(lambda actions: actions.cancel_canaries(cause.fingerprint))
        elif self.table is self.letters and not marked:
            self._all_shown("Canary retry of", self._canary)
        else:
            self._with_letters("Canary retry of", self._canary)

    def action_delete(self) -> None:
        """Takes it away: the letter, what is marked, or all of the cause."""
        self._with_letters("Delete", self._delete)

    def action_clear(self) -> None:
        """Takes away every dead letter there is now, or those that the filter shows now."""
        if self.filter_text or self._cause is not None:
            self._all_shown("Clear", self._delete)
        else:
            self.console.mark(lambda actions: actions.letters_mark(), self._confirm_all)

    def _all_shown(self, verb: str, act: Act) -> None:
        """Does something to all letters of the open cause that the filter shows."""
        cause = self._cause
        self.freeze(
            lambda readings: [self._letters_of(readings, cause, DEAD)],
            lambda frozen: self._confirm(verb, frozen, act, " shown here"),
        )

    def action_edit(self) -> None:
        """Runs the letter's task again with other arguments."""
        row = self.table.highlighted
        if not isinstance(row, Letter):
            self.console.refuse("Open the cause first: arguments are edited one letter at a time.")
            return
        letter_id = row.id
        self.console.ask(self.named("args"), lambda readings: readings.letter(letter_id), self._edit)

    def _edit(self, detail: LetterDetail | None) -> None:
        from console.screens.edit import EditScreen  # noqa: PLC0415 - an editor is heavy, and rarely needed

        if detail is None or detail.args is None:
            self.console.refuse("Its arguments cannot be read, or it is gone.")
            return
        letter = detail.letter
        name = clean(short_name(letter.name), 60)
        self.console.push_screen(
            EditScreen(
                f"Run {name} again with which arguments?",
                place=self.console.place, args=detail.args, ascii_only=self.console.ascii_only,
            ),
            lambda text: self.console.act(lambda actions: actions.edit_letter(letter.id, text)) if text is not None else None,
        )  # fmt: skip

    def _retry(self, ids: Sequence[int], about: dict[str, Any]) -> None:
        self.console.act(lambda actions: actions.retry(ids, about))

    def _canary(self, ids: Sequence[int], about: dict[str, Any]) -> None:
        self.console.act(lambda actions: actions.canary(ids, about))

    def _delete(self, ids: Sequence[int], about: dict[str, Any]) -> None:
        self.console.act(lambda actions: actions.delete_letters(ids, about))

    def _with_letters(self, verb: str, act: Act, *, canary: bool = False) -> None:
        if self.table is self.letters:
            chosen = self.letters.chosen
            what = " marked" if len(self.letters.marks) else ""
            self._confirm(verb, chosen, act, what, canary=canary)
            return
        causes = self.causes.chosen.rows
        if not causes:
            return
        what = " of this cause" if len(causes) == 1 else f" of {plural(len(causes), 'cause')}"
        self.freeze(
            lambda readings: [self._letters_of(readings, cause, DEAD) for cause in causes],
            lambda frozen: self._confirm(verb, frozen, act, what, canary=canary),
        )

    def _confirm(
        self, verb: str, chosen: Marks[Any] | Frozen[Any], act: Act, what: str, *, canary: bool = False
    ) -> None:
        numbers = chosen.numbers() if isinstance(chosen, Marks) else chosen.numbers
        ids = numbers.get("", ())
        other = (
            Other("c", CANARY, lambda: self._canary(ids, self.about([]))) if canary and len(ids) > 1 else None
        )
        self.on_chosen(
            lambda count: f"{verb} {plural(count, 'dead letter')}{what}?", chosen, _in_a_line,
            lambda about: act(ids, about), other,
        )  # fmt: skip

    def _confirm_all(self, mark: tuple[int, int]) -> None:
        last, count = mark
        first = min((cause.first_seen for cause in self.causes.rows), default=None)
        self.console.asking.confirm(
            f"Clear {plural(count, 'dead letter')}?",
            count=count,
            sample=[
                f"the oldest is {ago(first, self.console.clock())} old",
                *_causes_in_lines(self.causes.rows),
            ],
            agreed=lambda: self.console.act(lambda actions: actions.clear_letters(last)),
        )


def _causes_in_lines(causes: Sequence[Cause]) -> list[str]:
    """As many causes as the question has room for, and how many more there are."""
    shown = causes if len(causes) < SAMPLE else causes[: SAMPLE - 2]
    lines = [f"{number(cause.count)}× {short_name(cause.error_type)} {cause.error}" for cause in shown]
    rest = len(causes) - len(shown)
    return [*lines, f"and {plural(rest, 'more cause')}"] if rest else lines


def _in_a_line(letter: Letter) -> str:
    return f"{short_name(letter.name)}  {letter.subject or ''}  {letter.error}"
