"""What must not be asked is not asked: whatever it is called, wherever a redirect or a name server points."""

from __future__ import annotations

import dataclasses
import ipaddress
import socket

import pytest
from aiohttp.abc import AbstractResolver

from worker.research.addresses import Allowed, is_public
from worker.research.errors import FetchError
from worker.research.http import Fetcher

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1",
    "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::",
]  # fmt: skip


class Names(AbstractResolver):
    """A name server that says what it is told to, once each, and then the last for ever."""

    def __init__(self, **names):
        self.names = names
        self.asked = 0

    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):
        self.asked += 1
        answers = self.names[host.partition(".")[0]]
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            {"hostname": host, "host": one, "port": port, "proto": 0, "flags": 0,
             "family": socket.AF_INET6 if ":" in one else socket.AF_INET}
            for one in address.split()
        ]  # fmt: skip

    async def close(self):
        pass


async def told(url, options, *names):
    async with Fetcher(options, **({"resolver": names[0]} if names else {})) as fetcher:
        with pytest.raises(FetchError) as caught:
            await fetcher.get(url)
    return str(caught.value)


@pytest.fixture
def strict(quick):
    return dataclasses.replace(quick, allow_private=frozenset())


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_what_is(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]", "169.254.169.254", "[::ffff:10.0.0.1]"])
async def test_an_address_is_refused_before_it_is_dialled(strict, address):
    bare = address.strip("[]")
    assert await told(f"http://{address}:1/", strict) == (
        f"refused: {ipaddress.ip_address(bare)}, which is not public (a market may name it in allow_private)"
    )


@pytest.mark.parametrize("spelling", ["localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1"])
async def test_other_spellings_of_loopback_lead_nowhere(site, strict, spelling):
    site.body("/f", b"x")
    words = await told(f"http://{spelling}:{site.port}/f", strict)
    assert words.startswith("refused: ") or words in {"not a valid URL", "name not resolved"}
    assert site.requests == []


async def test_a_name_is_judged_by_what_it_resolves_to(site, strict):
    site.body("/f", b"x")
    names = Names(inner=["127.0.0.1"], mixed=["127.0.0.1 8.8.8.8"])
    words = await told(f"http://inner.example:{site.port}/f", strict, names)
    assert words.startswith("refused: inner.example is 127.0.0.1, which is not public")
    assert site.requests == []


async def test_a_name_that_answers_differently_the_second_time_gains_nothing(site, quick):
    """The check and the dial see one and the same answer of the name server."""
    site.body("/f", b"x", Connection="close")
    names = Names(rebind=["127.0.0.1", "127.0.0.2"])
    options = dataclasses.replace(quick, allow_private=frozenset({"127.0.0.1"}))
    async with Fetcher(options, resolver=names) as fetcher:
        fetcher._session.connector._use_dns_cache = False  # as if the ten seconds of its cache were over
        url = f"http://rebind.example:{site.port}/f"
        assert (await fetcher.get(url)).body == b"x"
        with pytest.raises(FetchError, match=r"rebind\.example is 127\.0\.0\.2"):
            await fetcher.get(url)
    assert names.asked == 2


@pytest.mark.parametrize("target", ["http://127.0.0.2/", "http://[::1]/", "http://inner.example/"])
async def test_every_hop_is_judged(site, quick, target):
    url = site.status("/r", 302, Location=target)
    words = await told(url, quick, Names(inner=["10.0.0.1"]))
    assert words.startswith("refused: ")


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8", "::1 127.0.0.0/8"])
async def test_a_market_may_allow_an_address_or_a_network(site, strict, allowed):
    url = site.body("/f", b"x")
    options = dataclasses.replace(strict, allow_private=frozenset(allowed.split()))
    async with Fetcher(options) as fetcher:
        assert (await fetcher.get(url)).body == b"x"


async def test_a_market_may_allow_a_name_and_only_that(site, strict):
    site.body("/f", b"x")
    options = dataclasses.replace(strict, allow_private=frozenset({"intranet.example"}))
    names = Names(intranet=["127.0.0.1"], other=["127.0.0.1"])
    async with Fetcher(options, resolver=names) as fetcher:
        assert (await fetcher.get(f"http://intranet.example:{site.port}/f")).body == b"x"
    assert (await told(f"http://other.example:{site.port}/f", options, names)).startswith("refused: other")


def test_names_are_told_from_networks():
    allowed = Allowed(["intranet.example", "10.0.0.0/8", "127.0.0.1"])
    assert allowed.names("Intranet.Example.")
    assert allowed.names("127.0.0.1")
    assert not allowed.names("10.0.0.1")
    assert allowed.permits("x", ipaddress.ip_address("10.9.9.9"))
    assert not allowed.permits("x", ipaddress.ip_address("192.168.0.1"))
