"""Running the tasks of dead letters again: by an operator at once, or with a canary by the worker.

The letter is told its task's id first, then the task is stored, then the letter is marked. A crash amid these leaves a
letter that looks dead: it goes with its task's success or death all the same, and retrying it again finds the task
under the same id instead of running it twice.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from worker.queue.connection import wrapped
from worker.queue.errors import QueueError
from worker.queue.message import Envelope
from worker.queue.queue_desk import TOUCH
from worker.queue.unit import RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.queue.storage import DurableStorage
    from worker.sqlite import sqlite3

    # Journals how many tasks were enqueued, in the transaction that does it.
    Note = Callable[[sqlite3.Cursor, int], None]

logger = logging.getLogger("worker.queue")

# Between two chunks other writers get their turn.
CHUNK = 500
ALREADY = "is being retried already"
# What a retry starts anew: the number of its attempts, its times, and the chord that has gone on without it.
_SPENT = ("retries", "retry_delay", "eta", "expires_resolved", "chord_config")


class Retried(NamedTuple):
    """What came of a chunk: ids of the retries by letter, whose were there already, and why other letters were left."""

    tasks: dict[int, str]
    already: frozenset[int]
    refused: list[tuple[str, str]]


class Letter(NamedTuple):
    """What a retry needs of a dead letter."""

    id: int
    state: str
    death: str
    retries: int
    subject: str | None
    data: bytes | None

    @property
    def seed(self) -> str:
        """What the id of its next retry is made of: the same retry always gets the same."""
        return f"{self.death}/{self.retries + 1}"

    @property
    def refusal(self) -> str | None:
        """Why it cannot be retried; None if it can."""
        if self.state != "dead":
            return ALREADY
        return "is only a report; there is no task to run" if self.data is None else None


def letters(storage: DurableStorage, letter_ids: Sequence[int]) -> list[Letter]:
    """The letters that are still there."""
    marks = ",".join("?" * len(letter_ids))
    query = f"SELECT id, state, death, retries, subject, data FROM letter WHERE id IN ({marks}) ORDER BY id"
    with wrapped(storage.letters.path):
        return [Letter(*row) for row in storage.letters.connection().execute(query, tuple(letter_ids))]


def retry(
    storage: DurableStorage, entry: str, letter_ids: Sequence[int], note: Note | None = None
) -> Retried:
    """Enqueues each letter's task anew and links the two; at most CHUNK of them.

    Args:
        storage: both files.
        entry: the journal's id of the act.
        letter_ids: which.
        note: journals it.
    """
    found = letters(storage, letter_ids)
    there = {letter.id for letter in found}
    refused = [(str(gone), "is not there any more") for gone in letter_ids if gone not in there]
    fresh: dict[int, Envelope] = {}
    for letter in found:
        if why := letter.refusal:
            refused.append((str(letter.id), why))
        elif (sealed := renew(letter)) is None:
            refused.append((str(letter.id), "its message cannot be read"))
        else:
            fresh[letter.id] = sealed
    already = store(storage, entry, fresh, note)
    return Retried({letter_id: str(sealed.task_id) for letter_id, sealed in fresh.items()}, already, refused)


def store(
    storage: DurableStorage, entry: str, fresh: dict[int, Envelope], note: Note | None = None
) -> frozenset[int]:
    """Stores new tasks by letter, then marks the letters.

    Returns:
        The letters whose retry was there already: by another operator at this moment, or before a crash. It is
        that act's, and this one tells, journals and undoes nothing of it.
    """
    if not fresh:
        return frozenset()
    now, already = storage.now(), set()
    with storage.letters.transaction() as conn:
        conn.executemany(
            "UPDATE letter SET retried_as = ? WHERE id = ? AND state = 'dead'",
            [(sealed.task_id, letter_id) for letter_id, sealed in fresh.items()],
        )
    with storage.db(commit=True) as cursor:
        for letter_id, sealed in fresh.items():
            if _known(cursor, sealed.task_id):
                already.add(letter_id)
                continue
            for statement in storage.arrival(sealed, sealed.priority, now):
                cursor.execute(*statement)
            cursor.execute(TOUCH, (entry, sealed.task_id, None))
        if note is not None and len(already) < len(fresh):
            note(cursor, len(fresh) - len(already))
    storage.letters.retried([str(sealed.task_id) for sealed in fresh.values()], now)
    storage.wake()
    return frozenset(already)


def settle(storage: DurableStorage) -> None:
    """Finishes what a crash left half-done: letters that look dead while their retry waits, or whose retry has succeeded."""
    waits = " UNION ALL ".join(
        f"SELECT 1 FROM {table} WHERE task_id = ?1" for table in ("task", "schedule", "claim")
    )
    half = storage.letters.half_retried()
    if half := [one for one in half if storage.sql(f"{waits} LIMIT 1", (one,), results=True)]:
        storage.letters.retried(half, storage.now())
    query = "SELECT 1 FROM run WHERE task_id = ? AND state = ? LIMIT 1"
    for task_id in storage.letters.retrying():
        try:
            if storage.sql(query, (task_id, RunState.COMPLETED), results=True):
                storage.letters.resolve(task_id)
        except QueueError as error:
            logger.warning("letter of %s is not resolved yet: %s", task_id, error)


def _known(cursor: sqlite3.Cursor, task_id: str | None) -> bool:
    return any(
        cursor.execute(f"SELECT 1 FROM {table} WHERE task_id = ? LIMIT 1", (task_id,)).fetchone()
        for table in ("task", "schedule", "claim", "run")
    )


def renew(letter: Letter, changed: Callable[[dict[str, Any]], None] | None = None) -> Envelope | None:
    """The message with all its attempts before it; None where it cannot be read.

    Args:
        letter: whose message.
        changed: changes the message before it is sealed.
    """
    try:
        message = orjson.loads(bytes(letter.data or b""))
        for field in _SPENT:
            message.pop(field, None)
        message["id"] = str(uuid.uuid5(uuid.NAMESPACE_OID, letter.seed))
        if changed is not None:
            changed(message)
        sealed = Envelope(orjson.dumps(message))
        sealed.task_id, sealed.name, sealed.subject = message["id"], str(message["name"]), letter.subject
        sealed.priority = float(message.get("priority") or 0)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return sealed
