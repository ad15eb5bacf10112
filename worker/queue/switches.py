"""What an operator has switched off, by name. What a name stands for is the application's affair.

The switches are in the queue's file, beside the journal, so that an act and its entry are one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from worker.queue.change import Change
    from worker.queue.operator import Operator
    from worker.queue.storage import DurableStorage
    from worker.sqlite import sqlite3

_COLUMNS = "name, off_at, off_by, note"


def switched_off(storage: DurableStorage, scope: str) -> dict[str, str]:
    """What is off in a scope, with the reason that was given; empty where none was.

    Args:
        storage: the queue's.
        scope: what kind of names they are, for example `sources:demo`.
    """
    query = "SELECT name, note FROM switched_off WHERE queue = ? AND scope = ? ORDER BY name"
    return {name: note or "" for name, note in storage.sql(query, (storage.name, scope), results=True)}


class SwitchesDesk:
    """An operator at the switches.

    Args:
        operator: who acts.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator, self._storage = operator, operator.storage

    def disable(self, scope: str, names: Sequence[str], *, note: str = "") -> Change:
        """Switches names off; those that are off already are left as they are.

        Args:
            scope: what kind of names they are.
            names: which.
            note: why, for the next person.
        """
        rows = [
            (name, self._storage.now(), self._operator.actor, note or None) for name in dict.fromkeys(names)
        ]
        return self._change("disable", scope, names, rows, "is disabled already")

    def enable(self, scope: str, names: Sequence[str]) -> Change:
        """Switches names on again."""
        return self._change("enable", scope, names, (), "is not disabled")

    def _change(
        self, action: str, scope: str, names: Sequence[str], rows: Iterable[Sequence[Any]], why_not: str
    ) -> Change:
        operator, entry = self._operator, self._operator.entry()
        turned: list[str] = []
        with self._storage.db(commit=True) as cursor:
            before = self._before(cursor, scope, names)
            off = {row[0] for row in before}
            turned = [name for name in dict.fromkeys(names) if (name in off) == (action == "enable")]
            for name in turned:
                self.write(cursor, scope, name, next((row for row in rows if row[0] == name), None))
            if turned:
                kept = [row for row in before if row[0] in turned]
                operator.note(
                    cursor, entry, action, "sources", len(turned), scope=scope, names=turned, before=kept
                )
        refused = [(name, why_not) for name in dict.fromkeys(names) if name not in turned]
        return operator.change(entry, action, len(names), len(turned), refused)

    def _before(self, cursor: sqlite3.Cursor, scope: str, names: Iterable[str]) -> list[list[Any]]:
        query = f"SELECT {_COLUMNS} FROM switched_off WHERE (queue, scope, name) = (?, ?, ?)"
        found = (
            cursor.execute(query, (self._storage.name, scope, name)).fetchone()
            for name in dict.fromkeys(names)
        )
        return [list(row) for row in found if row is not None]

    def write(self, cursor: sqlite3.Cursor, scope: str, name: str, row: Sequence[Any] | None) -> None:
        """Sets a switch: the columns of a name that is off, None: it is on."""
        place = (self._storage.name, scope)
        cursor.execute("DELETE FROM switched_off WHERE (queue, scope, name) = (?, ?, ?)", (*place, name))
        if row is not None:
            cursor.execute(
                f"INSERT INTO switched_off (queue, scope, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
                (*place, *row),
            )
