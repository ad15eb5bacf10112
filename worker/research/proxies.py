"""The proxy that the environment names for an address: http_proxy, https_proxy, all_proxy, no_proxy."""

from __future__ import annotations

import base64
import urllib.request
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from worker.research.addresses import is_loopback
from worker.research.errors import FetchError


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy.

    Attributes:
        url: without user name and password.
        request_headers: what a request that the proxy reads must carry.
        connect_headers: what the opening of a tunnel must carry.
    """

    url: str
    request_headers: dict[str, str] = field(default_factory=dict, repr=False)
    connect_headers: dict[str, str] = field(default_factory=dict, repr=False)


def proxy_for(url: str, host: str) -> Proxy | None:
    """The proxy to ask for an address, None to ask it directly.

    Args:
        url: the address.
        host: its host; a proxy has another loopback than this machine, so that is always asked directly.

    Raises:
        FetchError: the variable names a kind of proxy that cannot be used.
    """
    found = urllib.request.getproxies()
    scheme = urlsplit(url).scheme
    named = found.get(scheme) or found.get("all")
    if not named or is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    return _proxy(named, tunnelled=scheme == "https")


def _proxy(named: str, *, tunnelled: bool) -> Proxy:
    parts = urlsplit(named if "://" in named else f"http://{named}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FetchError(f"the proxy in the environment is of a kind that cannot be used ({parts.scheme})")
    netloc = parts.netloc.rpartition("@")[2]
    url = f"{parts.scheme}://{netloc}"
    if parts.username is None:
        return Proxy(url)
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    headers = {"Proxy-Authorization": f"Basic {base64.b64encode(login).decode()}"}
    # A tunnel's end must not see it.
    return Proxy(url, {}, headers) if tunnelled else Proxy(url, headers, {})
