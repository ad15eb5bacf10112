"""The fast reading of ordinary feeds against feedparser's, entry by entry."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from worker.research.errors import FeedError
from worker.research.sources.feeds import _parse_xml, _plain_feed
from worker.research.sources.plain_feeds import read_plain

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
URL = "https://feeds.example/a/feed.xml"
CONFIG = Path(__file__).resolve().parents[2] / "config"

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
<channel><title>Bau &amp; Markt</title><link>https://a.example</link><ttl>90</ttl>
<sy:updatePeriod>hourly</sy:updatePeriod>
<image><title>Logo</title><url>https://a.example/l.png</url></image>
<item><title>%s</title><link>https://a.example/1?a=1&amp;b=2</link>%s<slash:comments>3</slash:comments></item>
</channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><id>urn:f</id>
<entry><title%s</title><link href="https://a.example/1"/><id>tag:a.example,2026:1</id>%s</entry></feed>"""

PLAIN = {
    "title": (RSS, "Größe 42", ""),
    "ampersand": (RSS, "Müller &amp; Söhne", ""),
    "entity-in-cdata": (RSS, "<![CDATA[Miete &#8211; so geht&rsquo;s]]>", ""),
    "comparison": (RSS, "3 &lt; 5 und 7 &gt; 6", ""),
    "twice-encoded": (RSS, "GrÃ¶ÃŸe", ""),
    "description": (RSS, "t", "<description>Ein &lt;b&gt;Wort&lt;/b&gt; &amp;amp; mehr</description>"),
    "content": (RSS, "t", "<content:encoded><![CDATA[<p>Lang</p><p>und mehr</p>]]></content:encoded>"),
    "both": (RSS, "t", "<description>kurz</description><content:encoded>&lt;p&gt;Lang&lt;/p&gt;</content:encoded>"),
    "both-turned": (RSS, "t", "<content:encoded>&lt;p&gt;Lang&lt;/p&gt;</content:encoded><description>k</description>"),
    "date": (RSS, "t", "<pubDate>Mon, 23 Nov 2026 08:00:00 +0200</pubDate>"),
    "date-without-day": (RSS, "t", "<pubDate>3 Nov 2026 08:00:00 GMT</pubDate>"),
    "future": (RSS, "t", "<pubDate>Mon, 23 Nov 2099 08:00:00 GMT</pubDate>"),
    "guid": (RSS, "t", '<guid isPermaLink="false">42</guid>'),
    "permalink": (RSS, "t", "<guid>https://a.example/?p=1#x</guid>"),
    "creator": (RSS, "t", "<dc:creator>Anna B.</dc:creator>"),
    "categories": (RSS, "t", '<category domain="x">Bau</category><category>Bau</category><category/>'),
    "enclosure": (RSS, "t", '<enclosure url="https://a.example/1.mp3" type="audio/mpeg" length="1"/>'),
    "enclosures": (RSS, "t", '<enclosure url="/1.mp3" length="x"/><enclosure url="https://a.example/2.pdf" type="application/pdf"/><enclosure url="/1.mp3"/><enclosure url="file:///etc/passwd"/>'),
    "atom-enclosure": (ATOM, ">t", '<link rel="enclosure" href="/1.mp3" type="audio/mpeg" length="12"/>'),
    "atom": (ATOM, ">A &amp;amp; B", "<updated>2026-11-23T08:00:00Z</updated>"),
    "atom-html": (ATOM, ' type="html">A &amp;amp; &lt;b&gt;B&lt;/b&gt;', "<published>2026-11-22T08:00:00.5+01:00</published>"),
    "atom-content": (ATOM, ">t", '<content type="html">&lt;p&gt;x&lt;/p&gt;</content><summary>s</summary>'),
    "atom-author": (ATOM, ">t", "<author><name>Anna</name><uri>https://a.example</uri></author>"),
    "atom-category": (ATOM, ">t", '<category term="Bau" scheme="x"/>'),
}  # fmt: skip
ODD = {
    "markup-in-title": (RSS, "Ein &lt;b&gt;Wort&lt;/b&gt;", ""),
    "unknown-entity": (RSS, "AT&amp;T; mehr", ""),
    "relative-link": (RSS, "t</title><link>/2</link><title>", ""),
    "guid-that-is-no-address": (RSS, "t", "<guid>42</guid>"),
    "odd-date": (RSS, "t", "<pubDate>23.11.2026</pubDate>"),
    "impossible-date": (RSS, "t", "<pubDate>Mon, 31 Feb 2026 08:00:00 GMT</pubDate>"),
    "address-of-author": (RSS, "t", "<author>a@b.example (Anna)</author>"),
    "two-dates": (RSS, "t", "<dc:date>2026-11-23</dc:date>"),
    "two-descriptions": (RSS, "t", "<description>a</description><description>b</description>"),
    "windows-letters": (RSS, "Preis \x80 5", ""),
    "windows-references": (RSS, "Preis &#128; 5", ""),
    "children": (RSS, "t", "<description>a <b>b</b></description>"),
    "xhtml": (ATOM, ' type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">x</div>', ""),
    "out-of-line": (ATOM, ">t", '<content src="https://a.example/c"/>'),
    "base": (ATOM, ">t", '<summary xml:base="https://b.example/">x</summary>'),
    "two-links": (ATOM, ">t", '<link href="https://a.example/2"/>'),
}


def made(template, title, rest):
    return (template % (title, rest)).encode()


def theirs(body):
    return _parse_xml(body, URL, NOW, None)


@pytest.mark.parametrize("name", PLAIN)
def test_an_ordinary_feed_means_the_same(name):
    body = made(*PLAIN[name])
    plain = read_plain(body, URL)
    assert plain is not None
    assert _plain_feed(plain, URL, NOW) == theirs(body)
    assert _plain_feed(plain, URL, NOW).entries


@pytest.mark.parametrize("name", ODD)
def test_an_odd_feed_is_left_to_feedparser(name):
    assert read_plain(made(*ODD[name]), URL) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<",
        b"<rss/>",
        b"<rss><channel/></rss>",
        b"<html></html>",
        b'<?xml version="1.0" encoding="ISO-8859-1"?><rss><channel><title>x</title></channel></rss>',
        b'<!DOCTYPE rss [<!ENTITY a "b">]><rss><channel><title>&a;</title></channel></rss>',
        made(RSS, "t", "").replace(b"</item>", b""),
        made(RSS, "t", "").replace(b"UTF-8", b"latin1"),
        made(RSS, "t", "").replace(b"<title>t", b"<title>\xfc"),
        b"<rss>" * 5_000,
    ],
)
def test_no_ordinary_feed(body):
    assert read_plain(body, URL) is None


def test_a_byte_order_mark_changes_nothing():
    body = b"\xef\xbb\xbf" + made(RSS, "Größe", "")
    plain = read_plain(body, URL)
    assert plain is not None
    assert _plain_feed(plain, URL, NOW) == theirs(body)


def _found():
    """The feeds of this project, and those in the folders that FEEDS names: other projects' test material."""
    folders = [CONFIG, *map(Path, filter(None, os.environ.get("FEEDS", "").split(os.pathsep)))]
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def test_every_feed_there_is_means_the_same():
    read = 0
    for path in _found():
        body = path.read_bytes()
        plain = read_plain(body, URL)
        if plain is not None:
            try:
                expected = theirs(body)
            except FeedError:
                pytest.fail(f"{path}: feedparser refuses it")
            assert _plain_feed(plain, URL, NOW) == expected, path
            read += 1
    assert read >= 5
