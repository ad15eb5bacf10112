"""What an operator may do to the queue: every act one journaled transaction, every loss reversible.

An act on ids is done to exactly those; what cannot be done is named with its reason, and the rest goes on.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import TYPE_CHECKING, Any

from worker.queue import journal
from worker.queue.change import Change, QueueMark
from worker.queue.errors import RefusedError
from worker.queue.letters_desk import LettersDesk
from worker.queue.message import Envelope, encode_call
from worker.queue.schedules_desk import PAUSE, SchedulesDesk
from worker.queue.schema_tasks import NEXT_ID
from worker.queue.storage import DurableStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from worker.queue.schedules_desk import Replay
    from worker.sqlite import sqlite3

SHOWN = 100
_KEPT = "queue, data, priority, task_id, name, subject, enqueued_at, attempt, deliveries"
# How a waiting task's row is kept for undo, and put back.
KEEP = {
    "pending": f"""INSERT INTO removed_task (entry, source, id, ready_at, {_KEPT})
        SELECT ?, 'pending', id, ready_at, {_KEPT} FROM task WHERE queue = ? AND """,
    "scheduled": f"""INSERT INTO removed_task (entry, source, id, due_at, reason, {_KEPT})
        SELECT ?, 'scheduled', id, due_at, reason, {_KEPT} FROM schedule WHERE queue = ? AND """,
}
PUT_BACK = (
    f"""INSERT INTO task (id, ready_at, {_KEPT}) SELECT id, ready_at, {_KEPT} FROM removed_task
        WHERE entry = ? AND source = 'pending'""",
    f"""INSERT INTO schedule (id, due_at, reason, {_KEPT}) SELECT id, due_at, reason, {_KEPT} FROM removed_task
        WHERE entry = ? AND source = 'scheduled'""",
)
TABLES = {"pending": "task", "scheduled": "schedule"}


class Operator:
    """An operator at the queue. Usable from several threads; files are opened when first needed.

    Args:
        tasks_db: the queue's file; created where it is missing.
        dlq_db: the dead letters' file, likewise.
        queue: the queue's name.
        actor: who acts, for the journal; default: user@host.
        now: the clock, aware.
    """

    def __init__(
        self,
        tasks_db: Path,
        dlq_db: Path,
        *,
        queue: str = "topics",
        actor: str | None = None,
        now: Callable[[], dt.datetime] | None = None,
    ) -> None:
        clock = time.time if now is None else lambda: now().timestamp()
        self.storage = DurableStorage(queue, tasks_db, dlq_db, direct_schedule=True, now=clock)
        self.actor = actor or journal.actor()
        self._letters = LettersDesk(self)
        self.schedules = SchedulesDesk(self)

    def close(self) -> None:
        """Closes both files."""
        self.storage.close()

    def entry(self) -> str:
        """A fresh id for the journal."""
        return journal.new_id(self.storage.now())

    def note(
        self, conn: sqlite3.Connection, entry: str, action: str, target: str, count: int, **detail: Any
    ) -> None:
        """Adds the journal's entry inside the transaction of the change."""
        journal.write(conn, entry, self.storage.now(), self.actor, action, target, count, **detail)

    # -- the queue ----------------------------------------------------------------------------

    def enqueue(
        self,
        name: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        subject: str | None = None,
        delay: float | None = None,
        at: dt.datetime | None = None,
        priority: float | None = None,
    ) -> str:
        """Stores a call to a task by name.

        Args:
            name: `module.function`, as the worker registers it.
            args: positional arguments.
            kwargs: keyword arguments.
            subject: what it is about, for people.
            delay: seconds from now, or
            at: an aware time, before which it does not run.
            priority: higher first.

        Returns:
            The task's id.

        Raises:
            MessageError: an argument cannot be stored as JSON.
            QueueError: the file cannot be used or is locked.
        """
        now = self.storage.now()
        eta = dt.datetime.fromtimestamp(now + delay, dt.UTC) if delay else at
        task_id = str(uuid.uuid4())
        sealed = self.seal(task_id, name, args, kwargs, subject=subject, eta=eta, priority=priority)
        with self.storage.db(commit=True) as cursor:
            for statement in self.storage.arrival(sealed, priority, now):
                cursor.execute(*statement)
            self.note(
                cursor, self.entry(), "enqueue", "queue", 1, task_ids=[task_id], name=name, subject=subject
            )
        self.storage.wake()
        return task_id

    def seal(
        self,
        task_id: str,
        name: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        subject: str | None = None,
        eta: dt.datetime | None = None,
        priority: float | None = None,
    ) -> Envelope:
        """The message of a call with its label."""
        naive = eta.astimezone(dt.UTC).replace(tzinfo=None) if eta else None
        sealed = Envelope(encode_call(task_id, name, args, kwargs, eta=naive, priority=priority))
        sealed.task_id, sealed.name, sealed.subject, sealed.eta = task_id, name, subject, eta
        sealed.priority = priority or 0
        return sealed

    def cancel(self, task_ids: Sequence[str]) -> Change:
        """Takes waiting tasks away (undo brings them back) and asks running ones to stop."""
        entry, touched, asked, refused = self.entry(), [], [], []
        with self.storage.db(commit=True) as cursor:
            for task_id in task_ids:
                if self.take_away(cursor, entry, task_id):
                    touched.append(task_id)
                elif cursor.execute("UPDATE claim SET cancel = 1 WHERE task_id = ?", (task_id,)).rowcount:
                    asked.append(task_id)
                else:
                    refused.append((task_id, "neither waits nor runs: it has ended or was never here"))
            done = touched + asked
            if done:
                self.note(cursor, entry, "cancel", "queue", len(done), task_ids=done[:SHOWN], asked=asked)
        return self.change(entry, "cancel", len(task_ids), len(done), refused, done)

    def take_away(self, cursor: sqlite3.Cursor, entry: str, task_id: str) -> bool:
        """Moves a waiting task to where undo finds it; False if it does not wait."""
        for source, table in TABLES.items():
            cursor.execute(KEEP[source] + "task_id = ?", (entry, self.storage.name, task_id))
            if cursor.execute(
                f"DELETE FROM {table} WHERE queue = ? AND task_id = ?", (self.storage.name, task_id)
            ).rowcount:
                return True
        return False

    def run_now(self, task_ids: Sequence[str]) -> Change:
        """Makes scheduled tasks ready."""
        entry, moved, refused = self.entry(), [], []
        now, name = self.storage.now(), self.storage.name
        with self.storage.db(commit=True) as cursor:
            for task_id in task_ids:
                due = cursor.execute(
                    "SELECT due_at, reason FROM schedule WHERE queue = ? AND task_id = ?", (name, task_id)
                ).fetchone()
                if due is None:
                    refused.append((task_id, "is not scheduled"))
                    continue
                cursor.execute(
                    f"""INSERT INTO task (id, ready_at, {_KEPT}) SELECT {NEXT_ID}, ?, {_KEPT} FROM schedule
                    WHERE queue = ? AND task_id = ?""",
                    (name, now, name, task_id),
                )
                cursor.execute("DELETE FROM schedule WHERE queue = ? AND task_id = ?", (name, task_id))
                moved.append([task_id, *due])
            if moved:
                self.note(cursor, entry, "run_now", "queue", len(moved), moved=moved)
        self.storage.wake()
        return self.change(entry, "run_now", len(task_ids), len(moved), refused, [row[0] for row in moved])

    def queue_mark(self) -> QueueMark:
        """Where the queue ends now; `clear_queue` takes nothing that arrives later."""
        name = self.storage.name
        (last_task,), (last_scheduled,) = (
            self.storage.sql(f"SELECT coalesce(max(id), 0) FROM {table}", results=True)[0]
            for table in TABLES.values()
        )
        depth = dict(self.storage.sql("SELECT state, n FROM depth WHERE queue = ?", (name,), results=True))
        return QueueMark(last_task, last_scheduled, depth.get("pending", 0), depth.get("scheduled", 0))

    def clear_queue(self, up_to: QueueMark) -> Change:
        """Takes away every task that waited when the mark was made."""
        entry, name, done = self.entry(), self.storage.name, 0
        limits = {"pending": up_to.last_pending, "scheduled": up_to.last_scheduled}
        with self.storage.db(commit=True) as cursor:
            for source, table in TABLES.items():
                cursor.execute(KEEP[source] + "id <= ?", (entry, name, limits[source]))
                done += cursor.execute(
                    f"DELETE FROM {table} WHERE queue = ? AND id <= ?", (name, limits[source])
                ).rowcount
            if done:
                self.note(cursor, entry, "clear", "queue", done)
        return self.change(entry, "clear", up_to.pending + up_to.scheduled, done)

    def pause_queue(self, *, until: dt.datetime | None = None, note: str = "") -> Change:
        """Lets no worker take anything more; what runs goes on.

        Args:
            until: when it goes on by itself; None: when it is resumed.
            note: why, for the next person.

        Raises:
            RefusedError: `until` has passed.
        """
        now = self.storage.now()
        if until is not None and until.timestamp() <= now:
            raise RefusedError(f"cannot pause the queue until {until.isoformat()}: that has passed")
        pause = (now, until.timestamp() if until else None, note or None, self.actor)
        return self._set_queue_pause("pause", pause, pause_note=note)

    def resume_queue(self) -> Change:
        """Lets workers take tasks again.

        Raises:
            RefusedError: the queue is not paused.
        """
        if self._queue_pause() is None:
            raise RefusedError("the queue is not paused")
        return self._set_queue_pause("resume", None)

    def _queue_pause(self) -> tuple[Any, ...] | None:
        query = f"SELECT {', '.join(PAUSE)} FROM pause WHERE queue = ?"
        rows = self.storage.sql(query, (self.storage.name,), results=True)
        return tuple(rows[0]) if rows else None

    def _set_queue_pause(self, action: str, pause: tuple[Any, ...] | None, **detail: Any) -> Change:
        entry, before = self.entry(), self._queue_pause()
        with self.storage.db(commit=True) as cursor:
            self.write_queue_pause(cursor, pause)
            self.note(cursor, entry, action, "queue", 1, before=before, **detail)
        self.storage.wake()
        return Change(entry, action, 1, 1)

    def write_queue_pause(self, cursor: sqlite3.Cursor, pause: Iterable[Any] | None) -> None:
        """Sets the columns of PAUSE; None: the queue is open."""
        cursor.execute("DELETE FROM pause WHERE queue = ?", (self.storage.name,))
        if pause is not None:
            cursor.execute("INSERT INTO pause VALUES (?, ?, ?, ?, ?)", (self.storage.name, *pause))

    # -- failures -----------------------------------------------------------------------------

    def retry(self, letter_ids: Sequence[int]) -> Change:
        """Enqueues the tasks of dead letters anew; each letter waits for its retry's outcome."""
        return self._letters.retry(letter_ids)

    def delete_letters(self, letter_ids: Sequence[int]) -> Change:
        """Takes dead letters away."""
        return self._letters.delete(letter_ids)

    def clear_letters(self, up_to: int) -> Change:
        """Takes away every dead letter with an id of at most `up_to`."""
        return self._letters.clear(up_to)

    def letters_mark(self) -> tuple[int, int]:
        """The highest id of a dead letter, and how many there are, now."""
        return self._letters.mark()

    # -- schedules ----------------------------------------------------------------------------

    def run_schedule(self, name: str) -> Change:
        """Enqueues a schedule's task once, now; its ticks are not changed.

        Raises:
            RefusedError: there is no such schedule.
        """
        return self.schedules.run(name)

    def pause_schedule(self, name: str, *, until: dt.datetime | None = None, note: str = "") -> Change:
        """Stops a schedule from firing.

        Args:
            name: the schedule.
            until: when it goes on by itself; None: when it is resumed.
            note: why, for the next person.

        Raises:
            RefusedError: there is no such schedule, or `until` has passed.
        """
        return self.schedules.pause(name, until=until, note=note)

    def resume_schedule(self, name: str) -> Change:
        """Lets a paused schedule fire again, from its next tick on.

        Raises:
            RefusedError: there is no such schedule, or it is not paused.
        """
        return self.schedules.resume(name)

    def replay_ticks(self, name: str, how: Replay, **options: Any) -> Change:
        """Runs missed ticks after all; options and errors as `SchedulesDesk.replay`."""
        return self.schedules.replay(name, how, **options)

    def acknowledge_ticks(self, name: str, **options: Any) -> Change:
        """Says that missed ticks need no run; options and errors as `SchedulesDesk.acknowledge`."""
        return self.schedules.acknowledge(name, **options)

    # -- undo ---------------------------------------------------------------------------------

    def undo(self, entry: str | None = None) -> Change:
        """Takes an act back as far as that is still possible, and says what is not.

        Args:
            entry: the journal's id; None: the latest act that can be undone.

        Raises:
            RefusedError: there is no such entry, or it has been undone.
        """
        from worker.queue.undo import undo  # noqa: PLC0415 - it needs this class

        return undo(self, entry)

    def change(
        self,
        entry: str,
        action: str,
        asked: int,
        done: int,
        refused: Sequence[tuple[str, str]] = (),
        task_ids: Sequence[str] = (),
    ) -> Change:
        """The outcome of an act; without an entry when nothing was done."""
        return Change(
            entry if done else None, action, asked, done, tuple(refused[:SHOWN]), tuple(task_ids[:SHOWN])
        )
