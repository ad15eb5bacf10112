from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import feedparser
import pytest

from tests.research import planted
from worker.research.errors import ReportError
from worker.research.library import Library
from worker.research.sinks.report import write_report
from worker.research.topics import rank_topics

HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "[x](javascript:alert(1)) *b* | `c`",
    "a\x00b\x1b[2J\ud800",
)


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    with Library(tmp_path_factory.mktemp("news") / "topics.db") as library:
        for day in planted.Corpus(seed=5, everyday=0.2, spam=0).days(weeks=3):
            planted.store(library, day)
        yield library


@pytest.fixture
def market(make_market):
    return make_market(seed_keywords=["Wärmepumpe", "Hausverwaltung"])


@pytest.fixture
def ranking(market, news):
    return rank_topics(market, news, now=planted.NOW, limit=10)


def read(report):
    return {path.name: path.read_text("utf-8") for path in report.files}


def test_a_week_has_a_folder_and_the_feed_one_address(market, ranking, home):
    report = write_report(market, ranking, home / "reports")
    assert report.folder == home / "reports" / "test" / "2026-W48"
    assert [path.relative_to(home / "reports" / "test").as_posix() for path in report.files] == [
        "2026-W48/topics.md", "2026-W48/topics.html", "2026-W48/topics.csv", "2026-W48/topics.json", "topics.xml",
    ]  # fmt: skip
    assert report.topics == 10


def test_every_form_tells_the_same_topics_in_the_same_order(market, ranking, home):
    files = read(write_report(market, ranking, home))
    titles = [topic.title for topic in ranking.topics]
    assert [one["title"] for one in json.loads(files["topics.json"])["topics"]] == titles
    assert [row["title"] for row in csv.DictReader(io.StringIO(files["topics.csv"]))] == titles
    assert [entry.title for entry in feedparser.parse(files["topics.xml"].encode()).entries] == titles
    for name in ("topics.md", "topics.html"):
        places = [files[name].index(f"{place}. {title}") for place, title in enumerate(titles, 1)]
        assert places == sorted(places)


def test_the_reasons_stand_beside_each_topic(market, ranking, home):
    files = read(write_report(market, ranking, home))
    first = json.loads(files["topics.json"])["topics"][0]
    assert first["score"] == pytest.approx(sum(first["points"].values()), abs=0.01)
    assert "for rise" in files["topics.md"]
    assert "compared with 2 earlier windows" in files["topics.md"]
    assert files["topics.html"].count("<svg") == 10
    assert "<script" not in files["topics.html"]


class Tags(HTMLParser):
    """The tags and the addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_does_nothing_in_any_form(market, ranking, home, text):
    first = ranking.topics[0]
    sample = replace(first.samples[0], title=text, url=f"javascript:{text}")
    hostile = replace(first, title=text, summary=text, angle=text, samples=(sample,))
    files = read(write_report(market, replace(ranking, topics=(hostile,)), home))
    page = Tags(files["topics.html"])
    assert "script" not in page.tags
    assert page.links == []
    assert not re.search(r"(?<!\\)\]\(", files["topics.md"]), "an unescaped bracket would be a link"
    (row,) = csv.DictReader(io.StringIO(files["topics.csv"]))
    assert not row["title"].startswith(("=", "+", "-", "@"))
    assert row["url"] == ""
    assert ET.fromstring(files["topics.xml"].encode()).find("channel/item/link") is None
    assert json.loads(files["topics.json"])["topics"][0]["headlines"][0]["url"] is None


def test_without_history_the_report_says_so(market, home, make_market):
    with Library(home / "topics.db") as library:
        for day in planted.Corpus(seed=5, everyday=0.2, spam=0).days(weeks=1):
            planted.store(library, day)
        files = read(write_report(market, rank_topics(market, library, now=planted.NOW), home))
    assert "No history yet" in files["topics.md"]
    assert "No history yet" in files["topics.html"]


def test_an_empty_market_has_a_report_that_says_why(market, home):
    with Library(home / "topics.db") as library:
        files = read(write_report(market, rank_topics(market, library, now=planted.NOW), home))
    assert "No topic yet" in files["topics.md"]
    assert "No topic yet" in files["topics.html"]


def test_a_second_report_of_the_week_replaces_the_first_and_leaves_no_drafts(market, ranking, home):
    write_report(market, ranking, home)
    report = write_report(market, replace(ranking, topics=ranking.topics[:2]), home)
    assert len(json.loads(read(report)["topics.json"])["topics"]) == 2
    assert sorted(path.name for path in home.rglob("*") if path.is_file()) == [
        "topics.csv", "topics.html", "topics.json", "topics.md", "topics.xml",
    ]  # fmt: skip


def test_what_cannot_be_written_leaves_the_old_report_whole(market, ranking, home, monkeypatch):
    report = write_report(market, ranking, home)
    before = read(report)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError, match="No space left on device"):
        write_report(market, replace(ranking, topics=()), home)
    assert read(report) == before
    assert len(list(home.rglob("*topics*"))) == 5
