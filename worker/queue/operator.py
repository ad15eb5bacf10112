"""What an operator may do to the queue: every act one journaled transaction, every loss reversible.

An act on ids is done to exactly those; what cannot be done is named with its reason, and the rest goes on.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
import uuid
from typing import TYPE_CHECKING, Any

from worker.queue import journal
from worker.queue.change import Change, Chosen, QueueMark
from worker.queue.drift import quarantine
from worker.queue.errors import QueueError
from worker.queue.letters_desk import LettersDesk
from worker.queue.message import Envelope, encode_call
from worker.queue.queue_desk import SHOWN, TOUCH, QueueDesk
from worker.queue.runs_desk import RunsDesk
from worker.queue.schedules_desk import SchedulesDesk
from worker.queue.storage import DurableStorage
from worker.queue.switches import SwitchesDesk
from worker.queue.workers_desk import WorkersDesk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from worker.queue.arguments import Edited
    from worker.queue.schedules_desk import Replay
    from worker.sqlite import sqlite3


class Operator:
    """An operator at the queue. Usable from several threads; files are opened when first needed.

    Args:
        tasks_db: the queue's file; created where it is missing.
        dlq_db: the dead letters' file, likewise.
        queue: the queue's name.
        actor: who acts, for the journal; default: user@host.
        now: the clock, aware.
        redact: takes secrets out of what is kept of arguments.
    """

    def __init__(
        self,
        tasks_db: Path,
        dlq_db: Path,
        *,
        queue: str = "topics",
        actor: str | None = None,
        now: Callable[[], dt.datetime] | None = None,
        redact: Callable[[str], str] = str,
    ) -> None:
        clock = time.time if now is None else lambda: now().timestamp()
        self.storage = DurableStorage(queue, tasks_db, dlq_db, direct_schedule=True, now=clock, redact=redact)
        self.actor = actor or journal.actor()
        self.queue = QueueDesk(self)
        self.letters = LettersDesk(self)
        self.schedules = SchedulesDesk(self)
        self.runs = RunsDesk(self)
        self.switches = SwitchesDesk(self)
        self.workers = WorkersDesk(self)

    def open(self) -> None:
        """Opens both files now, which creates or migrates them; otherwise the first act does."""
        self.storage.initialize_schema()
        self.storage.letters.connection()

    def ask_workers(self, action: str, worker_ids: Sequence[int]) -> Change:
        """Asks workers to `hold`, `drain` or `resume`; see `WorkersDesk`."""
        return self.workers.ask(action, worker_ids)

    def mend(self, code: str) -> int:
        """Mends what an examination has found (`doctor`); returns how many things were changed."""
        from worker.queue import doctor_mends  # noqa: PLC0415 - rarely needed

        return doctor_mends.mend(self, code)

    def close(self) -> None:
        """Closes both files."""
        self.storage.close()

    def entry(self) -> str:
        """A fresh id for the journal."""
        with self.storage.db() as cursor:
            newest = journal.newest(cursor)
        with contextlib.suppress(
            QueueError
        ):  # an unusable file of dead letters is no matter of the queue's acts
            newest = max(newest, self.storage.letters.newest_entry())
        return journal.new_id(self.storage.now(), newest)

    def note(
        self,
        conn: sqlite3.Connection | sqlite3.Cursor,
        entry: str,
        action: str,
        target: str,
        count: int,
        **detail: Any,
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
        call = self.enqueue_call(name, args, kwargs, subject=subject, delay=delay, at=at, priority=priority)
        return call.task_ids[0]

    def enqueue_call(
        self,
        name: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        subject: str | None = None,
        delay: float | None = None,
        at: dt.datetime | None = None,
        priority: float | None = None,
    ) -> Change:
        """The same, told as a change that can be undone."""
        now = self.storage.now()
        eta = dt.datetime.fromtimestamp(now + delay, dt.UTC) if delay else at
        task_id = str(uuid.uuid4())
        sealed = self.seal(task_id, name, args, kwargs, subject=subject, eta=eta, priority=priority)
        return self.store(sealed)

    def store(
        self, sealed: Envelope, first: Callable[[sqlite3.Cursor], None] = lambda _: None, **detail: Any
    ) -> Change:
        """Stores a sealed call and journals it, in one transaction.

        Args:
            sealed: with its task's id.
            first: what must hold; refuses by raising, and then nothing is stored.
            detail: what else the journal says of it.
        """
        entry, task_id = self.entry(), str(sealed.task_id)
        with self.storage.db(commit=True) as cursor:
            first(cursor)
            for statement in self.storage.arrival(sealed, sealed.priority, self.storage.now()):
                cursor.execute(*statement)
            cursor.execute(TOUCH, (entry, task_id, None))
            self.note(
                cursor, entry, "enqueue", "queue", 1, task_ids=[task_id],
                name=sealed.name, subject=sealed.subject, **detail,
            )  # fmt: skip
        self.storage.wake()
        return self.change(entry, "enqueue", 1, 1, task_ids=[task_id])

    def run_again(self, run_id: int) -> Change:
        """Enqueues what ran once more; see `RunsDesk`."""
        return self.runs.again(run_id)

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

    def cancel(self, tasks: Sequence[str] | Chosen, **options: Any) -> Change:
        """Takes waiting tasks away (undo brings them back) and asks running ones to stop.

        Args:
            tasks: their ids, or the rows that were chosen.
            options: as `QueueDesk.cancel`.
        """
        return self.queue.cancel(*self._chosen(tasks), **options)

    def run_now(self, tasks: Sequence[str] | Chosen, **options: Any) -> Change:
        """Makes scheduled tasks ready."""
        return self.queue.run_now(*self._chosen(tasks), **options)

    def set_priority(self, tasks: Sequence[str] | Chosen, **options: Any) -> Change:
        """Lets waiting tasks run sooner or later than others; options as `QueueDesk.set_priority`."""
        return self.queue.set_priority(*self._chosen(tasks), **options)

    def edit_task(self, task_id: str, args: str) -> tuple[Change, Edited]:
        """Gives a waiting task other arguments; errors as `QueueDesk.edit`."""
        return self.queue.edit(task_id, args)

    def quarantine(self, tasks: Sequence[str] | Chosen, **options: Any) -> Change:
        """Makes dead letters of waiting tasks whose name no worker knows; errors as `drift.quarantine`."""
        return quarantine(self, *self._chosen(tasks), **options)

    def _chosen(self, tasks: Sequence[str] | Chosen) -> tuple[Chosen, list[tuple[str, str]]]:
        return (tasks, []) if isinstance(tasks, Chosen) else self.queue.find(tasks)

    def queue_mark(self) -> QueueMark:
        """Where the queue ends now; `clear_queue` takes nothing that arrives later."""
        return self.queue.mark()

    def clear_queue(self, up_to: QueueMark) -> Change:
        """Takes away every task that waited when the mark was made."""
        return self.queue.clear(up_to)

    def pause_queue(self, *, until: dt.datetime | None = None, note: str = "") -> Change:
        """Lets no worker take anything more; arguments and errors as `QueueDesk.pause`."""
        return self.queue.pause(until=until, note=note)

    def resume_queue(self) -> Change:
        """Lets workers take tasks again; errors as `QueueDesk.resume`."""
        return self.queue.resume()

    def take_away(self, cursor: sqlite3.Cursor, entry: str, task_id: str) -> bool:
        """Moves a waiting task to where undo finds it; False if it does not wait."""
        return self.queue.take_away(cursor, entry, task_id)

    # -- failures -----------------------------------------------------------------------------

    def retry(self, letter_ids: Sequence[int], **options: Any) -> Change:
        """Enqueues the tasks of dead letters anew; each letter waits for its retry's outcome."""
        return self.letters.retry(letter_ids, **options)

    def canary(self, letter_ids: Sequence[int], **options: Any) -> Change:
        """Retries one letter of each cause first; the worker lets the rest follow when it has succeeded."""
        return self.letters.canary(letter_ids, **options)

    def cancel_canaries(self, fingerprint: str) -> Change:
        """Lets no more letters of a cause follow its canary; errors as `LettersDesk.cancel_canaries`."""
        return self.letters.cancel_canaries(fingerprint)

    def edit_letter(self, letter_id: int, args: str) -> tuple[Change, Edited]:
        """Runs a letter's task again with other arguments; errors as `LettersDesk.edit`."""
        return self.letters.edit(letter_id, args)

    def delete_letters(self, letter_ids: Sequence[int], **options: Any) -> Change:
        """Takes dead letters away."""
        return self.letters.delete(letter_ids, **options)

    def clear_letters(self, up_to: int) -> Change:
        """Takes away every dead letter with an id of at most `up_to`."""
        return self.letters.clear(up_to)

    def letters_mark(self) -> tuple[int, int]:
        """The highest id of a dead letter, and how many there are, now."""
        return self.letters.mark()

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

    # -- switches -----------------------------------------------------------------------------

    def disable(self, scope: str, names: Sequence[str], *, note: str = "") -> Change:
        """Switches names of a scope off."""
        return self.switches.disable(scope, names, note=note)

    def enable(self, scope: str, names: Sequence[str]) -> Change:
        """Switches names of a scope on again."""
        return self.switches.enable(scope, names)

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
