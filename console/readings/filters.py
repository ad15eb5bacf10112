"""The small language of `/`: the same everywhere, and applied to the whole set in SQL.

Words must all occur. `task:` `market:` `err:` `id:` look in one field, `is:` at the state, `age>5m` and
`age<2h` at the time; of runs, `took>30s` and `waited>1m` at how long they did. A leading `!` inverts a term.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.readings.connection import ReadingError

FIELDS = ("task", "market", "err", "id", "is")
SPANS = ("age", "took", "waited")
_SPAN = re.compile(r"(age|took|waited)([<>])(\d+(?:\.\d+)?)(ms|[smhd])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition.

    Attributes:
        field: one of FIELDS, one of SPANS with its sign (`age>`), or `any` for a plain word.
        value: what is looked for; for a span, seconds.
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
    if word.startswith(tuple(f"{span}{sign}" for span in SPANS for sign in "<>")):
        if not (found := _SPAN.fullmatch(word)):
            raise ReadingError(f"{word!r}: expected a span such as age>5m, age<2h or took>30s")
        span, sign, amount, unit = found.groups()
        return Term(f"{span}{sign}", str(float(amount) * _SECONDS[unit]), inverted)
    field, colon, value = word.partition(":")
    if colon and field in FIELDS:
        return Term(field, value, inverted)
    if colon and field.isalpha() and not value.startswith("//"):
        raise ReadingError(f"{word!r}: expected one of {', '.join(name + ':' for name in FIELDS)} age> age<")
    return Term("any", word, inverted)


Flags = Mapping[str, tuple[str, tuple[Any, ...]]]


def condition(
    terms: tuple[Term, ...], columns: Mapping[str, str], now: float, flags: Flags | None = None
) -> tuple[str, tuple[Any, ...]]:
    """The terms as SQL.

    Args:
        terms: as parsed.
        columns: SQL expression by field; `any` is a tuple of expressions, comma-separated; `age` a time.
        now: Unix seconds.
        flags: what else `is:` may say, as SQL with its parameters.

    Returns:
        A condition that begins with AND, or nothing, and its parameters.
    """
    parts: list[str] = []
    params: list[Any] = []
    for term in terms:
        if not term.value:
            continue
        sql, values = _one(term, columns, now, flags or {})
        parts.append(f" AND {'NOT ' if term.inverted else ''}({sql})")
        params += values
    return "".join(parts), tuple(params)


def _one(term: Term, columns: Mapping[str, str], now: float, flags: Flags) -> tuple[str, list[Any]]:
    if term.field.startswith("age"):
        # Older than means an earlier time.
        sign = "<" if term.field == "age>" else ">"
        return f"{columns['age']} {sign} ?", [now - float(term.value)]
    if term.field[-1] in "<>":
        if (span := term.field[:-1]) not in columns:
            raise ReadingError(f"{term.field}: only runs have taken or waited for some time; press 5")
        return f"{columns[span]} {term.field[-1]} ?", [float(term.value)]
    before = "" if term.field in {"is", "id"} else "%"
    wanted = columns.get(term.field, columns["any"])
    expressions = [part.strip() for part in wanted.split(",")]
    sql = " OR ".join(f"coalesce({expression}, '') LIKE ? ESCAPE '\\'" for expression in expressions)
    params = [_like(term.value, before)] * len(expressions)
    if term.field == "is":
        # A state that is still being typed is as good as a whole one.
        for flag, (also, values) in flags.items():
            if flag.startswith(term.value.lower()):
                sql, params = f"{sql} OR {also}", [*params, *values]
    return sql, params


def _like(text: str, before: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{before}{escaped}%"
