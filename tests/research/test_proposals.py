"""Feeds that are proposed: of competitors and of cited outlets, each once, and never what is declined."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.research.conftest import NOW
from worker.research import proposals_store as store
from worker.research.discovery import Found
from worker.research.document import Document
from worker.research.http import Fetcher
from worker.research.library import Harvest
from worker.research.proposals import CITED, propose
from worker.research.sources import Kind, Source

PAGE = """<html><head><link rel="alternate" type="application/rss+xml" href="/news.xml">
<link rel="alternate" type="application/rss+xml" href="/comments.xml">
<link rel="alternate" type="application/rss+xml" href="/old.xml"></head></html>"""


@pytest.fixture
def rival(site, rss):
    """A competitor's site with a living feed, a dead one, and one of comments."""
    site.body("/rival", PAGE, "text/html")
    for path, at in (("/news.xml", NOW), ("/comments.xml", NOW), ("/old.xml", NOW - timedelta(days=400))):
        site.body(path, rss(("A", "https://rival.example/a", "x"), title="Rival", at=at))
    return site.url("/rival")


@pytest.fixture
def search(library, quick):
    async def search(market, now=NOW):
        async with Fetcher(quick) as fetcher:
            return await propose(market, library, fetcher, now=now)

    return search


def cite(library, address, times):
    """Stories of one outlet that a news search has led to."""
    source = Source(
        "bing.com/news", "bing.com", "https://bing.com/news", "https://bing.com/news", Kind.SEARCH
    )
    documents = tuple(
        Document(
            source=source.key, source_url=address, title=f"{address} {n}", content=f"Text {n} of {address}",
            language="de", domain="d", market="m", vertical="v", content_hash=f"{address} {n}",
            canonical_url=f"{address}/{n}", canonical_key=f"{address}/{n}", fetched_at=NOW,
        ) for n in range(times)
    )  # fmt: skip
    library.store("test", source, Harvest(documents, times, 200, 0.1, 100), now=NOW)


async def test_the_living_feed_of_a_competitor_is_proposed_once(search, library, make_market, rival, site):
    market = make_market(competitor_urls=[rival])
    done = await search(market)
    assert (done.sites, done.feeds, done.failed) == (1, [site.url("/news.xml")], {})
    (one,) = store.waiting(library, "test")
    assert (one.title, one.why, one.entries, one.newest) == ("Rival", "named as a competitor", 1, NOW)
    again = await search(market, NOW + timedelta(days=1))
    assert again.sites == 0, "a site is searched once a month"
    later = await search(market, NOW + timedelta(days=31))
    assert (later.sites, later.feeds) == (1, [])


async def test_what_is_declined_stays_so_and_what_a_market_has_is_not_proposed(
    search, library, make_market, rival, site
):
    await search(make_market(competitor_urls=[rival]))
    (one,) = store.waiting(library, "test")
    assert store.decline(library, "test", [one.key, "nowhere"], NOW) == 1
    assert (await search(make_market(competitor_urls=[rival]), NOW + timedelta(days=31))).feeds == []
    assert store.waiting(library, "test") == []
    has = make_market(site.url("/news.xml"), name="other", competitor_urls=[rival])
    assert (await search(has)).feeds == []


@pytest.mark.parametrize(("times", "searched"), [(CITED - 1, 0), (CITED, 1)])
async def test_an_outlet_that_is_cited_often_is_searched(search, library, make_market, times, searched):
    cite(library, "http://127.0.0.1:9", times)
    cite(library, "https://www.reddit.com/r/x", 9)
    done = await search(make_market())
    assert (done.sites, list(done.failed)) == (searched, ["127.0.0.1"] * searched)
    assert store.last_look(library, "test") == NOW


async def test_an_outlet_that_is_collected_already_is_not_searched(search, library, make_market):
    cite(library, "https://www.outlet.example", 9)
    done = await search(make_market("https://outlet.example/feed"))
    assert done.sites == 0


def test_a_feed_without_dates_is_kept_as_it_is(library):
    found = Found("https://a.example/f", "A", None, 3, None, None)
    store.keep(library, "test", "https://a.example", "why", [found], now=NOW)
    (one,) = store.waiting(library, "test")
    assert (one.newest, one.per_week, one.found_at) == (None, None, NOW)
