"""What an operator may ask of a worker: to hold, to drain, to go on. It hears with its next heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.queue.change import Change
    from worker.queue.operator import Operator

WISHES = {"hold": "hold", "drain": "drain", "resume": None}


class WorkersDesk:
    """An operator at the workers.

    Args:
        operator: who acts.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator, self._storage = operator, operator.storage

    def ask(self, action: str, worker_ids: Sequence[int]) -> Change:
        """Asks workers for something.

        Args:
            action: `hold`: take nothing new, and stay; `drain`: take nothing new, and end once nothing runs;
                `resume`: work again. One that drains does not turn back.
            worker_ids: of which workers; a worker process follows its supervisor.
        """
        operator, entry = self._operator, self._operator.entry()
        before: dict[int, str | None] = {}
        refused: list[tuple[str, str]] = []
        with self._storage.db(commit=True) as cursor:
            for worker_id in dict.fromkeys(worker_ids):
                query = "SELECT wish, kind FROM worker WHERE id = ? AND queue = ?"
                found = cursor.execute(query, (worker_id, self._storage.name)).fetchone()
                why = _why_not(found, action)
                if why is not None:
                    refused.append((str(worker_id), why))
                    continue
                before[worker_id] = found[0]
                cursor.execute("UPDATE worker SET wish = ? WHERE id = ?", (WISHES[action], worker_id))
            if before:
                old = {str(worker): wish for worker, wish in before.items()}
                operator.note(cursor, entry, action, "workers", len(before), before=old)
        return operator.change(entry, action, len(worker_ids), len(before), refused)


def _why_not(found: tuple[Any, ...] | None, action: str) -> str | None:
    if found is None:
        return "is no worker, or has ended"
    wish, kind = found
    if kind == "process":
        return "is a process of a supervisor: ask the supervisor"
    if wish == "drain":
        return "drains already, and will end"
    return "is asked for that already" if wish == WISHES[action] else None
