"""Topics in a Notion database: one page each, found again by its key and never made twice.

A page is known by the property "Topic Key". What was sent last is remembered beside the topic, so that an
unchanged topic costs no request and a sync that was cut short goes on where it stopped. That a page is about
to be made is remembered first: where a run was killed in that moment, the next one looks for the page before
it makes one, and looks again, for Notion's index lags behind its pages. Notion has no unique constraint, so
one sync runs at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from worker.research.clock import Clock, utc_now
from worker.research.errors import NotionError
from worker.research.sinks.notion_api import (
    ATTEMPTS,
    REQUESTS_PER_SECOND,
    NotionApi,
    PageGoneError,
    PagePutAwayError,
    UnknownOutcomeError,
)
from worker.research.sinks.notion_page import at_first, key_of, properties
from worker.research.sinks.notion_schema import KEY, check, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from worker.research.library import Library
    from worker.research.topics import Topic

LOCK: Final = "notion.lock"
# How long Notion's index may lag behind a page that was made, in steps of waiting.
LAG_S: Final = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class SyncStats:
    """What a sync did; `topics_synced` is the sum of the others."""

    topics_synced: int
    notion_pages_created: int
    notion_pages_updated: int
    unchanged: int

    def as_dict(self) -> dict[str, int]:
        """The same in JSON's own types."""
        return asdict(self)


def sync_topics(
    topics: Iterable[Topic],
    library: Library,
    *,
    token: str,
    database_id: str,
    base_url: str | None = None,
    report: Callable[[int, int, str], None] | None = None,
    now: Clock = utc_now,
    requests_per_second: float = REQUESTS_PER_SECOND,
    timeout_s: float = 30.0,
    pause: Callable[[float], None] = time.sleep,
) -> SyncStats:
    """Brings the database up to date with the topics; repeating it changes nothing.

    Args:
        topics: as ranked and saved.
        library: remembers which page a topic has.
        token: the integration's secret.
        database_id: of the database, or of its data source.
        base_url: another server than Notion's, for tests.
        report: called with (topics done, topics in all, a short note); what it raises ends the sync.
        now: the clock.
        requests_per_second: courtesy limit.
        timeout_s: for one request.
        pause: how to wait, in seconds.

    Raises:
        NotionError: with one sentence; the pages done so far stay done and remembered.
        LibraryError: the library cannot be read or written.
    """
    wanted = tuple(topics)
    done = {"created": 0, "updated": 0, "unchanged": 0}
    with (
        _alone(library.path.parent / LOCK),
        NotionApi(
            token,
            base_url=base_url,
            requests_per_second=requests_per_second,
            timeout_s=timeout_s,
            pause=pause,
        ) as api,
    ):
        checked = check(api, database_id.strip())
        require(checked)
        sync = _Sync(api, library, checked.data_source, checked.names, now, pause)
        for number, topic in enumerate(wanted, start=1):
            done[sync.one(topic)] += 1
            if report:
                report(number, len(wanted), f"{topic.title}, {number} of {len(wanted)}")
    return SyncStats(len(wanted), done["created"], done["updated"], done["unchanged"])


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds the lock as long as the context lasts; the system lets go of it when a process dies.

    Raises:
        NotionError: another sync holds it.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise NotionError("another sync with Notion is running") from error
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Sync:
    """One sync with one data source."""

    api: NotionApi
    library: Library
    data_source: str
    names: frozenset[str]
    now: Clock
    pause: Callable[[float], None]

    def one(self, topic: Topic) -> str:
        """Brings one topic's page up to date: "created", "updated" or "unchanged"."""
        wanted = properties(topic, self.names)
        digest = hashlib.sha256(f"{self.data_source} {json.dumps(wanted)}".encode()).hexdigest()
        page, sent, interrupted = self._remembered(topic)
        if page and sent == digest:
            return "unchanged"
        page, outcome = self._upsert(topic, page, wanted, interrupted=interrupted)
        self._remember(topic, page, digest)
        return outcome

    def _upsert(
        self, topic: Topic, page: str | None, wanted: dict[str, Any], *, interrupted: bool
    ) -> tuple[str, str]:
        for found in (page, None):  # a remembered page may be gone; then the key decides
            known = found or (self._made(topic) if interrupted else self._find(topic))
            if known is None:
                break
            try:
                self.api.update_page(known, wanted)
            except PagePutAwayError:
                return known, "unchanged"  # somebody is done with it: it stays where it was put
            except PageGoneError:
                continue
            return known, "created" if interrupted and found is None else "updated"
        return self._create(topic, wanted | at_first()), "created"

    def _create(self, topic: Topic, wanted: dict[str, Any]) -> str:
        """Creates the page; where the outcome is unknown, looks for it before asking again."""
        self._remember_making(topic)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.api.create_page(self.data_source, wanted)
            except UnknownOutcomeError as error:
                if page := self._made(topic):
                    return page
                if attempt == ATTEMPTS:
                    raise NotionError(f"{error} ({ATTEMPTS} attempts)") from None
        raise AssertionError  # the last attempt returned or raised

    def _find(self, topic: Topic) -> str | None:
        return self.api.find_page(self.data_source, KEY, key_of(topic))

    def _made(self, topic: Topic) -> str | None:
        """A page that may have been made a moment ago: looked for until the index must know it."""
        for lag in (0.0, *LAG_S):
            if lag:
                self.pause(lag)
            if page := self._find(topic):
                return page
        return None

    def _remembered(self, topic: Topic) -> tuple[str | None, str | None, bool]:
        row = self.library.rows(
            "SELECT notion_page_id, payload_hash, creating_at, notion_source FROM topic "
            "WHERE (market, key) = (?, ?)",
            topic.market,
            topic.key,
        )[0]
        if row["notion_source"] not in {None, self.data_source}:
            return None, None, False  # the page of another database
        return row["notion_page_id"], row["payload_hash"], row["creating_at"] is not None

    def _remember_making(self, topic: Topic) -> None:
        with self.library.transaction() as conn:
            conn.execute(
                "UPDATE topic SET creating_at = ?, notion_source = ?, notion_page_id = NULL, payload_hash = NULL "
                "WHERE (market, key) = (?, ?)",
                (self.now().timestamp(), self.data_source, topic.market, topic.key),
            )

    def _remember(self, topic: Topic, page: str, digest: str) -> None:
        with self.library.transaction() as conn:
            conn.execute(
                "UPDATE topic SET notion_page_id = ?, payload_hash = ?, synced_at = ?, creating_at = NULL, "
                "notion_source = ? WHERE (market, key) = (?, ?)",
                (page, digest, self.now().timestamp(), self.data_source, topic.market, topic.key),
            )
