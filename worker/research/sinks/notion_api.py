"""Talking to Notion: paced, patient with what passes, and clear about what does not.

notion-client retries a 429 only; here 5xx, 529, 409, timeouts and broken connections are retried too,
where repeating cannot do harm. The rate and its limits: https://developers.notion.com/reference/request-limits.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import httpx
from notion_client import Client
from notion_client.constants import DEFAULT_BASE_URL
from notion_client.errors import HTTPResponseError, NotionClientErrorBase, RequestTimeoutError

from worker.research.errors import NotionError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

# The first with data sources; the one notion-client 3 speaks by default, named so that an upgrade does not move it.
# 2026-03-11 changes how blocks are placed, and the names of trash and transcripts: nothing that is asked for here.
NOTION_VERSION: Final = "2025-09-03"
REQUESTS_PER_SECOND: Final = 2.5
ATTEMPTS: Final = 4
# Whoever asks for a longer wait is left for now: the next attempt of the task goes on from there.
LONGEST_WAIT_S: Final = 300.0
_PASSING: Final = frozenset({409, 429, 500, 502, 503, 504, 529})
# After these Notion has certainly not done what was asked.
_UNDONE: Final = frozenset({429})

Pause = Callable[[float], None]


# More pages of one key than a few are none of ours.
_MOST_OF_A_KEY: Final = 10


@dataclass(frozen=True, slots=True)
class FoundPage:
    """A page as a query tells of it.

    Attributes:
        made_by: id of the user, or integration, that made it.
        untouched: nobody has edited it since. Notion tells times to the minute, so who did it counts as well:
            https://developers.notion.com/reference/page
    """

    id: str
    url: str
    made_by: str
    untouched: bool


class UnknownOutcomeError(NotionError):
    """The request may or may not have been carried out."""


class PageGoneError(NotionError):
    """The page does not exist any more."""


class PagePutAwayError(NotionError):
    """The page is in Notion's trash or archive, where somebody has put it."""


class NotionApi:
    """The few requests the sync needs; use it as a context manager.

    Args:
        token: the integration's secret; stands in no error and no log.
        base_url: another server than Notion's, for tests.
        requests_per_second: courtesy limit.
        timeout_s: for one request.
        pause: how to wait, in seconds.
    """

    def __init__(
        self,
        token: str,
        *,
        base_url: str | None = None,
        requests_per_second: float = REQUESTS_PER_SECOND,
        timeout_s: float = 30.0,
        pause: Pause = time.sleep,
    ) -> None:
        self._token = token.strip()
        if (
            not self._token
            or not self._token.isascii()
            or not self._token.isprintable()
            or " " in self._token
        ):
            raise NotionError("the Notion token is empty, or has characters that no token has")
        self._interval = 1 / requests_per_second
        self._pause = pause
        self._next = 0.0
        self._client = Client(
            auth=self._token,
            base_url=base_url or DEFAULT_BASE_URL,
            notion_version=NOTION_VERSION,
            timeout_ms=round(timeout_s * 1000),
            retry=False,
            logger=logging.getLogger(__name__),
            log_level=logging.CRITICAL,  # what goes wrong is raised; the library would also print it
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def data_source(self, database_id: str) -> dict[str, Any]:
        """The data source of this database; the id may be a data source's own.

        Raises:
            NotionError: there is none, or more than one.
        """
        try:
            database = self._call("find the database", lambda: self._client.databases.retrieve(database_id))
        except PageGoneError:
            return self._retrieve(database_id)
        found = database.get("data_sources") or []
        if len(found) != 1:
            names = ", ".join(f"{one.get('name') or 'unnamed'} {one.get('id')}" for one in found) or "none"
            raise NotionError(
                f"expected a Notion database with one data source, found {len(found)} ({names}); "
                "name the data source's id instead"
            )
        return self._retrieve(found[0]["id"])

    def _retrieve(self, data_source_id: str) -> dict[str, Any]:
        try:
            return self._call(
                "read the database's properties", lambda: self._client.data_sources.retrieve(data_source_id)
            )
        except PageGoneError as error:
            raise NotionError(
                "Notion knows no such database, or it is not shared with the integration"
            ) from error.__cause__

    def find_pages(self, data_source_id: str, name: str, value: str) -> tuple[FoundPage, ...]:
        """The pages whose text property has this value, those in the trash not among them."""
        wanted = {"property": name, "rich_text": {"equals": value}}
        answer = self._call(
            "look up a topic",
            lambda: self._client.data_sources.query(data_source_id, filter=wanted, page_size=_MOST_OF_A_KEY),
        )
        return tuple(_found(page) for page in answer.get("results") or ())

    def update_page(self, page_id: str, properties: dict[str, Any]) -> None:
        """Sets properties of a page.

        Raises:
            PageGoneError: there is no such page any more.
            PagePutAwayError: it is in the trash or archived.
        """
        self._call("update a topic", lambda: self._client.pages.update(page_id, properties=properties))

    def trash_page(self, page_id: str) -> None:
        """Puts a page into the trash, from where Notion's users can take it back for 30 days.

        Raises:
            PageGoneError: there is no such page any more.
            PagePutAwayError: it is there already.
        """
        self._call("put a page into the trash", lambda: self._client.pages.update(page_id, in_trash=True))

    def create_page(self, data_source_id: str, properties: dict[str, Any]) -> str:
        """Creates a page; its id. Asked once only, except where Notion has certainly not done it.

        Raises:
            UnknownOutcomeError: it may have been created; look before asking again.
        """
        parent = {"type": "data_source_id", "data_source_id": data_source_id}
        page = self._call(
            "create a topic",
            lambda: self._client.pages.create(parent=parent, properties=properties),
            repeatable=False,
        )
        return str(page["id"])

    def create_database(self, page_id: str, title: str, properties: dict[str, Any]) -> str:
        """Creates a database with one data source under a page; the database's id."""
        database = self._call(
            "create the database",
            lambda: self._client.databases.create(
                parent={"type": "page_id", "page_id": page_id},
                title=[{"type": "text", "text": {"content": title}}],
                initial_data_source={"properties": properties},
            ),
            repeatable=False,
        )
        return str(database["id"])

    def add_properties(self, data_source_id: str, properties: dict[str, Any]) -> None:
        """Adds properties to a data source, or renames them."""
        self._call(
            "add properties to the database",
            lambda: self._client.data_sources.update(data_source_id, properties=properties),
        )

    def wait_before(self, attempt: int, asked: float | None = None) -> None:
        """Waits before the next attempt: as long as Notion asks, else 1, 2, 4 … s with some jitter.

        Args:
            attempt: how many have failed.
            asked: seconds that Notion asks for.
        """
        own = 2.0 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
        self._pause(min(LONGEST_WAIT_S, own if asked is None else asked))

    def _call(self, what: str, request: Callable[[], Any], *, repeatable: bool = True) -> dict[str, Any]:
        for attempt in range(1, ATTEMPTS + 1):
            self._take_turn()
            try:
                answer: dict[str, Any] = request()
            except (NotionClientErrorBase, httpx.HTTPError, ValueError) as error:
                status, asked = _status(error), _retry_after(error)
                if not _is_passing(error, status):
                    raise self._refusal(what, error, status) from None
                undone = status in _UNDONE or isinstance(error, httpx.ConnectError)
                sentence = f"could not {what}: {self._words(error, status)}"
                if not repeatable and not undone:
                    raise UnknownOutcomeError(sentence) from None
                if attempt == ATTEMPTS:
                    raise NotionError(f"{sentence} ({ATTEMPTS} attempts)") from None
                if asked is not None and asked > LONGEST_WAIT_S:
                    raise NotionError(f"{sentence}; Notion asks to wait {asked:.0f} s") from None
                self.wait_before(attempt, asked)
            else:
                return answer
        raise AssertionError  # the last attempt returned or raised

    def _take_turn(self) -> None:
        now = time.monotonic()
        if self._next > now:
            self._pause(self._next - now)
        self._next = max(now, self._next) + self._interval

    def _refusal(self, what: str, error: Exception, status: int | None) -> NotionError:
        text = self._words(error, status)
        if status == 401:
            return NotionError("Notion refused the token")
        if status == 404:
            return PageGoneError(f"could not {what}: {text}")
        if status == 400 and ("archived" in text or "trash" in text):
            return PagePutAwayError(f"could not {what}: {text}")
        return NotionError(f"could not {what}: {text}")

    def _words(self, error: Exception, status: int | None) -> str:
        """The error in words, without the token: causes are cut off, for a header may stand in one."""
        if isinstance(error, RequestTimeoutError | httpx.TimeoutException):
            return "Notion did not answer in time"
        if isinstance(error, httpx.ConnectError):
            return "Notion could not be reached"
        if isinstance(error, httpx.HTTPError):
            return "the connection to Notion broke off"
        if not isinstance(error, NotionClientErrorBase):
            return "Notion's answer could not be read"
        text = " ".join(str(error).replace(self._token, "…").split())[:300]
        return f"Notion answered {status}: {text}" if status else text


def _found(page: dict[str, Any]) -> FoundPage:
    made, edited = (
        (page.get(f"{act}_time"), (page.get(f"{act}_by") or {}).get("id"))
        for act in ("created", "last_edited")
    )
    untouched = made == edited and all(made)
    return FoundPage(str(page["id"]), str(page.get("url", "")), str(made[1] or ""), untouched)


def _status(error: Exception) -> int | None:
    return error.status if isinstance(error, HTTPResponseError) else None


def _is_passing(error: Exception, status: int | None) -> bool:
    if isinstance(error, NotionClientErrorBase):
        return status in _PASSING or isinstance(error, RequestTimeoutError)
    return isinstance(error, httpx.TransportError | ValueError)


def _retry_after(error: Exception) -> float | None:
    if not isinstance(error, HTTPResponseError):
        return None
    value = error.headers.get("Retry-After", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:  # https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
