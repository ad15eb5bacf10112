"""How each source of each market is doing: from `topics.db`, and which are disabled, from `tasks.db`."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from console.readings.filters import condition, parse
from console.readings.model import Source, SourceState
from console.readings.pages import Listing, Segment, Sort
from console.readings.times import maybe, moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from console.readings.connection import File, Row

_SCOPE = "sources:"
# The first that is true: what an operator must know first.
_STATE = f"""CASE WHEN disabled THEN '{SourceState.DISABLED}' WHEN gone_at IS NOT NULL THEN '{SourceState.GONE}'
    WHEN errors_in_row > 0 AND status IN (429, 503) THEN '{SourceState.WAITING}'
    WHEN errors_in_row > 0 THEN '{SourceState.FAILING}' ELSE '{SourceState.OK}' END"""
_SELECT = f"""SELECT *, {_STATE} AS state FROM (SELECT source.*, off.name IS NOT NULL AS disabled FROM source
    LEFT JOIN (SELECT value AS name FROM json_each(?)) AS off ON off.name = market || char(10) || key) WHERE """
_COLUMNS = {
    "any": "name, key, url, last_error", "task": "''", "market": "market", "id": "key", "is": "state",
    "err": "CASE WHEN errors_in_row > 0 THEN last_error END", "age": "last_success",
}  # fmt: skip
# The orders of the list; in the first, those that fail stand before the others.
SORTS = (
    Sort("worst", "those that fail first", "State"),
    Sort("market", "by market", "Market"),
    Sort("kept", "most documents first", "Kept", descending=True),
    Sort("slow", "slowest first", "Took", descending=True),
    Sort("quiet", "longest without an answer first", "Good", descending=True),
)
_NAME = (("market", False), ("key", False))
_ORDERS: dict[str, tuple[tuple[str, tuple[tuple[str, bool], ...]], ...]] = {
    "worst": (("errors_in_row > 0", _NAME), ("errors_in_row = 0", _NAME)),
    "market": (("1", _NAME),),
    "kept": (("1", (("documents", True), *_NAME)),),
    "slow": (("latency IS NOT NULL", (("latency", True), *_NAME)), ("latency IS NULL", _NAME)),
    "quiet": (
        ("last_success IS NULL", _NAME),
        ("last_success IS NOT NULL", (("last_success", False), *_NAME)),
    ),
}


def listing(
    file: File, tasks: File, queue: str, text: str, now: float, sort: str = "worst"
) -> Listing[Source]:
    """All sources of all markets as one list.

    Args:
        file: `topics.db`.
        tasks: `tasks.db`, which knows what is disabled.
        queue: its queue's name.
        text: a filter.
        now: Unix seconds, for ages.
        sort: the id of one of SORTS.

    Raises:
        ReadingError: the filter cannot be understood.
    """
    disabled = _disabled(tasks, queue)
    where, wanted = condition(parse(text), _COLUMNS, now)
    params = (_names(disabled),)
    build = partial(_source, disabled=disabled)
    segments = [
        Segment(f"{_SELECT}{part}", params, order, build, where, wanted) for part, order in _ORDERS[sort]
    ]
    # As many as the markets' files name: counted at once, and no event adds to them.
    return Listing(file, segments, lambda: int(file.value("SELECT count(*) FROM source") or 0))


def detail(file: File, tasks: File, queue: str, market: str, key: str) -> Source | None:
    """One source; None when there is none of this key."""
    disabled = _disabled(tasks, queue)
    rows = file.rows(f"{_SELECT}market = ? AND key = ?", (_names(disabled), market, key))
    return _source(rows[0], disabled=disabled) if rows else None


def _names(disabled: Iterable[tuple[str, str]]) -> str:
    return json.dumps([f"{market}\n{key}" for market, key in disabled])


def named(file: File, market: str | None, name: str) -> tuple[tuple[str, str], ...]:
    """Market and key of the sources that a key, a name or an address may mean."""
    query = "SELECT market, key FROM source WHERE (key = ?1 OR name = ?1 OR url = ?1) AND market = coalesce(?2, market)"
    return tuple(
        (row["market"], row["key"]) for row in file.rows(f"{query} ORDER BY market, key", (name, market))
    )


def _disabled(tasks: File, queue: str) -> dict[tuple[str, str], Row]:
    # A file that no worker of this version has opened yet has no switches.
    if not tasks.value("SELECT 1 FROM sqlite_master WHERE name = 'switched_off'"):
        return {}
    rows = tasks.rows(
        "SELECT scope, name, off_at, off_by, note FROM switched_off WHERE queue = ? AND scope >= ? AND scope < ?",
        (queue, _SCOPE, f"{_SCOPE[:-1]};"),
    )
    return {(row["scope"].removeprefix(_SCOPE), row["name"]): row for row in rows}


def _source(row: Row, *, disabled: dict[tuple[str, str], Row]) -> Source:
    """A source; a file that no worker of this version has opened yet lacks some columns."""
    off = disabled.get((row["market"], row["key"]))
    return Source(
        market=row["market"], key=row["key"], name=row["name"], url=row["url"], state=SourceState(row["state"]),
        kind=row.get("kind", "feed"), last_attempt=moment(row["last_attempt"]), last_success=maybe(row["last_success"]),
        last_error=row["last_error"], last_error_at=maybe(row["last_error_at"]), errors_in_row=row["errors_in_row"],
        status=row["status"], items=row["items"], documents=row["documents"], per_week=row.get("per_week"),
        latency=row["latency"], size=row["bytes"], next_due=maybe(row.get("next_due")),
        held_until=maybe(row.get("held_until")), etag=row["etag"], last_modified=row["last_modified"],
        warning=row["warning"], moved_to=row["moved_to"], moved_seen=row.get("moved_seen", 0),
        gone_at=maybe(row["gone_at"]), unlisted_at=maybe(row.get("unlisted_at")),
        disabled_at=maybe(off["off_at"]) if off else None, disabled_by=off["off_by"] if off else None,
        note=off["note"] if off else None,
    )  # fmt: skip
