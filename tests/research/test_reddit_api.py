"""Reddit's API on loopback: tokens that end, limits that are told and kept to, and the feeds to fall back on."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web

from tests.research.conftest import NOW
from tests.research.test_kinds import REDDIT_ATOM
from worker.research.collect import collect
from worker.research.errors import FeedError
from worker.research.sources import reddit
from worker.research.sources.catalogue import in_words, sources_of
from worker.research.sources.services import REDDIT, REDDIT_API, Services

ID, SECRET = "appid", "hunter2-of-the-app"


def post(name, place, title, **more):
    own = f"/r/{place}/"
    return {
        "kind": "t3",
        "data": {
            "name": f"t3_{name}", "title": title, "permalink": own, "url": f"https://www.reddit.com{own}",
            "is_self": True, "selftext": "", "author": "alice", "subreddit": place.partition("/")[0],
            "created_utc": NOW.timestamp() - 3600.0, "stickied": False, "over_18": False,
        } | more,
    }  # fmt: skip


OWN = post(
    "1abc",
    "PropTech/comments/1abc/welche_software",
    "Welche Software nutzt ihr?",
    selftext="Welche Software für 40 Wohnungen?",
)
OUTWARD = post("2def", "de/comments/2def/mieten", "Mieten steigen weiter", url="https://www.outlet.example/mieten?utm_source=reddit&id=7",
               is_self=False)  # fmt: skip
LISTING = {
    "kind": "Listing",
    "data": {"after": None, "children": [OWN, OUTWARD, {"kind": "more", "data": {}}]},
}


@dataclass
class Reddit:
    """Issues tokens, counts who asks for what, and answers the first requests as `answers` says."""

    answers: list[web.Response] = field(default_factory=list)
    token_status: int = 200
    token_body: dict[str, object] | None = None
    lasts_s: float = 86_400
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    valid: str = ""

    async def serve(self, request):
        if request.path == "/api/v1/access_token":
            return await self._token(request)
        if request.path.endswith("/.rss"):
            self.asked.append("feed")
            assert "Authorization" not in request.headers
            return web.Response(body=REDDIT_ATOM.encode(), content_type="application/atom+xml")
        self.asked.append("listing")
        assert request.path == "/r/PropTech+de/top"
        assert dict(request.query) == {"t": "week", "limit": "100", "raw_json": "1"}
        if self.answers:
            return self.answers.pop(0)
        if request.headers.get("Authorization") != f"bearer {self.valid}":
            return web.json_response({"message": "Unauthorized", "error": 401}, status=401)
        return web.json_response(LISTING, headers=self.headers)

    async def _token(self, request):
        self.asked.append("token")
        assert request.method == "POST"
        assert dict(await request.post()) == {"grant_type": "client_credentials"}
        pair = base64.b64encode(f"{ID}:{SECRET}".encode()).decode()
        if request.headers["Authorization"] != f"Basic {pair}" or self.token_status != 200:
            return web.json_response({"message": "Unauthorized", "error": 401}, status=self.token_status)
        self.valid = f"token-{len(self.asked)}"
        told = {"access_token": self.valid, "token_type": "bearer", "expires_in": self.lasts_s, "scope": "*"}
        return web.json_response(told if self.token_body is None else self.token_body)


@pytest.fixture
def there(site):
    there = Reddit()
    site.otherwise = there.serve
    return there


@pytest.fixture
def run(site, there, library, make_market, now, patient):
    market = make_market(reddit_subreddits=["PropTech", "de"], collectors={"reddit_enabled": True})
    services = Services(dict.fromkeys((REDDIT, REDDIT_API), site.url("")), reddit_id=ID, reddit_secret=SECRET)

    def run():
        there.asked.clear()
        stats = collect(market, library, now=now, options=patient, services=services)
        (one,) = library.sources("test")
        return stats, one

    return run


def test_posts_are_read_from_the_api(run, there, library):
    stats, seen = run()
    assert there.asked == ["token", "listing"]
    assert (stats.documents, stats.errors, seen.warning) == (2, 0, None)
    titles = {row["title"] for row in library.rows("SELECT title FROM document")}
    assert titles == {"Mieten steigen weiter", "Welche Software nutzt ihr?"}
    assert not library.path.read_bytes().count(SECRET.encode())


def test_a_listing_says_of_a_post_what_the_feed_says(now):
    listed = reddit.read(json.dumps(LISTING).encode(), REDDIT_API, now=now(), content_type="application/json")
    fed = reddit.read(REDDIT_ATOM.encode(), REDDIT, now=now(), content_type="application/atom+xml")
    for one, other in zip(listed.entries, fed.entries, strict=True):
        assert one.guid == other.guid.rpartition("/")[2]
        assert (one.url, one.link, one.text) == (other.url, other.link, other.text)
        assert one.keywords == other.keywords
    assert listed.entries[0].author == fed.entries[0].author


def test_what_one_way_has_brought_the_other_does_not_bring_again(run, there):
    assert run()[0].documents == 2
    there.token_status = 401
    assert run()[0].documents == 0
    assert there.asked == ["token", "feed"]


def test_a_token_that_has_ended_is_replaced_once(run, there):
    there.answers.append(web.json_response({"message": "Unauthorized", "error": 401}, status=401))
    stats, seen = run()
    assert there.asked == ["token", "listing", "token", "listing"]
    assert (stats.documents, seen.warning) == (2, None)


def test_a_key_that_is_refused_leaves_the_feeds_and_says_so(run, there):
    there.token_status = 401
    stats, seen = run()
    assert there.asked == ["token", "feed"]
    assert (stats.documents, stats.errors) == (2, 0)
    assert seen.warning == "asked without the key, for with it: no token: 401 Unauthorized"


@pytest.mark.parametrize(
    ("body", "status"), [({"error": "unsupported_grant_type"}, 200), ({"access_token": "é", "expires_in": 9}, 200)]
)  # fmt: skip
def test_an_answer_without_a_token_leaves_the_feeds(run, there, body, status):
    there.token_body, there.token_status = body, status
    stats, seen = run()
    assert there.asked == ["token", "feed"]
    assert stats.documents == 2
    assert "token" in seen.warning


@pytest.mark.parametrize("status", [403, 500, 302])
def test_an_api_that_does_not_answer_leaves_the_feeds(run, there, status):
    there.answers.append(web.Response(status=status, headers={"Location": "/elsewhere"}))
    stats, seen = run()
    assert there.asked == ["token", "listing", "feed"]
    assert (stats.documents, stats.errors) == (2, 0)
    assert f"with it: {status}" in seen.warning


@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "90"}, {"X-Ratelimit-Remaining": "0.0", "X-Ratelimit-Reset": "90"}],
)
def test_a_limit_is_kept_to_and_not_got_round_by_the_feeds(run, there, headers, library):
    there.answers.append(web.Response(status=429, headers=headers))
    with pytest.raises(Exception, match="429 Too Many Requests, asks to wait 90 s"):
        run()
    assert there.asked == ["token", "listing"]
    (seen,) = library.sources("test")
    assert (seen.held_until - NOW).total_seconds() == 90


@pytest.mark.parametrize(("left", "held"), [("0.0", 240), ("599.0", None)])
def test_the_last_request_that_is_left_is_the_last(run, there, left, held):
    there.headers = {"X-Ratelimit-Used": "600", "X-Ratelimit-Remaining": left, "X-Ratelimit-Reset": "240"}
    stats, seen = run()
    assert stats.documents == 2
    assert (seen.held_until and (seen.held_until - NOW).total_seconds()) == held


def test_a_key_that_comes_or_goes_changes_nothing_of_who_the_source_is(make_market):
    market = make_market(reddit_subreddits=["de"], collectors={"reddit_enabled": True})
    (keyed,) = sources_of(market, services=Services(reddit_id=ID, reddit_secret=SECRET)).values()
    (open_,) = sources_of(market).values()
    assert replace(keyed, fetch_url=open_.fetch_url, open_url=None) == open_
    assert keyed.fetch_url.startswith("https://oauth.reddit.com/r/de/top?")
    assert keyed.pause_s is None
    assert SECRET not in repr(Services(reddit_secret=SECRET))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "Reddit through its feeds, without a key"),
        ({"reddit_id": ID, "reddit_secret": SECRET}, "Reddit through its API"),
        ({"reddit_id": ID}, "its API wants REDDIT_CLIENT_SECRET, too"),
        ({"reddit_secret": SECRET}, "its API wants REDDIT_CLIENT_ID, too"),
        ({"reddit_user": "me", "reddit_token": "t"}, "Reddit through the personal feeds of me"),
    ],
)
def test_the_way_that_is_in_use_is_said(make_market, keys, words):
    market = make_market(reddit_subreddits=["de"], collectors={"reddit_enabled": True})
    assert any(words in line for line in in_words(market, Services(**keys)))


@pytest.mark.parametrize(
    "body",
    ['{"data": null}', '{"data": {"children": [{"kind": "t3", "data": {}}]}}', '{"data": {"children": 3}}', "{"],
)  # fmt: skip
def test_what_is_no_listing_is_said(now, body):
    with pytest.raises(FeedError, match="expected Reddit's listing"):
        reddit.read(body.encode(), REDDIT_API, now=now(), content_type="application/json")
