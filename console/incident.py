"""An incident in Markdown, from what the files say: what, since when, why, who is affected, and what was done."""

from __future__ import annotations

import platform
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from console.export import escaped, markdown_row
from console.readings.verdict import COLLECT, verdict
from console.rows.base import short_name
from console.text import age, clean, clean_lines, number, plural, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from console.readings import Readings
    from console.readings.journal import JournalEntry
    from console.readings.model import Cause, Letter, LetterDetail, Run, Snapshot

CAUSES, SAMPLES, LETTERS, EVENTS = 20, 5, 1_000, 60
TRACEBACK_LINES = 12
_FENCE = re.compile("`{3,}")


@dataclass(frozen=True, slots=True)
class Incident:
    """What is known of it.

    Attributes:
        snapshot: how it is now.
        causes: of dead letters, the most frequent first.
        samples: the newest letter of each of the first causes, in full.
        markets: dead letters of each market, among the newest thousand.
        counted: how many letters were looked at for that.
        ended: runs that did not end well, the newest first.
        journal: what operators did, the newest first.
    """

    snapshot: Snapshot
    causes: tuple[Cause, ...]
    samples: dict[str, LetterDetail]
    markets: tuple[tuple[str, int], ...]
    counted: int
    ended: tuple[Run, ...]
    journal: tuple[tuple[datetime, str], ...]


def look(readings: Readings) -> Incident:
    """Reads what there is to tell; its cost is bounded, whatever the rows."""
    causes = readings.causes(CAUSES)
    samples = {}
    for cause in causes[:SAMPLES]:
        newest = readings.letters(cause.fingerprint).first(1).rows
        detail = readings.letter(newest[0].id) if newest else None
        if detail is not None:
            samples[cause.fingerprint] = detail
    letters: list[Letter] = list(islice(readings.letters(None, "is:dead").all_rows(), LETTERS))
    markets = Counter(letter.subject or "(none)" for letter in letters)
    ended = (
        run
        for run in islice(readings.runs().all_rows(), LETTERS)
        if run.state not in {"completed", "skipped"}
    )
    return Incident(
        snapshot=readings.snapshot(), causes=causes, samples=samples, markets=tuple(markets.most_common()),
        counted=len(letters), ended=tuple(islice(ended, EVENTS)),
        journal=tuple((entry.at, _act(entry)) for entry in readings.journal().first(EVENTS).rows),
    )  # fmt: skip


def _act(entry: JournalEntry) -> str:
    undone = ", undone later" if entry.undone_by else ""
    return f"{entry.actor}: {entry.action} {entry.target}, {entry.count}{undone}"


def write_up(incident: Incident, now: datetime, *, place: str, utc: bool = False) -> Iterator[str]:
    """The Markdown, part after part.

    Args:
        incident: what is known.
        now: the time.
        place: which data this is about.
        utc: whether times are in UTC, or local.
    """
    snapshot = incident.snapshot
    yield f"# Incident in {escaped(place)}\n\n"
    yield f"Written {stamp(now, utc=utc)} on {escaped(platform.node())}.\n\n## What\n\n"
    yield f"{escaped(verdict(snapshot)[1])}\n\n"
    yield from (f"- {escaped(problem.text)} (`{problem.code}`)\n" for problem in snapshot.problems)
    yield from _state(snapshot, utc=utc)
    yield from _since(incident, now, utc=utc)
    yield from _causes(incident, utc=utc)
    yield from _markets(incident, utc=utc)
    yield from _timeline(incident, utc=utc)


def _state(snapshot: Snapshot, *, utc: bool) -> Iterator[str]:
    depth = snapshot.depth
    yield (
        f"\nQueue: {number(depth.pending)} waiting, {number(depth.running)} running, "
        f"{number(depth.scheduled)} scheduled, {plural(depth.dead_letters, 'dead letter')}"
        f"{'; paused' if snapshot.paused else ''}.\n\n"
    )
    for worker in snapshot.workers:
        beat = age((snapshot.at - worker.heartbeat_at).total_seconds())
        yield (
            f"- Worker {worker.id} (pid {worker.pid} on {escaped(worker.host)}): **{worker.state}**, "
            f"since {stamp(worker.started_at, utc=utc)}, last heartbeat {beat} ago\n"
        )
    if not snapshot.workers:
        yield "- No worker has run here.\n"


def _since(incident: Incident, now: datetime, *, utc: bool) -> Iterator[str]:
    yield "\n## Since when\n\n"
    snapshot = incident.snapshot
    moments: list[tuple[datetime, str]] = [
        (cause.first_seen, f"first {short_name(cause.error_type) or 'failure'}") for cause in incident.causes
    ]
    if snapshot.depth.oldest_pending_at:
        moments.append((snapshot.depth.oldest_pending_at, "the oldest waiting task became ready"))
    if any(problem.code in {"worker_down", "worker_silent"} for problem in snapshot.problems):
        moments += [
            (worker.heartbeat_at, f"last heartbeat of worker {worker.id}") for worker in snapshot.workers
        ]
    for at, what in sorted(moments)[:SAMPLES]:
        yield f"- {stamp(at, utc=utc)}, {age((now - at).total_seconds())} ago: {escaped(what)}\n"
    if not moments:
        yield "Nothing is wrong, as far as the files say.\n"


def _causes(incident: Incident, *, utc: bool) -> Iterator[str]:
    yield "\n## Causes\n\n"
    if not incident.causes:
        yield "There are no dead letters.\n"
        return
    yield markdown_row(("Count", "Error", "Task", "First", "Last", "Message"))
    yield "|---:|---|---|---|---|---|\n"
    for cause in incident.causes:
        yield markdown_row((
            number(cause.count), short_name(cause.error_type), short_name(cause.name),
            stamp(cause.first_seen, utc=utc), stamp(cause.last_seen, utc=utc), clean(cause.error, 300),
        ))  # fmt: skip
    for cause in incident.causes[:SAMPLES]:
        if (detail := incident.samples.get(cause.fingerprint)) is not None:
            yield from _sample(detail, utc=utc)


def _sample(detail: LetterDetail, *, utc: bool) -> Iterator[str]:
    letter = detail.letter
    yield f"\n### {escaped(short_name(letter.error_type) or letter.reason)}, for example dead letter {letter.id}\n\n"
    yield f"{escaped(short_name(letter.name))} of {escaped(letter.subject or 'no market')}"
    yield f", died {stamp(letter.last_seen, utc=utc)} ({escaped(letter.reason)}), {plural(letter.attempts, 'attempt')}.\n"
    text = "\n".join(clean_lines(detail.traceback).splitlines()[-TRACEBACK_LINES:])
    yield from _fenced(f"arguments {clean(detail.args, 1_000)}\n{text or clean(letter.error, 1_000)}")


def _fenced(text: str) -> Iterator[str]:
    fence = "`" * max([3, *(len(run) + 1 for run in _FENCE.findall(text))])
    yield f"\n{fence}\n{text}\n{fence}\n"


def _markets(incident: Incident, *, utc: bool) -> Iterator[str]:
    yield "\n## Affected markets\n\n"
    if not incident.markets:
        yield "None.\n"
        return
    newest = f" (of the newest {number(incident.counted)})" if incident.counted == LETTERS else ""
    done: dict[str, datetime] = {}
    for run in incident.snapshot.last_runs:
        if run.name == COLLECT and run.state == "completed" and run.subject:
            done.setdefault(run.subject, run.finished_at)
    for market, count in incident.markets:
        last = f", last collected {stamp(done[market], utc=utc)}" if market in done else ""
        yield f"- {escaped(market)}: {plural(count, 'dead letter')}{newest}{last}\n"


def _timeline(incident: Incident, *, utc: bool) -> Iterator[str]:
    yield "\n## Timeline\n\n"
    events = [(at, escaped(what, 300)) for at, what in incident.journal] + [
        (
            run.finished_at,
            escaped(
                f"{short_name(run.name)} {run.subject or ''} {run.state}, attempt {run.attempt}: {run.error or ''}",
                300,
            ),
        )
        for run in incident.ended
    ]
    for at, what in _newest(events):
        yield f"- {stamp(at, utc=utc)} {what}\n"
    if not events:
        yield "No run failed, and no operator changed anything.\n"


def _newest(events: Sequence[tuple[datetime, str]]) -> list[tuple[datetime, str]]:
    return sorted(events)[-EVENTS:]
