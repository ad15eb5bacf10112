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
        fetch_url: what is asked: the same as the market names it, or the passing address of a bundled feed.
        bundled: it is served by ourselves, so that `fetch_url` says nothing of where it comes from.
    """

    key: str
    name: str
    url: str
    fetch_url: str
    bundled: bool = False

    @classmethod
    def at(cls, url: str, *, served_at: str | None = None) -> Source:
        """The source at this address; `served_at` where we serve it ourselves."""
        clean = canonical_url(url) or url
        return cls(comparison_key(clean), host_of(clean), clean, served_at or url, served_at is not None)
