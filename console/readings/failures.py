"""Dead letters, and their causes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from console.readings.filters import condition, parse
from console.readings.model import Cause, Letter, LetterDetail
from console.readings.pages import Listing, Segment
from console.readings.times import maybe, moment

if TYPE_CHECKING:
    from console.readings.connection import File, Row

_LETTER = """SELECT id, state, task_id, name, subject, reason, error_type, error, fingerprint, first_seen, last_seen,
    retries, retried_as, json_array_length(attempts) AS tries FROM letter WHERE """
_COLUMNS = {
    "any": "name, subject, error_type, error, task_id", "task": "name", "market": "subject",
    "err": "error_type, error", "id": "task_id", "is": "state", "age": "last_seen",
}  # fmt: skip


def causes(file: File, limit: int) -> tuple[Cause, ...]:
    """The causes of dead letters, most frequent first; kept by the writer, not counted here."""
    query = """SELECT cause.fingerprint, cause.n, cause.first_seen, cause.last_seen, letter.error_type, letter.error,
        letter.name, letter.subject FROM cause JOIN letter ON letter.id = coalesce(
            (SELECT id FROM letter AS alive WHERE alive.id = cause.sample AND alive.state = 'dead'),
            (SELECT max(id) FROM letter AS other WHERE other.state = 'dead' AND other.fingerprint = cause.fingerprint))
        ORDER BY cause.n DESC, cause.last_seen DESC LIMIT ?"""
    return tuple(
        Cause(
            fingerprint=row["fingerprint"], count=row["n"], first_seen=moment(row["first_seen"]),
            last_seen=moment(row["last_seen"]), error_type=row["error_type"] or "", error=row["error"] or "",
            name=row["name"], subject=row["subject"],
        )
        for row in file.rows(query, (limit,))
    )  # fmt: skip


def count(file: File) -> int:
    """How many letters are dead."""
    return int(file.value("SELECT n FROM depth WHERE state = 'dead'") or 0)


def listing(file: File, fingerprint: str | None, text: str, now: float) -> Listing[Letter]:
    """Letters, newest first: of one cause, or all.

    Raises:
        ReadingError: the filter cannot be understood.
    """
    terms = parse(text)
    where, params = condition(terms, _COLUMNS, now)
    order = (("last_seen", True), ("id", True))
    segments = []
    for state in ("dead", "retrying"):
        scope, given = ("", ()) if fingerprint is None else (" AND fingerprint = ?", (fingerprint,))
        select = f"{_LETTER}state = '{state}'{scope}{where}"
        segments.append(Segment(select, (*given, *params), order, _letter))

    def total() -> int | None:
        if terms:
            return None
        if fingerprint is None:
            return file.value("SELECT sum(n) FROM depth") or 0
        return file.value("SELECT n FROM cause WHERE fingerprint = ?", (fingerprint,)) or 0

    return Listing(file, segments, total)


def detail(file: File, letter_id: int) -> LetterDetail | None:
    """All that is kept of a letter; None when it is gone."""
    columns = _LETTER.removesuffix("FROM letter WHERE ")
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
    except (ValueError, KeyError, TypeError):
        return ()


def _letter(row: Row) -> Letter:
    return Letter(
        id=row["id"], state=row["state"], task_id=row["task_id"], name=row["name"], subject=row["subject"],
        reason=row["reason"], error_type=row["error_type"] or "", error=row["error"] or "",
        fingerprint=row["fingerprint"] or "", first_seen=moment(row["first_seen"]),
        last_seen=moment(row["last_seen"]), retries=row["retries"], retried_as=row["retried_as"],
        attempts=row["tries"],
    )  # fmt: skip
