"""Dead letters, and their causes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from console.readings.canaries import latest
from console.readings.filters import condition, parse
from console.readings.model import Cause, Letter, LetterDetail
from console.readings.pages import Listing, Segment, Sort
from console.readings.times import maybe, moment

if TYPE_CHECKING:
    from console.readings.connection import File, Row

_LETTER = """SELECT id, state, task_id, name, subject, reason, error_type, error, fingerprint, first_seen, last_seen,
    retries, retried_as, about,
    CASE WHEN json_valid(attempts) THEN json_array_length(attempts) ELSE 0 END AS tries FROM letter WHERE """
_COLUMNS = {
    "any": "name, subject, error_type, error, task_id", "task": "name", "market": "subject",
    "err": "error_type, error", "id": "task_id", "is": "state, reason", "age": "last_seen",
}  # fmt: skip


# The orders of the letters of all causes, and of those of one.
SORTS = (
    Sort("newest", "newest first", "Died"),
    Sort("oldest", "oldest first", "Died", descending=True),
    Sort("task", "by task", "Task"),
    Sort("market", "by market", "Market"),
)
CAUSE_SORTS = (
    Sort("count", "most frequent first", "Count", descending=True),
    Sort("last", "latest first", "Last"),
    Sort("first", "oldest first", "First", descending=True),
    Sort("error", "by error", "Error"),
)
_LATEST = (("last_seen", True), ("id", True))
_ORDERS: dict[str, tuple[tuple[str, bool], ...]] = {
    "newest": _LATEST,
    "oldest": (("last_seen", False), ("id", False)),
    "task": (("name", False), *_LATEST),
    "market": (("about", False), *_LATEST),
}


def fingerprints(file: File) -> frozenset[str]:
    """Of all causes that dead letters have; there are many letters, but few causes."""
    return frozenset(row["fingerprint"] for row in file.rows("SELECT fingerprint FROM cause"))


def causes(file: File, limit: int, *, newest: bool = False) -> tuple[Cause, ...]:
    """The causes of dead letters, most frequent or newest first; kept by the writer, not counted here."""
    order = "cause.sample DESC" if newest else "cause.n DESC, cause.last_seen DESC"
    query = f"""SELECT cause.fingerprint, cause.n, cause.first_seen, cause.last_seen, letter.error_type, letter.error,
        letter.name, letter.subject FROM cause JOIN letter ON letter.id = coalesce(
            (SELECT id FROM letter AS alive WHERE alive.id = cause.sample AND alive.state = 'dead'),
            (SELECT max(id) FROM letter AS other WHERE other.state = 'dead' AND other.fingerprint = cause.fingerprint))
        ORDER BY {order} LIMIT ?"""
    watched = file.knows("canary")
    return tuple(
        Cause(
            canary=latest(file, row["fingerprint"]) if watched else None,
            fingerprint=row["fingerprint"], count=row["n"], first_seen=moment(row["first_seen"]),
            last_seen=moment(row["last_seen"]), error_type=row["error_type"] or "", error=row["error"] or "",
            name=row["name"], subject=row["subject"],
        )
        for row in file.rows(query, (limit,))
    )  # fmt: skip


def sorted_causes(causes: tuple[Cause, ...], sort: str) -> tuple[Cause, ...]:
    """The causes in one of CAUSE_SORTS; as they are read, they are in the first."""
    match sort:
        case "last":
            return tuple(sorted(causes, key=lambda cause: cause.last_seen, reverse=True))
        case "first":
            return tuple(sorted(causes, key=lambda cause: cause.first_seen))
        case "error":
            return tuple(sorted(causes, key=lambda cause: cause.error_type.rpartition(".")[2].lower()))
    return causes


def count(file: File) -> int:
    """How many letters are dead."""
    return int(file.value("SELECT n FROM depth WHERE state = 'dead'") or 0)


def listing(
    file: File, fingerprint: str | None, text: str, now: float, sort: str = "newest"
) -> Listing[Letter]:
    """Letters: of one cause, or all.

    Args:
        file: `dlq.db`.
        fingerprint: of the cause; None: all.
        text: a filter.
        now: Unix seconds, for ages.
        sort: the id of one of SORTS.

    Raises:
        ReadingError: the filter cannot be understood.
    """
    terms = parse(text)
    where, params = condition(terms, _COLUMNS, now)
    letter = _LETTER
    if not file.knows("canary"):  # a file of version 1 has no index for that order
        letter, sort = _LETTER.replace("about, ", ""), "newest" if sort == "market" else sort
    order = _ORDERS[sort]
    segments = []
    for state in ("dead", "retrying"):
        scope, given = ("", ()) if fingerprint is None else (" AND fingerprint = ?", (fingerprint,))
        select = f"{letter}state = '{state}'{scope}"
        segments.append(Segment(select, given, order, _letter, where, params, since="last_seen"))

    def total() -> int | None:
        if fingerprint is None:
            return file.value("SELECT sum(n) FROM depth") or 0
        return file.value("SELECT n FROM cause WHERE fingerprint = ?", (fingerprint,)) or 0

    return Listing(file, segments, total)


def detail(file: File, letter_id: int) -> LetterDetail | None:
    """All that is kept of a letter; None when it is gone."""
    columns = _LETTER.replace("about, ", "").removesuffix("FROM letter WHERE ")
    query = f"{columns}, args, traceback, attempts AS history, worker, retried_at FROM letter WHERE id = ?"
    rows = file.rows(query, (letter_id,))
    if not rows:
        return None
    row = rows[0]
    return LetterDetail(
        letter=_letter(row),
        args=row["args"],
        traceback=row["traceback"],
        history=_history(row["history"]),
        worker=row["worker"],
        retried_at=maybe(row["retried_at"]),
    )


def _history(text: str) -> tuple[tuple[int, datetime, str], ...]:
    try:
        return tuple(
            (one["attempt"], datetime.fromisoformat(one["at"]), one["error"]) for one in json.loads(text)
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()


def _letter(row: Row) -> Letter:
    return Letter(
        id=row["id"], state=row["state"], task_id=row["task_id"], name=row["name"], subject=row["subject"],
        reason=row["reason"], error_type=row["error_type"] or "", error=row["error"] or "",
        fingerprint=row["fingerprint"] or "", first_seen=moment(row["first_seen"]),
        last_seen=moment(row["last_seen"]), retries=row["retries"], retried_as=row["retried_as"],
        attempts=row["tries"],
    )  # fmt: skip
