"""Canary retries: one dead letter of a cause first, the rest when it has succeeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.readings.times import moment

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.connection import File


@dataclass(frozen=True, slots=True)
class Canary:
    """A careful retry of a cause's letters: one first, the rest when that has succeeded."""

    state: str  # waiting | releasing | released | stopped | cancelled
    count: int
    released: int
    why: str | None
    actor: str
    started_at: datetime
    changed_at: datetime

    @property
    def going(self) -> bool:
        """Whether it still waits, or lets letters go."""
        return self.state in {"waiting", "releasing"}


def latest(file: File, fingerprint: str) -> Canary | None:
    """The latest canary retry of a cause."""
    rows = file.rows("SELECT * FROM canary WHERE fingerprint = ? ORDER BY id DESC LIMIT 1", (fingerprint,))
    if not rows:
        return None
    row = rows[0]
    return Canary(
        state=row["state"], count=row["count"], released=row["released"], why=row["why"], actor=row["actor"],
        started_at=moment(row["started_at"]), changed_at=moment(row["changed_at"]),
    )  # fmt: skip
