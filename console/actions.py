"""The only place that changes anything: journaled calls into the queue, answered in a sentence.

Blocking; the console calls it on its action thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from console.rows.journal import act_in_words
from console.text import clean, number, plural, when
from worker import installation
from worker.places import PlaceError, market_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from worker.config import ConfigError
    from worker.installation import Installation
    from worker.places import Home
    from worker.queue import Change, Operator, QueueMark
    from worker.queue.change import Chosen

    Tasks = Sequence[str] | Chosen
    About = Mapping[str, Any] | None

COLLECT = "worker.tasks.collect_all_sources"
SYNC = "worker.tasks.weekly_notion_sync"
REPORT = "worker.tasks.write_reports"
MAX_NAME, MAX_BADGE = 40, 24


class ActionRefused(Exception):  # noqa: N818 - it is an answer, told as such
    """What was asked cannot be done; the message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done.

    Attributes:
        text: one sentence with the number really affected.
        change: as the queue reports it; None for a plain answer.
    """

    text: str
    change: Change


class Actions:
    """What the operator may do.

    Args:
        home: the data folder; created when something is first changed.
        config: the configuration folder.
        read_only: every act is refused.
    """

    def __init__(self, home: Home, config: Path, *, read_only: bool = False) -> None:
        self._home, self._config, self._read_only = home, config, read_only
        self._operator: Operator | None = None

    def close(self) -> None:
        """Closes the files."""
        if self._operator is not None:
            self._operator.close()
            self._operator = None

    def _act(self) -> Operator:
        """The operator at the queue.

        Raises:
            ActionRefused: the console is read-only, or the home cannot be written.
        """
        if self._read_only:
            raise ActionRefused("This console is read-only: nothing was changed.")
        if self._operator is None:
            from worker.queue import Operator  # noqa: PLC0415 - brings Huey, which looking does not need
            from worker.redaction import redactor  # noqa: PLC0415

            try:
                self._home.prepare()
            except PlaceError as error:
                raise ActionRefused(str(error)) from error
            self._operator = Operator(self._home.tasks_db, self._home.dlq_db, redact=redactor(self._home))
        return self._operator

    def _do(self, act: str, *args: Any, **options: Any) -> Any:
        from worker.queue.errors import QueueError  # noqa: PLC0415

        operator = self._act()
        try:
            return getattr(operator, act)(*args, **options)
        except QueueError as error:
            raise ActionRefused(str(error)) from error

    def bring_up_to_date(self) -> None:
        """Migrates the queue's files, each with a copy of what it was.

        Raises:
            ActionRefused: a file cannot be used, or there is no room for the copy.
        """
        self._do("open")

    def installation(self) -> Installation:
        """What the settings call this installation; empty where they say nothing.

        Raises:
            ActionRefused: the settings have a fault.
        """
        try:
            found = installation.read(self._config)
        except installation.InstallationError as error:
            raise ActionRefused(str(error)) from error
        return replace(found, name=clean(found.name, MAX_BADGE))

    # -- starting -------------------------------------------------------------------------------

    def markets(self) -> tuple[str, ...]:
        """The markets that can be collected."""
        return market_names(self._config)

    def collect(
        self,
        market: str,
        *,
        source: str | None = None,
        delay: float | None = None,
        at: datetime | None = None,
        priority: float | None = None,
    ) -> Done:
        """Starts a collection; a market with a faulty file is refused before anything is stored.

        Args:
            market: its name, or the path of its file.
            source: the key of the only source to ask; None: all.
            delay: not before so many seconds.
            at: not before this time.
            priority: higher runs first.

        Raises:
            ActionRefused: there is no such market or source, or the market's file has a fault.
        """
        from worker.config import ConfigError  # noqa: PLC0415 - brings pydantic
        from worker.settings import check_market  # noqa: PLC0415

        if self._read_only:
            self._act()
        try:
            check_market(self._config, market, source)
        except ConfigError as error:
            raise ActionRefused(_first_fault(error)) from error
        named = {"source": source} if source is not None else None
        done = self.enqueue(COLLECT, [market], named, subject=market, delay=delay, at=at, priority=priority)
        when = f" in {delay:g} s" if delay else f" at {at.isoformat()}" if at else ""
        what = f"{clean(source, 60)} for {clean(market, MAX_NAME)}" if source else clean(market, MAX_NAME)
        return Done(f"Collection of {what} enqueued{when}.", done.change)

    def disable_sources(self, market: str, keys: Sequence[str], note: str = "") -> Done:
        """Lets no collection ask sources of a market."""
        return _told(self._do("disable", f"sources:{market}", keys, note=note), "Disabled", "source")

    def enable_sources(self, market: str, keys: Sequence[str]) -> Done:
        """Lets collections ask sources of a market again."""
        return _told(self._do("enable", f"sources:{market}", keys), "Enabled", "source")

    def enqueue(
        self,
        name: str,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        subject: str | None = None,
        delay: float | None = None,
        at: datetime | None = None,
        priority: float | None = None,
    ) -> Done:
        """Stores a call to a task by name."""
        change = self._do(
            "enqueue_call", name, args, kwargs, subject=subject, delay=delay, at=at, priority=priority
        )
        return Done(f"Enqueued {clean(name, 80)}.", change)

    def run_again(self, run_id: int) -> Done:
        """Enqueues a run's task once more, as a new one with the same arguments."""
        return Done(f"Run {run_id} is enqueued once more, as a new task.", self._do("run_again", run_id))

    def sync(self) -> Done:
        """Starts ranking, report and sync, as every Monday."""
        return Done("Report and sync enqueued.", self.enqueue(SYNC).change)

    def report(self, market: str | None = None, folder: str | None = None) -> Done:
        """Starts ranking and report, without the sync."""
        done = self.enqueue(REPORT, [], {"market": market, "folder": folder}, subject=market)
        return Done("Report enqueued.", done.change)

    # -- the queue ------------------------------------------------------------------------------

    def cancel(self, tasks: Tasks, about: About = None) -> Done:
        """Takes waiting tasks away, asks running ones to stop."""
        return _told(self._do("cancel", tasks, about=about), "Cancelled", "task")

    def run_now(self, tasks: Tasks, about: About = None) -> Done:
        """Makes scheduled tasks ready."""
        return _told(self._do("run_now", tasks, about=about), "Made ready", "task")

    def set_priority(
        self, tasks: Tasks, *, to: float | None = None, by: float = 0, about: About = None
    ) -> Done:
        """Lets waiting tasks run sooner or later than others."""
        change = self._do("set_priority", tasks, to=to, by=by, about=about)
        return _told(change, "Changed the priority of", "task")

    def edit_task(self, task_id: str, args: str) -> Done:
        """Gives a waiting task other arguments."""
        change, _ = self._do("edit_task", task_id, args)
        return Done("Changed the arguments of 1 task.", change)

    def quarantine(self, tasks: Tasks, about: About = None) -> Done:
        """Makes dead letters of tasks whose name no worker knows."""
        return _told(self._do("quarantine", tasks, about=about), "Put aside", "task")

    def queue_mark(self) -> QueueMark:
        """Where the queue ends now."""
        mark: QueueMark = self._do("queue_mark")
        return mark

    def clear_queue(self, mark: QueueMark) -> Done:
        """Takes away what waited at the mark."""
        return _told(self._do("clear_queue", mark), "Cleared", "waiting task")

    def pause_queue(
        self, until: datetime | None = None, note: str = "", *, span: timedelta | None = None
    ) -> Done:
        """Lets no worker take anything more: until a time, for a span from now, or until it is resumed."""
        now = datetime.now(UTC)
        until = now + span if span else until
        change = self._do("pause_queue", until=until, note=note)
        end = when(until, now) if until else "it is resumed"
        return Done(f"The queue is paused until {end}: what runs goes on, nothing new begins.", change)

    def resume_queue(self) -> Done:
        """Lets workers take tasks again."""
        return Done("The queue goes on.", self._do("resume_queue"))

    # -- failures -------------------------------------------------------------------------------

    def retry(self, letter_ids: Sequence[int], about: About = None) -> Done:
        """Runs the tasks of dead letters again."""
        return _told(self._do("retry", letter_ids, about=about), "Retried", "dead letter")

    def canary(self, letter_ids: Sequence[int], about: About = None) -> Done:
        """Retries one of each cause; the worker lets the rest follow when that has succeeded."""
        change = self._do("canary", letter_ids, about=about)
        letters = plural(change.done, "dead letter")
        return Done(f"Canary retry of {letters}: one goes first, the rest when it has succeeded.", change)

    def cancel_canaries(self, fingerprint: str) -> Done:
        """Lets no more letters of a cause follow its canary."""
        return Done(
            "The canary retry is stopped: nothing more follows.", self._do("cancel_canaries", fingerprint)
        )

    def edit_letter(self, letter_id: int, args: str) -> Done:
        """Runs a dead letter's task again with other arguments."""
        change, _ = self._do("edit_letter", letter_id, args)
        return Done("Retried 1 dead letter with other arguments.", change)

    def delete_letters(self, letter_ids: Sequence[int], about: About = None) -> Done:
        """Takes dead letters away."""
        return _told(self._do("delete_letters", letter_ids, about=about), "Deleted", "dead letter")

    def letters_mark(self) -> tuple[int, int]:
        """The newest letter's id, and how many are dead, now."""
        mark: tuple[int, int] = self._do("letters_mark")
        return mark

    def clear_letters(self, last_id: int) -> Done:
        """Takes away the dead letters up to a mark."""
        return _told(self._do("clear_letters", last_id), "Cleared", "dead letter")

    # -- schedules ------------------------------------------------------------------------------

    def run_schedule(self, name: str) -> Done:
        """Runs a schedule's task once, now."""
        return Done(f"{clean(name, MAX_NAME)} enqueued to run now.", self._do("run_schedule", name))

    def pause_schedule(
        self, name: str, until: datetime | None = None, note: str = "", *, span: timedelta | None = None
    ) -> Done:
        """Stops a schedule from firing: until a time, for a span from now, or until it is resumed."""
        now = datetime.now(UTC)
        until = now + span if span else until
        change = self._do("pause_schedule", name, until=until, note=note)
        end = when(until, now) if until else "it is resumed"
        return Done(f"Paused {clean(name, MAX_NAME)} until {end}.", change)

    def resume_schedule(self, name: str) -> Done:
        """Lets a paused schedule fire again."""
        return Done(f"Resumed {clean(name, MAX_NAME)}.", self._do("resume_schedule", name))

    def replay_ticks(
        self,
        name: str,
        how: str,
        *,
        over: float | None = None,
        ticks: Sequence[int] | None = None,
        paused: bool = False,
    ) -> Done:
        """Runs missed ticks of a schedule after all.

        Args:
            name: the schedule.
            how: `once`, `all` or `spread`.
            over: seconds that a spread replay takes.
            ticks: ids of just these; None: all.
            paused: of all, also those that passed during a pause.
        """
        from worker.queue.schedules_desk import Replay  # noqa: PLC0415 - brings the queue

        change = self._do("replay_ticks", name, Replay(how), over=over, ticks=ticks, paused=paused)
        done = _told(change, "Replayed", "tick")
        runs = plural(len(change.task_ids), "run")
        return Done(f"{done.text.rstrip('.')}: {runs} of {clean(name, MAX_NAME)}.", change)

    def acknowledge_ticks(self, name: str, *, ticks: Sequence[int] | None = None, note: str = "") -> Done:
        """Says that missed ticks of a schedule need no run."""
        change = self._do("acknowledge_ticks", name, ticks=ticks, note=note)
        done = _told(change, "Acknowledged", "missed tick")
        return Done(f"{done.text.rstrip('.')} of {clean(name, MAX_NAME)}.", change)

    def ask_workers(self, action: str, worker_ids: Sequence[int]) -> Done:
        """Asks workers to `hold`, to `drain` or to `resume`; they hear with their next heartbeat."""
        change = self._do("ask_workers", action, worker_ids)
        words = {
            "hold": "take nothing more",
            "drain": "take nothing more, and end once nothing runs",
            "resume": "take tasks again",
        }
        if not change.done:
            return Done(f"Nothing was asked: worker {change.refused[0][0]} {change.refused[0][1]}.", change)
        return Done(f"{plural(change.done, 'worker')} will {words[action]}, within seconds.", change)

    def mend(self, code: str) -> int:
        """Mends what an examination has found; journaled.

        Returns:
            How many things were changed.

        Raises:
            ActionRefused: the file cannot be used now.
        """
        changed: int = self._do("mend", code)
        return changed

    # -- undo -----------------------------------------------------------------------------------

    def undo(self, entry: str | None = None) -> Done:
        """Takes an act back: the latest, or the one of a journal entry."""
        change = self._do("undo", entry)
        what = f"Undid: {act_in_words(*change.undid)}," if change.undid else "Undone for"
        return _told(change, what, "item")


def _first_fault(error: ConfigError) -> str:
    more = len(error.faults) - 1
    rest = f" (and {more} more; topic-worker check names them all)" if more else ""
    return f"{error.faults[0]}{rest}"


def _told(change: Change, verb: str, noun: str) -> Done:
    """A change in words: how many of how many, and why not the rest."""
    if not change.asked:
        return Done("There was nothing to do.", change)
    if not change.refused:
        return Done(f"{verb} {plural(change.done, noun)}.", change)
    left = change.asked - change.done
    why = clean(change.refused[0][1], 120)
    return Done(
        f"{verb} {number(change.done)} of {plural(change.asked, noun)}; {number(left)} not: {why}.", change
    )
