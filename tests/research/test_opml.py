from __future__ import annotations

import pytest

from worker.config import ConfigError
from worker.research.errors import OpmlError
from worker.research.markets import load_market
from worker.research.opml import Outline, read_opml, write_opml

LIST = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="1.0"><head><title>mine</title></head><body>
  <outline text="News"><outline text="Heise" title="heise &amp; Co" type="rss" xmlUrl="https://www.heise.de/rss/heise-atom.xml" htmlUrl="https://www.heise.de/"/>
    <outline text="deep"><outline text="T3N" XMLURL="https://t3n.de/rss.xml"/></outline></outline>
  <outline text="again" xmlUrl="http://heise.de/rss/heise-atom.xml/"/>
  <outline text="a file" xmlUrl="file:///etc/passwd"/><outline text="no feed" url="https://x.example/"/>
  <outline text="odd" xmlUrl="https://[x/"/>
</body></opml>"""
LEAST = "domain: a\nmarket: b\nlanguage: de\nvertical: c\nseed_keywords: [d]\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "markets").mkdir()
    return tmp_path


def test_a_list_is_read_with_its_folders_each_feed_once(tmp_path):
    path = tmp_path / "a.opml"
    path.write_text(LIST)
    assert read_opml(path) == (
        Outline("https://www.heise.de/rss/heise-atom.xml", "heise & Co", "https://www.heise.de/", "News"),
        Outline("https://t3n.de/rss.xml", "T3N", None, "News/deep"),
    )


def test_what_is_written_is_read_again(tmp_path):
    feeds = (
        Outline("https://a.example/f?x=1&y=2", 'A <"&> B', "https://a.example/", "Mö/el"),
        Outline("https://b.example/f", "b.example", None, ""),
    )
    path = tmp_path / "out.opml"
    text = write_opml(path, "Test", feeds)
    assert text == path.read_text()
    assert set(read_opml(path)) == set(feeds)
    assert [one.name for one in tmp_path.iterdir()] == ["out.opml"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "expected OPML, found no XML"),
        ("not xml", "expected OPML, found no XML"),
        ("<html/>", "expected OPML, found other XML"),
        ("<opml/>", "expected OPML, found other XML"),
        ('<!DOCTYPE o [<!ENTITY a "x">]><opml><body/></opml>', "found XML with a document type of its own"),
    ],
)
def test_what_is_no_list_is_said(tmp_path, body, words):
    path = tmp_path / "a.opml"
    path.write_text(body)
    with pytest.raises(OpmlError, match=words):
        read_opml(path)


def test_a_missing_list_is_said(tmp_path):
    with pytest.raises(OpmlError, match="cannot be read: no such file"):
        read_opml(tmp_path / "none.opml")


def test_a_market_collects_the_feeds_of_its_list(folder):
    (folder / "markets" / "one.opml").write_text(LIST)
    (folder / "markets" / "one.yaml").write_text(
        LEAST + "opml_file: one.opml\nrss_feeds: ['https://t3n.de/rss.xml']\n"
    )
    assert load_market(folder, "one").feeds == (
        "https://t3n.de/rss.xml",
        "https://www.heise.de/rss/heise-atom.xml",
    )


def test_a_fault_in_the_list_is_a_fault_of_the_market(folder):
    (folder / "markets" / "one.yaml").write_text(LEAST + "opml_file: one.opml\n")
    with pytest.raises(ConfigError, match=r"one\.yaml: opml_file: .*one\.opml: cannot be read"):
        load_market(folder, "one")
