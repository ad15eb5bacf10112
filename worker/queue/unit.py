"""The unit of work: what one execution changes, from its claim to its acknowledgement.

Everything Huey writes about a task after its body (result, retry, follow-up, chord, revocation) is
recorded here instead of being stored piece by piece, and is then committed in one transaction with
the acknowledgement. A recorded write can be replayed, so a locked or full database delays an outcome
and does not lose it. A write whose answer is needed at once (a chord's counter) turns the unit into an
open transaction: it is `live` until it ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class Statement(NamedTuple):
    """A write, to be executed now or later."""

    sql: str
    params: tuple[Any, ...] = ()


class RunState(StrEnum):
    """How an execution ended."""

    COMPLETED = "completed"
    RETRYING = "retrying"  # failed, and another attempt is due
    DEAD = "dead"  # failed, and none is left
    SKIPPED = "skipped"  # the task found nothing to do and said why
    CANCELLED = "cancelled"  # revoked, expired, or stopped by the operator
    INTERRUPTED = "interrupted"  # the worker stopped first; the task was given back


@dataclass(slots=True)
class Claim:
    """A task in the hands of this process.

    Attributes:
        id: worker's id << 32 | counter; never used twice, so a late outcome cannot match it.
        seq: the row id it had in `task`, to which it returns when it is given back.
        deliveries: how often it was handed out, this time included.
        claimed_at: Unix seconds.
    """

    id: int
    seq: int
    ready_at: float
    data: bytes
    priority: float
    task_id: str | None
    name: str | None
    subject: str | None
    enqueued_at: float
    attempt: int
    deliveries: int
    claimed_at: float


@dataclass(slots=True)
class Unit:
    """The state of one execution in one thread.

    Attributes:
        writes: recorded, not yet executed.
        live: a transaction is open and the storage's lock is held.
        in_body: the task's own code runs; its writes are its own and are not recorded.
        wake: the commit makes a task ready, so workers are to be woken.
        state: how it ended, as far as it is known.
    """

    claim: Claim
    started_at: float
    writes: list[Statement] = field(default_factory=list)
    live: bool = False
    in_body: bool = False
    wake: bool = False
    state: RunState | None = None
    value: Any = None
    exception: BaseException | None = None
    why: str | None = None  # of a skipped or cancelled run
    retrying: bool = False
    retry_at: float | None = None
    bounced: bool = False  # not due yet: it moved to the schedule, nothing was run
