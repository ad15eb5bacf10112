"""Taking an operator's act back, as far as that is still possible.

What was done in chunks is taken back in chunks: after a crash in between, the same undo goes on where it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from worker.queue import journal
from worker.queue.connection import wrapped
from worker.queue.errors import RefusedError
from worker.queue.letters_desk import PUT_BACK as PUT_BACK_LETTERS
from worker.queue.queue_desk import CHUNK, KEPT, TABLES, with_priority

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.queue.change import Change
    from worker.queue.journal import Entry
    from worker.queue.operator import Operator
    from worker.sqlite import sqlite3

Refused = list[tuple[str, str]]
BEGUN = "has begun or ended"
_PUT_BACK = {
    "pending": f"INSERT INTO task (id, ready_at, {KEPT}) SELECT id, ready_at, {KEPT} FROM removed_task WHERE rowid IN ",
    "scheduled": f"""INSERT INTO schedule (id, due_at, reason, {KEPT})
        SELECT id, due_at, reason, {KEPT} FROM removed_task WHERE rowid IN """,
}


class Part(NamedTuple):
    """What one transaction of an undo has done.

    Attributes:
        done: how many things.
        refused: ids and reasons of those that could not be taken back.
        more: another transaction is needed.
        undone: retries that were taken away: their letters are as they were.
        back: tasks that have come back: a letter may wait for them again.
    """

    done: int
    refused: Refused
    more: bool = False
    undone: Sequence[str] = ()
    back: Sequence[str] = ()


def undo(operator: Operator, entry_id: str | None) -> Change:
    """Takes an act back; the undo itself is journaled beside it.

    Raises:
        RefusedError: there is no such entry, it has been undone, or it cannot be.
    """
    entry, in_letters = _choose(operator, entry_id)
    if entry.undone_by is not None:
        raise RefusedError(f"entry {entry.id} has been undone already")
    reverse = _REVERSE.get((entry.action, entry.target))
    if reverse is None:
        why = WHY_NOT.get(entry.action, "it has no reverse")
        raise RefusedError(f"entry {entry.id} ({entry.action}) cannot be undone: {why}")
    undo_id, done = _begun(operator, entry, in_letters) or (operator.entry(), 0)
    storage, more = operator.storage, True
    refused: Refused = []
    if entry.action == "canary":
        _end_canaries(operator, entry)
    while more:
        # What a canary has sent is in the other file than its entry.
        in_tasks = not in_letters or entry.action == "canary"
        with storage.db(commit=True) if in_tasks else storage.letters.transaction() as conn:
            part = reverse(operator, conn, entry, undo_id)
            done, refused, more = done + part.done, refused + part.refused, part.more
            if in_tasks != in_letters:
                _sign(operator, conn, entry, undo_id, done, ended=not more)
        if part.undone:
            storage.letters.forget_retry(part.undone)
        if part.back and storage.letters.count():
            storage.letters.relink(part.back)
    if entry.action == "canary":
        with storage.letters.transaction() as conn:
            _sign(operator, conn, entry, undo_id, done, ended=True)
    storage.wake()
    asked = max(entry.count, done + len(refused)) if entry.action in _KEPT_ROWS else done + len(refused)
    if asked > done + len(refused):
        refused.append(("", "is not kept any more: the settings' retention.undo_days has passed"))
    return replace(operator.change(undo_id, "undo", asked, done, refused), undid=(entry.action, entry.target))


def _begun(operator: Operator, entry: Entry, in_letters: bool) -> tuple[str, int] | None:
    """An undo that a crash has cut short goes on under its own name: what it had taken back counts."""
    storage = operator.storage
    if in_letters:
        with wrapped(storage.letters.path):
            return journal.begun_undo(storage.letters.connection(), entry.id)
    with storage.db() as cursor:
        return journal.begun_undo(cursor, entry.id)


def _sign(operator: Operator, conn: Any, entry: Entry, undo_id: str, done: int, *, ended: bool) -> None:
    if ended:
        conn.execute("UPDATE journal SET undone_by = ? WHERE id = ?", (undo_id, entry.id))
    operator.note(conn, undo_id, "undo", entry.target, done, of=entry.id, undid=entry.action)


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


# -- tasks ------------------------------------------------------------------------------------------


def _touched(conn: sqlite3.Cursor, entry: Entry, old: str) -> tuple[list[tuple[str, str | None]], bool]:
    """Tasks that the act touched with how they were before, some at a time; and whether there are more.

    Entries of version 1 have theirs in the journal's detail, under the name `old`.
    """
    rows = conn.execute(
        "DELETE FROM touched_task WHERE entry = ? AND task_id IN "
        "(SELECT task_id FROM touched_task WHERE entry = ? LIMIT ?) RETURNING task_id, before",
        (entry.id, entry.id, CHUNK),
    ).fetchall()
    if rows:
        return rows, len(rows) == CHUNK
    listed = entry.detail.get(old, ())
    return [
        (one[0], orjson.dumps(one[1:]).decode()) if isinstance(one, list) else (one, None) for one in listed
    ], False


def _uncreate(operator: Operator, conn: sqlite3.Cursor, entry: Entry, undo_id: str) -> Part:
    """Of an enqueue or a retry: takes the tasks away that have not begun."""
    touched, more = _touched(conn, entry, "task_ids")
    taken, refused = [], []
    for task_id, _ in touched:
        if operator.take_away(conn, undo_id, task_id):
            taken.append(task_id)
        else:
            refused.append((task_id, BEGUN))
    undone = taken if entry.target == "failures" else ()
    return Part(len(taken), refused, more, undone)


def _unenqueue(operator: Operator, conn: sqlite3.Cursor, entry: Entry, undo_id: str) -> Part:
    """Of an enqueue: takes the task away, or asks it to stop if it has begun."""
    part = _uncreate(operator, conn, entry, undo_id)
    refused = []
    for task_id, _ in part.refused:
        asked = conn.execute("UPDATE claim SET cancel = 1 WHERE task_id = ?", (task_id,)).rowcount
        refused.append((task_id, "runs already: it was asked to stop" if asked else "has ended"))
    return part._replace(refused=refused)


def _restore_tasks(_operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Part:
    """Of a cancel or a clear: puts waiting tasks back in their place."""
    rows = conn.execute(
        "SELECT rowid, source, task_id FROM removed_task WHERE entry = ? LIMIT ?", (entry.id, CHUNK)
    ).fetchall()
    for source, query in _PUT_BACK.items():
        some = [row for row, where, _ in rows if where == source]
        conn.execute(f"{query} ({_marks(some)})", some)
    conn.executemany("DELETE FROM removed_task WHERE rowid = ?", [(row,) for row, _, _ in rows])
    back = [task_id for _, _, task_id in rows]
    if len(rows) == CHUNK:
        return Part(len(rows), [], True, back=back)
    done, refused = len(rows), []
    for task_id in entry.detail.get("asked", ()):
        if conn.execute("UPDATE claim SET cancel = 0 WHERE task_id = ? AND cancel = 1", (task_id,)).rowcount:
            done += 1
        else:
            refused.append((task_id, "has stopped already"))
    return Part(done, refused, back=back)


def _reschedule(operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Part:
    """Of a run now: tasks that have not begun wait for their old time again."""
    touched, more = _touched(conn, entry, "moved")
    done, refused, name = 0, [], operator.storage.name
    for task_id, before in touched:
        due_at, reason = orjson.loads(before or "[0, null]")
        conn.execute(
            f"INSERT INTO schedule (due_at, reason, {KEPT}) SELECT ?, ?, {KEPT} FROM task "
            "WHERE +queue = ? AND task_id = ?",
            (due_at, reason, name, task_id),
        )
        if conn.execute("DELETE FROM task WHERE +queue = ? AND task_id = ?", (name, task_id)).rowcount:
            done += 1
        else:
            refused.append((task_id, BEGUN))
    return Part(done, refused, more)


def _reprioritise(operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Part:
    """Of another priority: the old one, for tasks that have not begun."""
    touched, more = _touched(conn, entry, "")
    done, refused, name = 0, [], operator.storage.name
    for task_id, before in touched:
        old = orjson.loads(before or "0")
        for table in TABLES.values():
            query = f"SELECT id, data FROM {table} WHERE +queue = ? AND task_id = ?"
            if row := conn.execute(query, (name, task_id)).fetchone():
                conn.execute(
                    f"UPDATE {table} SET priority = ?, data = ? WHERE id = ?",
                    (old, with_priority(row[1], old), row[0]),
                )
                done += 1
                break
        else:
            refused.append((task_id, BEGUN))
    return Part(done, refused, more)


def _unedit(operator: Operator, conn: sqlite3.Cursor, entry: Entry, undo_id: str) -> Part:
    """Of other arguments of a waiting task: the row as it was, if it has not begun."""
    task_id = entry.detail["task_id"]
    if not operator.take_away(conn, undo_id, task_id):
        return Part(0, [(task_id, BEGUN)])
    return _restore_tasks(operator, conn, entry, undo_id)


# -- dead letters -----------------------------------------------------------------------------------


def _restore_letters(_operator: Operator, conn: sqlite3.Connection, entry: Entry, _undo_id: str) -> Part:
    """Of a delete or a clear: puts letters back."""
    query = "SELECT rowid FROM removed_letter WHERE entry = ? LIMIT ?"
    rows = [row for (row,) in conn.execute(query, (entry.id, CHUNK)).fetchall()]
    conn.execute(f"{PUT_BACK_LETTERS} ({_marks(rows)})", rows)
    conn.executemany("DELETE FROM removed_letter WHERE rowid = ?", [(row,) for row in rows])
    return Part(len(rows), [], len(rows) == CHUNK)


def _end_canaries(operator: Operator, entry: Entry) -> None:
    """Nothing more follows the canaries of an act that is undone."""
    with operator.storage.letters.transaction() as conn:
        conn.execute(
            """UPDATE canary SET state = 'cancelled', why = 'undone', changed_at = ?
            WHERE entry = ? AND state IN ('waiting', 'releasing')""",
            (operator.storage.now(), entry.id),
        )


def _resume_canaries(_operator: Operator, conn: sqlite3.Connection, entry: Entry, _undo_id: str) -> Part:
    """Of a canary's cancellation: it goes on."""
    done = sum(
        conn.execute(
            "UPDATE canary SET why = NULL, state = iif(released > 1, 'releasing', 'waiting') "
            "WHERE id = ? AND state = 'cancelled'",
            (canary,),
        ).rowcount
        for canary in entry.detail["canaries"]
    )
    return Part(done, [])


def _unquarantine(operator: Operator, conn: sqlite3.Cursor, entry: Entry, undo_id: str) -> Part:
    """Of a quarantine: tasks go back into the queue, unless somebody has dealt with their letters since."""
    from worker.queue.drift import take_letters  # noqa: PLC0415 - it needs the desks

    rows = conn.execute(
        "SELECT rowid, task_id, attempt FROM removed_task WHERE entry = ? LIMIT ?", (entry.id, CHUNK)
    ).fetchall()
    gone = take_letters(operator.storage, [(task_id, attempt) for _, task_id, attempt in rows])
    refused = [
        (task_id, "its dead letter was dealt with since") for _, task_id, _ in rows if task_id not in gone
    ]
    conn.executemany(
        "DELETE FROM removed_task WHERE rowid = ?",
        [(row,) for row, task_id, _ in rows if task_id not in gone],
    )
    part = _restore_tasks(operator, conn, entry, undo_id)
    return Part(part.done, refused, len(rows) == CHUNK)


# -- pauses -----------------------------------------------------------------------------------------


def _restore_pause(operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Part:
    """Of a pause or a resume: as it was."""
    operator.schedules.write_pause(conn, entry.detail["name"], entry.detail["before"])
    return Part(1, [])


def _unreplay(operator: Operator, conn: sqlite3.Cursor, entry: Entry, undo_id: str) -> Part:
    """Of a replay: the runs that have not begun are taken away, and their ticks are missed again."""
    detail = entry.detail
    return Part(*operator.schedules.unreplay(conn, detail["name"], entry.id, undo_id, detail["task_ids"]))


def _unacknowledge(operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Part:
    """Of an acknowledgement: the ticks are missed again."""
    return Part(operator.schedules.unacknowledge(conn, entry.detail["name"], entry.id), [])


def _restore_queue_pause(operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Part:
    """Of a pause or a resume of the whole queue: as it was."""
    operator.queue.write_pause(conn, entry.detail["before"])
    return Part(1, [])


def _restore_switches(operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Part:
    """Of a disable or an enable: as it was."""
    before = {row[0]: row for row in entry.detail["before"]}
    for name in entry.detail["names"]:
        operator.switches.write(conn, entry.detail["scope"], name, before.get(name))
    return Part(len(entry.detail["names"]), [])


def _marks(rows: Sequence[object]) -> str:
    return ",".join("?" * len(rows))


def _restore_wishes(_operator: Operator, conn: sqlite3.Cursor, entry: Entry, _undo_id: str) -> Part:
    """Of a hold or a resume: asks the workers that are still there for what was asked before."""
    done, refused = 0, []
    for worker_id, wish in entry.detail["before"].items():
        query = "UPDATE worker SET wish = ? WHERE id = ? AND wish IS NOT 'drain'"
        if conn.execute(query, (wish, int(worker_id))).rowcount:
            done += 1
        else:
            refused.append((worker_id, "has ended, or is ending"))
    return Part(done, refused)


WHY_NOT = {
    "drain": "a worker that drains does not turn back; start another",
    "mend": "what was put right stays right",
    "undo": "do again what was undone instead",
    "alert": "what was sent is sent",
}
_REVERSE: dict[tuple[str, str], Callable[..., Part]] = {
    ("enqueue", "queue"): _unenqueue,
    ("cancel", "queue"): _restore_tasks,
    ("clear", "queue"): _restore_tasks,
    ("run_now", "queue"): _reschedule,
    ("priority", "queue"): _reprioritise,
    ("edit", "queue"): _unedit,
    ("quarantine", "queue"): _unquarantine,
    ("retry", "failures"): _uncreate,
    ("edit", "failures"): _uncreate,
    ("canary", "failures"): _uncreate,
    ("cancel", "canary"): _resume_canaries,
    ("delete", "failures"): _restore_letters,
    ("clear", "failures"): _restore_letters,
    ("pause", "queue"): _restore_queue_pause,
    ("resume", "queue"): _restore_queue_pause,
    ("pause", "schedules"): _restore_pause,
    ("resume", "schedules"): _restore_pause,
    ("run_now", "schedules"): _uncreate,
    ("replay", "schedules"): _unreplay,
    ("acknowledge", "schedules"): _unacknowledge,
    ("hold", "workers"): _restore_wishes,
    ("resume", "workers"): _restore_wishes,
    ("disable", "sources"): _restore_switches,
    ("enable", "sources"): _restore_switches,
}
REVERSIBLE = frozenset(_REVERSE)
# Acts that took rows away: what retention has forgotten of them cannot come back, and that is said.
_KEPT_ROWS = frozenset({"cancel", "clear", "delete", "acknowledge", "quarantine"})
