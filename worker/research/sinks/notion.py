"""Topics in a Notion database: one page each, found again by its key and never made twice.

A page is known by the property "Topic Key". What was sent last is remembered beside the topic, so that
an unchanged topic costs no request. Notion has no unique constraint: two syncs of one database at the
same time can still make a page twice; run one at a time.
"""

from __future__ import annotations

import hashlib
import json
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from worker.research.library import Library
    from worker.research.topics import Topic

KEY: Final = "Topic Key"
# What the database must have, with the names the original project gave them.
PROPERTIES: Final = {
    "Title": "title",
    KEY: "rich_text",
    "Status": "select",
    "Source": "select",
    "Market": "select",
    "Domain": "select",
    "Language": "select",
    "Description": "rich_text",
    "Source URL": "url",
    "Trending Score": "number",
}
# https://developers.notion.com/reference/request-limits#size-limits
MAX_TEXT: Final = 2000
MAX_URL: Final = 2000
MAX_OPTION: Final = 100


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
    with NotionApi(
        token, base_url=base_url, requests_per_second=requests_per_second, timeout_s=timeout_s, pause=pause
    ) as api:
        source = api.data_source(database_id.strip())
        _check_properties(source.get("properties") or {})
        sync = _Sync(api, library, str(source["id"]), now)
        for number, topic in enumerate(wanted, start=1):
            done[sync.one(topic)] += 1
            if report:
                report(number, len(wanted), f"{topic.title}, {number} of {len(wanted)}")
    return SyncStats(len(wanted), done["created"], done["updated"], done["unchanged"])


@dataclass(frozen=True, slots=True)
class _Sync:
    """One sync with one data source."""

    api: NotionApi
    library: Library
    data_source: str
    now: Clock

    def one(self, topic: Topic) -> str:
        """Brings one topic's page up to date: "created", "updated" or "unchanged"."""
        properties = _properties(topic)
        digest = hashlib.sha256(f"{self.data_source} {json.dumps(properties)}".encode()).hexdigest()
        page, sent = self._remembered(topic)
        if page and sent == digest:
            return "unchanged"
        page, outcome = self._upsert(topic, page, properties)
        self._remember(topic, page, digest)
        return outcome

    def _upsert(self, topic: Topic, page: str | None, properties: dict[str, Any]) -> tuple[str, str]:
        for found in (page, None):  # a remembered page may be gone; then the key decides
            known = found or self.api.find_page(self.data_source, KEY, _key(topic))
            if known is None:
                break
            try:
                self.api.update_page(known, properties)
            except PagePutAwayError:
                return known, "unchanged"  # somebody is done with it: it stays where it was put
            except PageGoneError:
                continue
            return known, "updated"
        return self._create(topic, properties | _at_first()), "created"

    def _create(self, topic: Topic, properties: dict[str, Any]) -> str:
        """Creates the page; where the outcome is unknown, looks for it before asking again."""
        attempt = 1
        while True:
            try:
                return self.api.create_page(self.data_source, properties)
            except UnknownOutcomeError as error:
                # Notion's index lags behind its pages, so one look at once is not enough.
                for _ in range(2):
                    self.api.wait_before(attempt)
                    if page := self.api.find_page(self.data_source, KEY, _key(topic)):
                        return page
                attempt += 1
                if attempt > ATTEMPTS:
                    raise NotionError(f"{error} ({ATTEMPTS} attempts)") from None

    def _remembered(self, topic: Topic) -> tuple[str | None, str | None]:
        row = self.library.rows(
            "SELECT notion_page_id, payload_hash FROM topic WHERE (market, key) = (?, ?)",
            topic.market,
            topic.key,
        )[0]
        return row["notion_page_id"], row["payload_hash"]

    def _remember(self, topic: Topic, page: str, digest: str) -> None:
        with self.library.transaction() as conn:
            conn.execute(
                "UPDATE topic SET notion_page_id = ?, payload_hash = ?, synced_at = ? WHERE (market, key) = (?, ?)",
                (page, digest, self.now().timestamp(), topic.market, topic.key),
            )


def _check_properties(found: dict[str, Any]) -> None:
    """Names what the database lacks before a single page is touched."""
    faults = []
    for name, kind in PROPERTIES.items():
        has = (found.get(name) or {}).get("type")
        if has is None:
            faults.append(f'"{name}" ({kind}) is missing')
        elif has != kind:
            faults.append(f'"{name}" is of type {str(has)[:40]}, expected {kind}')
    if faults:
        raise NotionError(f"the Notion database cannot take topics: property {'; '.join(faults)}")


def _key(topic: Topic) -> str:
    return _fitting(f"{topic.market}:{topic.key}", MAX_TEXT)


def _properties(topic: Topic) -> dict[str, Any]:
    """What every sync sets."""
    link = next((one.url for one in topic.samples if one.url and len(one.url) <= MAX_URL), None)
    return {
        "Title": {"title": [_text(topic.title)]},
        KEY: {"rich_text": [_text(_key(topic))]},
        "Source": _option("rss"),
        "Market": _option(topic.country),
        "Domain": _option(topic.domain),
        "Language": _option(topic.language),
        "Description": {"rich_text": [_text(_description(topic))]},
        "Source URL": {"url": link},
        "Trending Score": {"number": topic.score},
    }


def _at_first() -> dict[str, Any]:
    """What only a new page gets, because people change it later."""
    return {"Status": _option("discovered")}


def _description(topic: Topic) -> str:
    parts = topic.parts
    fit = f", {parts.keyword_fit:.0%} near the keywords" if parts.keyword_fit else ""
    first = (
        f"{parts.sources} sources, {parts.documents} stories{fit}, first seen {topic.first_seen:%Y-%m-%d}."
    )
    samples = (f"{one.title} ({one.source.partition('/')[0]}, {one.at:%Y-%m-%d})" for one in topic.samples)
    return "\n".join([first, *samples])


def _text(content: str) -> dict[str, Any]:
    return {"type": "text", "text": {"content": _fitting(content, MAX_TEXT)}}


def _option(name: str) -> dict[str, Any]:
    return {"select": {"name": _fitting(name.replace(",", " "), MAX_OPTION)}}  # Notion refuses a comma here


def _fitting(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, which is how Notion's JavaScript counts."""
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")
