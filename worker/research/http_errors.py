"""What can go wrong on the way to an answer, in one sentence each."""

from __future__ import annotations

import contextlib
import errno
from typing import TYPE_CHECKING, Final

import aiohttp

from worker.research.addresses import PrivateAddressError
from worker.research.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.research.http import FetchOptions


@contextlib.contextmanager
def in_words(options: FetchOptions) -> Iterator[None]:
    """Turns what aiohttp raises into one sentence, with the cause kept."""
    try:
        yield
    except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        if (refused := _refused(error)) is not None:
            raise FetchError(str(refused)) from error
        sentence = next(words for kind, words in _SENTENCES if isinstance(error, kind))
        network = _NETWORK.get(getattr(error, "errno", None) or 0)
        text = network if network and isinstance(error, OSError) else sentence
        raise FetchError(text.format(options=options, kind=type(error).__name__)) from error


def _refused(error: BaseException | None) -> PrivateAddressError | None:
    """The resolver's refusal, which aiohttp wraps."""
    while error is not None and not isinstance(error, PrivateAddressError):
        error = error.__cause__
    return error


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
    (UnicodeError, "not a valid URL"),  # a part of its host is too long, or no name
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
