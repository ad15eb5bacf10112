"""How many of other projects' test feeds are read as they should be, beside feedparser on the same files.

    python -m tests.benchmarks.feeds FOLDER [FOLDER...]

A folder is a checkout of feedparser, miniflux, gofeed, newsboat or reader, or any folder of feeds; none of their files
ship here. Two measures: what feedparser finds in them, and what the suite itself says that they hold (see
`feed_expectations`), beside feedparser on the same values. `--misses` names each file that is read otherwise, with
both readings. An entry without title and text has nothing to read, and is not kept; what is expected of it counts for itself.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser

from tests.benchmarks.feed_code import cases
from tests.benchmarks.feed_expectations import Expected, expected
from worker.research.errors import FeedError
from worker.research.sources.feeds import parse_feed
from worker.research.text import clean, html_to_text
from worker.research.urls import canonical_url

ENDINGS = {".xml", ".rss", ".atom", ".rdf", ".json"}
FEED = re.compile(rb"<(?:\w+:)?(?:rss|feed|rdf|channel)\b|jsonfeed\.org", re.IGNORECASE)
BASE = "http://127.0.0.1:8097/"
NOW = datetime(2100, 1, 1, tzinfo=UTC)
FIELDS = ("feed", "entries", "title", "link", "date", "content")


def files(folder: Path) -> list[Path]:
    """Every feed below a folder, in order."""
    found = (path for path in folder.rglob("*") if path.suffix in ENDINGS and path.is_file())
    return sorted(path for path in found if FEED.search(path.read_bytes()[:20_000]))


def ours(body: bytes, base: str = BASE) -> list[dict[str, Any]] | None:
    """What we read; None: we say that it is no feed."""
    try:
        feed = parse_feed(body, base, now=NOW)
    except FeedError:
        return None
    return [
        {
            "title": one.title,
            "link": one.url,
            "date": one.published_at,
            "content": one.text,
            "summary": one.summary,
        }
        for one in feed.entries
    ]


def theirs(body: bytes, base: str = BASE) -> list[dict[str, Any]] | None:
    """What feedparser reads, in the same terms."""
    try:
        parsed = feedparser.parse(io.BytesIO(body), response_headers={"content-location": base})
    except Exception:
        return None
    return [_theirs(raw, base) for raw in parsed.entries] if parsed.version or parsed.entries else None


def _theirs(raw: Any, base: str) -> dict[str, Any]:
    when = dict.get(raw, "published_parsed") or dict.get(raw, "updated_parsed")
    bodies = [html_to_text(str(part.get("value") or ""), 50_000) for part in raw.get("content", ())]
    bodies.append(html_to_text(str(raw.get("summary") or ""), 50_000))
    return {
        "title": html_to_text(str(raw.get("title") or ""), 500),
        "link": canonical_url(str(raw["link"]), base) if raw.get("link") else None,
        "date": datetime(*when[:6], tzinfo=UTC) if when else None,
        "content": max(bodies, key=len),
        "summary": bodies[-1],
    }


def compare(path: Path, seen: Counter[str], same: Counter[str]) -> list[str]:
    """Adds a file to the counts, and says what of it is read otherwise."""
    body = path.read_bytes()
    mine, other = ours(body), theirs(body)
    if not other:  # feedparser reads nothing: what we read is more
        seen["more"] += bool(mine)
        return []
    seen["feed"] += 1
    if mine is None:
        return ["not read at all"]
    same["feed"] += 1
    titled = [one for one in other if one["title"] or one["content"]]
    seen["entries"] += len(titled)
    same["entries"] += min(len(mine), len(titled))
    if len(mine) != len(titled):
        return [f"{len(mine)} entries, feedparser {len(titled)}"]
    misses = []
    for number, (a, b) in enumerate(zip(mine, titled, strict=True)):
        for name in ("title", "link", "date", "content"):
            if b[name]:
                seen[name] += 1
                equal = a[name] == b[name] or (name == "title" and not b["title"])
                same[name] += equal
                if not equal:
                    misses.append(
                        f"{name} of {number}: {clean(str(a[name]), 60)!r}, feedparser {clean(str(b[name]), 60)!r}"
                    )
    return misses


def has(entries: list[dict[str, Any]] | None, one: Expected) -> bool:
    """Whether a value was read as it is expected to be."""
    if not entries or one.entry >= len(entries):
        return False
    entry = entries[one.entry]
    found = [entry[one.field], entry.get("summary")] if one.field == "content" else [entry[one.field]]
    return one.value in found or (one.literally is not None and one.literally in found)


def judge(
    body: bytes,
    base: str,
    wanted: list[Expected],
    seen: Counter[str],
    right: Counter[str],
    peer: Counter[str],
) -> list[str]:
    """Adds what a suite expects of a feed to the counts, and says what of it we read otherwise."""
    if not wanted:
        return []
    mine, other = ours(body, base), theirs(body, base)
    nothing = {n for n, one in enumerate(other or ()) if not (one["title"] or one["content"])}
    misses = []
    for one in wanted:
        if nothing:
            seen["nothing to read"] += 1
            continue
        seen[one.field] += 1
        peer[one.field] += has(other, one)
        if has(mine, one):
            right[one.field] += 1
        else:
            found = mine[one.entry][one.field] if mine and one.entry < len(mine) else None
            misses.append(
                f"expected {one.field} {clean(str(one.value), 60)!r}, found {clean(str(found), 60)!r}"
                f"{'' if has(other, one) else ', feedparser neither'}"
            )
    return misses


def shown(folder: Path, *, misses: bool) -> None:
    """Prints the line of what a suite itself expects."""
    seen: Counter[str] = Counter()
    right: Counter[str] = Counter()
    peer: Counter[str] = Counter()
    named = [
        f"  {path.relative_to(folder)}: {miss}"
        for path in files(folder)
        for body in [path.read_bytes()]
        for miss in judge(body, BASE, expected(path, body, BASE), seen, right, peer)
    ]
    named += [
        f"  {case.name}: {miss}"
        for case in cases(folder, BASE)
        for miss in judge(case.body, case.base, case.wanted, seen, right, peer)
    ]
    shares = "  ".join(
        f"{name} {right[name]}/{seen[name]} (feedparser {peer[name]})" for name in FIELDS if seen[name]
    )
    if shares:
        print(f"  as it expects: {shares}; of entries with nothing to read: {seen['nothing to read']}")
    if misses:
        print(*named, sep="\n")


def main() -> int:
    """Prints a line for each folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--misses", action="store_true", help="name each file that is read otherwise")
    options = parser.parse_args()
    for folder in options.folders:
        seen: Counter[str] = Counter()
        same: Counter[str] = Counter()
        named: list[str] = []
        for path in files(folder):
            misses = compare(path, seen, same)[:3]
            named += [f"  {path.relative_to(folder)}: {miss}" for miss in misses]
        shares = "  ".join(f"{name} {same[name]}/{seen[name]}" for name in FIELDS if seen[name])
        print(f"{folder.name}: {shares}; read by us alone: {seen['more']}")
        if options.misses:
            print(*named, sep="\n")
        shown(folder, misses=options.misses)
    return 0


if __name__ == "__main__":
    sys.exit(main())
