"""Waiting as asked, going through proxies, and unpacking what is packed within its bounds."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import time
import zlib
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from aiohttp import web

from tests.research.test_addresses import Names
from worker.research.errors import FetchError
from worker.research.freshness import LONGEST_S, fresh_for, retry_after
from worker.research.http import Ask, Fetcher
from worker.research.turns import Turns, site_of

HTTP_NOW = format_datetime(datetime(2026, 11, 23, 9, 0, tzinfo=UTC), usegmt=True)
LATER = format_datetime(datetime(2026, 11, 23, 9, 5, tzinfo=UTC), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": LATER, "Date": HTTP_NOW}, 300),
        ({"Retry-After": HTTP_NOW, "Date": LATER}, 0),
        ({"Retry-After": "99999999999999999999"}, LONGEST_S),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers, seconds):
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Cache-Control": "public, max-age=3600"}, 3600),
        ({"Cache-Control": "max-age=3600", "Age": "600"}, 3000),
        ({"Cache-Control": 'Max-Age="60"', "Expires": LATER, "Date": HTTP_NOW}, 60),
        ({"Cache-Control": "s-maxage=60"}, None),
        ({"Cache-Control": "no-cache, max-age=60"}, None),
        ({"Cache-Control": "max-age=0"}, None),
        ({"Expires": LATER, "Date": HTTP_NOW}, 300),
        ({"Expires": "0"}, None),
        ({"Expires": "-1"}, None),
        ({"Expires": "Thu, 01 Dec 1994 16:00:00 GMT"}, None),
    ],
)
def test_how_long_an_answer_stays_fresh(headers, seconds):
    assert fresh_for(headers) == seconds


async def test_a_site_that_asks_for_a_pause_is_not_asked_again(site, quick):
    """Feeds of one site share its limit; a host that a market names itself may be a gateway, and does not."""
    site.status("/busy", 429, **{"Retry-After": "120"})
    site.body("/b", b"x")
    network = dataclasses.replace(quick, allow_private=frozenset({"127.0.0.0/8"}))
    async with Fetcher(network, resolver=Names(feeds=["127.0.0.1"])) as fetcher:
        with pytest.raises(FetchError) as caught:
            await fetcher.get(f"http://feeds.example:{site.port}/busy")
        assert caught.value.retry_after_s == 120
        with pytest.raises(FetchError, match=r"feeds\.example asked for a pause of 1(19|20) s") as caught:
            await fetcher.get(f"http://feeds.example:{site.port}/b")
        assert caught.value.status == 429
        assert len(site.requests) == 1
    async with Fetcher(quick) as fetcher:
        with pytest.raises(FetchError):
            await fetcher.get(site.url("/busy"))
        assert (await fetcher.get(site.url("/b"))).body == b"x"


async def test_a_stricter_pause_holds_for_the_whole_site_and_over_runs():
    turns = Turns(concurrency=16, per_host=2, delay_s=0)
    turns.asked_before("www.reddit.com", seconds_ago=0.9, delay_s=1.0)
    started = time.monotonic()
    async with turns.take("old.reddit.com", 0.1):
        assert 0.09 < time.monotonic() - started < 0.9
    async with turns.take("www.reddit.com", 0.1):
        assert time.monotonic() - started > 0.19


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("www.reddit.com", "reddit.com"),
        ("reddit.com.", "reddit.com"),
        ("a.tumblr.com", "tumblr.com"),
        ("notreddit.com", "notreddit.com"),
        ("a.example", "a.example"),
    ],
)
def test_what_shares_a_limit(host, site):
    assert site_of(host) == site


# -- packing -----------------------------------------------------------------------------------------


def packed(kind, data):
    if kind == "br":
        import brotli

        return brotli.compress(data, quality=5)
    if kind == "zstd":
        try:
            from compression import zstd
        except ImportError:
            from backports import zstd

        return zstd.compress(data)
    if kind == "deflate":
        return zlib.compress(data)
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    return pack.compress(data) + pack.flush()


@pytest.mark.parametrize("kind", ["gzip", "deflate", "br", "zstd"])
async def test_what_is_packed_is_unpacked(site, quick, kind):
    url = site.body("/z", packed(kind, b"<rss/>" * 1000), **{"Content-Encoding": kind})
    async with Fetcher(quick) as fetcher:
        assert (await fetcher.get(url)).body == b"<rss/>" * 1000
    assert kind in site.asked("/z")[0]["Accept-Encoding"]


@pytest.mark.parametrize("kind", ["gzip", "deflate", "br", "zstd"])
async def test_a_bomb_of_any_kind_is_noticed_while_it_unpacks(site, quick, kind):
    import tracemalloc

    bomb = packed(kind, b"\0" * 300_000_000)
    url = site.body("/z", bomb, **{"Content-Encoding": kind})
    options = dataclasses.replace(quick, timeout_s=20)
    tracemalloc.start()
    try:
        async with Fetcher(options) as fetcher:
            with pytest.raises(FetchError, match="body larger than 15 MB"):
                await fetcher.get(url)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


# -- proxies -----------------------------------------------------------------------------------------


async def test_a_proxy_of_the_environment_is_asked_with_its_password(site, quick, monkeypatch):
    seen = []

    async def proxy(request):
        seen.append((str(request.raw_path), dict(request.headers)))
        return web.Response(body=b"by proxy")

    site.otherwise = proxy
    monkeypatch.setenv("http_proxy", f"http://me:p%40ss@127.0.0.1:{site.port}")
    monkeypatch.setenv("no_proxy", "direct.example")
    async with Fetcher(dataclasses.replace(quick, allow_private=frozenset())) as fetcher:
        assert (await fetcher.get(Ask("http://outlet.example/feed"))).body == b"by proxy"
        for private in ("http://10.0.0.1/", "http://169.254.169.254/latest"):
            with pytest.raises(FetchError, match="refused: "):
                await fetcher.get(private)
        with pytest.raises(FetchError, match="name not resolved"):
            await fetcher.get("http://direct.example/feed")
    (path, headers), = seen  # fmt: skip
    assert path == "http://outlet.example/feed"
    assert headers["Proxy-Authorization"] == f"Basic {base64.b64encode(b'me:p@ss').decode()}"


async def test_a_tunnel_hides_the_proxys_password_from_its_end(quick, monkeypatch):
    seen = []

    async def proxy(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("https_proxy", f"http://me:pw@127.0.0.1:{port}")
        async with Fetcher(quick) as fetcher:
            with pytest.raises(FetchError, match=r"not a valid HTTP answer|connection failed"):
                await fetcher.get("https://outlet.example/feed")
    assert seen[0].startswith(b"CONNECT outlet.example:443")
    assert b"Proxy-Authorization: Basic bWU6cHc=" in seen[0]


async def test_a_proxy_that_cannot_be_used_is_said(quick, monkeypatch):
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9050")
    async with Fetcher(quick) as fetcher:
        with pytest.raises(FetchError, match=r"kind that cannot be used \(socks5\)"):
            await fetcher.get("http://outlet.example/")


async def test_no_password_of_netrc_is_sent(site, quick, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password pw\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with Fetcher(quick) as fetcher:
        await fetcher.get(site.body("/f", b"x"))
    assert "Authorization" not in site.asked("/f")[0]
