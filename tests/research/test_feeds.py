from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from worker.research.errors import FeedError
from worker.research.sources.entry import Enclosure
from worker.research.sources.feeds import parse_feed
from worker.research.text import html_to_text

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BASE = "https://outlet.example/feeds/all"


def parse(body, **more):
    return parse_feed(body.encode() if isinstance(body, str) else body, BASE, now=NOW, **more)


def item(inner):
    return f'<rss version="2.0"><channel><title>t</title><item>{inner}</item></channel></rss>'


def one(inner):
    (entry,) = parse(item(inner)).entries
    return entry


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://other.example/x/"><title>t</title>
<entry><title type="html">A &lt;b&gt;bold&lt;/b&gt; &amp;amp; brave title</title><id>tag:x,2026:1</id>
<link rel="alternate" href="story"/><published>2026-11-20T10:00:00+02:00</published>
<content type="html">&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;/p&gt;</content><author><name>Änne</name></author>
<category term="Heizung"/></entry></feed>"""


def test_atom():
    (entry,) = parse(ATOM).entries
    assert entry.title == "A bold & brave title"
    assert entry.url == "https://other.example/x/story"
    assert entry.text == "One Two"
    assert entry.guid == "tag:x,2026:1"
    assert entry.author == "Änne"
    assert entry.keywords == ("Heizung",)
    assert entry.published_at == datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_the_title_is_the_entrys_own_whatever_other_parts_are_called():
    inner = "<title>Its own</title><image><title>A logo's</title></image>"
    (entry,) = parse(f'<feed xmlns="http://www.w3.org/2005/Atom"><entry>{inner}</entry></feed>').entries
    assert entry.title == "Its own"


MP3 = Enclosure("https://outlet.example/1.mp3", "audio/mpeg", 4096)


@pytest.mark.parametrize(
    "body",
    [
        item('<title>t</title><enclosure url="/1.mp3" type="audio/mpeg" length="4096"/>'),
        item('<title>t</title><link>/a</link><enclosure url="/1.mp3" type="audio/mpeg" length="4096"/>'),
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><title>t</title><id>urn:1</id>'
        '<link rel="enclosure" href="/1.mp3" type="audio/mpeg" length="4096"/></entry></feed>',
        json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "items": [
                    {
                        "title": "t",
                        "attachments": [{"url": "/1.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 4096}],
                    }
                ],
            }
        ),
    ],
    ids=["rss", "rss-link", "atom", "json"],
)
def test_what_goes_with_an_entry(body):
    (entry,) = parse(body).entries
    assert entry.enclosures == (MP3,)


def test_what_goes_with_an_entry_is_on_the_web_once_and_has_a_true_length():
    files = ("", "file:///etc/passwd", "javascript:x", "/a", "/a", *map(str, range(20)))
    entry = one("<title>t</title>" + "".join(f'<enclosure url="{url}" length="-1"/>' for url in files))
    assert len(entry.enclosures) == 10
    assert entry.enclosures[0] == Enclosure("https://outlet.example/a")


@pytest.mark.parametrize("version", ["0.91", "0.92", "2.0"])
def test_rss(version):
    feed = parse(
        f'<rss version="{version}"><channel><title>News</title><item><title>Größe</title><link>/a?utm_source=x</link>'
        "<description>d &amp;lt; e</description></item></channel></rss>"
    )
    (entry,) = feed.entries
    assert (feed.title, entry.title, entry.text) == ("News", "Größe", "d < e")
    assert entry.url == "https://outlet.example/a"
    assert entry.link == "https://outlet.example/a?utm_source=x"
    assert entry.published_at is None
    assert feed.warning is None


def test_rdf():
    (entry,) = parse(
        '<rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>t</title></channel>'
        '<item rdf:about="https://a.example/1"><title>eins</title><link>https://a.example/1</link>'
        "<dc:date>2026-11-01</dc:date></item></rdf:RDF>"
    ).entries
    assert (entry.title, entry.url) == ("eins", "https://a.example/1")
    assert entry.published_at == datetime(2026, 11, 1, tzinfo=UTC)


def json_feed(*items, **more):
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": items} | more)


def test_json_feed():
    feed = parse(
        json_feed(
            {"id": 1, "url": "/1", "title": "Eins", "content_html": "<p>a<b>b</b></p>", "tags": ["x", 3],
             "date_published": "2026-11-20T10:00:00Z", "authors": [{"name": "Jo"}, "odd"]},
            {"id": "https://a.example/2", "content_text": "only text"},
            {"id": "3", "title": "no link", "date_published": "soon", "author": {"name": "Al"}},
            "odd",
            {"id": "4"},
        )
    )  # fmt: skip
    first, second, third = feed.entries
    assert (first.url, first.text, first.keywords, first.author) == (
        "https://outlet.example/1",
        "ab",
        ("x",),
        "Jo",
    )
    assert (second.url, second.title) == ("https://a.example/2", "only text")
    assert (third.url, third.published_at, third.guid) == (None, None, "3")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "found an empty body"),
        (b" \n\t", "found an empty body"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "found an HTML page"),
        (b"\n<HTML lang=de><head>", "found an HTML page"),
        (b"<?xml version='1.0'?><sitemap><url/></sitemap>", "found other XML"),
        (b"Not found", "found text that is no XML"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "found text that is no XML"),
        (b"{", "found JSON that cannot be read"),
        (b'{"version": "https://jsonfeed.org/version/2"}', "found other JSON"),
        (b"[1]", "found other JSON"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "found a JSON Feed without items"),
        (b"[" * 100_000, "found JSON that cannot be read"),
    ],
)
def test_what_is_no_feed(body, words):
    with pytest.raises(FeedError, match=r"^expected a feed, ") as caught:
        parse(body)
    assert words in str(caught.value)


def test_a_file_name_is_never_opened(tmp_path):
    secret = tmp_path / "feed.xml"
    secret.write_text(item("<title>secret</title>"))
    for body in (str(secret), f"file://{secret}"):
        with pytest.raises(FeedError):
            parse(body)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('<?xml version="1.0" encoding="ISO-8859-1"?>' + item("<title>Größe</title>"), None),
        (item("<title>Größe</title>"), "text/xml; charset=ISO-8859-1"),
    ],
)
def test_latin_1(body, kind):
    assert parse(body.encode("latin-1"), content_type=kind).entries[0].title == "Größe"


def test_utf_8_is_believed_over_a_wrong_header():
    assert (
        parse(item("<title>Größe</title>"), content_type="text/xml; charset=ISO-8859-1").entries[0].title
        == "Größe"
    )


def test_a_broken_feed_is_read_over_with_a_warning():
    feed = parse(item("<title>A & B</title><link>https://a.example/1</link>"))
    assert feed.entries[0].title == "A & B"
    assert feed.warning


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "tag:a,2026:1", "file:///etc/passwd"]
)
def test_only_web_links_are_kept(link):
    entry = one(f"<title>t</title><link>{link}</link><guid>{link}</guid>")
    assert (entry.url, entry.link) == (None, None)


def test_a_permalink_guid_serves_as_link():
    assert one("<title>t</title><guid>https://a.example/1</guid>").url == "https://a.example/1"
    assert one('<title>t</title><guid isPermaLink="false">42</guid>').url is None


def test_a_link_that_counts_clicks_is_passed_by():
    counted = (
        "<link>https://feeds.example/~r/a/1</link><f:origLink>https://a.example/1?utm_source=f</f:origLink>"
    )
    body = item(f"<title>x</title>{counted}").replace(
        "<rss", '<rss xmlns:f="http://rssnamespace.org/feedburner/ext/1.0"'
    )
    assert parse(body).entries[0].url == "https://a.example/1"


def test_equal_guids_with_unlike_pages_are_two_entries():
    entry = "<item><title>t</title><guid isPermaLink='false'>1</guid><link>https://a.example/{}</link></item>"
    body = f'<rss version="2.0"><channel>{"".join(entry.format(n) for n in (1, 2, 2))}</channel></rss>'
    assert [found.url for found in parse(body).entries] == ["https://a.example/1", "https://a.example/2"]


def test_dates():
    def date(text):
        return one(f"<title>t</title><pubDate>{text}</pubDate>").published_at

    assert date("Fri, 20 Nov 2026 10:00:00 +0100") == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert date("Fri, 20 Nov 2099 10:00:00 GMT") == NOW, "the future becomes now"
    assert date("gestern") is None
    assert date("") is None


@pytest.mark.parametrize(
    "reference", ["&#1114112;", "&#x110000;", "&#xD800;", "&#99999999999;", "&#0;", "&#x1b;"]
)
def test_odd_character_references(reference):
    try:
        feed = parse(item(f"<title>a{reference}b</title>"))
    except FeedError:
        return  # said in a sentence is as good as read over
    for entry in feed.entries:
        entry.title.encode()
        assert not any(ord(char) < 32 for char in entry.title)


def test_control_characters_do_not_come_through():
    text = json_feed(
        {"id": "a\u0000b", "title": "a\u001b[31mb\u009bc\ud800d", "content_text": "x\ry\nz", "url": "/\u0007"}
    )
    (entry,) = parse(text).entries
    assert (entry.title, entry.text, entry.guid) == ("a [31mb c d", "x y z", "a b")
    entry.title.encode()


def test_an_entity_bomb_stays_small():
    entities = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    bomb = f'<?xml version="1.0"?><!DOCTYPE rss [{entities}]>' + item("<title>x &i; y</title>")
    started = time.process_time()
    feed = parse(bomb)
    assert sum(len(entry.title) for entry in feed.entries) < 1000
    assert time.process_time() - started < 5


def test_an_external_entity_is_not_read(tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    bomb = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>' + item("<title>a &x; b</title>")
    assert "hunter2" not in repr(parse(bomb))


def test_deep_nesting_ends():
    started = time.process_time()
    deep = 100_000
    try:
        parse(item(f"<title>t</title><description>{'<div>' * deep}x{'</div>' * deep}</description>"))
        parse(item(f"<title>t</title><description>{'&lt;div>' * deep}x</description>"))
    except FeedError:
        pass
    assert time.process_time() - started < 10


def test_bounds():
    entry = one(f"<title>{'t' * 9000}</title><description>{'d ' * 90_000}</description>")
    assert len(entry.title) <= 500
    assert len(entry.text) <= 50_000


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain & simple", "plain & simple"),
        ("a<br>b<p>c</p>d", "a b c d"),
        ("Groß<b>e</b>r", "Großer"),
        ("<script>alert(1)</script>x<style>y</style>", "x"),
        ("<ul><li>a</li><li>b</li></ul>", "a b"),
        ("&lt;b&gt; &amp;amp; &#228;", "<b> &amp; ä"),
        ("<p>unclosed <b>x", "unclosed x"),
        ("", ""),
        ("<", "<"),
    ],
)
def test_markup_to_text(html, text):
    assert html_to_text(html, 1000) == text
