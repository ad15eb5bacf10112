"""Topics in a Notion database: one page each, found again by its key and never made twice.

A page is known by the property "Topic Key". What was sent last is remembered beside the topic, so that an
unchanged topic costs no request and a sync that was cut short goes on where it stopped. That a page is about
to be made is remembered first: where a run was killed in that moment, the next one looks for the page before
it makes one, and looks again, for Notion's index lags behind its pages. Where Notion carries out a request
later than it was waited for, the second page is found afterwards and put away (`notion_doubles`). Notion has
no unique constraint, so one sync runs at a time.
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
from worker.research.sinks.notion_doubles import heal
from worker.research.sinks.notion_memory import PageMemory
from worker.research.sinks.notion_page import at_first, key_of, properties
from worker.research.sinks.notion_schema import KEY, check, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from worker.research.library import Library
    from worker.research.sinks.notion_memory import Remembered
    from worker.research.topics import Topic

LOCK: Final = "notion.lock"
# How long Notion's index may lag behind a page that was made, in steps of waiting.
LAG_S: Final = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class SyncStats:
    """What a sync did.

    Attributes:
        topics_synced: the sum of the three that follow.
        doubles_trashed: pages that Notion had made a second time, put into the trash.
        doubles_left: such pages that somebody has worked on, so that they stay: a sentence each.
    """

    topics_synced: int
    notion_pages_created: int
    notion_pages_updated: int
    unchanged: int
    doubles_trashed: int = 0
    doubles_left: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same in JSON's own types."""
        return asdict(self) | {"doubles_left": list(self.doubles_left)}


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
        memory = PageMemory(library, checked.data_source, now)
        sync = _Sync(api, memory, checked.names, pause)
        for number, topic in enumerate(wanted, start=1):
            done[sync.one(topic)] += 1
            if report:
                report(number, len(wanted), f"{topic.title}, {number} of {len(wanted)}")
        doubles = heal(api, memory)
    return SyncStats(
        len(wanted), done["created"], done["updated"], done["unchanged"], doubles.trashed, doubles.left
    )


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
    memory: PageMemory
    names: frozenset[str]
    pause: Callable[[float], None]

    def one(self, topic: Topic) -> str:
        """Brings one topic's page up to date: "created", "updated" or "unchanged"."""
        wanted = properties(topic, self.names)
        digest = hashlib.sha256(f"{self.memory.data_source} {json.dumps(wanted)}".encode()).hexdigest()
        known = self.memory.of(topic)
        if known.page and known.digest == digest:
            return "unchanged"
        page, outcome, once = self._upsert(topic, known, wanted)
        self.memory.made(topic, page, digest, once=once)
        return outcome

    def _upsert(self, topic: Topic, known: Remembered, wanted: dict[str, Any]) -> tuple[str, str, bool]:
        """The page's id, what was done, and whether it was certainly made no more than once."""
        once = not known.making
        for remembered in (known.page, None):  # a remembered page may be gone; then the key decides
            page = remembered or (self._made(topic) if known.making else self._find(topic))
            if page is None:
                break
            try:
                self.api.update_page(page, wanted)
            except PagePutAwayError:
                return page, "unchanged", once  # somebody is done with it: it stays where it was put
            except PageGoneError:
                continue
            return page, "created" if known.making else "updated", once
        page, asked_once = self._create(topic, wanted | at_first())
        return page, "created", once and asked_once

    def _create(self, topic: Topic, wanted: dict[str, Any]) -> tuple[str, bool]:
        """Creates the page; where the outcome is unknown, looks for it before asking again.

        Returns:
            The page's id, and whether it was asked for only once.
        """
        self.memory.making(topic)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.api.create_page(self.memory.data_source, wanted), attempt == 1
            except UnknownOutcomeError as error:
                if page := self._made(topic):
                    return page, attempt == 1
                if attempt == ATTEMPTS:
                    raise NotionError(f"{error} ({ATTEMPTS} attempts)") from None
        raise AssertionError  # the last attempt returned or raised

    def _find(self, topic: Topic) -> str | None:
        found = self.api.find_pages(self.memory.data_source, KEY, key_of(topic.market, topic.key))
        return found[0].id if found else None

    def _made(self, topic: Topic) -> str | None:
        """A page that may have been made a moment ago: looked for until the index must know it."""
        for lag in (0.0, *LAG_S):
            if lag:
                self.pause(lag)
            if page := self._find(topic):
                return page
        return None
