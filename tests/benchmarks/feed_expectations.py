"""What test suites of other projects say that their own feeds hold, where it stands beside the feed as data.

feedparser names it in a comment of the file, gofeed in a JSON file, reader in a Python file, of which literals are
taken and nothing is run. miniflux and newsboat have it in the code of their tests: see `feed_code`.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.research.text import clean, html_to_text
from worker.research.urls import canonical_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXPECT = re.compile(r"^\s*Expect:\s*(.+?)\s*$", re.MULTILINE)
NAMES = {
    "title": "title", "link": "link", "summary": "content", "description": "content", "content": "content",
    "updated_parsed": "date", "published_parsed": "date", "publishedParsed": "date", "pubDateParsed": "date",
    "published": "date",
}  # fmt: skip
TEXT = 50_000


class Expected(NamedTuple):
    """One value of one entry, in our terms; a text may be meant as markup or literally."""

    entry: int
    field: str
    value: object
    literally: str | None = None


def expected(path: Path, body: bytes, base: str) -> list[Expected]:
    """All that can be found of one file."""
    found: list[Expected] = []
    with contextlib.suppress(SyntaxError, ValueError):
        if expect := EXPECT.search(body.decode("utf-8", "replace")):
            found += _of_feedparser(expect[1], base)
        beside = path.with_suffix(".json")
        if path.suffix != ".json" and beside.is_file():
            found += _of_gofeed(json.loads(beside.read_text(encoding="utf-8")), base)
        python = path.with_name(f"{path.name}.py")
        if python.is_file():
            found += _of_reader(ast.parse(python.read_text(encoding="utf-8")), base)
    return found


def in_our_terms(number: int, name: str, value: object, base: str) -> Iterator[Expected]:
    """A value that a suite calls so, with what stands for it here; none where it is of no use."""
    field = NAMES.get(name)
    if field == "date" and isinstance(value, tuple | str):
        with contextlib.suppress(ValueError, TypeError):
            when = datetime(*value[:6]) if isinstance(value, tuple) else datetime.fromisoformat(value)
            yield Expected(number, field, when if when.tzinfo else when.replace(tzinfo=UTC))
    elif field and isinstance(value, str) and value.strip():
        if field == "link":
            url = canonical_url(value, base)  # a test's link may be no link to a web page
            if url:
                yield Expected(number, field, url)
        elif text := html_to_text(value, TEXT):
            yield Expected(number, field, text, clean(value, TEXT))


def _of_feedparser(expression: str, base: str) -> Iterator[Expected]:
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if not (isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq)):
            continue
        place = _place(node.left)
        with contextlib.suppress(ValueError):
            value = ast.literal_eval(node.comparators[0])
            match place:
                case ["entries", int(number), str(name)] if name != "content":
                    yield from in_our_terms(number, name, value, base)
                case ["entries", int(number), "content", 0, "value"]:
                    yield from in_our_terms(number, "content", value, base)
                case ["entries", int(number), "title_detail", "value"]:
                    yield from in_our_terms(number, "title", value, base)


def _place(node: ast.expr) -> list[str | int]:
    """`entries[0].content[0]['value']` as a list of its steps."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [*_place(node.value), node.attr]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return [*_place(node.value), node.slice.value]
    return []


def _of_gofeed(data: Any, base: str) -> Iterator[Expected]:
    items = (data.get("items") or data.get("entries") or []) if isinstance(data, dict) else []
    for number, item in enumerate(items):
        for name, value in item.items():
            text = value.get("value") if isinstance(value, dict) else value  # Atom's content
            yield from in_our_terms(number, name, text, base)


def _of_reader(tree: ast.Module, base: str) -> Iterator[Expected]:
    entries = (
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and _place(node.func) == ["EntryData"]
    )
    for number, entry in enumerate(entries):
        for keyword in entry.keywords:
            value: Any = keyword.value
            if isinstance(value, ast.Call) and keyword.arg == "published":  # datetime.datetime(2010, …)
                value = ast.Tuple([one for one in value.args if isinstance(one, ast.Constant)], ast.Load())
            with contextlib.suppress(ValueError):
                yield from in_our_terms(number, keyword.arg or "", ast.literal_eval(value), base)
