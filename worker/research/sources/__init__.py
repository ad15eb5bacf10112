"""What a source is: an address that is asked over HTTP, and what its answer is read as.

Each kind has a module of its own, with two functions: `sources` says which of them a market asks for, `read`
makes a `Feed` of an answer. `catalogue` joins them.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote, urlsplit

from worker.research.urls import canonical_url, comparison_key, host_of


class Kind(StrEnum):
    """What a source's answer is read as."""

    FEED = "feed"
    SEARCH = "search"
    REDDIT = "reddit"
    TRENDS = "trends"
    SUGGESTIONS = "suggestions"


# Seconds between two requests to the site of such a source, whatever the settings say of others.
# Reddit answers about one request a minute without a key; the others publish no limit, and are not to be tried.
PAUSES: Final = {Kind.SEARCH: 2.0, Kind.REDDIT: 60.0, Kind.TRENDS: 5.0, Kind.SUGGESTIONS: 1.0}

# Parameters whose value is a secret of whoever reads the feed.
_SECRET = re.compile(
    r"(?:[\w-]*(?:token|secret|passw(?:or)?d|api_?key|signature)|pwd|pass|auth|key|sig)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Source:
    """One source of a market, under an identity that no run, no port and no token changes.

    Attributes:
        key: identity in the library; readable: "heise.de/rss/heise-atom.xml".
        name: short, for people: "heise.de".
        url: the address it is known by, without user name, password and tokens; what its relative links
            are relative to.
        fetch_url: what is asked: the same as the market names it, or the passing address of a bundled feed.
        kind: what its answer is read as.
        bundled: it is served by ourselves, so that `fetch_url` says nothing of where it comes from.
        about: the keyword or the place that it was asked for, where it was.
        open_url: what is asked without a key, where `fetch_url` wants one.
    """

    key: str
    name: str
    url: str
    fetch_url: str
    kind: Kind = Kind.FEED
    bundled: bool = False
    about: str | None = None
    open_url: str | None = None

    @classmethod
    def at(cls, url: str, *, served_at: str | None = None) -> Source:
        """The feed at this address; `served_at` where we serve it ourselves."""
        clean = without_secrets(canonical_url(url) or url)
        return cls(
            comparison_key(clean), host_of(clean), clean, served_at or url, bundled=served_at is not None
        )

    @classmethod
    def bundled_as(cls, name: str, served_at: str = "") -> Source:
        """A feed that ships beside its market's file, as the outlet it stands for.

        `.example` is reserved for this: https://www.rfc-editor.org/rfc/rfc2606#section-3

        Args:
            name: the file, relative to the market's.
            served_at: its passing address; empty while it is not served.
        """
        outlet = re.sub(r"[^a-z0-9]+", "-", PurePosixPath(name).stem.lower()).strip("-") or "feed"
        return cls.at(f"https://{outlet}.example/{quote(name)}", served_at=served_at)

    @property
    def pause_s(self) -> float | None:
        """Seconds between two requests to its site, where the usual pause is too short.

        A gateway of one's own that is asked in the service's place has limits of its own, and so has a key.
        """
        asked_itself = urlsplit(self.fetch_url).netloc == urlsplit(self.url).netloc
        return PAUSES.get(self.kind) if asked_itself else None


def without_secrets(url: str) -> str:
    """The address with the value of every parameter that is a secret replaced by a mark.

    The mark depends on the value, so that two feeds which differ only in their token stay two.
    """
    parts = urlsplit(url)
    if not parts.query:
        return url
    pairs = parts.query.split("&")
    hidden = [_hidden(pair, parts.query) for pair in pairs]
    return url if hidden == pairs else parts._replace(query="&".join(hidden)).geturl()


def _hidden(pair: str, query: str) -> str:
    name, equals, value = pair.partition("=")
    is_reddits = name == "feed" and "user=" in query
    if not value or not (is_reddits or _SECRET.fullmatch(name)):
        return pair
    return f"{name}{equals}hidden-{hashlib.sha256(value.encode()).hexdigest()[:8]}"
