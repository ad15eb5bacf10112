"""Which SQLite this program runs on; every module takes `sqlite3` from here, and from nowhere else.

SQLite 3.7.0 to 3.51.2 can damage a file in WAL mode when two connections write or checkpoint at one moment
(https://sqlite.org/wal.html#walresetbug), and a stock Python 3.11 may bring 3.40. `pysqlite3` is the standard
library's own module over a SQLite of its own, with wheels for the common systems, and sqlite-utils takes it, too,
where it is installed. Elsewhere the standard library's does.

Two SQLite libraries in one process must not open the same file: when one of them closes it, the other loses its
locks (https://sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# The fix, and the branches that it was carried back to.
FIXED = (3, 51, 3)
FIXED_BRANCHES = {(3, 50): 7, (3, 44): 6}
FIRST_AFFECTED = (3, 7, 0)


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether a SQLite of this version, (3, 40, 1) say, can damage a file that several processes write."""
    if version < FIRST_AFFECTED or version >= FIXED:
        return False
    patch = FIXED_BRANCHES.get((version[0], version[1]))
    return patch is None or version[2] < patch


def _choose() -> Any:
    try:
        bundled = importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        bundled = None
    if bundled is not None and not has_wal_reset_bug(bundled.sqlite_version_info):
        return bundled
    standard = importlib.import_module("sqlite3")
    if bundled is not None and bundled.sqlite_version_info >= standard.sqlite_version_info:
        return bundled
    return standard


if TYPE_CHECKING:
    import sqlite3
else:
    sqlite3 = _choose()

__all__ = ["has_wal_reset_bug", "sqlite3"]
