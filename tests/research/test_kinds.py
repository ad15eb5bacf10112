"""Every kind of source against a real HTTP server, with the shapes that the services really send."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from aiohttp import web

from tests.research.conftest import NOW
from worker.research.collect import collect
from worker.research.errors import FeedError
from worker.research.sources import reddit, search, suggestions, trends
from worker.research.sources.catalogue import sources_of
from worker.research.sources.services import BING_NEWS, GOOGLE_NEWS, REDDIT, SUGGESTIONS, TRENDS, Services

REDDIT_ATOM = """<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">
<category term="PropTech" label="r/PropTech"/><updated>2026-11-23T08:01:02+00:00</updated><icon>https://www.redditstatic.com/icon.png/</icon>
<id>/r/PropTech+de/top/.rss?t=week</id><link rel="self" href="https://www.reddit.com/r/PropTech+de/top/.rss?t=week" type="application/atom+xml" />
<link rel="alternate" href="https://www.reddit.com/r/PropTech+de/top/?t=week" type="text/html" /><title>top scoring links : multi</title>
<entry><author><name>/u/alice</name><uri>https://www.reddit.com/user/alice</uri></author><category term="PropTech" label="r/PropTech"/>
<content type="html">&lt;!-- SC_OFF --&gt;&lt;div class=&quot;md&quot;&gt;&lt;p&gt;Welche Software f&#252;r 40 Wohnungen?&lt;/p&gt; &lt;/div&gt;&lt;!-- SC_ON --&gt; &amp;#32; submitted by &amp;#32; &lt;a href=&quot;https://www.reddit.com/user/alice&quot;&gt; /u/alice &lt;/a&gt; &lt;br/&gt; &lt;span&gt;&lt;a href=&quot;https://www.reddit.com/r/PropTech/comments/1abc/welche_software/&quot;&gt;[link]&lt;/a&gt;&lt;/span&gt; &amp;#32; &lt;span&gt;&lt;a href=&quot;https://www.reddit.com/r/PropTech/comments/1abc/welche_software/&quot;&gt;[comments]&lt;/a&gt;&lt;/span&gt;</content>
<id>t3_1abc</id><link href="https://www.reddit.com/r/PropTech/comments/1abc/welche_software/" /><updated>2026-11-22T10:00:00+00:00</updated><published>2026-11-22T10:00:00+00:00</published><title>Welche Software nutzt ihr?</title></entry>
<entry><author><name>/u/bob</name><uri>https://www.reddit.com/user/bob</uri></author><category term="de" label="r/de"/>
<content type="html">&lt;table&gt; &lt;tr&gt;&lt;td&gt; &lt;a href=&quot;https://www.reddit.com/r/de/comments/2def/mieten/&quot;&gt; &lt;img src=&quot;https://external-preview.redd.it/x.jpg&quot; /&gt; &lt;/a&gt; &lt;/td&gt;&lt;td&gt; &amp;#32; submitted by &amp;#32; &lt;a href=&quot;https://www.reddit.com/user/bob&quot;&gt; /u/bob &lt;/a&gt; &amp;#32; to &amp;#32; &lt;a href=&quot;https://www.reddit.com/r/de/&quot;&gt; r/de &lt;/a&gt; &lt;br/&gt; &lt;span&gt;&lt;a href=&quot;https://www.outlet.example/mieten?utm_source=reddit&amp;amp;id=7&quot;&gt;[link]&lt;/a&gt;&lt;/span&gt; &amp;#32; &lt;span&gt;&lt;a href=&quot;https://www.reddit.com/r/de/comments/2def/mieten/&quot;&gt;[comments]&lt;/a&gt;&lt;/span&gt; &lt;/td&gt;&lt;/tr&gt;&lt;/table&gt;</content>
<id>t3_2def</id><media:thumbnail url="https://external-preview.redd.it/x.jpg" /><link href="https://www.reddit.com/r/de/comments/2def/mieten/" /><updated>2026-11-21T10:00:00+00:00</updated><published>2026-11-21T10:00:00+00:00</published><title>Mieten steigen weiter</title></entry>
</feed>"""

TRENDS_RSS = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<rss xmlns:atom="http://www.w3.org/2005/Atom" xmlns:ht="https://trends.google.com/trending/rss" version="2.0"><channel>
<title>Daily Search Trends</title><description>Recent searches</description><link>https://trends.google.com/trending?geo=DE</link>
<atom:link href="https://trends.google.com/trending/rss?geo=DE" rel="self" type="application/rss+xml"/>
<item><title>wärmepumpe förderung</title><ht:approx_traffic>20.000+</ht:approx_traffic><description></description><link>https://trends.google.com/trending/rss?geo=DE</link>
<pubDate>Sun, 22 Nov 2026 23:40:00 -0800</pubDate><ht:picture>https://encrypted-tbn1.gstatic.com/images?q=x</ht:picture><ht:picture_source>Haufe</ht:picture_source>
<ht:news_item><ht:news_item_title>Förderung endet früher</ht:news_item_title><ht:news_item_snippet></ht:news_item_snippet><ht:news_item_url>https://www.haufe.example/a</ht:news_item_url><ht:news_item_picture>https://x</ht:news_item_picture><ht:news_item_source>Haufe</ht:news_item_source></ht:news_item>
<ht:news_item><ht:news_item_title>Was Eigentümer jetzt tun</ht:news_item_title><ht:news_item_snippet></ht:news_item_snippet><ht:news_item_url>https://www.zeitung.example/b</ht:news_item_url><ht:news_item_source>Zeitung</ht:news_item_source></ht:news_item></item>
<item><title>dax &amp; co</title><ht:approx_traffic>500+</ht:approx_traffic><link>https://trends.google.com/trending/rss?geo=DE</link><pubDate>Mon, 23 Nov 2026 00:10:00 -0800</pubDate></item>
</channel></rss>"""

GOOGLE_RSS = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><generator>NFE/5.0</generator>
<title>"PropTech" - Google News</title><link>https://news.google.com/search?q=PropTech&amp;hl=de&amp;gl=DE&amp;ceid=DE:de</link><language>de</language>
<item><title>Proptech sammelt 12 Millionen ein - Gründerszene</title><link>https://news.google.com/rss/articles/CBMiWkFVX3lxTE56SUlBbTdPSGxHcVZXd3Z?oc=5</link>
<guid isPermaLink="false">CBMiWkFVX3lxTE56SUlBbTdPSGxHcVZXd3Z</guid><pubDate>Sun, 22 Nov 2026 10:00:00 GMT</pubDate>
<description>&lt;a href="https://news.google.com/rss/articles/CBMiWkFVX3lxTE56SUlBbTdPSGxHcVZXd3Z?oc=5" target="_blank"&gt;Proptech sammelt 12 Millionen ein&lt;/a&gt;&amp;nbsp;&amp;nbsp;&lt;font color="#6f6f6f"&gt;Gründerszene&lt;/font&gt;</description>
<source url="https://www.businessinsider.de">Gründerszene</source></item></channel></rss>"""

BING_RSS = """<?xml version="1.0" encoding="utf-8" ?><rss version="2.0" xmlns:News="https://www.bing.com/news/search?q=PropTech&amp;format=rss"><channel><title>PropTech - BingNews</title>
<link>https://www.bing.com/news/search?q=PropTech&amp;format=rss</link><item><title>Proptech sammelt ein</title>
<link>http://www.bing.com/news/apiclick.aspx?ref=FexRss&amp;aid=&amp;tid=65f&amp;url=https%3a%2f%2fwww.outlet.example%2fproptech%3futm_source%3dbing&amp;c=123&amp;mkt=de-de</link>
<description>Das Berliner Unternehmen sammelt Geld ein und will in drei weitere Länder.</description><pubDate>Sun, 22 Nov 2026 09:00:00 GMT</pubDate>
<News:Source>Outlet</News:Source><News:Image>http://www.bing.com/th?id=x&amp;pid=News</News:Image></item></channel></rss>"""

COMPLETIONS = ["wärmepumpe", ["wärmepumpe kosten", "wärmepumpe förderung", "Wärmepumpe"], [],
               {"google:suggestsubtypes": [[512, 433], [512], [512]]}]  # fmt: skip


def answer(read, body, kind=None):
    raw = body.encode() if isinstance(body, str) else body
    return read(raw, "https://service.example/feed", now=NOW, content_type=kind)


# -- what is read ------------------------------------------------------------------------------------


def test_a_post_that_leads_elsewhere_is_a_voice_for_that_page():
    own, outward = answer(reddit.read, REDDIT_ATOM).entries
    assert own.url == "https://www.reddit.com/r/PropTech/comments/1abc/welche_software/"
    assert own.text == "Welche Software für 40 Wohnungen?"
    assert own.guid.endswith("t3_1abc")
    assert (own.author, own.keywords) == ("/u/alice", ("PropTech",))
    assert outward.url == "https://www.outlet.example/mieten?id=7"
    assert outward.link == "https://www.reddit.com/r/de/comments/2def/mieten/"
    assert (outward.title, outward.text) == ("Mieten steigen weiter", "")
    assert outward.published_at == datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_a_search_of_many_has_its_headlines_and_is_told_from_the_others():
    heat, dax = answer(trends.read, TRENDS_RSS).entries
    assert heat.title == "wärmepumpe förderung"
    assert heat.text == (
        "20.000+ searches. Förderung endet früher (Haufe, https://www.haufe.example/a). "
        "Was Eigentümer jetzt tun (Zeitung, https://www.zeitung.example/b)."
    )
    assert heat.keywords == ("Haufe", "Zeitung")
    assert heat.published_at == datetime(2026, 11, 23, 7, 40, tzinfo=UTC)
    assert (heat.url, dax.url) == (None, None), "all of them have the feed's own link"
    assert heat.guid != dax.guid
    assert dax.title == "dax & co"


def test_a_searchs_own_dressing_is_taken_off():
    (google,) = answer(search.read, GOOGLE_RSS).entries
    assert (google.title, google.author, google.text) == (
        "Proptech sammelt 12 Millionen ein",
        "Gründerszene",
        "",
    )
    assert google.url.startswith("https://news.google.com/rss/articles/CBMi")
    (bing,) = answer(search.read, BING_RSS).entries
    assert (bing.title, bing.author) == ("Proptech sammelt ein", "Outlet")
    assert bing.url == "https://www.outlet.example/proptech"
    assert bing.text.startswith("Das Berliner Unternehmen")


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_completions_are_read_in_the_charset_they_come_in(charset):
    body = json.dumps(COMPLETIONS, ensure_ascii=False).encode(charset)
    feed = answer(suggestions.read, body, f"text/javascript; charset={charset}")
    assert [entry.title for entry in feed.entries] == ["wärmepumpe kosten", "wärmepumpe förderung"]
    assert feed.entries[0].keywords == ("wärmepumpe",)
    assert feed.entries[0].published_at is None


@pytest.mark.parametrize("read", [reddit.read, search.read, trends.read, suggestions.read])
@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html><body>unusual traffic",
        "{}",
        "[]",
        "[1, 2]",
        '["a", {"b": 1}]',
        "null",
        "<a/>",
        "\0\xff",
        "[" * 5000,
    ],
)
def test_what_is_no_answer_is_said(read, body):
    with pytest.raises(FeedError):
        answer(read, body)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_not_for_trends(encoding):
    bomb = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "{"a" * 99}"><!ENTITY b "{"&a;" * 99}">]><rss><channel>&b;</channel></rss>'
    with pytest.raises(FeedError, match="a document type of its own"):
        answer(trends.read, bomb.encode(encoding))


# -- which there are ---------------------------------------------------------------------------------


def test_a_market_has_the_kinds_that_it_enables(make_market):
    every = {
        "search_enabled": True,
        "reddit_enabled": True,
        "trends_enabled": True,
        "autocomplete_enabled": True,
    }
    market = make_market(
        "https://a.example/f", seed_keywords=["PropTech", "Smart Home", "PropTech"], reddit_subreddits=["de", "r/PropTech", "de"],
        collectors=every,
    )  # fmt: skip
    found = sources_of(market)
    assert [(source.kind, source.key) for source in found.values()] == [
        ("feed", "a.example/f"),
        ("search", "news.google.com/rss/search?ceid=DE%3Ade&gl=DE&hl=de&q=PropTech"),
        ("search", "bing.com/news/search?cc=DE&format=rss&q=PropTech&setlang=de"),
        ("search", "news.google.com/rss/search?ceid=DE%3Ade&gl=DE&hl=de&q=Smart+Home"),
        ("search", "bing.com/news/search?cc=DE&format=rss&q=Smart+Home&setlang=de"),
        ("reddit", "reddit.com/r/de+PropTech/top/.rss?limit=100&t=week"),
        ("trends", "trends.google.com/trending/rss?geo=DE"),
        ("suggestions", "suggestqueries.google.com/complete/search?client=firefox&gl=DE&hl=de&q=PropTech"),
        ("suggestions", "suggestqueries.google.com/complete/search?client=firefox&gl=DE&hl=de&q=Smart+Home"),
    ]
    assert [source.pause_s for source in found.values()] == [None, 2, 2, 2, 2, 60, 5, 1, 1]
    assert {source.kind for source in sources_of(make_market("https://a.example/f")).values()} == {"feed"}


@pytest.mark.parametrize(
    ("given", "region"),
    [({}, "DE"), ({"language": "fr"}, "FR"), ({"language": "en-GB"}, "GB"), ({"language": "xx"}, "US"), ({"region": "AT"}, "AT")],
)  # fmt: skip
def test_the_country_that_services_are_asked_for(make_market, given, region):
    assert make_market(**given).region_code == region


def test_a_personal_token_is_sent_and_is_no_part_of_who_the_source_is(make_market):
    market = make_market(reddit_subreddits=["de"], collectors={"reddit_enabled": True})
    services = Services(reddit_user="me", reddit_token="hunter2")
    ((key, source),) = sources_of(market, services=services).items()
    assert source.fetch_url.endswith("feed=hunter2&user=me")
    assert key == next(iter(sources_of(market)))
    assert "hunter2" not in source.key + source.url + source.name + repr(services)


# -- how they are asked ------------------------------------------------------------------------------


def test_all_kinds_are_collected_from_a_server(site, library, make_market, now, patient):
    asked = []

    async def serve(request):
        asked.append((request.path, dict(request.query)))
        bodies = {
            "/complete/search": json.dumps(COMPLETIONS),
            "/trending/rss": TRENDS_RSS,
            "/rss/search": GOOGLE_RSS,
            "/news/search": BING_RSS,
        }
        return web.Response(
            body=bodies.get(request.path, REDDIT_ATOM).encode(), content_type="application/xml"
        )

    site.otherwise = serve
    market = make_market(
        seed_keywords=["wärmepumpe"], reddit_subreddits=["PropTech", "de"],
        collectors={"search_enabled": True, "reddit_enabled": True, "trends_enabled": True, "autocomplete_enabled": True},
    )  # fmt: skip
    gateway = dict.fromkeys(
        (REDDIT, TRENDS, SUGGESTIONS, GOOGLE_NEWS, BING_NEWS), f"http://127.0.0.1:{site.port}/"
    )
    services = Services(gateway, reddit_user="me", reddit_token="hunter2")
    stats = collect(market, library, now=now, options=patient, services=services)
    assert (stats.sources, stats.errors, stats.documents) == (5, 0, 8)
    queries = dict(asked)
    assert queries["/r/PropTech+de/top/.rss"] == {
        "t": "week",
        "limit": "100",
        "feed": "hunter2",
        "user": "me",
    }
    assert queries["/complete/search"]["q"] == "wärmepumpe"
    assert {one.kind for one in library.sources("test")} == {"search", "reddit", "trends", "suggestions"}
    again = collect(market, library, now=now, options=patient, services=services)
    assert (again.documents, again.duplicates) == (0, 0)
    library.close()
    assert b"hunter2" not in library.path.read_bytes()
    assert "hunter2" not in json.dumps(stats.as_dict())


def test_reddits_403_is_a_limit_and_is_kept_to(site, library, make_market, now, patient):
    site.otherwise = lambda request: _refuse()
    market = make_market(site.body("/good", "<rss><channel><item><title>x</title></item></channel></rss>"), reddit_subreddits=["de"], collectors={"reddit_enabled": True})  # fmt: skip
    services = Services({REDDIT: site.url("")})
    assert collect(market, library, now=now, options=patient, services=services).errors == 1
    stats = collect(market, library, now=now, options=patient, services=services)
    assert (stats.errors, list(stats.skipped.values())) == (
        0,
        ["asked to be left alone, asked again after 2026-11-23 09:15 UTC"],
    )


async def _refuse():
    return web.Response(status=403)
