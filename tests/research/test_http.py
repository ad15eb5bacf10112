from __future__ import annotations

import asyncio
import dataclasses
import gzip
import time

import pytest
from aiohttp import web

from tests.research.conftest import LOOPBACK
from worker.research.errors import FetchError
from worker.research.http import Ask, Fetcher, FetchOptions, user_agent
from worker.research.turns import Turns


async def get(url, options, **more):
    async with Fetcher(options) as fetcher:
        return await fetcher.get(Ask(url, **more))


async def sentence(url, options):
    with pytest.raises(FetchError) as caught:
        await get(url, options)
    return str(caught.value)


async def test_an_answer_with_all_its_facts(site, quick):
    url = site.body("/f", b"<rss/>", ETag='W/"a-gzip"', **{"Last-Modified": "odd date"})
    fetched = await get(url, quick)
    assert (fetched.status, fetched.body, fetched.url) == (200, b"<rss/>", url)
    assert (fetched.etag, fetched.last_modified, fetched.moved_to) == ('W/"a-gzip"', "odd date", None)
    (headers,) = site.asked("/f")
    assert headers["User-Agent"] == user_agent()
    assert headers["User-Agent"].startswith("topic-console/")
    assert "application/atom+xml" in headers["Accept"]
    assert "Cookie" not in headers
    assert "Referer" not in headers


async def test_validators_go_back_byte_for_byte(site, quick):
    url = site.body("/f", b"x", ETag='"a"')
    fetched = await get(url, quick, etag='"a"', last_modified="Yesterday, sort of")
    assert fetched.not_modified
    (headers,) = site.asked("/f")
    assert (headers["If-None-Match"], headers["If-Modified-Since"]) == ('"a"', "Yesterday, sort of")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "404 Not Found"),
        (410, "410 Gone"),
        (500, "500 Internal Server Error"),
        (999, "999"),
        (304, "304 Not Modified"),
        (204, "204 No Content"),
        (301, "301 Moved Permanently"),
    ],
)
async def test_a_status_in_words(site, quick, status, words):
    url = site.status("/f", status)
    with pytest.raises(FetchError) as caught:
        await get(url, quick)
    assert (str(caught.value), caught.value.status) == (words, status)


async def test_how_long_a_server_asks_to_wait_is_said(site, quick):
    assert await sentence(site.status("/f", 429, **{"Retry-After": "120"}), quick) == (
        "429 Too Many Requests, asks to wait 120 s"
    )


async def test_redirects_are_followed_and_the_last_address_is_known(site, quick):
    site.body("/c", b"x")
    site.status("/b", 308, Location="/c")
    first = site.status("/a", 301, Location=site.url("/b"))
    fetched = await get(first, quick)
    assert fetched.url == fetched.moved_to == site.url("/c")
    passing = site.status("/t", 302, Location="/a")
    assert (await get(passing, quick)).moved_to is None


async def test_redirects_end(site, quick):
    assert await sentence(site.status("/r", 302, Location="/r"), quick) == "more than 5 redirects"
    assert len(site.asked("/r")) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x/", "javascript:1"])
async def test_a_redirect_cannot_leave_the_web(site, quick, target):
    assert "expected an http or https URL" in await sentence(site.status("/r", 302, Location=target), quick)


async def test_a_silent_server_is_given_up(site, quick):
    async def silent(request):
        await asyncio.sleep(30)

    assert await sentence(site.add("/s", silent), quick) == "no answer for 1 s"


async def test_a_slow_server_is_given_up_though_it_goes_on_talking(site, quick):
    async def slow(request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x")
            await asyncio.sleep(0.05)

    assert await sentence(site.add("/s", slow), quick) == "timed out after 2 s"


async def test_the_time_of_a_fetch_includes_its_redirects(site, quick):
    async def slow(request):
        await asyncio.sleep(0.3)
        raise web.HTTPFound("/r")

    # Of redirects that take 0.3 s each there is no end before the time's.
    options = dataclasses.replace(quick, max_redirects=100, read_timeout_s=10)
    assert await sentence(site.add("/r", slow), options) == "timed out after 2 s"
    assert len(site.asked("/r")) <= 7


async def test_a_body_is_cut_off_at_its_limit(site, quick):
    sent = 0

    async def endless(request):
        nonlocal sent
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(200):
            await answer.write(b"x" * 1_000_000)
            sent += 1
        return answer

    options = dataclasses.replace(quick, max_body_bytes=2_000_000)
    assert await sentence(site.add("/b", endless), options) == "body larger than 2 MB"
    assert sent < 100


async def test_a_small_body_that_unpacks_to_a_large_one_is_cut_off(site, quick):
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    assert len(bomb) < 300_000
    url = site.body("/z", bomb, **{"Content-Encoding": "gzip"})
    assert await sentence(url, dataclasses.replace(quick, timeout_s=20)) == "body larger than 15 MB"


async def test_a_body_that_cannot_be_unpacked(site, quick):
    url = site.body("/z", b"no gzip at all", **{"Content-Encoding": "gzip"})
    assert await sentence(url, quick) == "the body broke off or could not be unpacked"


async def test_nobody_listens_and_no_such_name(quick, unused_tcp_port):
    assert await sentence(f"http://127.0.0.1:{unused_tcp_port}/", quick) == "connection refused"
    assert await sentence("http://nowhere.invalid/", quick) == "name not resolved"
    assert "expected an http or https URL" in await sentence("ftp://a.example/", quick)
    assert await sentence("http://[bad/", quick) == "not a valid URL"


async def test_a_server_that_speaks_no_http(quick):
    async def babble(reader, writer):
        await reader.readline()
        writer.write(b"hello there\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await sentence(f"http://127.0.0.1:{port}/", quick) == "not a valid HTTP answer"


async def test_loopback_is_asked_without_the_proxy(site, quick, monkeypatch, unused_tcp_port):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("no_proxy", "")
    assert (await get(site.body("/f", b"x"), quick)).body == b"x"
    assert await sentence("http://outlet.example/f", quick) == "connection refused", "the proxy was asked"


async def test_one_host_is_asked_little_at_once(site):
    busy = most = 0

    async def count(request):
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.03)
        busy -= 1
        return web.Response(body=b"x")

    url = site.add("/c", count)
    async with Fetcher(FetchOptions(per_host=2, allow_private=LOOPBACK)) as fetcher:
        await asyncio.gather(*(fetcher.get(url) for _ in range(8)))
    assert most == 2


async def test_two_requests_to_one_host_keep_their_distance():
    turns = Turns(concurrency=16, per_host=5, delay_s=0.05)
    starts = []

    async def ask(host):
        async with turns.take(host):
            starts.append((host, time.monotonic()))

    await asyncio.gather(*(ask(host) for host in ("a", "a", "a", "b")))
    times = [at for host, at in starts if host == "a"]
    assert times[2] - times[0] >= 0.09
    assert [host for host, _ in starts[:2]] == ["a", "b"]


async def test_a_connection_is_kept_for_the_next_request_unless_there_is_none(site, quick):
    peers = []

    async def answer(request):
        peers.append(request.transport.get_extra_info("peername"))
        return web.Response(body=b"x")

    url = site.add("/who", answer)
    async with Fetcher(quick) as fetcher:
        for alone in (False, False, True, True):
            await fetcher.get(Ask(url, alone=alone))
    assert len(set(peers)) == 3
    assert peers[0] == peers[1]


async def test_large_bodies_wait_for_each_other_and_that_is_no_fault_of_theirs(site, quick):
    url = site.body("/large", b"x" * 1_500_000)
    options = dataclasses.replace(quick, timeout_s=0.6, read_timeout_s=0.6)
    async with Fetcher(options) as fetcher, asyncio.TaskGroup() as tasks:
        for _ in range(6):
            await fetcher.turns.large.acquire()
        waiting = tasks.create_task(fetcher.get(url))
        await asyncio.sleep(0.8)
        assert not waiting.done(), "neither fetched nor timed out"
        fetcher.turns.large.release()
        assert len((await waiting).body) == 1_500_000
        assert not fetcher.turns.large.locked(), "its turn is given back"


@pytest.mark.parametrize(
    "etag", [b'"\xff\xe4"', b'"' + b"e" * 5_000 + b'"', '"größe"'.encode(), b'"a\r\n b"']
)
async def test_a_validator_that_cannot_be_sent_back_is_none(quick, etag):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nLast-Modified: now\r\nETag: " + etag + b"\r\n\r\nx"
        )
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        try:
            fetched = await get(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", quick)
        except FetchError as error:
            assert str(error) == "not a valid HTTP answer"  # noqa: PT017 - a parser may as well refuse a folded header
        else:
            assert (fetched.etag, fetched.last_modified) in {(None, "now"), ('"a b"', "now")}


async def test_a_redirect_to_bytes_that_are_no_text_is_followed_as_browsers_do(site, quick):
    async def away(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        target = site.url("/caf").encode() + b"\xe9"
        writer.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + target + b"\r\n\r\n")
        await writer.drain()
        writer.close()

    site.body("/caf%E9", b"x")
    site.otherwise = site.handlers["/caf%E9"]
    async with await asyncio.start_server(away, "127.0.0.1", 0) as server:
        fetched = await get(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", quick)
    assert (fetched.body, fetched.url) == (b"x", site.url("/caf%E9"))


async def test_a_redirect_to_no_address(site, quick):
    assert await sentence(site.status("/r", 302, Location="http://[::1/"), quick) == "not a valid URL"
