"""How each source is doing, and when it is asked again."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from aiohttp import web

from tests.research.conftest import NOW
from worker.research.choice import Choice
from worker.research.collect import collect
from worker.research.errors import NothingCollectedError, SourceError
from worker.research.library import Library
from worker.research.polling import DAY_S, GONE_S, HOUR_S, after_failure, after_success
from worker.research.sources import Source, without_secrets

STORY = ("Titel", "https://x.example/1", "Text")


class Time:
    """A clock that tests move."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    def pass_by(self, **span):
        self.now += timedelta(**span)


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def run(library, quick, clock):
    def run(market, **choice):
        return collect(market, library, now=clock, options=quick, choice=Choice(**choice))

    return run


def health(library, path):
    return next(one for one in library.sources("test") if one.key.endswith(path))


# -- a feed that moves -------------------------------------------------------------------------------


def test_where_permanent_redirects_lead_is_asked_directly_in_the_end(site, rss, run, library, make_market):
    site.body("/new", rss(STORY), ETag='"n"')
    market = make_market(site.status("/old", 301, Location="/new"))
    for runs in (1, 2, 3):
        run(market)
        assert (health(library, "/old").moved_to, len(site.asked("/old"))) == (site.url("/new"), runs)
    for _ in range(2):
        run(market)
    assert (len(site.asked("/old")), len(site.asked("/new"))) == (3, 5)
    assert health(library, "/old").moved_seen == 3
    assert [one.key for one in library.sources("test")] == [f"127.0.0.1:{site.port}/old"], (
        "it stays who it was"
    )


def test_a_maintenance_page_is_not_where_a_feed_lives(site, rss, run, library, make_market):
    site.body("/sorry", "<!doctype html><html>back soon", "text/html")
    market = make_market(site.status("/f", 301, Location="/sorry"), site.body("/good", rss(STORY)))
    for _ in range(5):
        run(market)
    assert health(library, "/f").moved_to is None
    site.body("/f", rss(("Neu", "https://x.example/2", "")))
    assert run(market).documents == 1


def test_a_new_address_that_turns_bad_is_given_up(site, rss, run, library, make_market):
    site.body("/new", rss(STORY))
    market = make_market(site.status("/old", 308, Location="/new"), site.body("/good", rss(STORY)))
    for _ in range(4):
        run(market)
    site.status("/new", 404)
    run(market)
    site.body("/old", rss(("Wieder da", "https://x.example/2", "")))
    assert run(market).documents == 1
    assert health(library, "/old").moved_to is None


# -- a feed that does not want to be asked -----------------------------------------------------------


def test_a_feed_that_asks_to_wait_is_left_alone_as_long(site, rss, run, library, make_market, clock):
    url = site.status("/busy", 503, **{"Retry-After": "1800"})
    market = make_market(url, site.body("/good", rss(STORY)))
    assert run(market).failed == {
        f"127.0.0.1:{site.port}/busy": "503 Service Unavailable, asks to wait 1800 s"
    }
    clock.pass_by(minutes=29)
    stats = run(market)
    assert (stats.sources, stats.errors) == (1, 0)
    assert stats.skipped == {
        f"127.0.0.1:{site.port}/busy": "asked to be left alone, asked again after 2026-11-23 09:30 UTC"
    }
    assert len(site.asked("/busy")) == 1
    clock.pass_by(minutes=2)
    site.body("/busy", rss(STORY))
    assert run(market).errors == 0
    assert health(library, "/busy").held_until is None


def test_the_wait_is_remembered_over_a_restart(site, rss, home, quick, make_market, clock):
    market = make_market(site.status("/busy", 429), site.body("/good", rss(STORY)))
    for _ in range(3):
        with Library(home / "topics.db") as library:
            collect(market, library, now=clock, options=quick)
    assert len(site.asked("/busy")) == 1


def test_a_gone_feed_rests_for_a_month_and_may_come_back(site, rss, run, library, make_market, clock):
    market = make_market(site.status("/gone", 410), site.body("/good", rss(STORY)))
    run(market)
    assert health(library, "/gone").gone_at == NOW
    clock.pass_by(days=29)
    assert "gone, asked again after 2026-12-23" in str(run(market).skipped)
    site.body("/gone", rss(STORY))
    assert run(market, only=f"127.0.0.1:{site.port}/gone").errors == 0, "who asks for it alone, gets it"
    assert health(library, "/gone").gone_at is None


# -- a feed that fails -------------------------------------------------------------------------------


def test_what_fails_for_long_is_asked_ever_later_by_scheduled_runs(
    site, rss, run, library, make_market, clock
):
    market = make_market(site.status("/bad", 500), site.body("/good", rss(STORY), ETag='"1"'))
    for _ in range(4):
        assert run(market, due_only=True).errors == 1, "an hour of trouble is no reason"
    assert run(market, due_only=True).errors == 1
    stats = run(market, due_only=True)
    assert "failed 5 times in a row, asked again after 2026-11-23 10:00 UTC" in str(stats.skipped)
    assert (stats.sources, stats.errors) == (0, 0)
    assert run(market).errors == 1, "who presses a key, gets it asked"
    clock.pass_by(hours=1, minutes=30)
    assert run(market, due_only=True).sources == 1, "only the good one is due"
    clock.pass_by(hours=1)
    assert run(market, due_only=True).errors == 1
    assert health(library, "/bad").errors_in_row == 7


def test_when_all_are_left_alone_because_they_fail_the_run_fails(site, run, make_market):
    market = make_market(site.status("/bad", 500))
    for _ in range(7):
        with pytest.raises(NothingCollectedError, match="500 Internal Server Error"):
            run(market, due_only=True)
    assert len(site.asked("/bad")) == 5


def test_who_has_a_failed_run_repeated_has_each_source_asked_once(site, run, make_market, clock):
    market = make_market(site.status("/busy", 503))
    for _ in range(3):
        with pytest.raises(NothingCollectedError, match="503 Service Unavailable"):
            run(market)
    assert len(site.asked("/busy")) == 1
    clock.pass_by(minutes=1)
    wanted_at = clock().timestamp()
    clock.pass_by(seconds=1)
    for _ in range(3):
        with pytest.raises(NothingCollectedError, match="503 Service Unavailable"):
            run(market, due_only=True, wanted_at=wanted_at)
    assert len(site.asked("/busy")) == 2


def test_who_has_it_repeated_again_asks_nobody_who_has_answered_since(site, rss, run, make_market, clock):
    market = make_market(site.body("/mended", rss(STORY)))
    wanted_at = clock().timestamp()
    clock.pass_by(seconds=1)
    assert run(market, wanted_at=wanted_at).sources == 1
    again = run(market, wanted_at=wanted_at)
    assert (again.sources, again.well, len(site.asked("/mended"))) == (0, 1, 1)


# -- how often ---------------------------------------------------------------------------------------


def test_a_scheduled_run_asks_what_is_due(site, rss, run, library, make_market, clock):
    many = rss(*((f"t{n}", f"https://x.example/{n}", "") for n in range(40)), at=NOW - timedelta(hours=3))
    lively = site.body("/lively", many, ETag='"1"')
    quiet = site.body("/quiet", rss(STORY, at=NOW - timedelta(days=40)), ETag='"1"')
    market = make_market(lively, quiet)
    assert run(market, due_only=True).sources == 2
    assert health(library, "/lively").per_week > 1000
    assert health(library, "/quiet").per_week == 0
    clock.pass_by(minutes=59)
    assert run(market, due_only=True).sources == 0
    clock.pass_by(hours=2)
    stats = run(market, due_only=True)
    assert list(stats.per_source) == [f"127.0.0.1:{site.port}/lively"]
    clock.pass_by(hours=20, minutes=30)
    assert run(market, due_only=True).sources == 2, "a daily run finds all of them due"


@pytest.mark.parametrize(
    ("given", "hours"),
    [
        ({"per_week": 7 * 24, "window_s": None, "asked_s": 0, "conditional": True}, 1),
        ({"per_week": 7 * 24, "window_s": None, "asked_s": 0, "conditional": False}, 4),
        ({"per_week": 14, "window_s": None, "asked_s": 0, "conditional": True}, 12),
        ({"per_week": 14, "window_s": 6 * HOUR_S, "asked_s": 0, "conditional": True}, 3),
        ({"per_week": 0, "window_s": None, "asked_s": 0, "conditional": True}, 23),
        ({"per_week": None, "window_s": None, "asked_s": 0, "conditional": True}, 6),
        ({"per_week": 1000, "window_s": None, "asked_s": 2 * HOUR_S, "conditional": True}, 2),
        ({"per_week": 1000, "window_s": None, "asked_s": 90 * DAY_S, "conditional": True}, 23),
    ],
)
def test_the_wait_after_an_answer(given, hours):
    assert after_success(**given).due_s == hours * HOUR_S


@pytest.mark.parametrize(
    ("given", "due", "held"),
    [
        ({"errors_in_row": 1, "status": 404}, 0, 0),
        ({"errors_in_row": 5, "status": None}, HOUR_S, 0),
        ({"errors_in_row": 500, "status": 500}, 7 * DAY_S, 0),
        ({"errors_in_row": 1, "status": 410}, GONE_S, GONE_S),
        ({"errors_in_row": 1, "status": 429}, 900, 900),
        ({"errors_in_row": 900, "status": 503}, DAY_S, DAY_S),
        ({"errors_in_row": 9, "status": 503, "retry_after_s": 5.0}, 5, 5),
        ({"errors_in_row": 1, "status": 403}, 0, 0),
        ({"errors_in_row": 1, "status": 403, "limited": True}, 900, 900),
    ],
)
def test_the_wait_after_a_failure(given, due, held):
    wait = after_failure(**({"retry_after_s": None, "limited": False} | given))
    assert (wait.due_s, wait.held_s) == (due, held)


def test_what_a_feed_says_of_itself_counts(site, run, library, make_market):
    feed = "<rss version='2.0'><channel><title>t</title><ttl>300</ttl><item><title>x</title></item></channel></rss>"
    run(make_market(site.body("/ttl", feed, ETag='"1"'), site.body("/age", feed.replace("300", "0"), ETag='"1"', **{"Cache-Control": "max-age=28800"})))  # fmt: skip
    assert health(library, "/ttl").next_due == NOW + timedelta(hours=6)
    assert health(library, "/age").next_due == NOW + timedelta(hours=8)


# -- some of the sources -----------------------------------------------------------------------------


def test_only_one_is_asked_by_its_key_or_its_name(site, rss, run, make_market):
    market = make_market(site.body("/a", rss(STORY)), site.body("/b", rss(STORY)))
    assert list(run(market, only=f"127.0.0.1:{site.port}/b").per_source) == [f"127.0.0.1:{site.port}/b"]
    assert site.asked("/a") == []
    with pytest.raises(SourceError, match=r"no source 'nowhere'$"):
        run(market, only="nowhere")
    with pytest.raises(SourceError, match=f"did you mean 127.0.0.1:{site.port}/b"):
        run(market, only=f"127.0.0.1:{site.port}/bb")


def test_what_an_operator_switched_off_is_not_asked(site, rss, run, make_market):
    market = make_market(site.body("/a", rss(STORY)), site.body("/b", rss(STORY)))
    off = {f"127.0.0.1:{site.port}/a": "too loud"}
    stats = run(market, disabled=off)
    assert (stats.sources, stats.skipped) == (1, {f"127.0.0.1:{site.port}/a": "disabled: too loud"})
    assert site.asked("/a") == []


def test_what_the_market_names_no_more_is_kept_and_said(site, rss, run, library, make_market):
    first, second = site.body("/a", rss(STORY)), site.body("/b", rss(STORY))
    run(make_market(first, second))
    run(make_market(first))
    assert health(library, "/b").unlisted_at == NOW
    run(make_market(first, second))
    assert health(library, "/b").unlisted_at is None


# -- secrets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    ["token=s3cret", "a=1&access_token=s3cret", "api_key=s3cret&b=2", "apikey=s3cret", "pwd=s3cret",
     "rss-token=s3cret", "feed=s3cret&user=me", "sig=s3cret"],
)  # fmt: skip
def test_a_token_is_no_part_of_an_identity(query):
    assert "s3cret" not in without_secrets(f"https://a.example/f?{query}")
    assert without_secrets(f"https://a.example/f?{query}") != without_secrets(
        f"https://a.example/f?{query.replace('s3cret', 'other')}"
    )


@pytest.mark.parametrize("query", ["id=12", "p=3", "feed=RSS2.0", "tokenize=1", "q=key"])
def test_what_is_no_secret_stays(query):
    assert without_secrets(f"https://a.example/f?{query}") == f"https://a.example/f?{query}"


def test_a_token_is_sent_and_never_stored(site, rss, run, library, make_market):
    seen = []

    async def answer(request):
        seen.append(request.query_string)
        return web.Response(body=rss(STORY), content_type="application/xml")

    site.add("/mine", answer)
    stats = run(make_market(site.url("/mine?token=hunter2&x=1")))
    assert seen == ["token=hunter2&x=1"]
    library.close()
    assert "hunter2" not in json.dumps(stats.as_dict())
    assert b"hunter2" not in library.path.read_bytes()
    assert Source.at("https://u:pw@a.example/f?key=x").url.startswith("https://a.example/f?key=hidden-")
