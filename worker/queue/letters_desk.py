"""What an operator may do to dead letters; many at once in chunks, so that workers get their turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.queue.arguments import Edited, edited
from worker.queue.canary import Canaries
from worker.queue.connection import wrapped
from worker.queue.errors import RefusedError
from worker.queue.retries import ALREADY, CHUNK, letters, renew, retry, store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.queue.change import Change
    from worker.queue.operator import Operator
    from worker.sqlite import sqlite3

COLUMNS = (
    "id", "state", "death", "queue", "task_id", "name", "subject", "reason", "data", "priority", "args", "attempts",
    "worker", "first_seen", "last_seen", "retries", "retried_as", "retried_at", "error_type", "error",
    "traceback", "fingerprint",
)  # fmt: skip
_ALL = ", ".join(COLUMNS)
PUT_BACK = f"INSERT INTO letter ({_ALL}) SELECT {_ALL} FROM removed_letter WHERE rowid IN "


class LettersDesk:
    """An operator at the dead letters.

    Args:
        operator: who acts.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._storage = operator.storage
        self.canaries = Canaries(operator.storage)

    def mark(self) -> tuple[int, int]:
        """The highest id of a dead letter, and how many there are, now."""
        found = self._storage.letters
        with wrapped(found.path):
            row = found.connection().execute("SELECT coalesce(max(id), 0) FROM letter").fetchone()
        return int(row[0]), found.count()

    # -- taking away ----------------------------------------------------------------------------

    def delete(self, letter_ids: Sequence[int], about: Mapping[str, Any] | None = None) -> Change:
        """Takes letters away; undo brings them back."""
        operator, entry, done = self._operator, self._operator.entry(), 0
        refused: list[tuple[str, str]] = []
        for start in range(0, len(letter_ids), CHUNK):
            chunk = list(letter_ids[start : start + CHUNK])
            with self._storage.letters.transaction() as conn:
                gone = self._remove(conn, entry, chunk)
                done += len(gone)
                if gone:
                    operator.note(conn, entry, "delete", "failures", done, **(about or {}))
            refused += [
                (str(one), "is not there, or is being retried") for one in sorted(set(chunk) - set(gone))
            ]
        return operator.change(entry, "delete", len(letter_ids), done, refused)

    def clear(self, up_to: int) -> Change:
        """Takes away every dead letter with an id of at most `up_to`."""
        operator, entry, done, after = self._operator, self._operator.entry(), 0, 0
        query = "SELECT id FROM letter WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
        while True:
            with self._storage.letters.transaction() as conn:
                rows = [row[0] for row in conn.execute(query, (after, up_to, CHUNK)).fetchall()]
                gone = self._remove(conn, entry, rows)
                done += len(gone)
                if gone:
                    operator.note(conn, entry, "clear", "failures", done)
            if len(rows) < CHUNK:
                return operator.change(entry, "clear", done, done)
            after = rows[-1]

    def _remove(self, conn: sqlite3.Connection, entry: str, letter_ids: Sequence[int]) -> list[int]:
        """Moves dead letters to where undo finds them; gives the ids of those."""
        where = f"id IN ({','.join('?' * len(letter_ids))}) AND state = 'dead'"
        conn.execute(
            f"INSERT INTO removed_letter (entry, {_ALL}) SELECT ?, {_ALL} FROM letter WHERE {where}",
            (entry, *letter_ids),
        )
        gone = conn.execute(f"DELETE FROM letter WHERE {where} RETURNING id", tuple(letter_ids))
        return [row[0] for row in gone.fetchall()]

    # -- running again --------------------------------------------------------------------------

    def retry(self, letter_ids: Sequence[int], about: Mapping[str, Any] | None = None) -> Change:
        """Enqueues each letter's task anew and links the two."""
        operator, entry = self._operator, self._operator.entry()
        refused: list[tuple[str, str]] = []
        tasks: list[str] = []
        for start in range(0, len(letter_ids), CHUNK):

            def note(cursor: sqlite3.Cursor, fresh: int, before: int = len(tasks)) -> None:
                operator.note(cursor, entry, "retry", "failures", before + fresh, **(about or {}))

            done = retry(self._storage, entry, list(letter_ids[start : start + CHUNK]), note)
            tasks += [task_id for letter, task_id in done.tasks.items() if letter not in done.already]
            refused += [*done.refused, *((str(letter), ALREADY) for letter in sorted(done.already))]
        return operator.change(entry, "retry", len(letter_ids), len(tasks), refused, tasks)

    def canary(self, letter_ids: Sequence[int], about: Mapping[str, Any] | None = None) -> Change:
        """Retries one letter of each cause; the worker lets the rest follow once that has succeeded.

        Raises:
            RefusedError: none of the letters is dead, or all of their causes have one going on.
        """
        operator, entry = self._operator, self._operator.entry()
        causes = self._by_cause(letter_ids)
        going = self.canaries.going()
        if causes and causes.keys() <= going:
            raise RefusedError("a canary retry of this cause goes on already")
        causes = {cause: some for cause, some in causes.items() if cause not in going}
        count = sum(len(some) for some in causes.values())
        if not causes:
            raise RefusedError(
                "none of these dead letters can be retried now: they are gone, or are being retried"
            )
        with self._storage.letters.transaction() as conn:
            for fingerprint, some in causes.items():
                self.canaries.start(conn, entry, fingerprint, some, operator.actor)
            operator.note(conn, entry, "canary", "failures", count, causes=len(causes), **(about or {}))
        self.canaries.step()
        gone = [("", "is gone, or is being retried")] * (len(letter_ids) - count)
        return operator.change(entry, "canary", len(letter_ids), count, gone)

    def _by_cause(self, letter_ids: Sequence[int]) -> dict[str, list[int]]:
        """The dead ones by cause; of each, the newest first."""
        found: dict[str, list[int]] = {}
        conn = self._storage.letters.connection()
        for start in range(0, len(letter_ids), CHUNK):
            chunk = list(letter_ids[start : start + CHUNK])
            query = f"""SELECT id, coalesce(fingerprint, '') FROM letter
                WHERE id IN ({",".join("?" * len(chunk))}) AND state = 'dead' AND data IS NOT NULL"""
            with wrapped(self._storage.letters.path):
                for letter_id, fingerprint in conn.execute(query, chunk).fetchall():
                    found.setdefault(fingerprint, []).append(letter_id)
        return {cause: sorted(some, reverse=True) for cause, some in found.items()}

    def cancel_canaries(self, fingerprint: str) -> Change:
        """Lets no more letters of a cause follow its canary; what was retried stays so.

        Raises:
            RefusedError: no canary of that cause waits or lets letters go.
        """
        operator, entry = self._operator, self._operator.entry()
        with self._storage.letters.transaction() as conn:
            stopped = conn.execute(
                """UPDATE canary SET state = 'cancelled', why = ?, changed_at = ?
                WHERE queue = ? AND fingerprint = ? AND state IN ('waiting', 'releasing')
                RETURNING id""",
                (f"cancelled by {operator.actor}", self._storage.now(), self._storage.name, fingerprint),
            ).fetchall()
            if not stopped:
                raise RefusedError("no canary retry of this cause is going on")
            operator.note(conn, entry, "cancel", "canary", len(stopped), canaries=[row[0] for row in stopped])
        return operator.change(entry, "cancel", len(stopped), len(stopped))

    def edit(self, letter_id: int, args: str) -> tuple[Change, Edited]:
        """Runs a letter's task again with other arguments.

        Args:
            letter_id: whose task.
            args: JSON: a list, an object of named arguments, or `{"args": [...], "kwargs": {...}}`.

        Raises:
            RefusedError: the letter cannot be retried.
            MessageError: the arguments cannot be understood.
        """
        operator, entry = self._operator, self._operator.entry()
        found = letters(self._storage, [letter_id])
        why = found[0].refusal if found else "is not there any more"
        if why:
            raise RefusedError(f"dead letter {letter_id} {why}")
        change = edited(bytes(found[0].data or b""), args, self._storage.runs.args_of)
        sealed = renew(found[0], change.apply)
        if sealed is None:
            raise RefusedError(f"dead letter {letter_id}: its message cannot be read")
        sealed.subject = change.subject(found[0].subject)

        def note(cursor: sqlite3.Cursor, count: int) -> None:
            operator.note(
                cursor, entry, "edit", "failures", count, letter=letter_id, before=change.before, after=change.after
            )  # fmt: skip

        if store(self._storage, entry, {letter_id: sealed}, note):
            raise RefusedError(f"dead letter {letter_id} {ALREADY}")
        return operator.change(entry, "edit", 1, 1, task_ids=[str(sealed.task_id)]), change
