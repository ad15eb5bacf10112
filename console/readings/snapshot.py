"""One frozen look at everything the frame and the Overview show; its cost does not grow with the rows."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.readings import (
    collected,
    documents,
    failures,
    journal,
    library,
    news,
    queue,
    runs,
    sources,
    stats,
    still,
    topics,
    verdict,
)
from console.readings import schedules as schedule_readings
from console.readings.connection import LETTERS, LIBRARY, TASKS, File, ReadingError
from console.readings.logs import LogFile
from console.readings.model import Depth, Snapshot, Worker, WorkerState
from console.readings.queue import Look
from console.readings.times import maybe, moment
from worker.queue.identity import is_alive
from worker.redaction import redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from console.readings.collected import DocumentDetail
    from console.readings.connection import Row
    from console.readings.journal import JournalDetail, JournalEntry
    from console.readings.log_lines import LogQuery
    from console.readings.logs import LogPart
    from console.readings.model import (
        Cause,
        Found,
        Letter,
        LetterDetail,
        Minute,
        QueueTask,
        QueueTaskDetail,
        Run,
        RunDetail,
        Schedule,
        ScheduleDetail,
        Source,
        Tick,
    )
    from console.readings.pages import Listing
    from console.readings.stats import Period, TaskStats
    from console.readings.topics import Topic, TopicDetail
    from worker.places import Home

CAUSES = 20
RUNNING = 20
RUNS = 10

_PAUSED = """SELECT pause_note, paused_until FROM pause
    WHERE queue = ? AND (paused_until IS NULL OR paused_until > ?)"""


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Readings:
    """All that can be read of a home. Blocking, and bound to the thread that uses it; `interrupt` is not.

    Args:
        home: the data folder; nothing is created in it.
        queue: the queue's name.
        now: the clock.
    """

    def __init__(self, home: Home, *, queue: str = "topics", now: Callable[[], datetime] = utc_now) -> None:
        self._home, self._queue, self._now, self._redact = home, queue, now, redactor(home)
        self._tasks = File(home.tasks_db, TASKS)
        self._letters = File(home.dlq_db, LETTERS)
        self._library = File(home.topics_db, LIBRARY)
        self._log = LogFile(home.log_file, now)
        self._files = (self._tasks, self._letters, self._library)
        self._states: dict[object, object] = {}
        self._alive: dict[int, bool | None] = {}
        self._probed_at = float("-inf")
        self._until = float("-inf")  # when time alone makes the last look untrue
        self._last: Snapshot | None = None
        self._unchanged: frozenset[object] = frozenset()  # what need not be read again for the next look

    def close(self) -> None:
        """Closes the files."""
        for file in self._files:
            file.close()

    def interrupt(self) -> None:
        """Ends a running query; may be called from another thread."""
        for file in self._files:
            file.interrupt()

    def changed(self) -> bool:
        """Whether a new snapshot may differ from the last: somebody has committed or logged, a worker has died, a time has come.

        Where nothing has, this is all that is read: a number of each file's head, and the workers' locks.
        """
        states: dict[object, object] = {self._log: self._log.state()}
        for file in self._files:
            try:
                states[file] = file.state()
            except ReadingError as error:
                states[file] = str(error)
        same = {one for one, state in states.items() if self._states.get(one, self) == state}
        self._states = states
        if self._has_expired():
            same.discard(self._tasks)
        self._unchanged = frozenset(same)
        return len(same) < len(states)

    def _has_expired(self) -> bool:
        """Whether the last look is untrue by now, though nobody has written anything."""
        if not self._until - 90 <= self._now().timestamp() < self._until:
            return True  # or the clock was set
        if time.monotonic() - self._probed_at < still.MAX_AGE_S:
            return False
        self._probed_at = time.monotonic()
        return any(is_alive(self._home.tasks_db, number) != alive for number, alive in self._alive.items())

    def snapshot(self) -> Snapshot:
        """Everything, as of now; a file that cannot be read is named, and the rest is read all the same.

        After `changed` only what has changed is read.
        """
        at, last = self._now(), self._last
        unchanged, self._unchanged = self._unchanged, frozenset()
        snapshot = Snapshot(at=at, home=self._home.root, number=last.number + 1 if last else 1)
        faults: list[str] = []
        for file, part, again in (
            (self._tasks, self._of_tasks, still.of_tasks),
            (self._letters, self._of_letters, still.of_letters),
            (self._library, self._of_library, still.of_library),
        ):
            try:
                if last is not None and last.unreadable is None and file in unchanged:
                    snapshot = again(snapshot, last)
                else:
                    snapshot = part(snapshot, at.timestamp())
            except ReadingError as error:
                faults.append(str(error))
        snapshot = replace(snapshot, unreadable="; ".join(faults) or None)
        self._last = replace(snapshot, problems=verdict.problems(snapshot))
        return self._last

    def again(self) -> Snapshot | None:
        """The last snapshot as of now, when nothing has changed since; nothing is read."""
        if self._last is not None:
            self._last = replace(self._last, at=self._now())
            self._last = replace(self._last, problems=verdict.problems(self._last))
        return self._last

    def _of_tasks(self, snapshot: Snapshot, now: float) -> Snapshot:
        file, name = self._tasks, self._queue
        with file.one_moment():
            depth = {
                row["state"]: row["n"]
                for row in file.rows("SELECT state, n FROM depth WHERE queue = ?", (name,))
            }
            # By row id, which is the order of arrival; an index on the queue would have to sort.
            oldest = file.value(
                "SELECT ready_at FROM task NOT INDEXED WHERE queue = ? ORDER BY id LIMIT 1", (name,)
            )
            workers = file.rows(
                "SELECT * FROM worker WHERE queue = ? AND kind <> 'process' ORDER BY id", (name,)
            )
            pause = file.rows(
                _PAUSED,
                (name, now),
            )
            self._alive = {}
            snapshot = replace(
                snapshot,
                paused=bool(pause),
                pause_note=pause[0]["pause_note"] if pause else None,
                workers=tuple(self._worker(row, now) for row in workers),
                depth=Depth(
                    depth.get("pending", 0), depth.get("scheduled", 0), depth.get("running", 0),
                    oldest_pending_at=maybe(oldest),
                ),
                running=queue.running(file, name, RUNNING, self._about_tasks()),
                schedules=schedule_readings.schedules(file, name, now),
                minutes=runs.minutes(file, name, now),
                last_runs=runs.latest(file, name, RUNS),
            )  # fmt: skip
            snapshot = replace(snapshot, retrying=self._retrying(snapshot.last_runs))
        paused_until = pause[0]["paused_until"] if pause else None
        self._until = still.true_until(snapshot, now, paused_until, schedule_readings.OVERDUE_AFTER_S)
        return snapshot

    def _retrying(self, last: Iterable[Run]) -> tuple[Run, ...]:
        newest: dict[str, Run] = {}
        for run in last:
            newest.setdefault(run.task_id, run)
        return tuple(
            run
            for run in newest.values()
            if run.state == "retrying" and queue.key_of(self._tasks, run.task_id) is not None
        )

    def _worker(self, row: Row, now: float) -> Worker:
        alive = self._alive[row["id"]] = is_alive(self._home.tasks_db, row["id"])
        if alive is False:
            state = WorkerState.DEAD
        elif now - row["heartbeat_at"] > still.silent_after(row["heartbeat_s"]):
            state = WorkerState.SILENT
        else:
            state = WorkerState(row["state"])
        return Worker(
            id=row["id"], host=row["host"], pid=row["pid"], kind=row["kind"], threads=row["threads"], state=state,
            started_at=moment(row["started_at"]), heartbeat_at=moment(row["heartbeat_at"]),
            heartbeat_s=row["heartbeat_s"],
        )  # fmt: skip

    def _of_letters(self, snapshot: Snapshot, _now: float) -> Snapshot:
        with self._letters.one_moment():
            depth = replace(snapshot.depth, dead_letters=failures.count(self._letters))
            return replace(
                snapshot, depth=depth, causes=failures.causes(self._letters, CAUSES),
                newest_causes=failures.causes(self._letters, CAUSES, newest=True),
                fingerprints=failures.fingerprints(self._letters),
            )  # fmt: skip

    def _of_library(self, snapshot: Snapshot, _now: float) -> Snapshot:
        with self._library.one_moment():
            return replace(snapshot, library=library.library(self._library))

    # -- lists and details ----------------------------------------------------------------------

    def queue(self, text: str = "", sort: str = "order") -> Listing[QueueTask]:
        """What runs, is ready, is scheduled; `text` is a filter, `sort` one of `queue.SORTS`."""
        return queue.listing(
            self._tasks, self._queue, text, self._now().timestamp(), sort, self._about_tasks()
        )

    def _about_tasks(self) -> Look:
        """What the rows of tasks do not say of themselves."""
        now = self._now().timestamp()
        rows = self._tasks.rows("SELECT * FROM worker WHERE queue = ?", (self._queue,))
        workers = [self._worker(row, now) for row in rows]
        return Look(
            frozenset(self.handlers()),
            {worker.id: verdict.evidence(worker) for worker in workers},
            paused=bool(self._tasks.rows(_PAUSED, (self._queue, now))),
        )

    def task(self, key: str) -> QueueTaskDetail | None:
        """A task of the queue by its row's key."""
        found = queue.detail(self._tasks, key, self._about_tasks())
        # What waits is stored as it was sent; only what is kept of it has its secrets taken out.
        return found and replace(
            found, args=found.args and self._redact(found.args), tick=self.tick_of(found.task.task_id)
        )

    def task_key(self, task_id: str) -> str | None:
        """The row's key of a task that waits or runs."""
        return queue.key_of(self._tasks, task_id)

    def causes(self, limit: int = 200) -> tuple[Cause, ...]:
        """The causes of dead letters, most frequent first."""
        return failures.causes(self._letters, limit)

    def letters(
        self, fingerprint: str | None = None, text: str = "", sort: str = "newest"
    ) -> Listing[Letter]:
        """Dead letters of one cause, or all; `text` is a filter, `sort` one of `failures.SORTS`."""
        return failures.listing(self._letters, fingerprint, text, self._now().timestamp(), sort)

    def letter(self, letter_id: int) -> LetterDetail | None:
        """All that is kept of a dead letter."""
        return failures.detail(self._letters, letter_id)

    def schedules(self, text: str = "", sort: str = "name") -> tuple[Schedule, ...]:
        """All schedules; `text` is a filter."""
        now = self._now().timestamp()
        return schedule_readings.schedules(self._tasks, self._queue, now, text, sort)

    def schedule(self, name: str) -> ScheduleDetail | None:
        """A schedule in full, with the ticks that nobody has answered."""
        return schedule_readings.detail(self._tasks, self._queue, name, self._now())

    def late_ticks(self, name: str, limit: int) -> tuple[Tick, ...]:
        """The last ticks of a schedule that did not fire on time, newest first."""
        return schedule_readings.late(self._tasks, self._queue, name, limit)

    def tick_of(self, task_id: str) -> Tick | None:
        """The tick that a task answers."""
        return schedule_readings.tick_of(self._tasks, task_id)

    def runs(self, text: str = "", sort: str = "newest") -> Listing[Run]:
        """The history; `text` is a filter."""
        return runs.listing(self._tasks, self._queue, text, self._now().timestamp(), sort)

    def run(self, run_id: int) -> RunDetail | None:
        """One run in full."""
        found = runs.detail(self._tasks, self._queue, run_id)
        return found and replace(found, tick=self.tick_of(found.run.task_id))

    def last_run(self, task_id: str) -> RunDetail | None:
        """The newest run of a task in full; None where it has none."""
        run_id = runs.newest_of(self._tasks, task_id)
        return None if run_id is None else self.run(run_id)

    def stats(self, period: Period) -> tuple[TaskStats, ...]:
        """How long each task waits and takes, and how often it fails; the busiest first."""
        return stats.stats(self._tasks, self._queue, period, self._now().timestamp())

    def day(self) -> tuple[Minute, ...]:
        """The last 24 hours in steps of five minutes, oldest first."""
        return runs.minutes(self._tasks, self._queue, self._now().timestamp(), count=288, each=5)

    def news(self, since: datetime) -> news.News:
        """What has changed since a moment."""
        files = (self._tasks, self._letters, self._library)
        return news.news(*files, self._queue, since.timestamp(), self._now().timestamp())

    def log(self, query: LogQuery, limit: int) -> LogPart:
        """The newest lines of the worker's log."""
        return self._log.tail(query, limit)

    def log_of_task(self, task_id: str, since: datetime, until: datetime | None, limit: int = 200) -> LogPart:
        """What one task logged while it ran."""
        return self._log.of_task(task_id, since, until, limit)

    def run_state(self, task_id: str) -> str | None:
        """How a task ended last."""
        return runs.last_state(self._tasks, task_id)

    def journal(self, text: str = "", sort: str = "newest") -> Listing[JournalEntry]:
        """What operators did, of both files; `text` is a filter, `sort` one of `journal.SORTS`."""
        return journal.listing((self._tasks, self._letters), text, self._now().timestamp(), sort)

    def journal_entry(self, entry_id: str) -> JournalDetail | None:
        """An act with all that is kept of it."""
        return journal.detail((self._tasks, self._letters), entry_id)

    def sources(self, text: str = "", sort: str = "worst") -> Listing[Source]:
        """The sources of all markets; `text` is a filter."""
        now = self._now().timestamp()
        return sources.listing(self._library, self._tasks, self._queue, text, now, sort)

    def source(self, market: str, key: str) -> Source | None:
        """One source."""
        return sources.detail(self._library, self._tasks, self._queue, market, key)

    def sources_named(self, market: str | None, name: str) -> tuple[tuple[str, str], ...]:
        """Market and key of the sources that a key, a name or an address may mean."""
        return sources.named(self._library, market, name)

    def search(self, text: str, limit: int = documents.HITS) -> Listing[Found]:
        """The documents and topics that match a query, the likeliest first."""
        return documents.search(self._library, text, self._now().timestamp(), limit)

    def topics(self, text: str = "", sort: str = "score") -> Listing[Topic]:
        """The topics of the latest rankings; `text` is a filter, `sort` one of `topics.SORTS`."""
        return topics.listing(self._library, text, self._now().timestamp(), sort)

    def topic(self, topic_id: int) -> TopicDetail | None:
        """A topic in full."""
        return topics.detail(self._library, topic_id)

    def topic_id(self, key: str) -> int | None:
        """The id of a topic by its number, its key, or market:key."""
        return topics.find(self._library, key)

    def collected(self) -> Listing[Found]:
        """All documents, the newest first."""
        return collected.newest(self._library)

    def document(self, document_id: int) -> DocumentDetail | None:
        """A document in full."""
        return collected.detail(self._library, document_id)

    def handlers(self) -> tuple[str, ...]:
        """The tasks that the last worker knew; empty when none has run yet."""
        query = "SELECT name FROM handler WHERE queue = ? ORDER BY name"
        return tuple(row["name"] for row in self._tasks.rows(query, (self._queue,)))
