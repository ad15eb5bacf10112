"""What an operator's act has changed, and what it was to act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Change:
    """The outcome of an operator's act.

    Attributes:
        entry: the journal's id, by which it can be undone; None when nothing was changed.
        action: what was done, a verb.
        asked: how many things it was to be done to.
        done: how many it was done to.
        refused: id and reason of each thing that was left as it was; the first hundred.
        task_ids: the tasks that it created or touched; the first hundred.
        undid: of an undo, the act that it took back: what was done, and to what.
    """

    entry: str | None
    action: str
    asked: int
    done: int
    refused: tuple[tuple[str, str], ...] = ()
    task_ids: tuple[str, ...] = ()
    undid: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Tasks by their rows, as a list showed them at one moment; eight bytes each, so that there may be many.

    Attributes:
        running: ids of claims.
        pending: ids of rows in `task`.
        scheduled: ids of rows in `schedule`.
    """

    running: Sequence[int] = ()
    pending: Sequence[int] = ()
    scheduled: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.running) + len(self.pending) + len(self.scheduled)


@dataclass(frozen=True, slots=True)
class QueueMark:
    """Where the queue ended at one moment; what arrives later is beyond it.

    Attributes:
        last_pending: highest row id of a ready task.
        last_scheduled: highest row id of a scheduled task.
        pending: how many are ready.
        scheduled: how many are scheduled.
    """

    last_pending: int
    last_scheduled: int
    pending: int
    scheduled: int
