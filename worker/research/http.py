"""Fetching: bounded in bytes, time and redirects, polite to each host, and clear about what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from importlib import metadata
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import aiohttp

from worker.research import proxies
from worker.research.addresses import Allowed, GuardedResolver, is_loopback
from worker.research.errors import FetchError
from worker.research.freshness import fresh_for, retry_after, spent_for
from worker.research.http_errors import in_words
from worker.research.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from types import TracebackType
    from typing import Self

    from aiohttp.abc import AbstractResolver

ACCEPT: Final = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
# Answers that mean "not now" rather than "not here".
BUSY: Final = frozenset({429, 503})
# Without a Retry-After, how long a site that is busy is left alone in this run.
_BUSY_S: Final = 60.0
# An open connection costs some 60 KB, and of most hosts one thing is asked.
_KEPT_S: Final = 1.0
_CHUNK = 64 * 1024
_LONGEST_VALIDATOR = 2_000
# What aiohttp makes of bytes that are no UTF-8.
_NO_TEXT = re.compile(r"[\udc80-\udcff]")
# A larger body waits for its turn, so that however many are fetched at once they do not fill the memory.
_LARGE = 1_000_000
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
        allow_private: hosts, addresses and networks that may be asked though they are not public.
    """

    timeout_s: float = 20.0
    read_timeout_s: float = 10.0
    max_body_bytes: int = 15 * _MB
    max_redirects: int = 5
    concurrency: int = 64
    per_host: int = 2
    host_delay_s: float = 0.2
    user_agent: str | None = None
    allow_private: frozenset[str] = frozenset()


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
        fresh_for_s: how long the server says that asking again is of no use; None where it does not say.
        spent_s: how long it takes no more requests, where it says that this was the last; None where it does not.
    """

    status: int
    body: bytes
    url: str
    etag: str | None
    last_modified: str | None
    content_type: str | None
    seconds: float
    moved_to: str | None = None
    fresh_for_s: float | None = None
    spent_s: float | None = None

    @property
    def not_modified(self) -> bool:
        """Nothing new since the validators were given."""
        return self.status == HTTPStatus.NOT_MODIFIED


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, as a source wants it made.

    Attributes:
        url: http or https.
        etag: what the last answer gave, sent back as it is.
        last_modified: as `etag`.
        accept: the kinds of answers that are understood.
        delay_s: between two requests to this site, where the usual pause is too short.
        ours: we serve it ourselves on loopback, so that its first hop may lead there.
        alone: nothing else is asked of this site soon, so that its connection is not kept.
        authorization: who asks; such a request follows no redirect, so that no other site is told.
        form: what is posted in place of asking.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    accept: str | None = None
    delay_s: float | None = None
    ours: bool = False
    alone: bool = False
    authorization: str | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What the request carries beyond what every one does."""
        named = {
            "If-None-Match": self.etag,
            "If-Modified-Since": self.last_modified,
            "Accept": self.accept,
            "Authorization": self.authorization,
        }
        return {name: value for name, value in named.items() if value}

    @property
    def is_conditional(self) -> bool:
        """Whether the answer may be that nothing has changed."""
        return bool(self.etag or self.last_modified)


@dataclass(slots=True)
class _Trip:
    """One fetch on its way from hop to hop."""

    url: str
    seconds: float = 0.0
    hops: int = 0
    permanent: bool = True


class Fetcher:
    """Fetches over one pool of connections; use it as an async context manager.

    Args:
        options: how far it may go.
        resolver: what resolves names, in place of the system's.
    """

    def __init__(
        self, options: FetchOptions | None = None, *, resolver: AbstractResolver | None = None
    ) -> None:
        self.options = options or FetchOptions()
        self._allowed = Allowed(self.options.allow_private)
        self._resolver = resolver
        self.turns = Turns(
            concurrency=self.options.concurrency,
            per_host=self.options.per_host,
            delay_s=self.options.host_delay_s,
        )

    async def __aenter__(self) -> Self:
        self._session = self._new_session(GuardedResolver(self._allowed, self._resolver))
        self._single = self._new_session(GuardedResolver(self._allowed, self._resolver), keep=False)
        # Whoever set the proxy may have it in a private place; what is asked through it, it resolves itself.
        self._proxied = self._new_session(None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._single.close()
        await self._proxied.close()

    def _new_session(self, resolver: AbstractResolver | None, *, keep: bool = True) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            # No limit: `Turns` limits, and knows the site's pause.
            connector=aiohttp.TCPConnector(
                limit=0,
                resolver=resolver,
                keepalive_timeout=_KEPT_S if keep else None,
                force_close=not keep,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),  # a cookie could tie one visit to the next
            headers={"User-Agent": self.options.user_agent or user_agent(), "Accept": ACCEPT},
            timeout=aiohttp.ClientTimeout(total=None, sock_read=self.options.read_timeout_s),
            trust_env=False,  # it would also send the passwords of ~/.netrc; proxies are looked up by us
        )

    async def get(self, ask: Ask | str) -> Fetched:
        """The resource, or word that it has not changed.

        Raises:
            FetchError: with one sentence.
        """
        async with self.fetching(ask) as fetched:
            return fetched

    @contextlib.asynccontextmanager
    async def fetching(self, ask: Ask | str) -> AsyncIterator[Fetched]:
        """The same, while its turn is kept: nothing else is fetched in its place until the context ends.

        Raises:
            FetchError: with one sentence.
        """
        ask = Ask(ask) if isinstance(ask, str) else ask
        trip = _Trip(ask.url)
        for _ in range(self.options.max_redirects + 1):
            host = self._checked_host(trip, ask)
            async with (
                contextlib.AsyncExitStack() as kept,
                self.turns.take(host, ask.delay_s if not trip.hops else None),
            ):
                if (pause := self.turns.must_wait(host)) > 0:
                    raise FetchError(f"{host} asked for a pause of {pause:.0f} s", 429, retry_after_s=pause)
                with in_words(self.options):
                    fetched = await self._hop(trip, ask, host, kept)
                if fetched is not None:
                    yield fetched
                    return
        raise FetchError(f"more than {self.options.max_redirects} redirects")

    def _checked_host(self, trip: _Trip, ask: Ask) -> str:
        host = _host_of(trip.url)
        if not (ask.ours and not trip.hops and is_loopback(host)):
            with in_words(self.options):
                self._allowed.check_literal(host)
        return host

    async def _hop(self, trip: _Trip, ask: Ask, host: str, kept: contextlib.AsyncExitStack) -> Fetched | None:
        """One request; None where it was a redirect, which the trip has then taken."""
        started = time.monotonic()
        try:
            async with (
                asyncio.timeout(max(0.001, self.options.timeout_s - trip.seconds)) as limit,
                self._request(trip.url, host, ask) as response,
            ):
                location = response.headers.get("Location")
                if response.status in _REDIRECTS and location and not ask.authorization:
                    trip.hops += 1
                    trip.permanent = trip.permanent and response.status in _PERMANENT
                    trip.url = _followed(trip.url, location)
                    return None
                self._accept(response, host, asked=ask.is_conditional)
                body = await self._body(response, partial(self._large, kept, limit))
        finally:
            trip.seconds += time.monotonic() - started
        return Fetched(
            status=response.status,
            body=body,
            url=trip.url,
            etag=_validator(response.headers.get("ETag")),
            last_modified=_validator(response.headers.get("Last-Modified")),
            content_type=response.headers.get("Content-Type"),
            seconds=trip.seconds,
            moved_to=trip.url if trip.hops and trip.permanent else None,
            fresh_for_s=fresh_for(response.headers),
            spent_s=spent_for(response.headers),
        )

    def _request(
        self, url: str, host: str, ask: Ask
    ) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
        proxy = proxies.proxy_for(url, host)
        method = "GET" if ask.form is None else "POST"
        if proxy is None:
            session = self._single if ask.alone else self._session
            return session.request(method, url, headers=ask.headers, data=ask.form, allow_redirects=False)
        return self._proxied.request(
            method,
            url,
            data=ask.form,
            headers=ask.headers | proxy.request_headers,
            proxy=proxy.url,
            proxy_headers=proxy.connect_headers,
            allow_redirects=False,
        )

    def _accept(self, response: aiohttp.ClientResponse, host: str, *, asked: bool) -> None:
        status = response.status
        if status == HTTPStatus.OK or (status == HTTPStatus.NOT_MODIFIED and asked):
            return
        wait = retry_after(response.headers)
        # A host that a market names may be a gateway to many sites, of which only one is busy.
        if status in BUSY and not self._allowed.names(host):
            self.turns.wait_for(host, _BUSY_S if wait is None else wait)
        phrase = _phrase(status)
        raise FetchError(
            phrase if wait is None else f"{phrase}, asks to wait {wait:.0f} s", status, retry_after_s=wait
        )

    async def _large(self, kept: contextlib.AsyncExitStack, limit: asyncio.Timeout) -> None:
        """Waits for the turn of a large body, which is kept as the answer is; waiting does not count as fetching."""
        ends, waited = limit.when(), time.monotonic()
        limit.reschedule(None)
        await kept.enter_async_context(self.turns.large)
        limit.reschedule(ends and ends + time.monotonic() - waited)

    async def _body(self, response: aiohttp.ClientResponse, large: Callable[[], Awaitable[None]]) -> bytes:
        limit = self.options.max_body_bytes
        body = bytearray()
        # aiohttp unpacks piece by piece and waits for the reader, so a small body that unpacks to
        # gigabytes is noticed after the first pieces.
        async for chunk in response.content.iter_chunked(_CHUNK):
            if len(body) <= _LARGE < len(body) + len(chunk):
                await large()
            body += chunk
            if len(body) > limit:
                raise FetchError(f"body larger than {_megabytes(limit)}", response.status)
        return bytes(body)


def user_agent() -> str:
    """The program's name and version, and where its makers are found if the package says so."""
    try:
        package = metadata.metadata("topic-console")
    except metadata.PackageNotFoundError:
        return "topic-console"
    urls = [entry.partition(",")[2].strip() for entry in package.get_all("Project-URL") or ()]
    contact = f" (+{urls[0]})" if urls else ""
    return f"topic-console/{package['Version']}{contact}"


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise FetchError("not a valid URL") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise FetchError("expected an http or https URL, found another kind of link")
    return host


def _followed(url: str, location: str) -> str:
    """Where a redirect leads; bytes that are no text are escaped, as browsers do."""
    try:
        return urljoin(url, _NO_TEXT.sub(lambda found: f"%{ord(found[0]) & 0xFF:02X}", location))
    except ValueError as error:
        raise FetchError("not a valid URL") from error


def _validator(value: str | None) -> str | None:
    """What can be kept, and sent back byte for byte; None for anything else."""
    return (
        value
        if value and len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable()
        else None
    )


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _megabytes(count: int) -> str:
    return f"{count / _MB:g} MB"
