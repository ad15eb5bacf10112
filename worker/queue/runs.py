"""The history: one row for each ended execution, and the counts of each minute."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from worker.queue.dead_letters import Death
from worker.queue.errors import MessageError, PoisonError
from worker.queue.failures import Failure, describe, fingerprint
from worker.queue.message import encode, header
from worker.queue.unit import RunState, Statement, Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.queue.storage import DurableStorage

# A result beyond this is kept for the caller (in `kv`) and only hinted at in the history.
MAX_RESULT = 20_000

_INSERT = """INSERT INTO run (queue, task_id, name, subject, state, attempt, worker, enqueued_at, ready_at,
    started_at, finished_at, retry_at, args, result, error_type, error, traceback, fingerprint)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_COUNT = """INSERT INTO tally (queue, minute, event, n) VALUES (?, ?, ?, ?)
    ON CONFLICT (queue, minute, event) DO UPDATE SET n = n + excluded.n"""


def count_event(queue: str, now: float, event: str, times: int = 1) -> Statement:
    """Counts an event in its minute."""
    return Statement(_COUNT, (queue, int(now // 60), event, times))


class Runs:
    """Writes the history.

    Args:
        storage: whose history it is.
        redact: takes secrets out of a text.
    """

    def __init__(self, storage: DurableStorage, redact: Callable[[str], str]) -> None:
        self._storage = storage
        self._redact = redact

    def statements(self, unit: Unit) -> list[Statement]:
        """What the history says of an ended execution; to be stored with its acknowledgement."""
        if unit.bounced or unit.state is None:
            return []
        claim, now, queue = unit.claim, self._storage.now(), self._storage.name
        failure = self.failure(unit)
        error_type = failure.error_type if failure else None
        error = failure.error if failure else unit.why
        row = (
            queue, claim.task_id or "", claim.name or "", claim.subject, unit.state, claim.attempt,
            claim.id >> 32, claim.enqueued_at, claim.ready_at, unit.started_at, now, unit.retry_at,
            self.args_of(claim.data), self._result(unit), error_type, error,
            failure.traceback if failure else None, failure.fingerprint if failure else None,
        )  # fmt: skip
        return [Statement(_INSERT, row), count_event(queue, now, unit.state)]

    def refused(self, unit: Unit) -> Statement:
        """Adds to the interrupted execution that it ended after all, too late to count."""
        claim, lasted = unit.claim, self._storage.now() - unit.started_at
        late = f"; late outcome refused: {unit.state or 'ended'} after {lasted:.1f} s"
        return Statement(
            "UPDATE run SET error = coalesce(error, '') || ? WHERE id = "
            "(SELECT max(id) FROM run WHERE task_id = ? AND worker = ? AND state = ?)",
            (late, claim.task_id, claim.id >> 32, RunState.INTERRUPTED),
        )

    def failure(self, unit: Unit) -> Failure | None:
        """The exception of a failed execution, as it is stored."""
        if unit.exception is None or unit.state not in {RunState.RETRYING, RunState.DEAD}:
            return None
        return describe(unit.exception, self._redact)

    def args_of(self, data: bytes) -> str | None:
        """The arguments of a message as JSON text, secrets taken out."""
        head = header(data)
        return self._redact(head.args) if head else None

    def _result(self, unit: Unit) -> str | None:
        if unit.value is None or unit.state not in {RunState.COMPLETED, RunState.SKIPPED}:
            return None
        try:
            text = self._redact(encode(unit.value).decode())
        except MessageError:
            return None
        return text if len(text) <= MAX_RESULT else json.dumps({"$large": len(text)})

    def bury(self, unit: Unit, *, reason: str) -> None:
        """Writes the dead letter of a task whose last attempt has failed, before its claim is let go.

        Args:
            unit: the execution.
            reason: `failed`, `poison`, `unreadable` or `unknown_task`.
        """
        claim, now = unit.claim, self._storage.now()
        assert unit.exception is not None
        failure = describe(unit.exception, self._redact)
        if isinstance(unit.exception, PoisonError):
            # The cause is the task, not the worker that happened to hold it.
            failure = Failure(
                failure.error_type, failure.error, failure.traceback, fingerprint("poison", claim.name or "")
            )
        history = [
            *self._attempts(claim.task_id),
            _attempt(claim.attempt, now, f"{failure.error_type}: {failure.error}"),
        ]
        self._storage.letters.bury(
            Death(
                # The same death reported twice (a crash between the two files) is one letter.
                death=f"{claim.task_id or claim.seq}/{claim.attempt}/{reason}",
                task_id=claim.task_id or "",
                name=claim.name or "",
                subject=claim.subject,
                reason=reason,
                data=claim.data,
                priority=claim.priority,
                args=self.args_of(claim.data),
                attempts=json.dumps(history),
                worker=self._storage.identity.address,
                first_seen=dt.datetime.fromisoformat(history[0]["at"]).timestamp(),
                last_seen=now,
                failure=failure,
            )
        )

    def _attempts(self, task_id: str | None) -> list[dict[str, Any]]:
        query = "SELECT attempt, finished_at, error_type, error FROM run WHERE task_id = ? AND state = ? ORDER BY id"
        rows = self._storage.sql(query, (task_id, RunState.RETRYING), results=True)
        return [_attempt(attempt, at, f"{kind}: {error}") for attempt, at, kind, error in rows]


def _attempt(number: int, at: float, error: str) -> dict[str, Any]:
    return {"attempt": number, "at": dt.datetime.fromtimestamp(at, dt.UTC).isoformat(), "error": error[:500]}
