"""What an operator may do to tasks that wait or run.

An act on many tasks is done in chunks of one transaction each, so that workers get their turn between them; the
journal's entry grows with each. What was taken away, or how it was before, is kept in the same transaction.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

from worker.queue.arguments import Edited, edited
from worker.queue.change import Change, Chosen, QueueMark
from worker.queue.errors import RefusedError
from worker.queue.schedules_desk import PAUSE
from worker.queue.schema_tasks import NEXT_ID

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from worker.queue.operator import Operator
    from worker.sqlite import sqlite3

    # Does something to rows of one table; returns the tasks it was done to, and why not to others.
    Outcome = tuple[list[str], list[tuple[str, str]]]
    Step = Callable[[sqlite3.Cursor, str, str, Sequence[int]], Outcome]

CHUNK = 500
SHOWN = 100
KEPT = "queue, data, priority, task_id, name, subject, enqueued_at, attempt, deliveries"
# How a waiting task's row is kept for undo. `+queue` everywhere: by the index on the queue, each would be looked for
# among all of them.
KEEP = {
    "pending": f"""INSERT INTO removed_task (entry, source, id, ready_at, {KEPT})
        SELECT ?, 'pending', id, ready_at, {KEPT} FROM task WHERE +queue = ? AND """,
    "scheduled": f"""INSERT INTO removed_task (entry, source, id, due_at, reason, {KEPT})
        SELECT ?, 'scheduled', id, due_at, reason, {KEPT} FROM schedule WHERE +queue = ? AND """,
}
TABLES = {"pending": "task", "scheduled": "schedule"}
TOUCH = "INSERT OR REPLACE INTO touched_task (entry, task_id, before) VALUES (?, ?, ?)"
MOVED_ON = "has begun, ended or moved on since"


class QueueDesk:
    """An operator at the queue.

    Args:
        operator: who acts.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._storage = operator.storage

    def find(self, task_ids: Sequence[str]) -> tuple[Chosen, list[tuple[str, str]]]:
        """Where tasks are now, and which are nowhere."""
        found: dict[str, list[int]] = {"claim": [], "task": [], "schedule": []}
        lost = []
        with self._storage.db() as cursor:
            for task_id in task_ids:
                for table, rows in found.items():
                    query = f"SELECT id FROM {table} WHERE +queue = ? AND task_id = ?"
                    if row := cursor.execute(query, (self._storage.name, task_id)).fetchone():
                        rows.append(row[0])
                        break
                else:
                    lost.append((task_id, "neither waits nor runs: it has ended or was never here"))
        return Chosen(found["claim"], found["task"], found["schedule"]), lost

    def each(
        self, action: str, chosen: Chosen, step: Step, refused: list[tuple[str, str]],
        about: Mapping[str, Any] | None, *, running: str = "",
    ) -> Change:  # fmt: skip
        """Does something to the chosen tasks that wait, chunk by chunk.

        Args:
            action: for the journal.
            chosen: the tasks.
            step: what is done.
            refused: what is refused already, by task.
            about: what people want to read in the journal: the filter, a sample.
            running: why it cannot be done to running tasks.
        """
        operator, entry, done = self._operator, self._operator.entry(), 0
        asked = len(chosen) + len(refused)
        shown: list[str] = []
        if running:
            refused += [(str(claim), running) for claim in chosen.running]
        for source, rows in (("pending", chosen.pending), ("scheduled", chosen.scheduled)):
            for start in range(0, len(rows), CHUNK):
                chunk = list(rows[start : start + CHUNK])
                with self._storage.db(commit=True) as cursor:
                    some, why_not = step(cursor, entry, source, chunk)
                    done, refused, shown = done + len(some), refused + why_not, (shown + some)[:SHOWN]
                    if done:
                        operator.note(cursor, entry, action, "queue", done, task_ids=shown, **(about or {}))
        self._storage.wake()
        return operator.change(entry, action, asked, done, refused, shown)

    # -- taking away ----------------------------------------------------------------------------

    def cancel(
        self, chosen: Chosen, refused: Sequence[tuple[str, str]] = (), about: Mapping[str, Any] | None = None
    ) -> Change:
        """Takes waiting tasks away and asks running ones to stop."""
        operator, entry = self._operator, self._operator.entry()
        asked: list[str] = []
        shown: list[str] = []
        taken, left = 0, list(refused)
        for source, rows in (
            ("running", chosen.running),
            ("pending", chosen.pending),
            ("scheduled", chosen.scheduled),
        ):
            for start in range(0, len(rows), CHUNK):
                chunk = list(rows[start : start + CHUNK])
                with self._storage.db(commit=True) as cursor:
                    gone = [] if source == "running" else self.take(cursor, entry, source, chunk)
                    taken, shown = taken + len(gone), (shown + [task_id for _, task_id in gone])[:SHOWN]
                    missing = sorted(set(chunk) - {row for row, _ in gone})
                    column = (
                        "id" if source == "running" else "seq"
                    )  # a task that began has its row's id there
                    stopping = [] if source == "scheduled" else self._ask_to_stop(cursor, column, missing)
                    asked += [task_id for _, task_id in stopping]
                    left += [(str(row), MOVED_ON) for row in set(missing) - {row for row, _ in stopping}]
                    if taken or asked:
                        operator.note(
                            cursor, entry, "cancel", "queue", taken + len(asked), task_ids=shown, asked=asked, **(about or {})
                        )  # fmt: skip
                self.let_letters_die(task_id for _, task_id in gone)
        return operator.change(
            entry, "cancel", len(chosen) + len(refused), taken + len(asked), left, shown + asked
        )

    def take(
        self, cursor: sqlite3.Cursor, entry: str, source: str, rows: Sequence[int]
    ) -> list[tuple[int, str]]:
        """Moves waiting tasks to where undo finds them; gives their rows and ids."""
        where = f"id IN ({_marks(rows)})"
        cursor.execute(KEEP[source] + where, (entry, self._storage.name, *rows))
        gone = cursor.execute(
            f"DELETE FROM {TABLES[source]} WHERE +queue = ? AND {where} RETURNING id, task_id",
            (self._storage.name, *rows),
        )
        return [(row, task_id) for row, task_id in gone.fetchall()]

    def _ask_to_stop(self, cursor: sqlite3.Cursor, column: str, rows: Sequence[int]) -> list[tuple[int, str]]:
        where = f"{column} IN ({_marks(rows)})"
        return list(
            cursor.execute(
                f"UPDATE claim SET cancel = 1 WHERE +queue = ? AND {where} RETURNING {column}, task_id",
                (self._storage.name, *rows),
            ).fetchall()
        )

    def take_away(self, cursor: sqlite3.Cursor, entry: str, task_id: str) -> bool:
        """Moves a waiting task to where undo finds it; False if it does not wait."""
        for source, table in TABLES.items():
            cursor.execute(KEEP[source] + "task_id = ?", (entry, self._storage.name, task_id))
            if cursor.execute(
                f"DELETE FROM {table} WHERE +queue = ? AND task_id = ?", (self._storage.name, task_id)
            ).rowcount:
                return True
        return False

    def let_letters_die(self, task_ids: Iterable[str]) -> None:
        """Retries that were taken away leave their letters dead again, not waiting for ever."""
        if self._storage.letters.count("retrying"):
            self._storage.letters.unlink(list(task_ids))

    def mark(self) -> QueueMark:
        """Where the queue ends now; `clear` takes nothing that arrives later."""
        name = self._storage.name
        (last_task,), (last_scheduled,) = (
            self._storage.sql(f"SELECT coalesce(max(id), 0) FROM {table}", results=True)[0]
            for table in TABLES.values()
        )
        depth = dict(self._storage.sql("SELECT state, n FROM depth WHERE queue = ?", (name,), results=True))
        return QueueMark(last_task, last_scheduled, depth.get("pending", 0), depth.get("scheduled", 0))

    def clear(self, up_to: QueueMark) -> Change:
        """Takes away every task that waited when the mark was made."""
        operator, entry, done = self._operator, self._operator.entry(), 0
        shown: list[str] = []
        for source, last in (("pending", up_to.last_pending), ("scheduled", up_to.last_scheduled)):
            query = f"""SELECT id FROM {TABLES[source]} NOT INDEXED WHERE queue = ? AND id <= ?
                ORDER BY id LIMIT {CHUNK}"""
            while True:
                with self._storage.db(commit=True) as cursor:
                    rows = [row for (row,) in cursor.execute(query, (self._storage.name, last)).fetchall()]
                    gone = self.take(cursor, entry, source, rows)
                    done, shown = done + len(gone), (shown + [task_id for _, task_id in gone])[:SHOWN]
                    if gone:
                        operator.note(cursor, entry, "clear", "queue", done, task_ids=shown)
                self.let_letters_die(task_id for _, task_id in gone)
                if len(rows) < CHUNK:
                    break
        return operator.change(entry, "clear", up_to.pending + up_to.scheduled, done)

    # -- order ----------------------------------------------------------------------------------

    def run_now(
        self, chosen: Chosen, refused: Sequence[tuple[str, str]] = (), about: Mapping[str, Any] | None = None
    ) -> Change:
        """Makes scheduled tasks ready."""
        now, name = self._storage.now(), self._storage.name

        def step(cursor: sqlite3.Cursor, entry: str, source: str, rows: Sequence[int]) -> Outcome:
            if source == "pending":
                marks = _marks(rows)
                query = f"SELECT task_id FROM task WHERE +queue = ? AND id IN ({marks})"
                return [], [
                    (one, "is ready already") for (one,) in cursor.execute(query, (name, *rows)).fetchall()
                ]
            query = f"SELECT id, task_id, due_at, reason FROM schedule WHERE +queue = ? AND id IN ({_marks(rows)})"
            there = cursor.execute(query, (name, *rows)).fetchall()
            cursor.executemany(
                f"INSERT INTO task (id, ready_at, {KEPT}) SELECT {NEXT_ID}, ?, {KEPT} FROM schedule WHERE id = ?",
                [(name, now, row[0]) for row in there],
            )
            cursor.executemany("DELETE FROM schedule WHERE id = ?", [(row[0],) for row in there])
            cursor.executemany(
                TOUCH, [(entry, task_id, json.dumps([due, why])) for _, task_id, due, why in there]
            )
            return [row[1] for row in there], _moved_on(rows, [row[0] for row in there])

        return self.each("run_now", chosen, step, list(refused), about, running="runs already")

    def set_priority(
        self,
        chosen: Chosen,
        refused: Sequence[tuple[str, str]] = (),
        *,
        to: float | None = None,
        by: float = 0,
        about: Mapping[str, Any] | None = None,
    ) -> Change:
        """Lets waiting tasks run sooner or later than others.

        Args:
            chosen: the tasks.
            refused: what is refused already, by task.
            to: the new priority; None: the old one changed
            by: so much.
            about: for the journal.
        """

        def step(cursor: sqlite3.Cursor, entry: str, source: str, rows: Sequence[int]) -> Outcome:
            table = TABLES[source]
            query = (
                f"SELECT id, task_id, priority, data FROM {table} WHERE +queue = ? AND id IN ({_marks(rows)})"
            )
            there = cursor.execute(query, (self._storage.name, *rows)).fetchall()
            changed = [(priority + by if to is None else to, data, row) for row, _, priority, data in there]
            cursor.executemany(
                f"UPDATE {table} SET priority = ?, data = ? WHERE id = ?",
                [(new, with_priority(data, new), row) for new, data, row in changed],
            )
            cursor.executemany(TOUCH, [(entry, task_id, json.dumps(old)) for _, task_id, old, _ in there])
            return [row[1] for row in there], _moved_on(rows, [row[0] for row in there])

        told = {"to": to} if to is not None else {"by": by}
        return self.each(
            "priority", chosen, step, list(refused), {**told, **(about or {})}, running="runs already"
        )

    def edit(self, task_id: str, args: str) -> tuple[Change, Edited]:
        """Gives a waiting task other arguments; it keeps its place.

        Args:
            task_id: which.
            args: as `arguments.parse` takes them.

        Raises:
            RefusedError: the task does not wait.
            MessageError: the arguments cannot be understood.
        """
        operator, entry, name = self._operator, self._operator.entry(), self._storage.name
        with self._storage.db(commit=True) as cursor:
            for source, table in TABLES.items():
                query = f"SELECT id, data, subject FROM {table} WHERE +queue = ? AND task_id = ?"
                if row := cursor.execute(query, (name, task_id)).fetchone():
                    change = edited(bytes(row[1]), args, self._storage.runs.args_of)
                    message = orjson.loads(bytes(row[1]))
                    change.apply(message)
                    cursor.execute(KEEP[source] + "id = ?", (entry, name, row[0]))
                    cursor.execute(
                        f"UPDATE {table} SET data = ?, subject = ? WHERE id = ?",
                        (orjson.dumps(message), change.subject(row[2]), row[0]),
                    )
                    operator.note(
                        cursor, entry, "edit", "queue", 1, task_id=task_id, before=change.before, after=change.after
                    )  # fmt: skip
                    return operator.change(entry, "edit", 1, 1, task_ids=[task_id]), change
        raise RefusedError(f"task {task_id} does not wait: it has begun or ended")

    # -- the whole queue ------------------------------------------------------------------------

    def pause(self, *, until: dt.datetime | None = None, note: str = "") -> Change:
        """Lets no worker take anything more; what runs goes on.

        Args:
            until: when it goes on by itself; None: when it is resumed.
            note: why, for the next person.

        Raises:
            RefusedError: `until` has passed.
        """
        now = self._storage.now()
        if until is not None and until.timestamp() <= now:
            raise RefusedError(f"cannot pause the queue until {until.isoformat()}: that has passed")
        pause = (now, until.timestamp() if until else None, note or None, self._operator.actor)
        return self._set_pause("pause", pause, pause_note=note)

    def resume(self) -> Change:
        """Lets workers take tasks again.

        Raises:
            RefusedError: the queue is not paused.
        """
        if self._pause() is None:
            raise RefusedError("the queue is not paused")
        return self._set_pause("resume", None)

    def _pause(self) -> tuple[Any, ...] | None:
        query = f"SELECT {', '.join(PAUSE)} FROM pause WHERE queue = ?"
        rows = self._storage.sql(query, (self._storage.name,), results=True)
        return tuple(rows[0]) if rows else None

    def _set_pause(self, action: str, pause: tuple[Any, ...] | None, **detail: Any) -> Change:
        operator, entry, before = self._operator, self._operator.entry(), self._pause()
        with self._storage.db(commit=True) as cursor:
            self.write_pause(cursor, pause)
            operator.note(cursor, entry, action, "queue", 1, before=before, **detail)
        self._storage.wake()
        return Change(entry, action, 1, 1)

    def write_pause(self, cursor: sqlite3.Cursor, pause: Iterable[Any] | None) -> None:
        """Sets the columns of PAUSE; None: the queue is open."""
        cursor.execute("DELETE FROM pause WHERE queue = ?", (self._storage.name,))
        if pause is not None:
            cursor.execute("INSERT INTO pause VALUES (?, ?, ?, ?, ?)", (self._storage.name, *pause))


def with_priority(data: bytes, priority: float) -> bytes:
    """The message with another priority, which its retries keep too; one that cannot be read stays as it is."""
    try:
        message = orjson.loads(bytes(data))
        message["priority"] = priority
        return orjson.dumps(message)
    except (ValueError, TypeError):
        return data


def _moved_on(wanted: Sequence[int], there: Sequence[int]) -> list[tuple[str, str]]:
    return [(str(row), MOVED_ON) for row in sorted(set(wanted) - set(there))]


def _marks(rows: Sequence[object]) -> str:
    return ",".join("?" * len(rows))
