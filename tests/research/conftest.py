"""A real HTTP server on loopback, real SQLite files, markets that point to them."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from worker.research.document import Document, content_hash
from worker.research.http import FetchOptions
from worker.research.library import Harvest, Library
from worker.research.markets import Market
from worker.research.sources import Source

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

# Tests ask a server of this machine, which a market must allow by name.
LOOPBACK = frozenset({"127.0.0.1"})
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CONFIG = Path(__file__).resolve().parents[2] / "config"


@dataclass
class Site:
    """Serves what tests add, from a thread of its own, so that also other processes can ask it."""

    handlers: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    port: int = 0
    otherwise: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def add(self, path: str, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        self.handlers[path] = handler
        return self.url(path)

    def body(self, path: str, body: bytes | str, kind: str = "application/xml", **headers: str) -> str:
        """Serves fixed bytes; with an ETag given, conditionally."""
        raw = body.encode() if isinstance(body, str) else body

        async def answer(request: web.Request) -> web.Response:
            etag = headers.get("ETag")
            if etag and request.headers.get("If-None-Match") == etag:
                return web.Response(status=304)
            return web.Response(body=raw, headers={"Content-Type": kind, **headers})

        return self.add(path, answer)

    def status(self, path: str, status: int, **headers: str) -> str:
        async def answer(request: web.Request) -> web.Response:
            return web.Response(status=status, headers=headers)

        return self.add(path, answer)

    def asked(self, path: str) -> list[dict[str, str]]:
        """The headers of each request for this path."""
        return [headers for _, asked, headers in self.requests if asked == path]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path, dict(request.headers)))
        handler = self.handlers.get(request.path, self.otherwise)
        if handler is None:
            raise web.HTTPNotFound
        return await handler(request)

    def run(self, ready: threading.Event, stop: list[Callable[[], None]]) -> None:
        async def serve() -> None:
            app = web.Application(client_max_size=10**7)
            app.router.add_route("*", "/{path:.*}", self._answer)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.port = runner.addresses[0][1]
            ended, loop = asyncio.Event(), asyncio.get_running_loop()
            stop.append(lambda: loop.call_soon_threadsafe(ended.set))
            ready.set()
            await ended.wait()
            await runner.cleanup()

        asyncio.run(serve())


@pytest.fixture
def site() -> Iterator[Site]:
    server, ready, stop = Site(), threading.Event(), []
    thread = threading.Thread(target=server.run, args=(ready, stop), daemon=True)
    thread.start()
    assert ready.wait(5)
    yield server
    stop[0]()
    thread.join(5)


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Library(home / "topics.db") as one:
        yield one


@pytest.fixture
def now() -> Callable[[], datetime]:
    return lambda: NOW


@pytest.fixture
def quick() -> FetchOptions:
    """Short times, so that a hanging source does not hang the test."""
    return FetchOptions(
        timeout_s=2.0, read_timeout_s=1.0, host_delay_s=0, per_host=16, allow_private=LOOPBACK
    )


@pytest.fixture
def patient(quick: FetchOptions) -> FetchOptions:
    """Times that a machine busy with other things keeps; where nothing hangs."""
    return replace(quick, timeout_s=60.0, read_timeout_s=60.0)


@pytest.fixture
def make_market() -> Callable[..., Market]:
    def make(*feeds: str, name: str = "test", **more: Any) -> Market:
        data = {
            "domain": "SaaS",
            "market": "Germany",
            "language": "de",
            "vertical": "Proptech",
            "seed_keywords": ["Wärmepumpe"],
            "rss_feeds": feeds,
            "allow_private": tuple(LOOPBACK),
        }
        market = Market.model_validate(data | more)
        market._path = Path(f"{name}.yaml")
        return market

    return make


@pytest.fixture
def rss() -> Callable[..., str]:
    """An RSS 2.0 feed of (title, link, text) entries."""

    def make(*entries: tuple[str, str, str], title: str = "Feed", at: datetime | None = NOW) -> str:
        date = f"<pubDate>{format_datetime(at)}</pubDate>" if at else ""
        items = "".join(
            f"<item><title>{escape(head)}</title><link>{escape(link)}</link>"
            f"<description>{escape(text)}</description>{date}</item>"
            for head, link, text in entries
        )
        return (
            f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'
        )

    return make


@pytest.fixture
def config_dir() -> Path:
    """The configuration that ships."""
    return CONFIG


@pytest.fixture
def tell(library: Library, now: Callable[[], datetime]) -> Callable[..., None]:
    """Has a source tell headlines."""

    def tell(
        outlet: str,
        *titles: str,
        at: datetime | None = None,
        market: str = "test",
        text: str = "",
        language: str = "de",
    ) -> None:
        source = Source.at(f"https://{outlet}.example/f")
        documents = tuple(
            Document(
                source=source.key, source_url=f"https://{outlet}.example/{title}", title=title, content=text,
                language=language, domain="SaaS", market="Germany", vertical="v",
                content_hash=content_hash(title, text, f"{outlet}/{title}"),
                canonical_url=f"https://{outlet}.example/{abs(hash(title))}", canonical_key=f"{outlet}/{title}",
                fetched_at=at or now(),
            )
            for title in titles
        )  # fmt: skip
        library.store(market, source, Harvest(documents, len(titles), 200, 0.1, 1), now=at or now())

    return tell
