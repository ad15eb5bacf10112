"""The small language of `/`: the same everywhere, and applied to the whole set in SQL.

Words must all occur. `task:` `market:` `err:` `id:` look in one field, `is:` at the state, `age>5m` and
`age<2h` at the time. A leading `!` inverts a term.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.readings.connection import ReadingError

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS = ("task", "market", "err", "id", "is")
_AGE = re.compile(r"age([<>])(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition.

    Attributes:
        field: one of FIELDS, `age>` or `age<`, or `any` for a plain word.
        value: what is looked for; for an age, seconds.
        inverted: whether it must not hold.
    """

    field: str
    value: str
    inverted: bool = False


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a filter; quotes keep words together.

    Raises:
        ReadingError: a term cannot be understood; the message names it.
    """
    try:
        words = shlex.split(text, posix=True)
    except ValueError:
        words = text.split()  # a quote that is still being typed
    return tuple(_term(word) for word in words)


def _term(word: str) -> Term:
    inverted, word = word.startswith("!"), word.removeprefix("!")
    if word.startswith(("age>", "age<")):
        if not (found := _AGE.fullmatch(word)):
            raise ReadingError(f"{word!r}: expected an age such as age>5m or age<2h")
        sign, amount, unit = found.groups()
        return Term(f"age{sign}", str(float(amount) * _SECONDS[unit]), inverted)
    field, colon, value = word.partition(":")
    if colon and field in FIELDS:
        return Term(field, value, inverted)
    if colon and field.isalpha() and not value.startswith("//"):
        raise ReadingError(f"{word!r}: expected one of {', '.join(name + ':' for name in FIELDS)} age> age<")
    return Term("any", word, inverted)


def condition(terms: tuple[Term, ...], columns: Mapping[str, str], now: float) -> tuple[str, tuple[Any, ...]]:
    """The terms as SQL.

    Args:
        terms: as parsed.
        columns: SQL expression by field; `any` is a tuple of expressions, comma-separated; `age` a time.
        now: Unix seconds.

    Returns:
        A condition that begins with AND, or nothing, and its parameters.
    """
    parts: list[str] = []
    params: list[Any] = []
    for term in terms:
        if not term.value:
            continue
        sql, values = _one(term, columns, now)
        parts.append(f" AND {'NOT ' if term.inverted else ''}({sql})")
        params += values
    return "".join(parts), tuple(params)


def _one(term: Term, columns: Mapping[str, str], now: float) -> tuple[str, list[Any]]:
    if term.field.startswith("age"):
        # Older than means an earlier time.
        sign = "<" if term.field == "age>" else ">"
        return f"{columns['age']} {sign} ?", [now - float(term.value)]
    if term.field in {"is", "id"}:
        pattern = term.value.lower() if term.field == "is" else term.value
        sql = f"coalesce({columns[term.field]}, '')"
        return (
            (f"{sql} = ?", [pattern])
            if term.field == "is"
            else (f"{sql} LIKE ? ESCAPE '\\'", [_like(pattern, "")])
        )
    wanted = columns.get(term.field, columns["any"])
    expressions = [part.strip() for part in wanted.split(",")]
    sql = " OR ".join(f"coalesce({expression}, '') LIKE ? ESCAPE '\\'" for expression in expressions)
    return sql, [_like(term.value, "%")] * len(expressions)


def _like(text: str, before: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{before}{escaped}%"
