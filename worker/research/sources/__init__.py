"""What a source is: something that can be fetched and read as a feed."""

from __future__ import annotations

from dataclasses import dataclass

from worker.research.urls import canonical_url, comparison_key, host_of


@dataclass(frozen=True, slots=True)
class Source:
    """One feed of a market, under an identity that no run and no port changes.

    Attributes:
        key: identity in the library; readable: "heise.de/rss/heise-atom.xml".
        name: short, for people: "heise.de".
        url: the address it is known by, without user name and password; what its relative links are relative to.
        fetch_url: what is asked, where that is another address: a bundled feed is served on a passing port.
    """

    key: str
    name: str
    url: str
    fetch_url: str

    @classmethod
    def at(cls, url: str, *, fetch_url: str | None = None) -> Source:
        """The source at this address."""
        clean = canonical_url(url) or url
        return cls(comparison_key(clean), host_of(clean), clean, fetch_url or url)
