"""Which addresses may be asked: the public ones, and the private ones that a market allows by name.

A feed, a redirect or a name server must not lead us to this machine's own services, to its network or to a
cloud's metadata. A name is therefore judged by what it resolves to, in the resolver of the connection itself:
what was checked is what is dialled, so that a name which answers differently the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Final

from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp.abc import ResolveResult

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IPv4 addresses dressed as IPv6 by a translator: https://www.rfc-editor.org/rfc/rfc6052#section-2.1
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """A name or an address leads to a place that is not public; the message is one sentence."""

    def __init__(self, host: str, address: object) -> None:
        place = f"{address}" if literal(host) else f"{host} is {address}"
        super().__init__(f"refused: {place}, which is not public (a market may name it in allow_private)")


class Allowed:
    """The private places that may be asked all the same.

    Args:
        names: host names, addresses, or networks such as 10.0.0.0/8.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._hosts: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for name in names:
            try:
                self._networks.append(ipaddress.ip_network(name.strip("[]"), strict=False))
            except ValueError:
                self._hosts.add(name.lower().rstrip("."))

    def permits(self, host: str, address: Address) -> bool:
        """Whether this address of this host may be dialled."""
        return (
            is_public(address)
            or host.lower().rstrip(".") in self._hosts
            or any(address in network for network in self._networks)
        )

    def names(self, host: str) -> bool:
        """Whether a host is named itself, and not only the network it is in."""
        address = literal(host)
        single = ipaddress.ip_network(address) if address else None
        return host.lower().rstrip(".") in self._hosts or single in self._networks

    def check_literal(self, host: str) -> None:
        """Refuses a host that is an address and may not be dialled; a name is checked when it is resolved.

        Raises:
            PrivateAddressError: it is refused.
        """
        address = literal(host)
        if address is not None and not self.permits(host, address):
            raise PrivateAddressError(host, address)


class GuardedResolver(AbstractResolver):
    """Resolves names, and gives no address that may not be dialled.

    Args:
        allowed: the exceptions.
        inner: what really resolves.
    """

    def __init__(self, allowed: Allowed, inner: AbstractResolver | None = None) -> None:
        self._allowed, self._inner = allowed, inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name that may be dialled.

        Raises:
            PrivateAddressError: there are addresses, and all are refused.
            OSError: there are none.
        """
        found = await self._inner.resolve(host, port, family)
        kept = [one for one in found if self._may(host, one["host"])]
        if found and not kept:
            raise PrivateAddressError(host, found[0]["host"])
        return kept

    def _may(self, host: str, address: str) -> bool:
        parsed = literal(address)
        return parsed is not None and self._allowed.permits(host, parsed)

    async def close(self) -> None:
        """Closes what really resolves."""
        await self._inner.close()


def literal(host: str) -> Address | None:
    """The address that a host is; None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether an address belongs to the internet at large, whatever it is wrapped in."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


def is_loopback(host: str) -> bool:
    """Whether a host is written as an address of this machine itself."""
    address = literal(host)
    return address is not None and address.is_loopback
