"""How a running task is asked to stop; apart from the other errors, which a console reads without Huey."""

from __future__ import annotations

from huey.exceptions import CancelExecution

from worker.queue.errors import QueueError


class TaskCancelledError(QueueError, CancelExecution):
    """The operator asked this running task to stop; raised inside its body."""

    def __init__(self) -> None:
        CancelExecution.__init__(self, "cancelled by the operator", retry=False)
