"""Many answers are read in a process beside this one; what comes of them is the same, whatever happens to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from worker.research import readers
from worker.research.collect import collect
from worker.research.http import Fetched
from worker.research.library import Library
from worker.research.readers import FEW, Readers
from worker.research.sources import Source

TEXT = "In {n} von {n}9 Wohnungen im dritten Stock sind gestern neue Mieter aus der Nachbarschaft eingezogen, sagt sie."


@pytest.fixture
def many(site, rss):
    """More feeds than are read without a process; the last two tell what others have told."""
    count = FEW + 20
    feeds = [
        rss(*((f"Titel {n}.{i}", f"https://o{n}.example/{i}", TEXT.format(n=n * 100 + i)) for i in range(5)))
        for n in range(count - 1)
    ]
    feeds[-1] = feeds[-1].replace("</item>", '<enclosure url="/1.mp3" type="audio/mpeg" length="7"/></item>')
    feeds.append(rss(("Titel 3.1", "https://copy.example/", TEXT.format(n=301))))
    return [site.body(f"/feed{n}", feed, ETag=f'"{n}"') for n, feed in enumerate(feeds)]


def held(library):
    columns = "source, title, url, canonical_key, content_hash, content, language, published_at, enclosures"
    return sorted(map(tuple, library.rows(f"SELECT {columns} FROM document")))


def test_a_process_reads_what_threads_read(many, make_market, library, home, now, patient, monkeypatch):
    market = make_market(*many)
    beside = collect(market, library, now=now, options=patient)
    monkeypatch.setattr(readers, "FEW", 10_000)
    with Library(home / "threads.db") as other:
        here = collect(market, other, now=now, options=patient)
        assert held(library) == held(other)
    files = [row[-1] for row in held(library) if row[-1] != "[]"]
    assert len(files) == 5
    assert files[0].endswith('/1.mp3","type":"audio/mpeg","length":7}]')
    assert (beside.documents, beside.duplicates, beside.errors) == (
        here.documents,
        here.duplicates,
        here.errors,
    )
    assert (beside.documents, beside.duplicates, beside.errors) == (43 * 5, 1, 0)


def started(monkeypatch):
    """The processes that are started from now on."""
    found = []
    start = readers.subprocess.Popen

    def noted(command, **more):
        process = start(command, **more)
        if command[-1] == "worker.research.readers":
            found.append(process)
        return process

    monkeypatch.setattr(readers.subprocess, "Popen", noted)
    return found


def test_few_answers_start_no_process_and_none_outlives_its_run(
    many, make_market, library, now, patient, monkeypatch
):
    processes = started(monkeypatch)
    collect(make_market(*many[:FEW]), library, now=now, options=patient)
    assert processes == []
    assert collect(make_market(*many, name="other"), library, now=now, options=patient).errors == 0
    (process,) = processes
    assert process.returncode is not None


def fetched(site, text):
    return Fetched(200, text.encode(), site.url("/f"), None, None, None, 0.1)


async def test_an_answer_that_ends_the_process_is_the_only_one_that_fails(site, rss, now, monkeypatch):
    processes = started(monkeypatch)
    monkeypatch.setattr(readers, "FEW", 0)
    source, one = Source.at(site.url("/f")), Readers("de")
    try:
        good = fetched(site, rss(("Titel", "https://o.example/", "Text")))
        assert len((await one.read(source, good, now())).entries) == 1
        os.kill(processes[0].pid, signal.SIGKILL)
        processes[0].wait()
        with pytest.raises(readers.FeedError, match="cannot be read"):
            await one.read(source, good, now())
        assert len((await one.read(source, good, now())).entries) == 1
        assert len(processes) == 2
    finally:
        one.close()
    assert all(process.returncode is not None for process in processes)


async def test_an_answer_that_takes_too_long_ends_and_the_next_is_read(site, rss, now, monkeypatch):
    """The first of a run, too: feedparser takes minutes for a long author's name, and a thread cannot be stopped."""
    monkeypatch.setattr(readers, "LIMIT_S", 1.0)
    source, one = Source.at(site.url("/f")), Readers("de")
    try:
        slow = rss(("Titel", "https://o.example/", "Text")).replace(
            "</item>", f"<author>{'a' * 300_000}</author><odd/></item>"
        )
        with pytest.raises(readers.FeedError, match="cannot be read in 1 s"):
            await one.read(source, fetched(site, slow), now())
        monkeypatch.setattr(readers, "LIMIT_S", 60.0)
        monkeypatch.setattr(readers, "FEW", 0)
        good = fetched(site, rss(("Titel", "https://o.example/", "Text")))
        assert len((await one.read(source, good, now())).entries) == 1
        with pytest.raises(readers.FeedError, match="found an HTML page"):
            await one.read(source, fetched(site, "<!doctype html><html>"), now())
    finally:
        one.close()


def test_the_process_ends_with_the_one_that_started_it(home):
    command = [sys.executable, "-m", "worker.research.readers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write((7).to_bytes(8, "big") + b"hal")  # killed in the middle of a question
        process.stdin.close()
        assert process.wait(30) == 0
