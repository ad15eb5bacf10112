"""Whom Reddit's API answers: an application without a user, by a token that lasts some hours.

https://github.com/reddit-archive/reddit/wiki/OAuth2#application-only-oauth
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Final

from worker.research.errors import FetchError
from worker.research.http import Ask
from worker.research.sources.services import REDDIT

if TYPE_CHECKING:
    from worker.research.http import Fetcher
    from worker.research.sources.services import Services

TOKEN: Final = "/api/v1/access_token"  # noqa: S105 - a path
# A token is not used in its last moments, so that it does not end on the way.
_LAST_S: Final = 60.0


class RedditLogin:
    """Gets a token, and another one when it has ended.

    Args:
        fetcher: open.
        services: with a key.
    """

    def __init__(self, fetcher: Fetcher, services: Services) -> None:
        assert services.reddit_key is not None
        self._fetcher = fetcher
        self._url = f"{services.at(REDDIT)}{TOKEN}"
        pair = ":".join(services.reddit_key).encode()
        self._key = f"Basic {base64.b64encode(pair).decode()}"
        self._bearer = ""
        self._until = 0.0

    async def authorization(self) -> str:
        """The header's value.

        Raises:
            FetchError: Reddit gives no token.
        """
        if not self._bearer or time.monotonic() >= self._until:
            await self._renew()
        return self._bearer

    def forget(self) -> None:
        """The token was refused: the next one is a new one."""
        self._bearer = ""

    async def _renew(self) -> None:
        form = {"grant_type": "client_credentials"}
        ask = Ask(self._url, accept="application/json", authorization=self._key, form=form)
        fetched = await self._fetcher.get(ask)
        try:
            answer = json.loads(fetched.body)
            token, seconds = str(answer["access_token"]), float(answer["expires_in"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise FetchError("Reddit answered without a token") from error
        if not token.isascii() or not token.isprintable():
            raise FetchError("Reddit's token has characters that no token has")
        self._bearer = f"bearer {token}"
        self._until = time.monotonic() + seconds - _LAST_S
