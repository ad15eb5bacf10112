"""500 hosts on loopback, each with a feed of 50 entries: what the collecting benchmark asks.

`python -m tests.benchmarks.feed_server PORT LATENCY_MS FEEDS ENTRIES` serves until its standard input ends.
All of 127.0.0.0/8 is this machine, so one socket is any number of addresses.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape

from tests.benchmarks.texts import made_texts

WORDS_OF_TEASER = 45
WORDS_OF_TEXT = 220


def address(number: int) -> str:
    """The address of a feed's host."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def feeds(count: int, entries: int) -> list[bytes]:
    """RSS as a common blog program writes it, about 110 KB each."""
    texts = made_texts(7, WORDS_OF_TEXT)
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return [
        _feed(number, [next(texts) for _ in range(entries)], at + timedelta(minutes=number))
        for number in range(count)
    ]


def _feed(number: int, texts: list[str], at: datetime) -> bytes:
    items = "".join(_item(number, n, text, at - timedelta(hours=n)) for n, text in enumerate(texts))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>Blatt {number}</title><link>https://blatt{number}.example/</link>"
        f"<description>Nachrichten</description>{items}</channel></rss>"
    ).encode()


def _item(feed: int, number: int, text: str, at: datetime) -> str:
    words = text.split()
    link = f"https://blatt{feed}.example/{at:%Y/%m}/beitrag-{number}?utm_source=rss"
    third = len(words) // 3
    html = "".join(f"<p>{' '.join(words[n * third : (n + 1) * third])}</p>" for n in range(3))
    return (
        f"<item><title>{escape(' '.join(words[:8]))}</title><link>{escape(link)}</link>"
        f'<guid isPermaLink="false">{feed}-{number}</guid><pubDate>{format_datetime(at)}</pubDate>'
        f"<dc:creator>Redaktion {feed}</dc:creator><category>Bau</category>"
        f"<description>{escape(' '.join(words[:WORDS_OF_TEASER]))}</description>"
        f"<content:encoded><![CDATA[<div class='text'>{html}<p><a href='{escape(link)}'>Mehr</a></p></div>]]>"
        "</content:encoded></item>"
    )


class _Host(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as little of it as GET needs, so that serving costs next to nothing."""

    def __init__(self, answers: dict[str, tuple[bytes, bytes, str]], latency_s: float) -> None:
        self._answers, self._latency_s = answers, latency_s
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers each whole request after the latency."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            request, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            asyncio.get_running_loop().call_later(self._latency_s, self._answer, request.decode("latin-1"))

    def _answer(self, request: str) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        whole, unchanged, etag = self._answers.get(request.split(" ", 2)[1], (b"", b"", ""))
        if not whole:
            self._transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        else:
            self._transport.write(unchanged if etag in request else whole)


def _answers(bodies: list[bytes]) -> dict[str, tuple[bytes, bytes, str]]:
    answers = {}
    for number, body in enumerate(bodies):
        packed, etag = gzip.compress(body, 5), f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        head = f"Content-Type: application/rss+xml\r\nETag: {etag}\r\n"
        whole = f"HTTP/1.1 200 OK\r\n{head}Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        answers[f"/feed{number}.xml"] = (
            whole.encode() + packed,
            f"HTTP/1.1 304 Not Modified\r\n{head}\r\n".encode(),
            etag,
        )
    return answers


async def _serve(port: int, latency_ms: float, count: int, entries: int) -> None:
    answers = _answers(feeds(count, entries))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Host(answers, latency_ms / 1000), "0.0.0.0", port, backlog=1024
    )
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
