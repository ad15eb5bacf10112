"""What has changed since a moment: for whoever comes back to the console."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.readings.model import Cause
from console.readings.times import moment
from console.readings.verdict import COLLECT
from worker.queue.rollups import Span

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.connection import File

# Old news is none; and the minutes that are added up here are not kept for longer.
LONGEST_S = 7 * 86_400.0
MINUTES_S = 86_400.0
CAUSES, ACTS = 3, 100


@dataclass(frozen=True, slots=True)
class News:
    """What has changed.

    Attributes:
        since: since when.
        new_causes: causes of failure that nobody has seen yet, the most frequent first; some of them.
        causes: how many those are in all.
        failed: tasks that failed for good.
        missed: ticks of schedules that nothing has answered.
        collections: collections that succeeded.
        acts: how many changes operators made, a hundred at the most.
        actors: who they are.
        workers: workers that have started and still run.
        proposals: feeds that were found and that nobody has taken in or declined.
    """

    since: datetime
    new_causes: tuple[Cause, ...] = ()
    causes: int = 0
    failed: int = 0
    missed: int = 0
    collections: int = 0
    acts: int = 0
    actors: tuple[str, ...] = ()
    workers: int = 0
    proposals: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(
            self.causes or self.failed or self.missed or self.collections or self.acts or self.proposals
        )


def news(tasks: File, letters: File, library: File, queue: str, since: float, now: float) -> News:
    """What has changed since a moment; not much of it is read, however long ago that is."""
    begin = max(since, now - LONGEST_S)
    new = letters.rows(
        """SELECT cause.fingerprint, cause.n, cause.first_seen, cause.last_seen, letter.error_type, letter.error,
        letter.name, letter.subject FROM cause JOIN letter ON letter.id = cause.sample
        WHERE cause.first_seen >= ? ORDER BY cause.n DESC LIMIT ?""",
        (begin, CAUSES),
    )
    span = Span.MINUTE if now - begin <= MINUTES_S else Span.HOUR
    acts = [row for file in (tasks, letters) for row in _acts(file, begin)]
    return News(
        since=moment(begin),
        new_causes=tuple(
            Cause(
                row["fingerprint"], row["n"], moment(row["first_seen"]), moment(row["last_seen"]),
                row["error_type"] or "", row["error"] or "", row["name"], row["subject"],
            )
            for row in new
        ),
        causes=_number(letters, "cause", "SELECT count(*) FROM cause WHERE first_seen >= ?", (begin,)),
        failed=_number(
            tasks, "minute", "SELECT sum(n) FROM minute WHERE queue = ? AND minute >= ? AND event = 'dead'",
            (queue, int(begin // 60)),
        ),
        missed=_number(
            tasks, "tick",
            """SELECT sum(n) FROM tick WHERE queue = ? AND schedule IN (SELECT name FROM periodic WHERE queue = ?)
            AND state = 'missed' AND noticed_at >= ?""",
            (queue, queue, begin),
        ),
        collections=_number(
            tasks, "rollup",
            "SELECT sum(completed) FROM rollup WHERE queue = ? AND span = ? AND at >= ? AND name = ?",
            (queue, span, span.begins(begin), COLLECT),
        ),
        acts=len(acts), actors=tuple(sorted(set(acts))),
        workers=_number(
            tasks, "worker", "SELECT count(*) FROM worker WHERE queue = ? AND started_at >= ? AND kind <> 'process'",
            (queue, begin),
        ),
        proposals=_number(
            library, "proposal",
            "SELECT count(*) FROM proposal WHERE found_at >= ? AND declined_at IS NULL AND NOT EXISTS "
            "(SELECT 1 FROM source WHERE (source.market, source.key) = (proposal.market, proposal.key))",
            (begin,),
        ),
    )  # fmt: skip


def _acts(file: File, begin: float) -> list[str]:
    """Who made each change; the journal's ids sort by time."""
    query = "SELECT actor FROM journal WHERE id >= ? AND at >= ? LIMIT ?"
    return [row["actor"] for row in file.rows(query, (f"{int(begin * 1_000_000):016x}", begin, ACTS))]


def _number(file: File, table: str, query: str, params: tuple[object, ...]) -> int:
    """A sum; 0 where no worker of this version has opened the file yet."""
    return int(file.value(query, params) or 0) if file.knows(table) else 0
