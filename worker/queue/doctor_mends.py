"""What can be mended of what an examination finds; each mend is one journaled transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.queue import doctor_rows
from worker.queue.schema_tasks import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.queue.operator import Operator


def mend(operator: Operator, code: str) -> int:
    """Mends what a finding of this code says.

    Returns:
        How many things were changed.

    Raises:
        KeyError: nothing can be done about such a finding here.
    """
    return MENDS[code](operator)


def _counters(operator: Operator) -> int:
    storage, done = operator.storage, 0
    with storage.db(commit=True) as cursor:
        for state, table in doctor_rows.PLACES.items():
            cursor.execute(
                f"""INSERT INTO tally (queue, minute, event, n)
                    SELECT ?1, {NOW}, ?2, n FROM (SELECT count(*) AS n FROM {table} WHERE queue = ?1)
                    WHERE n <> coalesce((SELECT n FROM depth WHERE queue = ?1 AND state = ?2), 0)
                    ON CONFLICT DO UPDATE SET n = excluded.n""",
                (storage.name, state),
            )
            done += max(0, cursor.rowcount)
        operator.note(cursor, operator.entry(), "mend", "queue", done, what="counters")
    return done


def _dead_workers(operator: Operator) -> int:
    storage = operator.storage
    freed = storage.claims.reap()
    with storage.db(commit=True) as cursor:
        operator.note(cursor, operator.entry(), "mend", "queue", freed, what="dead_workers")
    return freed


def _stale_locks(operator: Operator) -> int:
    storage = operator.storage
    with storage.db(commit=True) as cursor:
        cursor.execute(
            "DELETE FROM kv WHERE queue = ? AND owner IS NOT NULL AND owner NOT IN (SELECT id FROM worker) RETURNING key",
            (storage.name,),
        )
        freed = [row[0] for row in cursor.fetchall()]
        operator.note(
            cursor, operator.entry(), "mend", "queue", len(freed), what="stale_locks", keys=freed[:100]
        )
    return len(freed)


def _letter_counters(operator: Operator) -> int:
    with operator.storage.letters.transaction() as conn:
        conn.execute("DELETE FROM depth")
        conn.execute("INSERT INTO depth (state, n) SELECT state, count(*) FROM letter GROUP BY state")
        conn.execute("DELETE FROM cause")
        done = conn.execute(
            """INSERT INTO cause (fingerprint, n, first_seen, last_seen, sample)
            SELECT fingerprint, count(*), min(first_seen), max(last_seen), max(id) FROM letter
            WHERE state = 'dead' AND fingerprint IS NOT NULL GROUP BY fingerprint"""
        ).rowcount
        operator.note(conn, operator.entry(), "mend", "failures", done, what="letter_counters")
    return done


def _lost_retries(operator: Operator) -> int:
    storage = operator.storage
    lost = doctor_rows.lost_retry_ids(storage.filename, storage.letters.path, storage.name)
    with storage.letters.transaction() as conn:
        for task_id in lost:
            conn.execute(
                "UPDATE letter SET state = 'dead' WHERE retried_as = ? AND state = 'retrying'", (task_id,)
            )
        operator.note(
            conn, operator.entry(), "mend", "failures", len(lost), what="lost_retries", task_ids=lost[:100]
        )
    return len(lost)


def _stray_files(operator: Operator) -> int:
    found = doctor_rows.stray_files(operator.storage.filename)
    for path in found:
        path.unlink(missing_ok=True)
    with operator.storage.db(commit=True) as cursor:
        operator.note(cursor, operator.entry(), "mend", "queue", len(found), what="stray_files")
    return len(found)


MENDS: dict[str, Callable[[Operator], int]] = {
    "counters": _counters,
    "dead_workers": _dead_workers,
    "stale_locks": _stale_locks,
    "letter_counters": _letter_counters,
    "lost_retries": _lost_retries,
    "stray_files": _stray_files,
}
