"""Values that are not of their column's kind, as a damaged file may hold them: SQLite keeps a text where a number belongs.

What reads the rows must not have to reckon with it: one such value would end a whole list. So it is taken for nothing
at all, or for 0 where there must be a number; a text that is no text is read as far as it is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLUMNS = """SELECT p.name, p.type, p."notnull" OR p.pk FROM sqlite_schema AS m, pragma_table_info(m.name) AS p
    WHERE m.type = 'table'"""
_NUMBERS = frozenset({"INTEGER", "REAL"})


class Kinds:
    """Which columns of a file are numbers, and which are texts; of those that tables do not agree on, none is.

    Args:
        columns: name, declared type, and whether there must be a value.
    """

    query = _COLUMNS

    def __init__(self, columns: Iterable[tuple[str, str, int]]) -> None:
        kinds: dict[str, set[str]] = {}
        needed: dict[str, bool] = {}
        for name, kind, must in columns:
            kinds.setdefault(name, set()).add(kind)
            needed[name] = needed.get(name, True) and bool(must)
        self._instead = {
            name: 0 if needed[name] else None for name, kind in kinds.items() if kind <= _NUMBERS
        }
        self._texts = {name for name, kind in kinds.items() if kind == {"TEXT"}}

    def mend(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows, of which those that are damaged are put right."""
        if rows:
            numbers, texts = self._instead.keys() & rows[0].keys(), self._texts & rows[0].keys()
            for row in rows:
                self._mend(row, numbers, texts)
        return rows

    def _mend(self, row: dict[str, Any], numbers: Iterable[str], texts: Iterable[str]) -> None:
        for name in numbers:
            if isinstance(row[name], (str, bytes)):
                row[name] = self._instead[name]
        for name in texts:
            if isinstance(row[name], bytes):
                row[name] = row[name].decode(errors="replace")
