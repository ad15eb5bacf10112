"""What an operator may do to schedules: run, pause, resume, and answer their missed ticks."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.queue.catch_up import ON_TIME_S
from worker.queue.cron import Cron
from worker.queue.errors import RefusedError
from worker.queue.ticks import Late, Register, TickState, passed, paused_because

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from worker.queue.change import Change
    from worker.queue.operator import Operator
    from worker.queue.ticks import Passed
    from worker.sqlite import sqlite3

PAUSE = ("paused_at", "paused_until", "pause_note", "paused_by")
_COLUMNS = ("name", "task_name", "cron", "timezone", "seen_at", "enabled", *PAUSE)


class Replay(StrEnum):
    """How missed ticks are run after all."""

    ONCE = "once"  # one run answers all of them
    ALL = "all"  # a run for each, at once
    SPREAD = "spread"  # a run for each, evenly over a period


class _Tick(NamedTuple):
    id: int
    tick_at: float
    n: int
    state: str


class SchedulesDesk:
    """An operator at the schedules.

    Args:
        operator: who acts.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._storage = operator.storage
        self._register = Register(operator.storage.name)

    def row(self, name: str) -> dict[str, Any]:
        """What the database says of a schedule.

        Raises:
            RefusedError: there is no such schedule, or it is switched off.
        """
        query = f"SELECT {', '.join(_COLUMNS)} FROM periodic WHERE queue = ? ORDER BY name"
        rows = self._storage.sql(query, (self._storage.name,), results=True)
        found = {row[0]: dict(zip(_COLUMNS, row, strict=True)) for row in rows}
        if name not in found:
            known = ", ".join(one for one, row in found.items() if row["enabled"])
            raise RefusedError(
                f"no schedule is named {name!r}; known are: {known or 'none yet: a worker has to start once'}"
            )
        if not found[name]["enabled"]:
            raise RefusedError(f"{name} is switched off in the settings (enabled: false)")
        return found[name]

    # -- run, pause, resume -----------------------------------------------------------------------

    def run(self, name: str) -> Change:
        """Enqueues the schedule's task once, now; its ticks are not changed."""
        operator, row, entry = self._operator, self.row(name), self._operator.entry()
        with self._storage.db(commit=True) as cursor:
            task_id = self._enqueue(cursor, row["task_name"])
            operator.note(cursor, entry, "run_now", "schedules", 1, name=name, task_ids=[task_id])
        self._storage.wake()
        return operator.change(entry, "run_now", 1, 1, task_ids=[task_id])

    def _enqueue(self, cursor: sqlite3.Cursor, task_name: str, at: float | None = None) -> str:
        task_id, now = str(uuid.uuid4()), self._storage.now()
        eta = dt.datetime.fromtimestamp(at, dt.UTC) if at is not None and at > now else None
        sealed = self._operator.seal(task_id, task_name, eta=eta)
        for statement in self._storage.arrival(sealed, None, now):
            cursor.execute(*statement)
        return task_id

    def pause(self, name: str, *, until: dt.datetime | None = None, note: str = "") -> Change:
        """Stops a schedule from firing."""
        now = self._storage.now()
        if until is not None and until.timestamp() <= now:
            raise RefusedError(f"cannot pause {name} until {until.isoformat()}: that has passed")
        changed = (now, until.timestamp() if until else None, note or None, self._operator.actor)
        return self._set_pause("pause", name, changed, pause_note=note, until=changed[1])

    def resume(self, name: str) -> Change:
        """Lets a paused schedule fire again, from its next tick on."""
        row = self.row(name)
        if row["paused_at"] is None or _ended(row, self._storage.now()):
            raise RefusedError(f"{name} is not paused")
        return self._set_pause("resume", name, (None, None, None, None))

    def _set_pause(self, action: str, name: str, pause: tuple[Any, ...], **detail: Any) -> Change:
        operator, entry = self._operator, self._operator.entry()
        with self._storage.db(commit=True) as cursor:
            row = self.write_pause(cursor, name, pause)
            kept = [row[key] for key in PAUSE]
            operator.note(cursor, entry, action, "schedules", 1, name=name, before=kept, **detail)
        return operator.change(entry, action, 1, 1)

    def write_pause(self, cursor: sqlite3.Cursor, name: str, pause: Iterable[Any]) -> dict[str, Any]:
        """Sets the columns of PAUSE; returns the schedule as it was.

        A pause is a cut: what passed before it and was not fired is missed from now on, and what passes while it
        lasts is not missed by anybody.
        """
        now, row, pause = self._storage.now(), self.row(name), tuple(pause)
        seen_at = self._cut(cursor, row, now, pausing=pause[0] is not None)
        cursor.execute(
            """UPDATE periodic SET paused_at = ?, paused_until = ?, pause_note = ?, paused_by = ?,
                seen_at = max(seen_at, ?), next_at = coalesce(?, next_at) WHERE queue = ? AND name = ?""",
            (*pause, seen_at, _following(row, now), self._storage.name, name),
        )
        return row

    def _cut(self, cursor: sqlite3.Cursor, row: dict[str, Any], now: float, *, pausing: bool) -> float:
        """Enters in the register what has passed since the schedule was looked at; returns up to when."""
        name, seen_at = row["name"], float(row["seen_at"])
        rule = Cron(row["cron"], row["timezone"]).after if row["cron"] else _never
        if row["paused_at"] is not None:
            end = min(now, row["paused_until"] or now)
            why = paused_because(row["pause_note"], row["paused_by"])
            self._register.skip(cursor, name, Late.alike(passed(rule, seen_at, end), why), now)
            seen_at = max(seen_at, end)
        if not pausing or row["cron"] is None:
            return seen_at
        self._miss(cursor, name, passed(rule, seen_at, now - ON_TIME_S), now)
        just_due = Late.alike(
            passed(rule, max(seen_at, now - ON_TIME_S), now), "it was paused as it came due"
        )
        self._register.skip(cursor, name, just_due, now)
        return now

    def _miss(self, cursor: sqlite3.Cursor, name: str, found: Passed, now: float) -> None:
        late = Late.alike(found, "no worker ran it when it was due, and then the schedule was paused")
        if late:
            self._register.miss(cursor, name, late, now)

    # -- missed ticks -----------------------------------------------------------------------------

    def replay(
        self,
        name: str,
        how: Replay,
        *,
        over: float | None = None,
        ticks: Sequence[int] | None = None,
        paused: bool = False,
    ) -> Change:
        """Runs missed ticks after all.

        Args:
            name: the schedule.
            how: with one run, with a run for each at once, or with a run for each spread over a period.
            over: seconds of that period; the first runs at once.
            ticks: ids of just these; None: all.
            paused: of all, also those that passed during a pause.

        Raises:
            RefusedError: there is no such schedule, or no such tick.
        """
        if how is Replay.SPREAD and not (over and over > 0):
            raise RefusedError("say over how long the runs are to be spread")
        operator, row, entry = self._operator, self.row(name), self._operator.entry()
        with self._storage.db(commit=True) as cursor:
            chosen, refused = self._open(cursor, name, ticks, paused=paused)
            if how is not Replay.ONCE:
                refused += [(str(tick.id), _TOO_MANY.format(tick.n)) for tick in chosen if tick.n > 1]
                chosen = [tick for tick in chosen if tick.n == 1]
            task_ids = self._answer(cursor, row, chosen, how, over or 0.0, entry)
            done = sum(tick.n for tick in chosen)
            if done:
                detail = {"name": name, "how": how, "over": over, "task_ids": task_ids}
                operator.note(cursor, entry, "replay", "schedules", done, **detail)
        self._storage.wake()
        return operator.change(entry, "replay", done + len(refused), done, refused, task_ids)

    def _answer(
        self,
        cursor: sqlite3.Cursor,
        row: dict[str, Any],
        ticks: list[_Tick],
        how: Replay,
        over: float,
        entry: str,
    ) -> list[str]:
        now, step = self._storage.now(), over / max(len(ticks), 1)
        groups = [ticks] if how is Replay.ONCE and ticks else [[tick] for tick in ticks]
        task_ids = []
        for number, group in enumerate(groups):
            task_id = self._enqueue(cursor, row["task_name"], now + number * step)
            task_ids.append(task_id)
            self._settle(cursor, group, TickState.REPLAYED, entry, task_id)
        self._register.recount(cursor, row["name"])
        return task_ids

    def acknowledge(self, name: str, *, ticks: Sequence[int] | None = None, note: str = "") -> Change:
        """Says that missed ticks need no run.

        Args:
            name: the schedule.
            ticks: ids of just these; None: all.
            note: why, for the next person.

        Raises:
            RefusedError: there is no such schedule, or no such tick.
        """
        operator, entry = self._operator, self._operator.entry()
        self.row(name)
        with self._storage.db(commit=True) as cursor:
            chosen, refused = self._open(cursor, name, ticks, paused=False)
            self._settle(cursor, chosen, TickState.ACKNOWLEDGED, entry, None)
            self._register.recount(cursor, name)
            done = sum(tick.n for tick in chosen)
            if done:
                operator.note(cursor, entry, "acknowledge", "schedules", done, name=name, note=note)
        return operator.change(entry, "acknowledge", done + len(refused), done, refused)

    def _settle(
        self, cursor: sqlite3.Cursor, ticks: list[_Tick], state: TickState, entry: str, task_id: str | None
    ) -> None:
        now = self._storage.now()
        cursor.executemany(
            "UPDATE tick SET was = state, state = ?, task_id = ?, settled_at = ?, entry = ? WHERE id = ?",
            [(state, task_id, now, entry, tick.id) for tick in ticks],
        )

    def _open(
        self, cursor: sqlite3.Cursor, name: str, ids: Sequence[int] | None, *, paused: bool
    ) -> tuple[list[_Tick], list[tuple[str, str]]]:
        """The ticks that can be answered, oldest first, and why others cannot be."""
        query = "SELECT id, tick_at, n, state FROM tick WHERE queue = ? AND schedule = ? AND "
        where = "state IN ('missed', 'paused')" if paused or ids is not None else "state = 'missed'"
        if ids is not None:
            where += f" AND id IN ({','.join('?' * len(ids))})"
        params = (self._storage.name, name, *(ids or ()))
        found = [_Tick(*row) for row in cursor.execute(f"{query}{where} ORDER BY tick_at", params).fetchall()]
        if not found:
            raise RefusedError(f"{name} has no missed tick{'' if ids is None else ' of these any more'}")
        gone = set(ids or ()) - {tick.id for tick in found}
        return found, [(str(one), "is not missed any more") for one in sorted(gone)]

    # -- undo -------------------------------------------------------------------------------------

    def unreplay(
        self, cursor: sqlite3.Cursor, name: str, entry: str, undo_entry: str, task_ids: Sequence[str]
    ) -> tuple[int, list[tuple[str, str]]]:
        """Takes away the runs that have not begun; their ticks are missed again."""
        done, refused = 0, []
        for task_id in task_ids:
            if self._operator.take_away(cursor, undo_entry, task_id):
                done += self._reopen(cursor, "entry = ? AND task_id = ?", (entry, task_id))
            else:
                refused.append((task_id, "has begun or ended"))
        self._register.recount(cursor, name)
        return done, refused

    def unacknowledge(self, cursor: sqlite3.Cursor, name: str, entry: str) -> int:
        """The ticks of an acknowledgement are missed again; returns how many."""
        done = self._reopen(cursor, "entry = ?", (entry,))
        self._register.recount(cursor, name)
        return done

    def _reopen(self, cursor: sqlite3.Cursor, where: str, params: tuple[str, ...]) -> int:
        amount = cursor.execute(f"SELECT coalesce(sum(n), 0) FROM tick WHERE {where}", params).fetchone()[0]
        cursor.execute(
            f"""UPDATE tick SET state = was, was = NULL, task_id = NULL, entry = NULL,
                settled_at = CASE was WHEN 'missed' THEN NULL ELSE settled_at END WHERE {where}""",
            params,
        )
        return int(amount)


_TOO_MANY = "stands for {:,} ticks, too many to run each: run them once, or acknowledge them"


def _never(_after: dt.datetime) -> Iterator[dt.datetime]:
    """A rule that is a function is known to its worker only."""
    return iter(())


def _ended(row: dict[str, Any], now: float) -> bool:
    return row["paused_until"] is not None and row["paused_until"] <= now


def _following(row: dict[str, Any], now: float) -> float | None:
    if row["cron"] is None:
        return None
    coming = Cron(row["cron"], row["timezone"]).coming(dt.datetime.fromtimestamp(now, dt.UTC), 1)
    return coming[0].timestamp() if coming else None
