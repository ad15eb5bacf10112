"""The history of runs, and what happened in each minute."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from console.readings.filters import condition, parse
from console.readings.model import Minute, Run, RunDetail
from console.readings.pages import Listing, Segment, Sort
from console.readings.times import maybe, moment

if TYPE_CHECKING:
    from console.readings.connection import File, Row

MINUTES = 60
OTHERS = 20
_RUN = """SELECT id, task_id, name, subject, state, attempt, worker, enqueued_at, ready_at, started_at, finished_at,
    retry_at, args, result, error_type, error, fingerprint FROM run WHERE queue = ?"""
_COLUMNS = {
    "any": "name, subject, error_type, error, task_id", "task": "name", "market": "subject",
    "err": "error_type, error", "id": "task_id", "is": "state", "age": "finished_at",
    "took": "finished_at - started_at", "waited": "started_at - ready_at",
}  # fmt: skip
# What every operator types, whether or not another attempt follows.
_FLAGS = {"failed": ("state IN ('retrying', 'dead')", ())}
# By row id, which is the order of their ends.
SORTS = (Sort("newest", "newest first", "Ended"), Sort("oldest", "oldest first", "Ended", descending=True))
# Which events of the `minute` table each number of a Minute sums up.
_EVENTS = {
    "enqueued": ("enqueued",),
    "completed": ("completed", "skipped"),
    "failed": ("dead",),
    "retried": ("retrying",),
}


def latest(file: File, queue: str, limit: int) -> tuple[Run, ...]:
    """The newest runs first."""
    return tuple(_run(row) for row in file.rows(f"{_RUN} ORDER BY id DESC LIMIT ?", (queue, limit)))


def listing(file: File, queue: str, text: str, now: float, sort: str = "newest") -> Listing[Run]:
    """All runs.

    Args:
        file: `tasks.db`.
        queue: its name.
        text: a filter.
        now: Unix seconds, for ages.
        sort: the id of one of SORTS.

    Raises:
        ReadingError: the filter cannot be understood.
    """
    where, params = condition(parse(text), _COLUMNS, now, _FLAGS)
    order = (("id", sort != "oldest"),)
    return Listing(file, [Segment(_RUN, (queue,), order, _run, where, params, "", "finished_at")])


def detail(file: File, queue: str, run_id: int) -> RunDetail | None:
    """One run in full; None when it is not kept any more."""
    rows = file.rows(f"{_RUN.replace('error, f', 'error, traceback, f')} AND id = ?", (queue, run_id))
    if not rows:
        return None
    run = _run(rows[0])
    others = file.rows(
        f"{_RUN} AND task_id = ? AND id <> ? ORDER BY id LIMIT ?", (queue, run.task_id, run.id, OTHERS)
    )
    retries = file.value("SELECT retries FROM handler WHERE queue = ? AND name = ?", (queue, run.name))
    return RunDetail(
        run=run,
        traceback=rows[0]["traceback"],
        # A task retried by an operator starts anew, and one that asks for a retry itself may exceed its number.
        attempts=retries + 1 if retries is not None and retries + 1 >= run.attempt else None,
        others=tuple(_run(row) for row in others),
    )


def newest_of(file: File, task_id: str) -> int | None:
    """The id of a task's newest run; None where it has none."""
    found: int | None = file.value(
        "SELECT id FROM run WHERE task_id = ? ORDER BY id DESC LIMIT 1", (task_id,)
    )
    return found


def last_state(file: File, task_id: str | None) -> str | None:
    """How a task ended last; None where it has not ended or is unknown."""
    if task_id is None:
        return None
    state: str | None = file.value(
        "SELECT state FROM run WHERE task_id = ? ORDER BY id DESC LIMIT 1", (task_id,)
    )
    return state


def minutes(file: File, queue: str, now: float, *, count: int = MINUTES, each: int = 1) -> tuple[Minute, ...]:
    """The last minutes, oldest first, the current one last; quiet ones included.

    Args:
        file: `tasks.db`.
        queue: its name.
        now: Unix seconds.
        count: how many to give.
        each: how many minutes become one.
    """
    current = int(now // 60) // each
    first = current - count + 1
    bounds = (queue, first * each, int(now // 60))
    counts: dict[int, Counter[str]] = {}
    for row in file.rows(
        "SELECT minute, event, n FROM minute WHERE queue = ? AND minute BETWEEN ? AND ?", bounds
    ):
        counts.setdefault(row["minute"] // each, Counter())[row["event"]] += row["n"]
    depths: dict[int, int] = {}
    if file.knows("depth_minute"):
        query = "SELECT minute, pending FROM depth_minute WHERE queue = ? AND minute BETWEEN ? AND ?"
        for row in file.rows(query, bounds):
            depths[row["minute"] // each] = max(row["pending"], depths.get(row["minute"] // each, 0))
    return tuple(
        Minute(at=moment(at * each * 60), depth=depths.get(at), **_summed(counts.get(at)))
        for at in range(first, current + 1)
    )


def _summed(found: Counter[str] | None) -> dict[str, int]:
    """The numbers of a Minute; none for a quiet one."""
    if found is None:
        return {}
    return {name: sum(found[event] for event in events) for name, events in _EVENTS.items()}


def _run(row: Row) -> Run:
    return Run(
        id=row["id"], task_id=row["task_id"], name=row["name"], subject=row["subject"], state=row["state"],
        attempt=row["attempt"], worker=row["worker"], enqueued_at=moment(row["enqueued_at"]),
        ready_at=moment(row["ready_at"]), started_at=moment(row["started_at"]),
        finished_at=moment(row["finished_at"]), retry_at=maybe(row["retry_at"]), args=row["args"],
        result=row["result"], error_type=row["error_type"], error=row["error"], fingerprint=row["fingerprint"],
    )  # fmt: skip
