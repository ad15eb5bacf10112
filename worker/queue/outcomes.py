"""Storing what came of executions: each in one transaction with all that follows from it.

An outcome is the acknowledgement (the claim is let go), what Huey recorded after the body, and the history. What a
locked or full database keeps from being stored is held in memory and tried again.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from worker.queue.connection import is_passing, told
from worker.queue.errors import ClaimLostError, QueueError
from worker.queue.hands import MOST, Ended, Hand, Hands
from worker.queue.units import OUTCOME_PATIENCE_S, UnitStorage
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.queue.runs import Runs
    from worker.queue.unit import Claim, Statement, Unit

logger = logging.getLogger("worker.queue")


class OutcomeStorage(UnitStorage):
    """Stores outcomes, and takes a thread's next tasks with them.

    Args:
        args: as `UnitStorage`.
        most_at_once: how many short tasks a thread may take in one transaction; 1: each outcome is stored
            before the next task begins.
        options: as `UnitStorage`.

    Attributes:
        hands: what the threads of this process hold.
        runs: the history.
    """

    runs: Runs

    def __init__(self, *args: Any, most_at_once: int = MOST, **options: Any) -> None:
        self._most_at_once = most_at_once
        super().__init__(*args, **options)

    def begin_anew(self) -> None:
        """As the base class; a forked child holds nothing of what its parent's threads hold."""
        super().begin_anew()
        self.hands = Hands(self, self._most_at_once)

    def hand(self) -> Hand | None:
        """What this thread holds, if it works in a loop."""
        hand: Hand | None = getattr(self._thread, "hand", None)
        return hand

    def before_live(self) -> None:
        """A unit is about to keep a transaction open: what waits to be stored goes first."""
        hand = self.hand()
        for one in hand.outstanding() if hand is not None else ():
            self._store_alone(one)

    def settle(self, unit: Unit, statements: Iterable[Statement]) -> None:
        """Stores all that was recorded, `statements` and the acknowledgement in one transaction.

        A thread that works in a loop (`claim_ahead`) gets its next tasks in that same transaction, and the outcome
        of a short task may wait some milliseconds for the next ones: see `hands`.

        Raises:
            ClaimLostError: another worker has the task now; nothing was stored.
            sqlite3.Error: the database could not be written for `OUTCOME_PATIENCE_S`.
        """
        self._thread.unit = None
        ended, hand = Ended(unit, tuple(statements)), self.hand()
        if hand is None:
            self.store_ended([ended])
        elif (now := hand.end(ended)) is not None:
            self.store_ended(now, hand)
        else:
            self.hands.watch()

    def store_ended(self, ended: list[Ended], hand: Hand | None = None) -> None:
        """Stores outcomes in one transaction, which also takes the thread's next tasks.

        An outcome that cannot be stored harms no other.

        Raises:
            ClaimLostError: another worker has the task of the last one.
            sqlite3.Error: the last one cannot be stored.
        """
        try:
            lost = self._persist(ended, hand)
        except Exception:
            if len(ended) == 1:
                raise
            for one in ended[:-1]:
                self._store_alone(one)
            lost = self._persist(ended[-1:], hand)
        self.trouble.over()
        kept = [one.unit for one in ended if one not in lost]
        if any(unit.wake for unit in kept):
            self.identity.bell.ring()
        self.letters.follow(kept)
        for one in lost:
            if one is ended[-1]:
                raise ClaimLostError(one.unit.claim.task_id)
            self.refuse(one.unit)

    def _store_alone(self, ended: Ended) -> None:
        try:
            self.store_ended([ended])
        except ClaimLostError:
            self.refuse(ended.unit)
        except Exception:
            task_id = ended.unit.claim.task_id
            logger.exception("the outcome of task %s cannot be stored; it will run again", task_id)
            self.claims.give_back(ended.unit.claim, counted=True)

    def refuse(self, unit: Unit) -> None:
        """Says that an outcome came too late to count, in the log and in the history."""
        logger.warning("%s", ClaimLostError(unit.claim.task_id))
        try:
            self.write(self.runs.refused(unit))
        except QueueError as error:
            self.trouble.tell(error)

    def _persist(self, ended: list[Ended], hand: Hand | None) -> list[Ended]:
        """Stores outcomes, trying again while waiting can help; returns those whose claims were lost."""
        live = ended[-1].unit.live
        deadline = time.monotonic() + OUTCOME_PATIENCE_S
        pause = 0.05
        lost: list[Ended] = []

        def store(conn: sqlite3.Connection) -> list[Claim]:
            lost[:] = _write(conn, ended)
            return self.claims.take_several(conn, hand.size) if hand is not None else []

        while True:
            try:
                claims = self.commit(ended[-1].unit, store)
                break
            except sqlite3.OperationalError as error:
                if live or not is_passing(error) or time.monotonic() > deadline:
                    raise
                self.trouble.tell(told(self.filename, error))
                time.sleep(pause)
                pause = min(2.0, pause * 2)
        if hand is not None and hand.take(claims):
            self.hands.watch()
        return lost

    def claim_ahead(self, wanted: bool) -> None:
        """Whether this thread's acknowledgements also claim its next tasks; what is left is given back."""
        hand = self.hand()
        if wanted:
            self._thread.hand = hand or self.hands.new()
        elif hand is not None:
            self._thread.hand = None
            ended, ready = hand.empty()
            if ended:
                self.store_ended(ended)
            for claim in ready:
                self.claims.give_back(claim, counted=False)


def _write(conn: sqlite3.Connection, ended: list[Ended]) -> list[Ended]:
    """Lets claims go and writes what came of them; returns those whose claims were lost."""
    lost = []
    for one in ended:
        # First, so that nothing of it has to be taken back.
        if conn.execute("DELETE FROM claim WHERE id = ?", (one.unit.claim.id,)).rowcount != 1:
            if one.unit.live:
                raise ClaimLostError(one.unit.claim.task_id)
            lost.append(one)
            continue
        for statement in (*one.unit.writes, *one.statements):
            conn.execute(*statement)
    return lost
