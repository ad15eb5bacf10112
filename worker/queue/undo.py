"""Taking an operator's act back, as far as that is still possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.queue import journal
from worker.queue.connection import wrapped
from worker.queue.errors import RefusedError
from worker.queue.letters_desk import PUT_BACK as PUT_BACK_LETTERS
from worker.queue.operator import PUT_BACK as PUT_BACK_TASKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.queue.change import Change
    from worker.queue.journal import Entry
    from worker.queue.operator import Operator
    from worker.sqlite import sqlite3

# What was done, and the ids with reasons of what could not be taken back.
Outcome = tuple[int, list[tuple[str, str]]]


def undo(operator: Operator, entry_id: str | None) -> Change:
    """Takes an act back; the undo itself is journaled beside it.

    Raises:
        RefusedError: there is no such entry, or it has been undone.
    """
    entry, in_letters = _choose(operator, entry_id)
    if entry.undone_by is not None:
        raise RefusedError(f"entry {entry.id} has been undone already")
    reverse = _REVERSE.get((entry.action, entry.target))
    if reverse is None:
        raise RefusedError(f"entry {entry.id} ({entry.action}) cannot be undone")
    undo_id = operator.entry()
    storage = operator.storage
    with storage.letters.transaction() if in_letters else storage.db(commit=True) as conn:
        done, refused = reverse(operator, conn, entry, undo_id)
        conn.execute("UPDATE journal SET undone_by = ? WHERE id = ?", (undo_id, entry.id))
        operator.note(conn, undo_id, "undo", entry.target, done, of=entry.id, undid=entry.action)
    if entry.action == "retry":
        _revive(operator, entry, refused)
    storage.wake()
    return operator.change(undo_id, "undo", entry.count, done, refused)


def _choose(operator: Operator, entry_id: str | None) -> tuple[Entry, bool]:
    """The entry, and whether it is in the dead letters' file."""
    storage = operator.storage
    with wrapped(storage.letters.path):
        letters = storage.letters.connection()
        there = journal.find(letters, entry_id) if entry_id else journal.latest(letters)
    with storage.db() as cursor:
        here = journal.find(cursor, entry_id) if entry_id else journal.latest(cursor)
    if there is not None and (here is None or there.id > here.id):
        return there, True
    if here is not None:
        return here, False
    raise RefusedError(f"no journal entry is named {entry_id!r}" if entry_id else "there is nothing to undo")


def _uncreate(operator: Operator, conn: sqlite3.Cursor, entry: Entry, undo_id: str) -> Outcome:
    """Of an enqueue or a retry: takes the tasks away that have not begun."""
    done, refused = 0, []
    for task_id in entry.detail["task_ids"]:
        if operator.take_away(conn, undo_id, task_id):
            done += 1
        else:
            refused.append((task_id, "has begun or ended"))
    return done, refused


def _revive(operator: Operator, entry: Entry, refused: list[tuple[str, str]]) -> None:
    """The letters of retries that were taken away are dead again."""
    begun = {task_id for task_id, _ in refused}
    with operator.storage.letters.transaction() as conn:
        conn.executemany(
            """UPDATE letter SET state = 'dead', retries = retries - 1, retried_as = NULL, retried_at = NULL
            WHERE retried_as = ? AND state = 'retrying'""",
            [(task_id,) for task_id in entry.detail["task_ids"] if task_id not in begun],
        )


def _restore_tasks(_operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Outcome:
    """Of a cancel or a clear: puts waiting tasks back in their place."""
    done = sum(conn.execute(query, (entry.id,)).rowcount for query in PUT_BACK_TASKS)
    conn.execute("DELETE FROM removed_task WHERE entry = ?", (entry.id,))
    refused: list[tuple[str, str]] = []
    lost = entry.count - done - len(entry.detail.get("asked", ()))
    for task_id in entry.detail.get("asked", ()):
        if conn.execute("UPDATE claim SET cancel = 0 WHERE task_id = ? AND cancel = 1", (task_id,)).rowcount:
            done += 1
        else:
            refused.append((task_id, "has stopped already"))
    return done, refused + _forgotten(lost)


def _reschedule(operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Outcome:
    """Of a run now: tasks that have not begun wait for their old time again."""
    done, refused = 0, []
    name = operator.storage.name
    columns = "queue, data, priority, task_id, name, subject, enqueued_at, attempt, deliveries"
    for task_id, due_at, reason in entry.detail["moved"]:
        conn.execute(
            f"INSERT INTO schedule (due_at, reason, {columns}) SELECT ?, ?, {columns} FROM task "
            "WHERE queue = ? AND task_id = ?",
            (due_at, reason, name, task_id),
        )
        if conn.execute("DELETE FROM task WHERE queue = ? AND task_id = ?", (name, task_id)).rowcount:
            done += 1
        else:
            refused.append((task_id, "has begun or ended"))
    return done, refused


def _restore_letters(_operator: Operator, conn: sqlite3.Connection, entry: Entry, _undo_id: str) -> Outcome:
    """Of a delete or a clear: puts letters back."""
    done = conn.execute(PUT_BACK_LETTERS, (entry.id,)).rowcount
    conn.execute("DELETE FROM removed_letter WHERE entry = ?", (entry.id,))
    return done, _forgotten(entry.count - done)


def _forgotten(lost: int) -> list[tuple[str, str]]:
    """What retention has taken since cannot come back; it is said, not passed over."""
    return [("", "is not kept any more: the settings' retention.undo_days has passed")] * max(lost, 0)


def _restore_pause(operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Outcome:
    """Of a pause or a resume: as it was."""
    operator.schedules.write_pause(conn, entry.detail["name"], entry.detail["before"])
    return 1, []


def _unreplay(operator: Operator, conn: sqlite3.Cursor, entry: Entry, undo_id: str) -> Outcome:
    """Of a replay: the runs that have not begun are taken away, and their ticks are missed again."""
    detail = entry.detail
    return operator.schedules.unreplay(conn, detail["name"], entry.id, undo_id, detail["task_ids"])


def _unacknowledge(operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Outcome:
    """Of an acknowledgement: the ticks are missed again."""
    done = operator.schedules.unacknowledge(conn, entry.detail["name"], entry.id)
    return done, _forgotten(entry.count - done)


def _restore_queue_pause(operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Outcome:
    """Of a pause or a resume of the whole queue: as it was."""
    operator.write_queue_pause(conn, entry.detail["before"])
    return 1, []


_REVERSE: dict[tuple[str, str], Callable[..., Outcome]] = {
    ("enqueue", "queue"): _uncreate,
    ("cancel", "queue"): _restore_tasks,
    ("clear", "queue"): _restore_tasks,
    ("run_now", "queue"): _reschedule,
    ("retry", "failures"): _uncreate,
    ("delete", "failures"): _restore_letters,
    ("clear", "failures"): _restore_letters,
    ("pause", "queue"): _restore_queue_pause,
    ("resume", "queue"): _restore_queue_pause,
    ("pause", "schedules"): _restore_pause,
    ("resume", "schedules"): _restore_pause,
    ("run_now", "schedules"): _uncreate,
    ("replay", "schedules"): _unreplay,
    ("acknowledge", "schedules"): _unacknowledge,
}
