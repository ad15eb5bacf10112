"""A server that does what servers do at their worst; on loopback, over plain sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
import threading
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RSS = b'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>%s</channel></rss>'


def item(title: str, *, guid: str = "", link: str = "", date: str = "") -> bytes:
    parts = [f"<title>{title}</title>"]
    parts += [f"<guid>{guid}</guid>"] if guid else []
    parts += [f"<link>{link}</link>"] if link else []
    parts += [f"<pubDate>{date}</pubDate>"] if date else []
    return f"<item>{''.join(parts)}</item>".encode()


def feed(*items: bytes) -> bytes:
    return RSS % b"".join(items)


def packed(kind: str, size: int) -> bytes:
    """Nothing, very often, packed very small."""
    if kind == "br":
        import brotli

        return brotli.compress(b"\0" * size, quality=5)
    if kind == "zstd":
        try:
            from compression import zstd
        except ImportError:
            from backports import zstd
        return zstd.compress(b"\0" * size)
    if kind == "gzip of gzip":
        return gzip.compress(gzip.compress(b"\0" * size, 9), 9)
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    return pack.compress(b"\0" * size) + pack.flush()


class Hostile:
    """The server; `port` once it is started.

    What a path does, and the sentence that a run must say of it, are in CASES; None: the feed is good.
    """

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.port = 0

    def start(self) -> Hostile:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def stop(self) -> None:
        """Ends it and whatever still hangs: a task left behind would fail whichever test runs when it is collected."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def _run(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopped.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            path = line.strip("/").partition("?")[0]
            self.asked[path] = self.asked.get(path, 0) + 1
            action = getattr(self, f"_{path}", None)
            if action is not None:
                await action(writer)
            else:
                self._answer(writer, BODIES.get(path, b""), **HEADERS.get(path, {}))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @staticmethod
    def _answer(writer: asyncio.StreamWriter, body: bytes, status: str = "200 OK", **headers: str) -> None:
        given = {"Content-Type": "application/xml", "Content-Length": str(len(body)), "Connection": "close"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        writer.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    async def _hang(self, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async def _hang_in_body(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<rss>")
        await writer.drain()
        await asyncio.sleep(60)

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(60):
            writer.write(b"<")
            await writer.drain()
            await asyncio.sleep(0.3)

    async def _drip_headers(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(200):
            writer.write(f"X-{number}: y\r\n".encode())
            await writer.drain()
            await asyncio.sleep(0.3)

    async def _reset(self, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()

    async def _reset_in_body(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<rss>")
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()

    async def _too_short(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + feed(item("x")))

    async def _too_long(self, writer: asyncio.StreamWriter) -> None:
        body = feed(item("the length is right for this much", link="https://long.example/1"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body + b"and more" * 1000)

    async def _endless(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(5000):
            writer.write(chunk)
            await writer.drain()

    async def _bad_chunks(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello")

    async def _long_header(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 5_000_000 + b"\r\n\r\n")

    async def _babble(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp.example ESMTP\r\n")

    async def _loop_(self, writer: asyncio.StreamWriter) -> None:
        self._answer(writer, b"", "302 Found", Location="/loop_")

    async def _chain(self, writer: asyncio.StreamWriter) -> None:
        self._answer(writer, b"", "301 Moved Permanently", Location=f"/chain?{self.asked['chain']}")

    async def _to_file(self, writer: asyncio.StreamWriter) -> None:
        self._answer(writer, b"", "302 Found", Location="file:///etc/passwd")

    async def _to_metadata(self, writer: asyncio.StreamWriter) -> None:
        self._answer(writer, b"", "302 Found", Location="http://169.254.169.254/latest/meta-data/")

    async def _to_v6(self, writer: asyncio.StreamWriter) -> None:
        self._answer(writer, b"", "302 Found", Location="http://[::ffff:10.0.0.1]/")

    async def _to_nowhere(self, writer: asyncio.StreamWriter) -> None:
        self._answer(writer, b"", "302 Found", Location="http://[::1/")

    async def _to_long_name(self, writer: asyncio.StreamWriter) -> None:
        self._answer(writer, b"", "302 Found", Location=f"http://{'a' * 300}.example/")

    async def _header_flood(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\n")

    async def _http_09(self, writer: asyncio.StreamWriter) -> None:
        writer.write(feed(item("without any header")))

    async def _odd_validators(self, writer: asyncio.StreamWriter) -> None:
        body = feed(item("of bytes that are no text", link="https://validators.example/1"))
        head = b'HTTP/1.1 200 OK\r\nETag: "\xff\xfe"\r\nLast-Modified: \xe4\x01\r\nContent-Length: %d\r\n\r\n'
        writer.write(head % len(body) + body)

    async def _not_asked(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")

    async def _title_50_mb(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + RSS[:60] + b"<item><title>")
        for _ in range(50):
            writer.write(b"A" * 1_000_000)
            await writer.drain()

    async def _changing_guids(self, writer: asyncio.StreamWriter) -> None:
        now = self.asked["changing_guids"]
        self._answer(
            writer,
            feed(
                *(
                    item(f"Same story {n}", guid=f"{now}-{n}", link=f"https://changing.example/{n}")
                    for n in range(20)
                )
            ),
        )


def _entities() -> bytes:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "lol">{levels}]><rss><channel><item><title>&a9;</title></item></channel></rss>'.encode()


_ODD_JSON = [
    None, 1, "x", [], {}, {"id": [1], "title": {"a": 1}, "url": ["x"], "content_html": 5, "authors": "x", "tags": 5},
    {"id": 1e308, "title": "odd types", "url": "https://json.example/1", "content_text": ["a"], "date_published": 10**30,
     "attachments": [1, {"url": [1], "mime_type": {}, "size_in_bytes": -1e99}]},
]  # fmt: skip

BODIES = {
    "empty": b"",
    "page": b"<!doctype html><html><title>Sorry</title>",
    "binary": bytes(range(256)) * 100,
    "other_json": b'{"error": "quota"}',
    "deep": b"<rss><channel>" + b"<a>" * 100_000,
    "deep_json": b"[" * 200_000,
    "entities": _entities(),
    "external": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><item><title>has &e; in it</title></item></channel></rss>',
    "quadratic": b'<!DOCTYPE x [<!ENTITY e "' + b"A" * 100_000 + b'">]><rss><channel><item><title>' + b"&e;" * 10_000 + b"</title></item></channel></rss>",
    "title_14_mb": feed(item("A" * 14_000_000, link="https://title.example/1")),
    "entries_10000": feed(*(item(f"Entry {n}", link=f"https://many.example/{n}") for n in range(10_000))),
    "unclosed": b"<rss><channel>" + b"<item><title>t" * 40_000,
    "angles": b"<rss><channel><item><title>x</title><description>" + b"<" * 2_000_000,
    "markup": feed(item("x", link="https://markup.example/1").replace(b"</item>", b"<description>" + b"&lt;b&gt;" * 300_000 + b"</description></item>")),
    "future": feed(item("From 2099", link="https://future.example/1", date="Thu, 01 Jan 2099 00:00:00 GMT")),
    "absurd": feed(item("From nowhere", link="https://absurd.example/1", date="Foo, 99 Zzz 99999 99:99:99 XYZ"), item("From the epoch", link="https://absurd.example/2", date="Thu, 01 Jan 1970 00:00:00 GMT")),
    "duplicate_guids": feed(*(item(f"Story {n}", guid="same", link=f"https://dup.example/{n}") for n in range(20))),
    "scripts": feed(item("javascript link", link="javascript:alert(1)"), item("a file", link="file:///etc/passwd")),
    "controls": feed(item("bell &#7; escape \x1b]52;c;x\x07 end &#x202e;", link="https://controls.example/1")),
    "out_of_range": feed(item("beyond &#x110000; and &#55296;", link="https://range.example/1")),
    "a_picture": feed(item("called a picture", link="https://picture.example/1")),
    "gzip_bomb": packed("gzip", 500_000_000),
    "br_bomb": packed("br", 500_000_000),
    "zstd_bomb": packed("zstd", 500_000_000),
    "nested_bomb": packed("gzip of gzip", 200_000_000),
    "not_packed": feed(item("not packed at all")),
    "packed_twice": gzip.compress(gzip.compress(feed(item("packed twice")))),
    "many_attributes": RSS % (b"<x " + b" ".join(b'a%d="1"' % n for n in range(20_000)) + b"/>" + item("x", link="https://attributes.example/1")),
    "odd_json": json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": _ODD_JSON}).encode(),
    "charset_lie": feed(item("no codec of texts", link="https://charset.example/1")),
    "year_billion": feed(item("far", link="https://year.example/1", date="Thu, 01 Jan 1000000000 00:00:00 +9999")),
    "private_links": feed(item("own links", link="http://169.254.169.254/x")).replace(b"<title>t</title>", b'<title>t</title><link xmlns="http://www.w3.org/2005/Atom" rel="self" href="http://10.0.0.1/"/>'),
    "outer_dtd": b'<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/x.dtd">' + feed(item("a DTD elsewhere", link="https://dtd.example/1")),
}  # fmt: skip
HEADERS = {
    "a_picture": {"Content_Type": "image/png"},
    "gzip_bomb": {"Content_Encoding": "gzip"},
    "br_bomb": {"Content_Encoding": "br"},
    "zstd_bomb": {"Content_Encoding": "zstd"},
    "nested_bomb": {"Content_Encoding": "gzip, gzip"},
    "not_packed": {"Content_Encoding": "gzip"},
    "packed_twice": {"Content_Encoding": "gzip"},
    "charset_lie": {"Content_Type": "text/xml; charset=zip"},
}


def paths() -> Iterator[str]:
    """Everything it serves."""
    yield from BODIES
    for name in vars(Hostile):
        if name.startswith("_") and not name.startswith("__") and name not in {"_serve", "_answer", "_run"}:
            yield name.removeprefix("_")
