"""What an operator may do to dead letters."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import orjson

from worker.queue.connection import wrapped
from worker.queue.message import Envelope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from worker.queue.change import Change
    from worker.queue.operator import Operator
    from worker.sqlite import sqlite3

# Between two chunks other writers get their turn.
CHUNK = 500
COLUMNS = (
    "id", "state", "death", "queue", "task_id", "name", "subject", "reason", "data", "priority", "args", "attempts",
    "worker", "first_seen", "last_seen", "retries", "retried_as", "retried_at", "error_type", "error",
    "traceback", "fingerprint",
)  # fmt: skip
_ALL = ", ".join(COLUMNS)
_KEEP = f"INSERT INTO removed_letter (entry, {_ALL}) SELECT ?, {_ALL} FROM letter WHERE "
PUT_BACK = f"INSERT INTO letter ({_ALL}) SELECT {_ALL} FROM removed_letter WHERE entry = ?"

# What a retry starts anew: the number of its attempts, its times, and the chord that has gone on without it.
_SPENT = ("retries", "retry_delay", "eta", "expires_resolved", "chord_config")


class LettersDesk:
    """An operator at the dead letters.

    Args:
        operator: who acts.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._storage = operator.storage

    def mark(self) -> tuple[int, int]:
        """The highest id of a dead letter, and how many there are, now."""
        letters = self._storage.letters
        with wrapped(letters.path):
            row = letters.connection().execute("SELECT coalesce(max(id), 0) FROM letter").fetchone()
        return int(row[0]), letters.count()

    def delete(self, letter_ids: Sequence[int]) -> Change:
        """Takes letters away; undo brings them back."""
        operator, refused, done = self._operator, [], 0
        entry = operator.entry()
        with self._storage.letters.transaction() as conn:
            for letter_id in letter_ids:
                if self._remove(conn, entry, "id = ? AND state = 'dead'", (letter_id,)):
                    done += 1
                else:
                    refused.append((str(letter_id), "is not there, or is being retried"))
            if done:
                operator.note(conn, entry, "delete", "failures", done)
        return operator.change(entry, "delete", len(letter_ids), done, refused)

    def clear(self, up_to: int) -> Change:
        """Takes away every dead letter with an id of at most `up_to`."""
        operator = self._operator
        entry = operator.entry()
        with self._storage.letters.transaction() as conn:
            done = self._remove(conn, entry, "id <= ? AND state = 'dead'", (up_to,))
            if done:
                operator.note(conn, entry, "clear", "failures", done)
        return operator.change(entry, "clear", done, done)

    def _remove(self, conn: sqlite3.Connection, entry: str, where: str, params: tuple[int, ...]) -> int:
        conn.execute(_KEEP + where, (entry, *params))
        return conn.execute(f"DELETE FROM letter WHERE {where}", params).rowcount

    def retry(self, letter_ids: Sequence[int]) -> Change:
        """Enqueues each letter's task anew and links the two.

        The task is stored first: a crash before the letter is marked leaves a letter that looks dead, and
        retrying it again finds the task under the same id instead of running it twice.
        """
        operator, entry = self._operator, self._operator.entry()
        refused: list[tuple[str, str]] = []
        done: list[str] = []
        for chunk in _chunks(letter_ids):
            fresh, why_not = self._prepare(chunk)
            refused += why_not
            now = self._storage.now()
            with self._storage.db(commit=True) as cursor:
                for sealed in fresh.values():
                    if not self._known(cursor, sealed.task_id):
                        for statement in self._storage.arrival(sealed, sealed.priority, now):
                            cursor.execute(*statement)
                done += [sealed.task_id for sealed in fresh.values() if sealed.task_id]
                if fresh:
                    cursor.execute("DELETE FROM journal WHERE id = ?", (entry,))
                    operator.note(cursor, entry, "retry", "failures", len(done), task_ids=done)
            with self._storage.letters.transaction() as conn:
                conn.executemany(
                    """UPDATE letter SET state = 'retrying', retried_as = ?, retried_at = ?, retries = retries + 1
                    WHERE id = ? AND state = 'dead'""",
                    [(sealed.task_id, now, letter_id) for letter_id, sealed in fresh.items()],
                )
            self._storage.wake()
        return operator.change(entry, "retry", len(letter_ids), len(done), refused, done)

    def _prepare(self, letter_ids: Sequence[int]) -> tuple[dict[int, Envelope], list[tuple[str, str]]]:
        """The tasks to enqueue by letter, and why others cannot be."""
        marks = ",".join("?" * len(letter_ids))
        query = (
            f"SELECT id, state, death, retries, subject, data FROM letter WHERE id IN ({marks}) ORDER BY id"
        )
        letters = self._storage.letters
        with wrapped(letters.path):
            rows = letters.connection().execute(query, tuple(letter_ids)).fetchall()
        fresh: dict[int, Envelope] = {}
        refused = [
            (str(gone), "is not there any more") for gone in set(letter_ids) - {row[0] for row in rows}
        ]
        for letter_id, state, death, retries, subject, data in rows:
            if state != "dead":
                refused.append((str(letter_id), "is being retried already"))
            elif data is None:
                refused.append((str(letter_id), "is only a report; there is no task to run"))
            elif (sealed := _renew(data, f"{death}/{retries + 1}", subject)) is None:
                refused.append((str(letter_id), "its message cannot be read"))
            else:
                fresh[letter_id] = sealed
        return fresh, refused

    def _known(self, cursor: sqlite3.Cursor, task_id: str | None) -> bool:
        return any(
            cursor.execute(f"SELECT 1 FROM {table} WHERE task_id = ? LIMIT 1", (task_id,)).fetchone()
            for table in ("task", "schedule", "claim", "run")
        )


def _renew(data: bytes, seed: str, subject: str | None) -> Envelope | None:
    """The message with all its attempts before it, under an id that the same retry always gets."""
    try:
        message = orjson.loads(data)
        for field in _SPENT:
            message.pop(field, None)
        message["id"] = str(uuid.uuid5(uuid.NAMESPACE_OID, seed))
        sealed = Envelope(orjson.dumps(message))
        sealed.task_id, sealed.name, sealed.subject = message["id"], str(message["name"]), subject
        sealed.priority = float(message.get("priority") or 0)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return sealed


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
