"""Is it well? In words, from a snapshot. Pure: one definition for the screen, the script and the exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from console.readings.model import Evidence, Problem, WorkerState
from console.text import age, clean, clock, number, plural

if TYPE_CHECKING:
    from console.readings.model import Run, Snapshot, Worker

ALIVE = (WorkerState.RUNNING, WorkerState.HOLDING, WorkerState.DRAINING, WorkerState.STOPPING)
COLLECT = "worker.tasks.collect_all_sources"


def problems(snapshot: Snapshot) -> tuple[Problem, ...]:
    """What needs the operator, the most urgent first; the codes are a contract for scripts."""
    found: list[Problem] = []
    if snapshot.unreadable:
        found.append(Problem("unreadable", snapshot.unreadable))
    found += _of_workers(snapshot)
    if snapshot.paused:
        note = f" ({clean(snapshot.pause_note, 80)})" if snapshot.pause_note else ""
        waiting = plural(snapshot.depth.pending, "task")
        found.append(Problem("queue_paused", f"The queue is paused{note}: {waiting} waiting"))
    for schedule in snapshot.schedules:
        name = clean(schedule.name, 60)
        if schedule.error:
            found.append(Problem("schedule_error", f"{name} cannot be evaluated: {clean(schedule.error)}"))
        elif schedule.overdue and schedule.next_at is not None:
            late = age((snapshot.at - schedule.next_at).total_seconds())
            found.append(Problem("schedule_overdue", f"{name} is {late} overdue"))
        if schedule.missed:
            ticks = plural(schedule.missed, "tick")
            found.append(Problem("schedule_missed", f"{name} missed {ticks}"))
    if dead := snapshot.depth.dead_letters:
        causes = f" of {plural(len(snapshot.fingerprints), 'cause')}" if snapshot.fingerprints else ""
        found.append(Problem("dead_letters", f"{plural(dead, 'dead letter')}{causes}"))
    return tuple(found)


def _of_workers(snapshot: Snapshot) -> list[Problem]:
    alive = [worker for worker in snapshot.workers if worker.state in ALIVE]
    if alive and all(worker.state is WorkerState.HOLDING for worker in alive):
        ids = " ".join(str(worker.id) for worker in alive)
        how = f"let it go on with: topic-console workers resume {ids}"
        return [Problem("workers_hold", f"The worker holds, as an operator asked{_waiting(snapshot)}; {how}")]
    if alive:
        return []
    silent = [worker for worker in snapshot.workers if worker.state is WorkerState.SILENT]
    if silent:
        quiet = age((snapshot.at - silent[-1].heartbeat_at).total_seconds())
        return [
            Problem("worker_silent", f"The worker has been silent for {quiet}: it hangs, or its host is gone")
        ]
    if snapshot.unreadable:
        return []  # who runs cannot be known
    return [Problem("worker_down", f"Worker is not running{_waiting(snapshot)}")]


def evidence(worker: Worker) -> Evidence:
    """How sure it is that a worker still works on what it holds."""
    match worker.state:
        case WorkerState.DEAD:
            return Evidence.DEAD
        case WorkerState.SILENT:
            return Evidence.SILENT
    return Evidence.ALIVE


def _waiting(snapshot: Snapshot) -> str:
    depth = snapshot.depth
    waiting = depth.pending + (depth.running if not any(w.state in ALIVE for w in snapshot.workers) else 0)
    if not waiting:
        return ""
    since = depth.oldest_pending_at
    oldest = f", oldest {age((snapshot.at - since).total_seconds())}" if since else ""
    return f": {plural(waiting, 'task')} {'waits' if waiting == 1 else 'wait'}{oldest}"


def verdict(snapshot: Snapshot) -> tuple[str, str]:
    """The answer in one sentence, about the most urgent thing, with its tone: `good`, `warn` or `bad`.

    The sentence is about the snapshot's moment; its age is shown beside it.
    """
    if snapshot.problems:
        first = snapshot.problems[0]
        tone = "bad" if first.code in {"unreadable", "worker_down", "worker_silent"} else "warn"
        return tone, _sentence(first.text)
    if snapshot.retrying:
        return "warn", _failing(snapshot.retrying[0])
    collection = last_collection(snapshot)
    if snapshot.running:
        return "good", f"All well. {plural(snapshot.depth.running, 'task')} running."
    if collection is None and not snapshot.library.documents:
        return "good", "All well. Nothing has been collected yet."
    return "good", f"All well. {_collection(collection)}" if collection else "All well."


def _failing(run: Run) -> str:
    """It is not dead yet, and all is not well."""
    what = clean(run.subject or run.name.rpartition(".")[2], 40)
    again = f" at {clock(run.retry_at)}" if run.retry_at else ""
    return f"{what} failed at {clock(run.finished_at)} and is tried again{again}."


def _sentence(text: str) -> str:
    return (text[:1].upper() + text[1:]).rstrip(".") + "."


def last_collection(snapshot: Snapshot) -> Run | None:
    """The newest ended collection among the last runs."""
    return next((run for run in snapshot.last_runs if run.name == COLLECT and run.state == "completed"), None)


def _collection(run: Run) -> str:
    return f"Last collection {clock(run.finished_at)}, {clean(run.subject)}: {outcome(run)}."


def outcome(run: Run) -> str:
    """What a run brought, in a few words; empty where it says nothing of itself."""
    if run.state != "completed":
        return clean(run.error or "")
    result = _result(run)
    match result:
        case {"sources": 0, "errors": 0, "well": int(well)} if well:
            said = f"{plural(well, 'source')} had answered already"
        case {"documents": int(new), "sources": int(asked), "errors": int(failed)}:
            said = f"{plural(new, 'new document')} from {number(asked - failed)} of {plural(asked, 'source')}"
        case {"topics_synced": int(synced)}:
            said = f"{plural(synced, 'topic')} synced"
        case {"topics_reported": int(told), "reports": dict(reports)}:
            said = f"{plural(told, 'topic')} in {plural(len(reports), 'report')}"
        case {"proposed": int(feeds)}:
            said = (
                f"{plural(feeds, 'feed')} proposed: topic-worker proposals" if feeds else "no feed proposed"
            )
        case {"markets": list(markets)}:
            said = f"started {plural(len(markets), 'collection')}"
        case _:
            said = clean(run.result or "", 60)
    match result:
        case {"llm": {"reason": str(why)}}:
            said += f"; the model named not all: {clean(why, 120)}"
    return said


def brief(run: Run) -> str:
    """The same where there is little room: `118 new, 38/40 sources`."""
    if run.state == "completed" and run.name == COLLECT:
        match _result(run):
            case {"documents": int(new), "sources": int(asked), "errors": int(failed)} if asked:
                return f"{number(new)} new, {number(asked - failed)}/{number(asked)} sources"
    return outcome(run)


def _result(run: Run) -> object:
    try:
        return json.loads(run.result or "null")
    except (ValueError, RecursionError):
        return None


def worker_in_words(snapshot: Snapshot) -> tuple[str, str]:
    """The workers' state for the frame, with its tone.

    A heart that beats as promised is not counted in seconds: a number that changes for ever says nothing, and draws.
    """
    states = [worker.state for worker in snapshot.workers]
    alive = [worker for worker in snapshot.workers if worker.state in ALIVE]
    if alive:
        many = f" ×{len(alive)}" if len(alive) > 1 else ""
        word = "stopping" if all(worker.state is WorkerState.STOPPING for worker in alive) else "running"
        return "good" if word == "running" else "warn", f"worker{many} {word}"
    if WorkerState.SILENT in states:
        return "bad", "worker silent"
    return "bad", "worker down" if states else "no worker"
