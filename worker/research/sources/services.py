"""Where the services are asked that more than one market uses, and with which key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from worker.research.sources import Source, without_secrets
from worker.research.urls import canonical_url, comparison_key, host_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.research.sources import Kind

REDDIT: Final = "https://www.reddit.com"
REDDIT_API: Final = "https://oauth.reddit.com"
TRENDS: Final = "https://trends.google.com"
SUGGESTIONS: Final = "https://suggestqueries.google.com"
GOOGLE_NEWS: Final = "https://news.google.com"
BING_NEWS: Final = "https://www.bing.com"


@dataclass(frozen=True, slots=True)
class Services:
    """Other addresses than the usual ones, and the keys.

    Attributes:
        addresses: the usual address to the one that is asked instead: a gateway or a mirror of one's own.
        reddit_user: whose personal feeds are asked.
        reddit_token: the token of reddit.com/prefs/feeds.
        reddit_id: of an application at reddit.com/prefs/apps.
        reddit_secret: its secret; with it Reddit is asked through its API.
    """

    addresses: Mapping[str, str] = field(default_factory=dict)
    reddit_user: str | None = None
    reddit_token: str | None = field(default=None, repr=False)
    reddit_id: str | None = None
    reddit_secret: str | None = field(default=None, repr=False)

    @property
    def reddit_key(self) -> tuple[str, str] | None:
        """The application's id and secret, where both are given."""
        return (self.reddit_id, self.reddit_secret) if self.reddit_id and self.reddit_secret else None

    def at(self, service: str) -> str:
        """Where a service is asked, by its usual address."""
        return self.addresses.get(service, service).rstrip("/")

    def source(
        self,
        service: str,
        path: str,
        query: Mapping[str, str],
        kind: Kind,
        *,
        about: str,
        secret: Mapping[str, str] | None = None,
    ) -> Source:
        """A source of a service.

        Args:
            service: its usual address, one of this module's.
            path: within it.
            query: parameters that are part of its identity.
            kind: what its answer is read as.
            about: the keyword or the place that it is asked for.
            secret: parameters that are sent and not remembered.
        """
        named = f"{service}{path}?{urlencode(query)}"
        clean = without_secrets(canonical_url(named) or named)
        asked = f"{self.at(service)}{path}?{urlencode(dict(query) | dict(secret or {}))}"
        return Source(comparison_key(clean), host_of(clean), clean, asked, kind, about=about)
