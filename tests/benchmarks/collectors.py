"""The programs that the collecting benchmark runs: `python -m tests.benchmarks.collectors PROGRAM FILE < urls`."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from worker.sqlite import sqlite3


def ours(path: Path, urls: list[str], *, similar: bool = True) -> dict:
    """This project's collecting, twice: the second time nothing has changed."""
    from worker.research import gather, readers, shelving
    from worker.research.collect import collect
    from worker.research.dedup import Telling
    from worker.research.library import Library
    from worker.research.markets import Market

    if not similar:
        gather.Readers = partial(readers.Readers, compared=False)
        shelving.words_of = lambda *_: []
        shelving.tellings = lambda texts, _: [Telling("", ()) for _ in texts]
    market = Market.model_validate({
        "domain": "SaaS", "market": "Germany", "language": "de", "vertical": "Proptech", "seed_keywords": ["Miete"],
        "rss_feeds": urls, "allow_private": ["127.0.0.0/8"],
    })  # fmt: skip
    market._path = Path("bench.yaml")
    with Library(path) as library:
        started = time.perf_counter()
        stats = collect(market, library)
        seconds, cpu = time.perf_counter() - started, used()
        assert stats.errors == 0, stats.failed
        started = time.perf_counter()
        again = collect(market, library)
        again_s = time.perf_counter() - started
        assert again.not_modified == len(urls), again
        documents = library.tally("documents")
    assert (
        sqlite3.connect(path).execute("SELECT count(*) FROM document_fts_docsize").fetchone()[0] == documents
    )
    return {"seconds": seconds, "cpu": cpu, "again": again_s, "documents": documents}


def exact(path: Path, urls: list[str]) -> dict:
    """The same without near-duplicates."""
    return ours(path, urls, similar=False)


def reader(path: Path, urls: list[str]) -> dict:
    """lemon24's reader with its search index."""
    from reader import make_reader

    program = make_reader(str(path))
    for url in urls:
        program.add_feed(url)
    started = time.perf_counter()
    program.update_feeds(workers=10)
    program.enable_search()
    program.update_search()
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "documents": program.get_entry_counts().total}


def plain(path: Path, urls: list[str]) -> dict:
    """aiohttp, feedparser in two processes, SQLite with FTS5 by trigger."""
    conn = sqlite3.connect(path)
    conn.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        "CREATE TABLE doc (id INTEGER PRIMARY KEY, url TEXT UNIQUE, title TEXT, summary TEXT, content TEXT, at TEXT);"
        "CREATE VIRTUAL TABLE fts USING fts5 (title, summary, content, content='doc', content_rowid='id');"
        "CREATE TRIGGER added AFTER INSERT ON doc BEGIN INSERT INTO fts (rowid, title, summary, content) "
        "VALUES (new.id, new.title, new.summary, new.content); END;"
    )
    started = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        asyncio.run(_fetched(urls, pool, conn))
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "documents": conn.execute("SELECT count(*) FROM doc").fetchone()[0]}


async def _fetched(urls: list[str], pool: ProcessPoolExecutor, conn: sqlite3.Connection) -> None:
    import aiohttp

    loop, turn = asyncio.get_running_loop(), asyncio.Semaphore(32)
    async with aiohttp.ClientSession() as session:

        async def one(url: str) -> None:
            async with turn, session.get(url) as answer:
                body = await answer.read()
            rows = await loop.run_in_executor(pool, _parsed, body)
            with conn:
                conn.executemany(
                    "INSERT OR IGNORE INTO doc (url, title, summary, content, at) VALUES (?, ?, ?, ?, ?)",
                    rows,
                )

        await asyncio.gather(*map(one, urls))


def _parsed(body: bytes) -> list[tuple]:
    import feedparser

    return [
        (entry.link, entry.title, entry.summary, entry.content[0].value, entry.published)
        for entry in feedparser.parse(body).entries
    ]


def used() -> float:
    """Seconds of processor time, children's included."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def watched(peak: list[float], ended: threading.Event) -> None:
    """Keeps the most that this process and its children had at one moment, in MB; what they share counts once.

    Not `ru_maxrss`: a new program inherits that of the process that started it.
    """
    while not ended.wait(0.2):
        lists = [(task / "children").read_text() for task in Path("/proc/self/task").iterdir()]
        own, children = "self", " ".join(lists).split()
        total = memory(own, "Rss") + sum(
            memory(child, "Private_Clean", "Private_Dirty") for child in children
        )
        peak[0] = max(peak[0], total)


def memory(process: str, *kinds: str) -> float:
    """What a process has of some kinds of memory, in MB; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(lines.partition(f"\n{kind}:")[2].split()[0]) for kind in kinds) / 1024


def main() -> None:
    """Runs one program and prints its figures as JSON."""
    peak, ended = [0.0], threading.Event()
    watcher = threading.Thread(target=watched, args=(peak, ended), daemon=True)
    watcher.start()
    figures = globals()[sys.argv[1]](Path(sys.argv[2]), sys.stdin.read().split())
    ended.set()
    watcher.join()
    print(json.dumps({"cpu": used(), "megabytes": peak[0]} | figures))


if __name__ == "__main__":
    main()
