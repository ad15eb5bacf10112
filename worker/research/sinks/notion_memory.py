"""What is remembered of topics' pages in a Notion database, so that none is made twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.research.clock import Clock
    from worker.research.library import Library
    from worker.research.topics import Topic


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of a topic's page.

    Attributes:
        page: its id.
        digest: of what was sent last.
        making: a page was being made when a sync ended, and nobody knows whether it was.
    """

    page: str | None = None
    digest: str | None = None
    making: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """A topic whose page may have been made more than once, for one was asked for while another's fate was unknown.

    Attributes:
        page: the one that is kept.
        since: when it was made, in Unix seconds.
    """

    market: str
    key: str
    title: str
    page: str
    since: float


@dataclass(frozen=True, slots=True)
class PageMemory:
    """The pages of one data source.

    That a page is about to be made is written first, as `creating_at`. It stays beside the page's id while
    there may be a second one.
    """

    library: Library
    data_source: str
    now: Clock

    def of(self, topic: Topic) -> Remembered:
        """What is known of the topic's page; a page of another database is none."""
        row = self.library.rows(
            "SELECT notion_page_id, payload_hash, creating_at, notion_source FROM topic "
            "WHERE (market, key) = (?, ?)",
            topic.market,
            topic.key,
        )[0]
        if row["notion_source"] not in {None, self.data_source}:
            return Remembered()
        page = row["notion_page_id"]
        return Remembered(page, row["payload_hash"], page is None and row["creating_at"] is not None)

    def making(self, topic: Topic) -> None:
        """A page is about to be made."""
        with self.library.transaction() as conn:
            conn.execute(
                "UPDATE topic SET creating_at = ?, notion_source = ?, notion_page_id = NULL, payload_hash = NULL "
                "WHERE (market, key) = (?, ?)",
                (self.now().timestamp(), self.data_source, topic.market, topic.key),
            )

    def made(self, topic: Topic, page: str, digest: str, *, once: bool) -> None:
        """The topic has this page now, with what the digest stands for.

        Args:
            topic: whose.
            page: its id.
            digest: of what was sent.
            once: it was certainly made no more than once, or was known before; else a doubt begins.
        """
        with self.library.transaction() as conn:
            conn.execute(
                "UPDATE topic SET creating_at = CASE WHEN ? THEN iif(notion_page_id IS NULL, NULL, creating_at) "
                "ELSE ? END, notion_page_id = ?, payload_hash = ?, synced_at = ?, notion_source = ? "
                "WHERE (market, key) = (?, ?)",
                (
                    once,
                    self.now().timestamp(),
                    page,
                    digest,
                    self.now().timestamp(),
                    self.data_source,
                    topic.market,
                    topic.key,
                ),
            )

    def doubts(self) -> tuple[Doubt, ...]:
        """The topics that may have more than one page, ranked or not."""
        return tuple(
            Doubt(*row)
            for row in self.library.rows(
                "SELECT market, key, title, notion_page_id, creating_at FROM topic "
                "WHERE creating_at IS NOT NULL AND notion_page_id IS NOT NULL AND notion_source = ? ORDER BY id",
                self.data_source,
            )
        )

    def settle(self, doubt: Doubt) -> None:
        """There is nothing left to be looked for."""
        with self.library.transaction() as conn:
            conn.execute(
                "UPDATE topic SET creating_at = NULL WHERE (market, key) = (?, ?) AND notion_page_id = ?",
                (doubt.market, doubt.key, doubt.page),
            )
