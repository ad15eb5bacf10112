"""What operators did: the journals of both files as one list, by time."""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from console.readings.filters import condition, parse
from console.readings.pages import Cursor, Edge, Listing, Segment, Sort, Window
from console.readings.times import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from console.readings.connection import File, Row

SORTS = (Sort("newest", "newest first", "When"), Sort("oldest", "oldest first", "When", descending=True))
_ENTRY = "SELECT id, at, actor, action, target, count, detail, undone_by FROM journal WHERE 1"
_COLUMNS = {
    "any": "action, target, actor, detail, id", "task": "detail", "market": "detail", "err": "detail", "id": "id",
    "is": "action, target", "age": "at",
}  # fmt: skip
_FLAGS: dict[str, tuple[str, tuple[Any, ...]]] = {"undone": ("undone_by IS NOT NULL", ())}
# Where an act's rows wait to be brought back.
_KEPT = ("removed_task", "touched_task", "removed_letter")


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One act of an operator.

    Attributes:
        id: sorts by time.
        target: what it was done to: queue, failures, schedules, …
        count: to how many.
        undone_by: the entry that took it back.
        undid: the entry that it took back.
        filter: what the list was filtered by.
        sample: some of what it was done to, as a list showed it.
        before: arguments before they were edited.
        after: and after.
        note: why, where the operator said so.
        name: of the task or the schedule.
        subject: what a task was about, such as a market.
    """

    id: str
    at: datetime
    actor: str
    action: str
    target: str
    count: int
    undone_by: str | None
    undid: str | None = None
    undid_action: str | None = None
    filter: str = ""
    sample: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    note: str = ""
    name: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class JournalDetail:
    """An act with what only its detail pane shows.

    Attributes:
        entry: the act.
        kept: whether rows wait to be brought back.
        other: the act that it took back, or that took it back.
    """

    entry: JournalEntry
    kept: bool
    other: JournalEntry | None = None
    task_ids: tuple[str, ...] = field(default=())


class _Merged(Listing[JournalEntry]):
    """Two journals by id: each gives its next rows, and the nearest are taken."""

    def __init__(self, parts: Sequence[Listing[JournalEntry]], *, descending: bool) -> None:
        super().__init__(parts[0].file, parts[0].segments)
        self._parts, self._descending = tuple(parts), descending

    def steps(self, edge: Edge, place: Cursor | None, limit: int) -> Iterator[Window[JournalEntry]]:
        """The nearest rows of both."""
        windows = [part._whole(edge, place, limit) for part in self._parts]  # noqa: SLF001 - its own kind
        backward = edge.backward
        pairs = [list(zip(window.rows, window.places, strict=True)) for window in windows]
        merged = list(heapq.merge(*pairs, key=lambda pair: str(pair[0].id), reverse=self._descending))
        chosen = merged[-limit:] if backward else merged[:limit]
        whole = len(chosen) == len(merged)
        yield Window(
            tuple(row for row, _ in chosen),
            tuple(there for _, there in chosen),
            at_start=all(window.at_start for window in windows) and (whole or not backward),
            at_end=all(window.at_end for window in windows) and (whole or backward),
            total=None,
        )


def listing(files: Sequence[File], text: str, now: float, sort: str = "newest") -> Listing[JournalEntry]:
    """Both journals as one list.

    Args:
        files: `tasks.db` and `dlq.db`.
        text: a filter.
        now: Unix seconds, for ages.
        sort: the id of one of SORTS.

    Raises:
        ReadingError: the filter cannot be understood.
    """
    where, params = condition(parse(text), _COLUMNS, now, _FLAGS)
    descending = sort == "newest"
    segment = Segment(_ENTRY, (), (("id", descending),), _entry, where, params, since="at")
    return _Merged([Listing(file, [segment]) for file in files], descending=descending)


def detail(files: Sequence[File], entry_id: str) -> JournalDetail | None:
    """An act with all that is kept of it; None when there is no such entry."""
    for file in files:
        rows = file.rows(f"{_ENTRY} AND id = ?", (entry_id,))
        if rows:
            entry = _entry(rows[0])
            other = entry.undone_by or entry.undid
            return JournalDetail(
                entry, _kept(files, entry_id), _find(files, other) if other else None,
                tuple(str(one) for one in _read(rows[0]).get("task_ids", ()) if isinstance(one, str)),
            )  # fmt: skip
    return None


def _find(files: Sequence[File], entry_id: str) -> JournalEntry | None:
    rows = [row for file in files for row in file.rows(f"{_ENTRY} AND id = ?", (entry_id,))]
    return _entry(rows[0]) if rows else None


def _kept(files: Sequence[File], entry_id: str) -> bool:
    return any(
        file.knows(table) and file.value(f"SELECT 1 FROM {table} WHERE entry = ? LIMIT 1", (entry_id,))
        for file in files
        for table in _KEPT
    )


def _read(row: Row) -> dict[str, Any]:
    try:
        found = json.loads(row["detail"])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _entry(row: Row) -> JournalEntry:
    told = _read(row)
    sample = told.get("sample", ())
    return JournalEntry(
        id=row["id"], at=moment(row["at"]), actor=row["actor"], action=row["action"], target=row["target"],
        count=row["count"], undone_by=row["undone_by"], undid=told.get("of"), undid_action=told.get("undid"),
        filter=str(told.get("filter") or ""), sample=tuple(str(one) for one in sample if isinstance(sample, list)),
        before=str(told.get("before") or "") if row["action"] == "edit" else "",
        after=str(told.get("after") or ""), note=str(told.get("pause_note") or told.get("note") or ""),
        name=str(told.get("name") or ""), subject=str(told.get("subject") or ""),
    )  # fmt: skip
