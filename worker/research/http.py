"""Fetching: bounded in bytes, time and redirects, polite to each host, and clear about what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import time
from collections import defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from importlib import metadata
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import aiohttp

from worker.research.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType
    from typing import Self

    from multidict import CIMultiDictProxy

ACCEPT: Final = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_CHUNK = 64 * 1024
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """How far a fetch may go.

    Attributes:
        timeout_s: for a whole fetch, all its redirects included; waiting for a turn does not count.
        read_timeout_s: the longest silence of a server.
        max_body_bytes: of the decoded body.
        max_redirects: hops followed.
        concurrency: requests at once.
        per_host: requests at once to one host.
        host_delay_s: between the starts of two requests to one host; not on this machine's own loopback.
        user_agent: None: the program's name and version, with the address of the project.
    """

    timeout_s: float = 20.0
    read_timeout_s: float = 10.0
    max_body_bytes: int = 15 * _MB
    max_redirects: int = 5
    concurrency: int = 16
    per_host: int = 2
    host_delay_s: float = 0.2
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer.

    Attributes:
        status: 200, or 304 for "as when the validators were given".
        url: where the body came from, after redirects.
        etag: byte for byte as the server sent it; None where it sent none.
        last_modified: as `etag`.
        content_type: the header as sent.
        seconds: from the first request to the last byte.
        moved_to: the new address, where every redirect on the way was a permanent one.
    """

    status: int
    body: bytes
    url: str
    etag: str | None
    last_modified: str | None
    content_type: str | None
    seconds: float
    moved_to: str | None = None

    @property
    def not_modified(self) -> bool:
        """Nothing new since the validators were given."""
        return self.status == HTTPStatus.NOT_MODIFIED


@dataclass(slots=True)
class _Trip:
    """One fetch on its way from hop to hop."""

    url: str
    seconds: float = 0.0
    hops: int = 0
    permanent: bool = True


class Fetcher:
    """Fetches over one pool of connections; use it as an async context manager."""

    def __init__(self, options: FetchOptions | None = None) -> None:
        self.options = options or FetchOptions()
        self._turns = _Turns(self.options)

    async def __aenter__(self) -> Self:
        self._session = self._new_session(trust_env=True)
        self._direct = self._new_session(trust_env=False)  # a proxy has another loopback than this machine
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._direct.close()

    def _new_session(self, *, trust_env: bool) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),  # _Turns limits, and knows the host's delay
            cookie_jar=aiohttp.DummyCookieJar(),  # a cookie could tie one visit to the next
            headers={"User-Agent": self.options.user_agent or user_agent(), "Accept": ACCEPT},
            timeout=aiohttp.ClientTimeout(total=None, sock_read=self.options.read_timeout_s),
            trust_env=trust_env,
        )

    async def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """The resource, or word that it has not changed.

        Args:
            url: http or https.
            etag: what the last answer gave, sent back as it is.
            last_modified: as `etag`.

        Raises:
            FetchError: with one sentence.
        """
        headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        asked = {name: value for name, value in headers.items() if value}
        trip = _Trip(url)
        for _ in range(self.options.max_redirects + 1):
            with _words(self.options):
                fetched = await self._hop(trip, asked)
            if fetched is not None:
                return fetched
        raise FetchError(f"more than {self.options.max_redirects} redirects")

    async def _hop(self, trip: _Trip, headers: dict[str, str]) -> Fetched | None:
        """One request; None where it was a redirect, which the trip has then taken."""
        host = _checked_host(trip.url)
        session = self._direct if _is_loopback(host) else self._session
        async with self._turns.take(host):
            started = time.monotonic()
            try:
                async with (
                    asyncio.timeout(max(0.001, self.options.timeout_s - trip.seconds)),
                    session.get(trip.url, headers=headers, allow_redirects=False) as response,
                ):
                    location = response.headers.get("Location")
                    if response.status in _REDIRECTS and location:
                        trip.hops += 1
                        trip.permanent = trip.permanent and response.status in _PERMANENT
                        trip.url = urljoin(trip.url, location)
                        return None
                    _accept(response.status, response.headers, asked=bool(headers))
                    body = await self._body(response)
            finally:
                trip.seconds += time.monotonic() - started
        return Fetched(
            status=response.status,
            body=body,
            url=trip.url,
            etag=response.headers.get("ETag") or None,
            last_modified=response.headers.get("Last-Modified") or None,
            content_type=response.headers.get("Content-Type"),
            seconds=trip.seconds,
            moved_to=trip.url if trip.hops and trip.permanent else None,
        )

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self.options.max_body_bytes
        body = bytearray()
        # aiohttp unpacks piece by piece and waits for the reader, so a small body that unpacks to
        # gigabytes is noticed after the first pieces.
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > limit:
                raise FetchError(f"body larger than {_megabytes(limit)}", response.status)
        return bytes(body)


class _Turns:
    """Who may ask now: some requests at once over all, fewer to one host, with a pause between them."""

    def __init__(self, options: FetchOptions) -> None:
        self._options = options
        self._all = asyncio.Semaphore(options.concurrency)
        self._hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(options.per_host)
        )
        self._next: defaultdict[str, float] = defaultdict(float)

    @contextlib.asynccontextmanager
    async def take(self, host: str) -> AsyncIterator[None]:
        """Waits for a turn; the place among all is taken last, so that one busy host keeps no other waiting."""
        async with self._hosts[host]:
            if self._options.host_delay_s and not _is_loopback(host):
                now = time.monotonic()
                turn = max(now, self._next[host])
                self._next[host] = turn + self._options.host_delay_s
                await asyncio.sleep(turn - now)
            async with self._all:
                yield


def user_agent() -> str:
    """The program's name and version, and where its makers are found if the package says so."""
    try:
        package = metadata.metadata("topic-console")
    except metadata.PackageNotFoundError:
        return "topic-console"
    urls = [entry.partition(",")[2].strip() for entry in package.get_all("Project-URL") or ()]
    contact = f" (+{urls[0]})" if urls else ""
    return f"topic-console/{package['Version']}{contact}"


def _checked_host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise FetchError("not a valid URL") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise FetchError("expected an http or https URL, found another kind of link")
    return host


def _accept(status: int, headers: CIMultiDictProxy[str], *, asked: bool) -> None:
    if status == HTTPStatus.OK or (status == HTTPStatus.NOT_MODIFIED and asked):
        return
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    wait = headers.get("Retry-After", "")
    raise FetchError(f"{phrase}, asks to wait {wait} s" if wait.isdecimal() else phrase, status)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _megabytes(count: int) -> str:
    return f"{count / _MB:g} MB"


@contextlib.contextmanager
def _words(options: FetchOptions) -> Iterator[None]:
    """Turns what aiohttp raises into one sentence, with the cause kept."""
    try:
        yield
    except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        sentence = next(words for kind, words in _SENTENCES if isinstance(error, kind))
        network = _NETWORK.get(getattr(error, "errno", None) or 0)
        text = network if network and isinstance(error, OSError) else sentence
        raise FetchError(text.format(options=options, kind=type(error).__name__)) from error


# The first that fits; special kinds stand before general ones.
_SENTENCES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aiohttp.SocketTimeoutError, "no answer for {options.read_timeout_s:g} s"),
    (TimeoutError, "timed out after {options.timeout_s:g} s"),
    (aiohttp.ClientConnectorDNSError, "name not resolved"),
    (aiohttp.ClientConnectorCertificateError, "no secure connection: the certificate was refused"),
    (aiohttp.ClientSSLError, "no secure connection: TLS failed"),
    (aiohttp.ClientOSError, "connection failed"),
    (aiohttp.ServerDisconnectedError, "connection closed without an answer"),
    (aiohttp.ClientPayloadError, "the body broke off or could not be unpacked"),
    (aiohttp.InvalidURL, "not a valid URL"),
    (aiohttp.ClientResponseError, "not a valid HTTP answer"),
    (Exception, "could not be fetched ({kind})"),
)
_NETWORK: Final = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.EHOSTUNREACH: "host not reachable",
    errno.ENETUNREACH: "network not reachable",
}
