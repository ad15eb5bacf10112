"""The pages of articles: fetched where they add something, where nobody minds, and a few at a time."""

from __future__ import annotations

import pytest

from tests.research.conftest import NOW
from worker.research.articles import article_text
from worker.research.collect import collect
from worker.research.http import Ask, Fetcher
from worker.research.robots import Robots

WORDS = "Die Hausverwaltung rechnet ab, und die Wärmepumpe läuft dabei weiter wie zuvor im Bestand. " * 12
PAGE = (
    "<!doctype html><html><head><title>{title}</title><script>track()</script>{head}</head><body>"
    "<nav>Start Politik Sport</nav><article><h1>{title}</h1><p>{words}</p><p>{words}</p></article>"
    "<footer>Impressum Datenschutz</footer></body></html>"
)


def page(title="Titel", words=WORDS, head=""):
    return PAGE.format(title=title, words=words, head=head)


@pytest.fixture
def run(library, quick, now, make_market):
    def run(*feeds):
        market = make_market(*feeds, collectors={"full_text": True})
        return collect(market, library, now=now, options=quick)

    return run


def documents(library):
    rows = library.rows("SELECT url, content, summary, paywall FROM document ORDER BY id")
    return {row["url"].rpartition("/")[2]: row for row in rows}


def test_a_short_entry_gets_the_text_of_its_page_and_a_long_one_is_left(site, rss, run, library):
    site.body("/short", page(), "text/html")
    site.body("/long", page(), "text/html")
    feed = site.body(
        "/f", rss(("Kurz", site.url("/short"), "Anriss"), ("Lang", site.url("/long"), "lang " * 300))
    )
    assert run(feed).documents == 2
    found = documents(library)
    assert "Wärmepumpe läuft dabei weiter" in found["short"]["content"]
    assert "track()" not in found["short"]["content"]
    assert "Impressum" not in found["short"]["content"]
    assert found["short"]["summary"] == "Anriss"
    assert found["long"]["content"].startswith("lang lang")
    assert site.asked("/long") == []
    run(feed)
    assert len(site.asked("/short")) == 1, "what the library has is not fetched again"


def test_robots_txt_is_kept_to_and_said(site, rss, run, library):
    site.body("/robots.txt", "User-agent: topic-console\nDisallow: /secret\n", "text/plain")
    site.body("/secret/a", page(), "text/html")
    site.body("/open", page(), "text/html")
    run(site.body("/f", rss(("A", site.url("/secret/a"), "x"), ("B", site.url("/open"), "y"))))
    assert site.asked("/secret/a") == []
    assert len(documents(library)["open"]["content"]) > 500
    assert library.sources("test")[0].warning == (
        "1 of 2 article pages could not be read, mostly: robots.txt forbids it"
    )
    assert len(site.asked("/robots.txt")) == 1


@pytest.mark.parametrize(
    ("status", "body", "allowed"),
    [
        (200, "", True),
        (200, "User-agent: *\nDisallow: /", False),
        (200, "User-agent: *\nDisallow: /\n\nUser-agent: topic-console\nAllow: /", True),
        (404, "", True),
        (403, "", True),
        (500, "", False),
        (429, "", False),
    ],
)
async def test_what_a_robots_txt_means(site, quick, status, body, allowed):
    if status == 200:
        site.body("/robots.txt", body, "text/plain")
    else:
        site.status("/robots.txt", status)
    async with Fetcher(quick) as fetcher:
        assert await Robots(fetcher).allows(site.url("/a")) is allowed


async def test_the_pause_that_a_site_asks_for(site, quick):
    site.body("/robots.txt", "User-agent: *\nCrawl-delay: 900\n", "text/plain")
    async with Fetcher(quick) as fetcher:
        assert await Robots(fetcher).delay_s(site.url("/a")) == 30
        assert (await fetcher.get(Ask(site.url("/robots.txt")))).status == 200


def test_a_paywall_is_seen(site, rss, run, library):
    site.body(
        "/p",
        page(head='<script type="application/ld+json">{"isAccessibleForFree": "False"}</script>'),
        "text/html",
    )
    run(site.body("/f", rss(("A", site.url("/p"), "x"))))
    assert documents(library)["p"]["paywall"] == 1


def test_pages_that_fail_cost_nothing_but_their_text(site, rss, run, library):
    site.status("/gone", 404)
    site.body("/empty", "", "text/html")
    site.body("/bytes", bytes(range(256)) * 50, "text/html")
    entries = [(name, site.url(f"/{name}"), f"Anriss {name}") for name in ("gone", "empty", "bytes")]
    stats = run(site.body("/f", rss(*entries)))
    assert (stats.documents, stats.errors) == (3, 0)
    assert {row["content"] for row in documents(library).values()} == {
        "Anriss gone",
        "Anriss empty",
        "Anriss bytes",
    }
    assert "3 of 3 article pages could not be read" in library.sources("test")[0].warning
    assert NOW


def test_no_more_than_a_few_pages_of_one_source(site, rss, run):
    entries = [(f"t{n}", site.body(f"/p{n}", page(f"t{n}"), "text/html"), "x") for n in range(30)]
    run(site.body("/f", rss(*entries)))
    assert sum(path.startswith("/p") for _, path, _ in site.requests) == 20


@pytest.mark.parametrize(
    "page",
    [
        page(words=WORDS * 2_000),
        page().replace("<nav>", f"<nav {' '.join(f'a{n}=1' for n in range(200_000))}>"),
    ],
)
def test_a_page_that_would_take_minutes_is_no_article(page):
    assert article_text(page.encode(), "https://x.example/") == ("", False)
