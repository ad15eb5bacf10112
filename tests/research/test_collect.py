from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from aiohttp import web

from worker.research.collect import Outcome, collect
from worker.research.errors import LibraryBusyError, NothingCollectedError
from worker.research.library import Library
from worker.research.markets import load_market


@pytest.fixture
def run(library, now, quick):
    def run(market, **more):
        return collect(market, library, **{"now": now, "options": quick} | more)

    return run


def counts(library):
    return [
        library.rows(f"SELECT count(*) FROM {table}")[0][0]
        for table in ("document", "duplicate", "document_fts")
    ]


def forty(site, rss):
    """35 good feeds and five bad ones."""

    async def hang(request):
        await asyncio.sleep(30)

    async def large(request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(200):
            await answer.write(b"<!--" + b"x" * 1_000_000)
        return answer

    good = [
        site.body(
            f"/good{n}",
            rss(*((f"Titel {n}.{i}", f"https://o{n}.example/{i}", "") for i in range(5))),
            ETag=f'"{n}"',
        )
        for n in range(35)
    ]
    return [
        *good[:17],
        site.add("/hang", hang),
        site.status("/missing", 404),
        site.body("/page", "<!doctype html><html>", "text/html"),
        site.add("/large", large),
        site.status("/round", 302, Location="/round"),
        *good[17:],
    ]


def test_five_bad_sources_of_forty_are_five_named_errors(site, rss, run, library, make_market, quick):
    feeds = forty(site, rss)
    market = make_market(*feeds)
    started = time.monotonic()
    stats = run(market)
    # The one that hangs does so for half a minute.
    assert time.monotonic() - started < 25
    assert (stats.sources, stats.documents, stats.errors, stats.duplicates) == (40, 35 * 5, 5, 0)
    host = f"127.0.0.1:{site.port}"
    assert stats.failed == {
        f"{host}/hang": "no answer for 1 s",
        f"{host}/missing": "404 Not Found",
        f"{host}/page": "expected a feed, found an HTML page",
        f"{host}/large": "body larger than 15 MB",
        f"{host}/round": "more than 5 redirects",
    }
    assert list(stats.per_source) == [url.removeprefix("http://") for url in feeds], "in the market's order"
    assert {
        health.key: health.last_error for health in library.sources("test") if health.errors_in_row
    } == stats.failed
    json.dumps(stats.as_dict())
    assert stats.as_dict()["per_source"][f"{host}/hang"]["outcome"] == "failed"

    again = run(market)
    assert (again.documents, again.duplicates, again.not_modified, again.errors) == (0, 0, 35, 5)
    assert site.asked("/good3")[1]["If-None-Match"] == '"3"'
    assert counts(library) == [175, 0, 175]


def test_nothing_is_doubled_where_the_server_knows_no_validators(site, rss, run, library, make_market):
    first = site.body("/a", rss(("Eins", "https://x.example/1", ""), ("Zwei", "https://x.example/2", "")))
    second = site.body("/b", rss(("Eins!", "http://www.x.example/1/?utm_source=b", "")))
    market = make_market(first, second)
    stats = run(market)
    assert stats.documents + stats.duplicates == 3
    before = counts(library)
    again = run(market)
    assert (again.documents, again.duplicates, again.not_modified) == (0, 0, 0)
    assert counts(library) == before == [2, 1, 2]


def test_a_relative_link_is_relative_to_where_the_feed_was_found(site, rss, run, library, make_market):
    site.body("/new/place/feed", rss(("t", "story", "")))
    run(make_market(site.status("/old", 301, Location="/new/place/feed")))
    (row,) = library.rows("SELECT url FROM document")
    assert row["url"] == site.url("/new/place/story")
    assert library.sources("test")[0].moved_to == site.url("/new/place/feed")


def test_when_every_source_fails_the_run_fails_and_names_five(site, run, library, make_market):
    market = make_market(*(site.status(f"/f{n}", 500) for n in range(7)))
    with pytest.raises(NothingCollectedError) as caught:
        run(market)
    assert "all 7 sources failed" in str(caught.value)
    assert str(caught.value).count("500 Internal Server Error") == 5
    assert "and 2 more" in str(caught.value)
    assert len(caught.value.failed) == 7
    assert len(library.sources("test")) == 7, "their health is known all the same"


def test_a_market_without_sources_collects_nothing_and_says_what_it_skipped(run, make_market):
    stats = run(make_market(collectors={"rss_enabled": False, "reddit_enabled": True}))
    assert (stats.sources, stats.documents) == (0, 0)
    assert stats.skipped == {"reddit": "no reddit_subreddits are named"}


def test_progress_counts_sources(site, rss, run, make_market):
    seen = []
    feeds = [site.body(f"/{n}", rss(("t", f"https://x.example/{n}", ""))) for n in range(3)]
    run(make_market(*feeds), report=lambda *args: seen.append(args))
    assert [(done, total) for done, total, _ in seen] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert seen[-1][2] == "127.0.0.1, 3 of 3"


def test_a_report_that_raises_ends_the_run_between_two_sources(site, rss, run, library, make_market):
    class StopError(Exception):
        pass

    def report(done, total, note):
        if done == 2:
            raise StopError

    feeds = [
        site.body(f"/{n}", rss(*((f"{n}.{i}", f"https://x.example/{n}/{i}", "") for i in range(4))))
        for n in range(6)
    ]
    with pytest.raises(StopError):
        run(make_market(*feeds), report=report)
    stored = library.tally("documents")
    assert stored >= 8
    assert stored % 4 == 0, "whole sources"
    stats = run(make_market(*feeds))
    assert stats.documents == 24 - stored


def test_a_wish_to_stop_is_heard_while_a_source_hangs(site, run, make_market, quick):
    async def hang(request):
        await asyncio.sleep(30)

    notes = []

    def report(done, total, note):
        notes.append(note)
        if note.startswith("waiting for"):
            raise InterruptedError

    started = time.monotonic()
    with pytest.raises(InterruptedError):
        run(
            make_market(site.add("/hang", hang)),
            report=report,
            options=dataclasses.replace(quick, timeout_s=20, read_timeout_s=20),
        )
    assert time.monotonic() - started < 15  # not the 20 that it may hang
    assert notes[-1] == "waiting for 127.0.0.1, 0 of 1"


def test_fetching_waits_for_slow_storing(site, rss, run, library, make_market, patient, monkeypatch):
    feeds = [site.body(f"/f{n}", rss((f"Titel {n}", f"https://o.example/{n}", ""))) for n in range(100)]
    store, stored, ahead = library.store, [], []

    def slowly(*args, **more):
        time.sleep(0.02)
        ahead.append(len(site.requests) - len(stored))
        stored.append(store(*args, **more))
        return stored[-1]

    monkeypatch.setattr(library, "store", slowly)
    assert run(make_market(*feeds), options=patient).documents == 100
    assert max(ahead) <= 2 * patient.concurrency, "what is fetched, read and not stored yet stays in memory"


def test_a_library_that_cannot_be_written_fails_the_run(site, rss, home, now, quick, make_market):
    market = make_market(site.body("/a", rss(("t", "https://x.example/1", ""))))
    with Library(home / "topics.db") as holder, Library(home / "topics.db", busy_timeout_s=0.05) as library:
        library.tally("documents")
        with holder.transaction(), pytest.raises(LibraryBusyError):
            collect(market, library, now=now, options=quick)


def test_one_source_that_breaks_our_own_code_harms_no_other(site, rss, run, make_market, monkeypatch):
    from worker.research.sources import feeds as module

    parse = module.parse_feed

    def breaking(body, *args, **more):
        if b"break" in body:
            raise KeyError("odd")
        return parse(body, *args, **more)

    monkeypatch.setattr(module, "parse_feed", breaking)
    bad = site.body("/bad", "<rss>break</rss>")
    stats = run(make_market(bad, site.body("/a", rss(("t", "https://x.example/1", "")))))
    assert (stats.documents, stats.errors) == (1, 1)
    assert list(stats.failed.values()) == ["unexpected KeyError: 'odd'"]


def test_what_cannot_be_stored_of_one_source_harms_no_other(
    site, rss, run, library, make_market, monkeypatch
):
    feeds = [site.body(f"/f{n}", rss((f"Titel {n}", f"https://o{n}.example/", ""))) for n in range(4)]
    store = library.store

    def stored(market, source, harvest, *, now):
        done = store(market, source, harvest, now=now)
        if source.key.endswith("/f2"):
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return done

    monkeypatch.setattr(library, "store", stored)
    stats = run(make_market(*feeds))
    assert (stats.documents, stats.errors) == (3, 1)
    assert counts(library) == [3, 0, 3], "nothing of it is left"
    (failed,) = (one for one in library.sources("test") if one.last_error)
    assert failed.last_error == (
        "what it gave cannot be stored: OverflowError: Python int too large to convert to SQLite INTEGER"
    )


def test_a_password_in_an_address_is_kept_out_of_the_library(site, rss, run, library, make_market):
    url = site.body("/a", rss(("t", "https://x.example/1", "")))
    stats = run(make_market(url.replace("http://", "http://user:hunter2@")))
    assert "Authorization" in site.asked("/a")[0]
    library.close()
    assert "hunter2" not in json.dumps(stats.as_dict())
    assert b"hunter2" not in library.path.read_bytes()


CHILD = """
import sys
from pathlib import Path
from worker.research.collect import collect
from worker.research.http import FetchOptions
from worker.research.library import Library
from worker.research.markets import Market

home, at, feeds = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
market = Market.model_validate(dict(
    domain="a", market="b", language="de", vertical="c", seed_keywords=["d"], rss_feeds=feeds, allow_private=["127.0.0.1"]))
market._path = Path("test.yaml")

def report(done, total, note):
    print(done, flush=True)
    if done == at:
        sys.stdin.read()

with Library(Path(home) / "topics.db") as library:
    stats = collect(market, library, report=report, options=FetchOptions(host_delay_s=0))
    print(stats.documents, flush=True)
"""


def child(home, at, feeds):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CHILD), str(home), str(at), *feeds],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_run_killed_between_two_sources_leaves_whole_sources(site, rss, home, library, run, make_market):
    feeds = [
        site.body(
            f"/{n}", rss(*((f"{n}.{i}", f"https://x.example/{n}/{i}", "") for i in range(6))), ETag=f'"{n}"'
        )
        for n in range(8)
    ]
    with child(home, 3, feeds) as process:
        while (line := process.stdout.readline().strip()) != "3":
            assert line
        os.kill(process.pid, signal.SIGKILL)
    whole = len(library.sources("test"))
    assert whole >= 3
    assert counts(library) == [6 * whole, 0, 6 * whole]
    assert [health.documents for health in library.sources("test")] == [6] * whole
    stats = run(make_market(*feeds))
    assert (stats.documents, stats.not_modified) == (48 - 6 * whole, whole)
    assert counts(library) == [48, 0, 48]


def test_two_processes_that_collect_at_once_store_nothing_twice(site, rss, home, library):
    shared = [(f"s{i}", f"https://shared.example/{i}", "") for i in range(10)]
    feeds = [
        site.body(f"/{n}", rss(*((f"{n}.{i}", f"https://x.example/{n}/{i}", "") for i in range(10)), *shared))
        for n in range(10)
    ]
    processes = [child(home, -1, feeds) for _ in range(2)]
    stored = 0
    for process in processes:
        with process:
            stored += int(process.communicate(timeout=20)[0].split()[-1])
            assert process.returncode == 0
    assert stored == library.tally("documents") == 110
    assert counts(library) == [110, 90, 110]
    assert library.tally("duplicates") == 90


def test_the_demo_market_travels_the_real_road(config_dir, library, now):
    market = load_market(config_dir, "demo")
    stats = collect(market, library, now=now)
    assert (stats.sources, stats.errors) == (12, 0)
    assert stats.documents > 110
    assert stats.duplicates == 2, "one story by its address, one by its text"
    assert all(source.endswith(("xml", "rdf", "atom", "json")) for source in stats.per_source)
    assert all(8 <= one.items <= 15 for one in stats.per_source.values())
    stored = library.rows("SELECT source, url, source_url, title FROM document")
    assert not any("127.0.0.1" in str(value) for row in stored for value in row)
    assert all("127.0.0.1" not in health.url and health.warning is None for health in library.sources("demo"))
    assert library.rows("SELECT 1 FROM document_fts WHERE document_fts MATCH 'Mehrfamilienhäuser Wärmepumpe'")
    assert {row["title"] for row in stored if "Gießen" in row["title"] or "Schlüssel" in row["title"]}
    again = collect(market, library, now=now)
    assert (again.documents, again.duplicates, again.not_modified) == (0, 0, 12)


def test_a_bundled_feed_stays_inside_its_folder(library, now, make_market, tmp_path, rss, quick):
    (tmp_path / "secret.xml").write_text(rss(("secret", "https://x.example/1", "")))
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "good.xml").write_text(rss(("good", "relative", "")))
    (inside / "link.xml").symlink_to(tmp_path / "secret.xml")
    market = make_market(bundled_feeds=["good.xml", "link.xml", "none.xml", "good.xml"])
    market._path = inside / "test.yaml"
    stats = collect(market, library, now=now, options=quick)
    assert stats.failed == {
        "link.example/link.xml": "404 Not Found",
        "none.example/none.xml": "404 Not Found",
    }
    assert [row["url"] for row in library.rows("SELECT url FROM document")] == [
        "https://good.example/relative"
    ]
    assert stats.per_source["good.example/good.xml"].outcome is Outcome.STORED
