"""What needs somebody, noticed once: measures against limits, latched in `tasks.db` for all processes together.

A breach is raised once, however many workers see it and however often they restart, and raised again only after
it was over for a while. It is over when its measure has fallen to half the limit, so that a value that swings
around its limit raises one alert. Telling it is somebody else's: `unsent` hands an alert to one process at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from worker.queue.storage import DurableStorage
    from worker.sqlite import sqlite3

# An older cause is no news, even to a file that has just learnt to keep alerts.
NEW_CAUSE_S = 3_600.0
# A breach that was over for less is still the same one.
QUIET_S = 600.0
# How long one process may take to tell an alert before another tries; doubled by each try.
TELL_WITHIN_S = 120.0
TRIES = 5
KEEP_S = 30 * 86_400.0
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too much, in seconds; 0 never is.

    Attributes:
        worker_silent: without a heartbeat.
        oldest_age: that the oldest ready task has waited.
        schedule_overdue: that a tick has not fired.
        new_cause: whether failures of a kind not seen before are told.
    """

    worker_silent: float = 60.0
    oldest_age: float = 900.0
    schedule_overdue: float = 300.0
    new_cause: bool = True


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that was measured.

    Attributes:
        code: worker_silent | oldest_age | schedule_overdue | new_cause.
        subject: whose: a worker's id, a schedule's name, a fingerprint.
        text: one sentence; foreign words in it are raw.
        value: what was found.
        limit: what is too much.
    """

    code: str
    subject: str
    text: str
    value: float
    limit: float

    @property
    def key(self) -> _Key:
        """What tells it from others."""
        return self.code, self.subject

    @property
    def breached(self) -> bool:
        """Whether it is too much."""
        return self.value > self.limit

    @property
    def over(self) -> bool:
        """Whether a breach is over, not just for a moment."""
        return self.value <= self.limit / 2


@dataclass(frozen=True, slots=True)
class Alert:
    """A breach to be told.

    Attributes:
        code: as of its measure.
        subject: as of its measure.
        text: one sentence; foreign words in it are raw.
        raised_at: Unix seconds.
    """

    code: str
    subject: str
    text: str
    raised_at: float


class Alerts:
    """The alerts of a queue.

    Args:
        storage: where they are kept.
        limits: what is too much.
    """

    def __init__(self, storage: DurableStorage, limits: Limits) -> None:
        self._storage, self._limits = storage, limits
        self._before: set[_Key] = set()

    def look(self, *, at_once: bool = False) -> None:
        """Measures, and raises or ends breaches.

        Args:
            at_once: whether a breach counts that the look before did not see: after a sleep of the machine,
                everything is late for a moment.

        Raises:
            QueueError: a file cannot be used at the moment.
        """
        now = self._storage.now()
        measures = {one.key: one for one in self._measures(now)}
        breached = {key for key, one in measures.items() if one.breached}
        lasting = {key for key in breached if at_once or key in self._before or key[0] == "new_cause"}
        self._before = breached
        held = self._held()
        raised = [measures[key] for key in sorted(lasting - held)]
        ended = [key for key in held if key not in measures or measures[key].over]
        if raised or ended:
            self._keep(raised, ended, now)

    def _held(self) -> set[_Key]:
        query = "SELECT code, subject FROM alert WHERE queue = ? AND ended_at IS NULL"
        return {(code, subject) for code, subject in self._sql(query, (self._storage.name,))}

    def _keep(self, raised: Sequence[Measure], ended: Sequence[_Key], now: float) -> None:
        queue = self._storage.name
        with self._storage.db(commit=True) as cursor:
            cursor.executemany(
                "UPDATE alert SET ended_at = ? WHERE queue = ? AND code = ? AND subject = ? AND ended_at IS NULL",
                [(now, queue, *key) for key in ended],
            )
            # Whoever comes second finds it raised, and changes nothing.
            cursor.executemany(
                """INSERT INTO alert (queue, code, subject, text, raised_at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (queue, code, subject) DO UPDATE SET text = excluded.text, ended_at = NULL,
                    raised_at = CASE WHEN ended_at < excluded.raised_at - ? THEN excluded.raised_at ELSE raised_at END,
                    sent_at = CASE WHEN ended_at < excluded.raised_at - ? THEN NULL ELSE sent_at END,
                    tries = CASE WHEN ended_at < excluded.raised_at - ? THEN 0 ELSE tries END
                WHERE ended_at IS NOT NULL""",
                [(queue, *one.key, one.text, now, QUIET_S, QUIET_S, QUIET_S) for one in raised],
            )
            cursor.execute("DELETE FROM alert WHERE queue = ? AND ended_at < ?", (queue, now - KEEP_S))

    # -- telling --------------------------------------------------------------------------------

    def unsent(self) -> list[Alert]:
        """The alerts that this process, and for a while no other, is to tell."""
        now, queue = self._storage.now(), self._storage.name
        due = """queue = ? AND sent_at IS NULL AND ended_at IS NULL AND tries < ?
            AND (taken_at IS NULL OR taken_at + ? * (1 << tries) < ?)"""
        params = (queue, TRIES, TELL_WITHIN_S / 2, now)
        if not self._sql(f"SELECT 1 FROM alert WHERE {due} LIMIT 1", params):
            return []
        with self._storage.db(commit=True) as cursor:
            cursor.execute(
                f"UPDATE alert SET taken_at = ?, tries = tries + 1 WHERE {due} RETURNING code, subject, text, raised_at",
                (now, *params),
            )
            return sorted((Alert(*row) for row in cursor.fetchall()), key=lambda one: one.raised_at)

    def told(self, alerts: Iterable[Alert], error: str | None = None) -> None:
        """Keeps what came of telling them; after an error they are tried again, later and later."""
        now, queue = self._storage.now(), self._storage.name
        with self._storage.db(commit=True) as cursor:
            cursor.executemany(
                "UPDATE alert SET sent_at = ?, error = ? WHERE queue = ? AND code = ? AND subject = ?",
                [(None if error else now, error, queue, one.code, one.subject) for one in alerts],
            )

    # -- measuring ------------------------------------------------------------------------------

    def _measures(self, now: float) -> list[Measure]:
        limits, queue = self._limits, self._storage.name
        found: list[Measure] = []
        if limits.worker_silent:
            query = "SELECT id, pid, host, heartbeat_at FROM worker WHERE queue = ? AND kind <> 'process'"
            for worker, pid, host, beat in self._sql(query, (queue,)):
                text = f"worker {worker} (pid {pid} on {host}) has been silent for {now - beat:.0f} s"
                found.append(Measure("worker_silent", str(worker), text, now - beat, limits.worker_silent))
        if limits.oldest_age:
            query = "SELECT ready_at FROM task NOT INDEXED WHERE queue = ? ORDER BY id LIMIT 1"
            for (ready,) in self._sql(query, (queue,)):
                text = f"the oldest ready task has waited for {now - ready:.0f} s"
                found.append(Measure("oldest_age", "", text, now - ready, limits.oldest_age))
        if limits.schedule_overdue:
            query = """SELECT name, next_at FROM periodic WHERE queue = ? AND next_at IS NOT NULL AND enabled = 1
                AND (paused_at IS NULL OR paused_until < ?)"""
            for name, due in self._sql(query, (queue, now)):
                text = f"schedule {name} is {now - due:.0f} s overdue"
                found.append(Measure("schedule_overdue", name, text, now - due, limits.schedule_overdue))
        return found + (self._causes(now) if limits.new_cause else [])

    def _causes(self, now: float) -> list[Measure]:
        return [
            Measure(
                "new_cause", fingerprint,
                f"new cause of failure: {error_type or 'error'}: {error or ''} ({name}{f' of {about}' if about else ''})"[:500],
                1.0, 0.0 if first > now - NEW_CAUSE_S else 1.9,
            )
            for fingerprint, name, about, error_type, error, first in self._storage.letters.causes()
        ]  # fmt: skip

    def _sql(self, query: str, params: tuple[Any, ...]) -> list[sqlite3.Row]:
        rows: list[sqlite3.Row] = self._storage.sql(query, params, results=True)
        return rows
