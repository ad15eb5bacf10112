"""A task that may have taken its worker down runs alone in its process, so that no other task dies with it.

Every task in the hands of a process that dies counts a delivery, the innocent beside the one that did it. From the
delivery on at which half of `max_deliveries` is used up, a task is a suspect: it waits until its process holds
nothing else, and nothing is claimed while it runs. A single kill, as a deployment may cause, quarantines nothing.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from worker.queue.errors import QueueError

if TYPE_CHECKING:
    from worker.queue.storage import DurableStorage
    from worker.queue.unit import Claim

logger = logging.getLogger("worker.queue")

LOOK_S = 0.02


class Quarantine:
    """Who of this process may run.

    Args:
        storage: whose claims they are.
    """

    def __init__(self, storage: DurableStorage) -> None:
        self._storage = storage
        self._suspect: int | None = None  # the claim that is, or wants to be, alone

    @property
    def closed(self) -> bool:
        """Whether this process may claim nothing now."""
        return self._suspect is not None

    def admit(self, claim: Claim) -> bool:
        """Whether the task may run; a suspect waits here until it is alone.

        A task that may not run has been given back, uncounted: it had not begun.
        """
        storage = self._storage
        if self._suspect is None and not self._suspects(claim):
            return True
        with storage.lock:  # claims are taken under it, so none is taken from here on
            first = self._suspect is None and self._suspects(claim)
            if first:
                self._suspect = claim.id
        if not first:
            storage.claims.give_back(claim, counted=False)
            return False
        logger.warning(
            "task %s was handed out %d times without an outcome: it runs alone",
            claim.task_id,
            claim.deliveries,
        )
        try:
            alone = self._wait_alone(claim)
        except BaseException:
            self.release(claim)
            storage.claims.give_back(claim, counted=False)
            raise
        if not alone:
            self.release(claim)
        return alone

    def _wait_alone(self, claim: Claim) -> bool:
        """Returns when this process holds nothing else; False if it does not hold the task any more."""
        while True:
            try:
                held = self._storage.claims.held()
            except QueueError as error:
                self._storage.trouble.tell(error)
            else:
                if held == [claim.id]:
                    return True
                if claim.id not in held:  # the worker was stopped meanwhile and has given it back
                    return False
            time.sleep(LOOK_S)

    def release(self, claim: Claim) -> None:
        """The task has ended: if it ran alone, the others go on."""
        if self._suspect == claim.id:
            self._suspect = None
            self._storage.identity.bell.ring()

    def _suspects(self, claim: Claim) -> bool:
        return claim.deliveries > max(1, self._storage.max_deliveries // 2)
