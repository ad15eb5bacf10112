"""`status`: is it well, for people and for monitors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.commands.output import CommandError, Exit
from console.readings.verdict import verdict

if TYPE_CHECKING:
    from console.commands.output import Context
    from console.readings.model import Snapshot


def status(context: Context) -> Exit:
    """Says whether all is well; exit code 1 when something needs the operator."""
    snapshot = context.readings.snapshot()
    if snapshot.unreadable:
        raise CommandError(snapshot.unreadable, Exit.UNUSABLE)
    context.answer(document(snapshot), in_words(snapshot))
    return Exit.ATTENTION if snapshot.problems else Exit.DONE


def document(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot under the keys that scripts rely on."""
    at, depth = snapshot.at, snapshot.depth
    oldest = depth.oldest_pending_at
    return {
        "at": at,
        "healthy": not snapshot.problems,
        "problems": [{"code": problem.code, "text": problem.text} for problem in snapshot.problems],
        "workers": [
            {
                "id": worker.id, "host": worker.host, "pid": worker.pid, "state": worker.state,
                "heartbeat_age_s": round((at - worker.heartbeat_at).total_seconds(), 1), "threads": worker.threads,
            }
            for worker in snapshot.workers
        ],
        "queue": {
            "pending": depth.pending, "scheduled": depth.scheduled, "running": depth.running,
            "oldest_pending_age_s": round((at - oldest).total_seconds(), 1) if oldest else None,
            "paused": snapshot.paused,
        },
        "dead_letters": depth.dead_letters,
        "schedules": [
            {
                "name": schedule.name, "cron": schedule.cron, "timezone": schedule.timezone,
                "next": schedule.next_at, "last": schedule.last_at, "missed": schedule.missed,
                "paused": schedule.paused,
            }
            for schedule in snapshot.schedules
        ],
        "topics": {
            "ranked": max((one.at for one in snapshot.library.standings), default=None),
            **{
                one.sink: {"at": one.at, "error": one.error} for one in snapshot.library.deliveries
            },
        },
        "last_hour": {
            name: sum(getattr(minute, name) for minute in snapshot.minutes)
            for name in ("completed", "failed", "retried")
        },
    }  # fmt: skip


def in_words(snapshot: Snapshot) -> str:
    """The snapshot for people."""
    from console.text import clean, plural, until, when  # noqa: PLC0415 - not needed with --json

    depth = snapshot.depth
    lines = [verdict(snapshot)[1]]
    lines += [f"  - {problem.text}" for problem in snapshot.problems[1:]]
    lines.append(
        f"Queue: {depth.pending} pending, {depth.running} running, {depth.scheduled} scheduled; "
        f"{plural(depth.dead_letters, 'dead letter')}; {plural(snapshot.library.documents, 'document')}."
    )
    if snapshot.library.standings:
        from console.rows import topics  # noqa: PLC0415 - as above

        notes = (
            topics.standing(snapshot.library.standings, snapshot.at),
            topics.delivered(snapshot.library.deliveries, snapshot.at),
            topics.model(snapshot.library.standings),
        )
        lines.append(f"Topics: {'; '.join(note for note in notes if note)}.")
    lines += [
        f"{clean(schedule.name)}: {'paused' if schedule.paused else f'{until(schedule.next_at, snapshot.at)} ({when(schedule.next_at, snapshot.at)})'}"
        for schedule in snapshot.schedules
    ]
    return "\n".join(lines)
