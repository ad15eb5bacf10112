"""Search over all that was collected, and over the topics made of it: ranked, with the words in their context.

A query is words, "phrases", and filters: `market:` `source:` `lang:` `after:` `before:` `is:topic` `is:document`;
a leading `!` excludes. All must hold. Only the newest `NEWEST` matches are ranked, so that a word which is in
every second of a million documents costs what a rare one does.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from console.readings.connection import ReadingError
from console.readings.model import Found
from console.readings.pages import Whole
from console.readings.times import maybe, moment
from console.readings.words import query_of

if TYPE_CHECKING:
    from console.readings.connection import File, Row

FIELDS: Final = ("market", "source", "lang", "after", "before", "is")
KINDS: Final = ("document", "topic")
HITS: Final = 100
TOPICS: Final = 5
NEWEST: Final = 1_000
# Ranking looks at every match of a word once; beyond so many the newest come first instead, without filters those in titles before.
_MOST_RANKED: Final = 15_000
# A market of at most so many documents is looked up by its own index, a larger one as the matches are read.
_SMALL: Final = 20_000
_DAY_S: Final = 86_400.0
_SPAN: Final = re.compile(r"(\d{1,4})([hdw])")
_DATE: Final = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")
_HIT = ("\x02", "\x03")
_PIECES: Final = re.compile("\x02([^\x03]*)\x03")
_WEIGHTS: Final = "8.0, 2.0, 1.0"  # title, summary, content


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it was understood.

    Attributes:
        match: for the full-text index; "" where only filters were given.
        kind: what is wanted; None: both.
        after: Unix seconds; None: no bound.
    """

    match: str
    markets: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    after: float | None = None
    before: float | None = None
    kind: str | None = None


def search(file: File, text: str, now: float, limit: int = HITS) -> Whole[Found]:
    """What matches the query, the likeliest first; nothing for an empty one.

    Args:
        file: the library.
        text: the query.
        now: Unix seconds, for `after:7d`.
        limit: how many documents at the most.

    Raises:
        ReadingError: a filter cannot be understood; the message names it.
    """
    query = parse(text, now)
    if query == Query(""):
        return Whole(())
    with file.one_moment():
        topics = _topics(file, query, limit if query.kind == "topic" else min(limit, TOPICS))
        documents = () if query.kind == "topic" else _documents(file, query, limit)
    return Whole(
        (*topics, *documents), key=lambda found: f"{found.kind}{found.id}", since=lambda found: found.at
    )


# -- the query ---------------------------------------------------------------------------------------


def parse(text: str, now: float) -> Query:
    """The words and filters of a query.

    Raises:
        ReadingError: a filter cannot be understood.
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    query = Query("")
    for part in _parts(text):
        field, colon, value = part.partition(":")
        if colon and field in FIELDS:
            query = _filtered(query, field, value, now)
        elif colon and field.isalpha() and value and not value.startswith("//"):
            raise ReadingError(f"{part!r}: expected one of {', '.join(name + ':' for name in FIELDS)}")
        elif part[:1] in {"!", "-"} and len(part) > 1:
            unwanted.append(part[1:])
        else:
            wanted.append(part)
    match = query_of(wanted)
    for excluded in filter(None, (query_of([one], unfinished=False) for one in unwanted)):
        match = f"({match}) NOT ({excluded})" if match else ""
    return replace(query, match=match)


def _parts(text: str) -> list[str]:
    lexer = shlex.shlex(text.replace("\0", " "), posix=True, punctuation_chars="")
    lexer.whitespace_split, lexer.commenters, lexer.quotes, lexer.escape = True, "", '"', ""
    try:
        return list(lexer)
    except ValueError:
        return text.replace('"', " ").split()  # a quote that is still being typed


def _filtered(query: Query, field: str, value: str, now: float) -> Query:
    if not value:
        return query  # still being typed
    if field == "market":
        return replace(query, markets=(*query.markets, value))
    if field == "source":
        return replace(query, sources=(*query.sources, value.removeprefix("www.").lower()))
    if field == "lang":
        return replace(query, languages=(*query.languages, value.lower()))
    if field == "is":
        kinds = [kind for kind in KINDS if kind.startswith(value.lower())]
        if len(kinds) != 1:
            raise ReadingError(f"{'is:' + value!r}: expected is:document or is:topic")
        return replace(query, kind=kinds[0])
    at = _time(field, value, now)
    return replace(query, after=at) if field == "after" else replace(query, before=at)


def _time(field: str, value: str, now: float) -> float:
    if found := _SPAN.fullmatch(value):
        hours = int(found[1]) * {"h": 1, "d": 24, "w": 168}[found[2]]
        return (datetime.fromtimestamp(now, UTC) - timedelta(hours=hours)).timestamp()
    if found := _DATE.fullmatch(value):
        year, month, day = (int(part) if part else 1 for part in found.groups())
        try:
            return datetime(year, month, day, tzinfo=UTC).timestamp()
        except ValueError:
            pass
    raise ReadingError(
        f"{field + ':' + value!r}: expected a date such as 2026-11-01 or 2026-11, or a span such as 7d"
    )


# -- documents ---------------------------------------------------------------------------------------


def _documents(file: File, query: Query, limit: int) -> tuple[Found, ...]:
    where, params = _conditions(file, query)
    if not query.match:
        rows = file.rows(f"{_SELECT} WHERE 1{where} ORDER BY d.id DESC LIMIT ?", (*params, limit))
        return _built(file, rows)
    ids = _ranked(file, query.match, where, params, limit)
    if not ids:
        return ()
    rows = file.rows(
        f"{_SELECT_WITH_CONTEXT} WHERE document_fts MATCH ? AND f.rowid BETWEEN ? AND ? "
        "AND +f.rowid IN (SELECT value FROM json_each(?))",
        (*_HIT, query.match, min(ids), max(ids), json.dumps(ids)),
    )
    order = {number: place for place, number in enumerate(ids)}
    return _built(file, sorted(rows, key=lambda row: order[row["id"]]))


_COLUMNS: Final = "d.id, d.title, d.url, d.source, d.market, d.language, d.published_at, d.fetched_at"
_SELECT: Final = (
    f"SELECT {_COLUMNS}, substr(coalesce(d.summary, d.content), 1, 200) AS context FROM document AS d"
)
_SELECT_WITH_CONTEXT: Final = (
    # Of the text, not of the title that stands above it; a text without the words is shown from its beginning.
    f"SELECT {_COLUMNS}, coalesce(snippet(document_fts, iif(d.content = '', 1, 2), ?, ?, '…', 28), '') AS context "
    "FROM document_fts AS f JOIN document AS d ON d.id = f.rowid"
)
_MATCHES: Final = "FROM document_fts AS f JOIN document AS d ON d.id = f.rowid WHERE document_fts MATCH ?"


def _conditions(file: File, query: Query) -> tuple[str, list[Any]]:
    """The filters as SQL over `d`, cheap also where the words are common.

    What a document's number tells is asked of the full-text index, before the document itself is read.
    """
    number = "f.rowid" if query.match else "d.id"
    parts: list[str] = []
    params: list[Any] = []
    if query.sources:
        parts.append(
            f"+{number} IN (SELECT id FROM document WHERE source IN (SELECT s.key FROM source AS s, json_each(?) AS w "
            "WHERE instr(lower(s.key || ' ' || s.name), w.value)))"
        )
        params.append(json.dumps(query.sources))
    if query.markets:
        names = json.dumps(query.markets)
        one_of = "(SELECT value FROM json_each(?))"
        held = file.value(
            "SELECT sum(n) FROM tally WHERE name IN (SELECT 'documents:' || value FROM json_each(?))",
            (names,),
        )
        small = (held or 0) <= _SMALL
        parts.append(
            f"+{number} IN (SELECT id FROM document WHERE market IN {one_of})"
            if small
            else f"d.market IN {one_of}"
        )
        params.append(names)
    if query.languages:
        parts.append("d.language IN (SELECT value FROM json_each(?))")
        params.append(json.dumps(query.languages))
    if query.after is not None:
        parts.append(f"{number} >= ? AND coalesce(d.published_at, d.fetched_at) >= ?")
        params += [_first_since(file, query.after), query.after]
    if query.before is not None:
        parts.append("coalesce(d.published_at, d.fetched_at) < ?")
        params.append(query.before)
    return "".join(f" AND {part}" for part in parts), params


def _first_since(file: File, at: float) -> int:
    """A document's number before which none was published since then: none is published after it was found."""
    rows = file.rows(
        "SELECT (SELECT id FROM document WHERE market = substr(name, 11) AND fetched_at >= ? "
        "ORDER BY fetched_at, id LIMIT 1) AS id FROM tally WHERE name LIKE 'documents:%'",
        (at - _DAY_S,),  # what is stored together has not always been found in the order of its numbers
    )
    return min((row["id"] for row in rows if row["id"] is not None), default=0)


def _ranked(file: File, match: str, where: str, params: list[Any], limit: int) -> list[int]:
    """The numbers of the likeliest documents."""
    newest = _numbers(file, match, "", [], NEWEST)
    common = len(newest) == NEWEST and _expected(file, newest) > _MOST_RANKED
    if not common:
        rows = file.rows(
            f"SELECT id FROM (SELECT f.rowid AS id, bm25(document_fts, {_WEIGHTS}) AS score {_MATCHES}{where} "
            "ORDER BY f.rowid DESC LIMIT ?) ORDER BY score, id DESC LIMIT ?",
            (match, *params, NEWEST, limit),
        )
        return [row["id"] for row in rows]
    if where:
        return _numbers(file, match, where, params, limit)
    in_titles = _numbers(file, f"{{title}} : ({match})", "", [], limit) if " NOT " not in match else []
    return list(dict.fromkeys([*in_titles, *newest]))[:limit]


def _numbers(file: File, match: str, where: str, params: list[Any], limit: int) -> list[int]:
    matches = _MATCHES if where else "FROM document_fts AS f WHERE document_fts MATCH ?"
    sql = f"SELECT f.rowid AS id {matches}{where} ORDER BY f.rowid DESC LIMIT ?"
    return [row["id"] for row in file.rows(sql, (match, *params, limit))]


def _expected(file: File, newest: list[int]) -> float:
    """How many matches there will be, by how close the newest stand."""
    last = file.value("SELECT max(id) FROM document") or 0
    return float(len(newest) * last / max(1, last - newest[-1]))


def _built(file: File, rows: list[Row]) -> tuple[Found, ...]:
    ids = json.dumps([row["id"] for row in rows])
    copies = {
        row["document"]: row["n"]
        for row in file.rows(
            "SELECT document, count(DISTINCT source) AS n FROM duplicate "
            "WHERE document IN (SELECT value FROM json_each(?)) GROUP BY document",
            (ids,),
        )
    }
    return tuple(
        Found(
            kind="document", id=row["id"], title=row["title"], url=row["url"], source=row["source"],
            market=row["market"], language=row["language"], published_at=maybe(row["published_at"]),
            at=moment(row["fetched_at"]), copies=copies.get(row["id"], 0), context=pieces(row["context"]),
        )
        for row in rows
    )  # fmt: skip


def pieces(text: str) -> tuple[tuple[str, bool], ...]:
    """An excerpt in pieces, each with whether it is one of the words that were looked for."""
    parts = _PIECES.split(text.replace("\n", " "))
    return tuple((part, bool(number % 2)) for number, part in enumerate(parts) if part)


# -- topics ------------------------------------------------------------------------------------------


def _topics(file: File, query: Query, limit: int) -> tuple[Found, ...]:
    """The topics whose name, summary or angle has the words; none in a file that no newer worker has opened yet."""
    known = file.value("SELECT 1 FROM sqlite_master WHERE name = 'topic_fts'")
    if not (known and query.match) or query.kind == "document" or query.sources or query.languages:
        return ()
    where = " AND t.market IN (SELECT value FROM json_each(?))" if query.markets else ""
    bounds = [(" AND t.last_seen >= ?", query.after), (" AND t.first_seen < ?", query.before)]
    where += "".join(sql for sql, value in bounds if value is not None)
    rows = file.rows(
        "SELECT t.id, t.title, t.market, t.sources, t.first_seen, t.last_seen, "
        "snippet(topic_fts, -1, ?, ?, '…', 28) AS context "
        f"FROM topic_fts JOIN topic AS t ON t.id = topic_fts.rowid WHERE topic_fts MATCH ?{where} "
        "ORDER BY rank LIMIT ?",
        (*_HIT, query.match, *([json.dumps(query.markets)] if query.markets else []),
         *(value for _, value in bounds if value is not None), limit),
    )  # fmt: skip
    return tuple(
        Found(
            kind="topic", id=row["id"], title=row["title"], url=None, source=None, market=row["market"], language=None,
            published_at=None, at=moment(row["last_seen"]), copies=row["sources"], context=pieces(row["context"]),
        )
        for row in rows
    )  # fmt: skip
