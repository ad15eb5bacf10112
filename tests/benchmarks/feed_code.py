"""What miniflux and newsboat expect of their feeds, from the code of their tests: literals are taken, nothing is run.

miniflux writes feed and values into one Go function; newsboat names a file, and holds its items to values in C++.
What is no plain comparison with a literal is passed over.
"""

from __future__ import annotations

import ast
import contextlib
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.feed_expectations import Expected, in_our_terms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TEXT = r"(?:\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`)"
_GO_FEED = re.compile(r"\b(?:data|xml|feed) :?= (`[^`]+`)")
_GO_PARSE = re.compile(rf"\bParse(?:Feed)?\(({_TEXT})")
_GO_VALUE = re.compile(rf"feed\.Entries\[(\d+)\]\.(Title|URL|Content) != ({_TEXT})")
_GO_DATE = re.compile(r"feed\.Entries\[(\d+)\]\.Date\.Equal\((expectedDate|time\.Date\([^)]*\))\)")
_GO_MOMENT = re.compile(r"time\.Date\((\d+), time\.(\w+), (\d+), (\d+), (\d+), (\d+), 0, time\.UTC\)")
_GO_FIELDS = {"Title": "title", "URL": "link", "Content": "content"}
_CPP_FILE = re.compile(r"parse_file\(\"([^\"]+)\"")
_CPP_VALUE = re.compile(
    rf"f\.items\[(\d+)\]\.(title|link|description|content_encoded|pubDate) ==\s*((?:{_TEXT}\s*)+)\)"
)
_CPP_FIELDS = {"title": "title", "link": "link", "description": "content", "content_encoded": "content"}


class Case(NamedTuple):
    """A feed, and what a suite says that it holds."""

    name: str
    body: bytes
    base: str
    wanted: list[Expected]


def cases(folder: Path, base: str) -> Iterator[Case]:
    """Those of every test below a folder, of whichever of the two suites it is."""
    for path in sorted(folder.rglob("*_test.go")):
        yield from _of_go(path, base)
    for path in sorted(folder.rglob("rsspp*.cpp")):
        yield from _of_cpp(path, base)


def _of_go(path: Path, base: str) -> Iterator[Case]:
    for test in path.read_text(encoding="utf-8").split("\nfunc ")[1:]:
        feeds = _GO_FEED.findall(test)
        if len(feeds) != 1:
            continue
        address = _GO_PARSE.search(test)
        found = _literal(address[1]) if address else base
        wanted = [
            one
            for number, field, text in _GO_VALUE.findall(test)
            for one in in_our_terms(int(number), _GO_FIELDS[field], _literal(text), found)
        ]
        wanted += _go_dates(test)
        if wanted:
            yield Case(f"{path.name}: {test.partition('(')[0]}", feeds[0].strip("`").encode(), found, wanted)


def _go_dates(test: str) -> Iterator[Expected]:
    named = _GO_MOMENT.search(test)
    for number, given in _GO_DATE.findall(test):
        moment = named if given == "expectedDate" else _GO_MOMENT.match(given)
        if moment is not None:
            year, month, *rest = moment.groups()
            with contextlib.suppress(ValueError):
                at = datetime.strptime(f"{year} {month}", "%Y %B").replace(tzinfo=UTC)
                day, hour, minute, second = map(int, rest)
                yield Expected(
                    int(number), "date", at.replace(day=day, hour=hour, minute=minute, second=second)
                )


def _of_cpp(path: Path, base: str) -> Iterator[Case]:
    for test in path.read_text(encoding="utf-8").split("\nTEST_CASE(")[1:]:
        names = dict.fromkeys(_CPP_FILE.findall(test))
        if len(names) > 1 and "SECTION(" not in test:
            continue  # it cannot be told which values are whose
        wanted = [
            one
            for number, field, texts in _CPP_VALUE.findall(test)
            for one in _cpp(number, field, texts, base)
        ]
        for name in names:
            file = path.parent / name
            if wanted and file.is_file():
                yield Case(name, file.read_bytes(), base, wanted)


def _cpp(number: str, field: str, texts: str, base: str) -> Iterator[Expected]:
    value = "".join(_literal(one) for one in re.findall(_TEXT, texts))
    if field != "pubDate":
        yield from in_our_terms(int(number), _CPP_FIELDS[field], value, base)
        return
    with contextlib.suppress(ValueError):
        yield Expected(int(number), "date", parsedate_to_datetime(value).astimezone(UTC))


def _literal(text: str) -> str:
    """A string as Go and C++ write it; their escapes are Python's where these tests have any."""
    return text.strip("`") if text.startswith("`") else str(ast.literal_eval(text))
