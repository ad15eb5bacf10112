"""What the system is for: topics, ranked and explained; and all documents, to be searched."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.widgets import Static

from console import keys
from console.readings.documents import parse
from console.readings.model import Found
from console.readings.topics import SORTS
from console.rows import documents, topics
from console.screens.listing import ListScreen
from console.text import ascii_signs, clean
from console.widgets.lines import as_content
from console.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from textual.widget import Widget

    from console.readings import Listing, Readings
    from console.readings.model import Snapshot
    from console.readings.topics import Topic

NONE_YET = (
    "No topics yet: they are ranked after each collection, from what several outlets tell.\n"
    "Press c to collect a market, d to look at the documents there are."
)
TOPIC_HINT = "words  market:  is:rising  is:new  id:  age<7d  !inverts"
DOCUMENT_HINT = 'words  "a phrase"  market:  source:  lang:  after:7d  is:topic  !excludes'


class TopicsScreen(ListScreen):
    """Topics first; `d` shows the documents."""

    here = "go_topics"
    scope = keys.Scope.TOPICS
    heading = "Topics"
    BINDINGS = keys.bindings(keys.Scope.TOPICS)
    _note = ""

    def body(self) -> Iterable[Widget]:
        """The list, and below it what became of report, sync and model."""
        yield from super().body()
        self.delivered = Static(id="delivered", markup=False)
        yield self.delivered

    def tables(self) -> Iterable[WindowTable[Any]]:
        """Topics, and documents."""
        plain = self.console.ascii_only
        self.topics: WindowTable[Topic] = WindowTable(
            topics.COLUMNS, topics.cells, topics.key, sorts=SORTS, empty=NONE_YET, ascii_only=plain,
            id="topics-table",
        )  # fmt: skip
        self.documents: WindowTable[Found] = WindowTable(
            documents.COLUMNS, documents.cells, documents.key,
            empty="No documents yet.\nPress c to collect a market.", ascii_only=plain, id="documents-table",
        )  # fmt: skip
        yield self.topics
        yield self.documents

    def on_mount(self) -> None:
        """The prompt says what can be typed here."""
        super().on_mount()
        self.prompt.placeholder = TOPIC_HINT

    @property
    def _on_topics(self) -> bool:
        return self.table is self.topics

    def caption_text(self) -> str:
        """Which list it is, and what the ranking rests on."""
        if not self._on_topics:
            return (
                "Topics › documents, newest first"
                if not self.filter_text
                else "Topics › documents, best first"
            )
        return f"{self.heading}  {self._note}".rstrip()

    def draw(self, snapshot: Snapshot | None, now: datetime) -> None:
        """The caption follows what was ranked and delivered."""
        if snapshot is not None:
            library = snapshot.library
            self._note = topics.standing(library.standings, now)
            parts = (topics.delivered(library.deliveries, now), topics.model(library.standings))
            text = "  ·  ".join(part for part in parts if part) or "No report and no sync yet: n starts both."
            text = ascii_signs(text) if self.console.ascii_only else text
            if text != str(self.delivered.content):
                self.delivered.update(Content(text), layout=False)
        super().draw(snapshot, now)

    def listing(self, readings: Readings) -> Listing[Any]:
        """Topics, filtered; or documents, searched."""
        if self._on_topics:
            return readings.topics(self.filter_text, self.table.sort.id if self.table.sort else "score")
        return readings.search(self.filter_text) if self.filter_text.strip() else readings.collected()

    def describe(self, readings: Readings, row: Any) -> Content | None:
        """A topic with its reasons, or a document with its text."""
        now, utc, plain = self.console.clock(), self.console.utc, self.console.ascii_only
        if _is_document(row):
            document = readings.document(row.id)
            if document is None:
                return None
            return as_content(documents.in_full(document, row, now, utc=utc), ascii_only=plain)
        topic = readings.topic(row.id)
        if topic is None:
            return None
        return as_content(topics.in_full(topic, now, utc=utc), ascii_only=plain)

    def to_copy(self, readings: Readings, row: Any) -> Content | None:
        """A topic as Markdown; a document as it is described."""
        if _is_document(row):
            return self.describe(readings, row)
        topic = readings.topic(row.id)
        return None if topic is None else Content(topics.as_markdown(topic))

    # -- two lists ------------------------------------------------------------------------------

    def check_filter(self, text: str) -> None:
        """Documents are searched in the search's own language."""
        if self._on_topics:
            super().check_filter(text)
        else:
            parse(text, self.console.clock().timestamp())

    def action_documents(self) -> None:
        """The documents, or the topics again."""
        self._turn(self.documents if self._on_topics else self.topics)

    def _turn(self, table: WindowTable[Any]) -> None:
        """Shows the other list, without the filter that was for this one."""
        self.remove_class("-open")
        with self.prompt.prevent(self.prompt.Changed):
            self.prompt.value = ""
        self.prompt.display = False
        self.filter_text, self._fault = "", ""
        table.nothing_matches = False
        self.prompt.placeholder = TOPIC_HINT if table is self.topics else DOCUMENT_HINT
        self.switch(table)

    def leave(self) -> None:
        """Back to the topics."""
        if not self._on_topics:
            self._turn(self.topics)

    # -- acts -----------------------------------------------------------------------------------

    def action_sync(self) -> None:
        """Ranks anew, writes the report and syncs to Notion, now."""
        self.console.act(lambda actions: actions.sync())

    def action_open_link(self) -> None:
        """Opens the document, or the topic's first headline, in a browser."""
        row = self.table.highlighted
        if row is None:
            return
        if _is_document(row):
            self._open([row.url])
        else:
            self.console.ask(
                self.named("link"),
                lambda readings: readings.topic(row.id),
                lambda detail: self._open([one.url for one in detail.headlines] if detail else []),
            )

    def _open(self, urls: list[str | None]) -> None:
        url = next((found for one in urls if (found := topics.web_url(one))), None)
        if url is None:
            self.console.refuse("It has no address of the web that can be opened safely.")
            return
        self.console.mark(lambda _: webbrowser.open(url), lambda done: self._opened(url, done=done))

    def _opened(self, url: str, *, done: bool) -> None:
        if done:
            self.console.notify(f"Opened {clean(url, 200)}", markup=False)
        else:
            self.console.refuse(f"No browser could be started here. The address is {clean(url, 400)}")

    async def action_to_runs(self) -> None:
        """The runs that collected and synced this market."""
        await self._go("runs")

    async def action_to_sources(self) -> None:
        """The sources of this market."""
        await self._go("sources")

    async def _go(self, name: str) -> None:
        row = self.table.highlighted
        if row is not None:
            await self.console.go_to(name, f"market:{row.market}")


def _is_document(row: Any) -> bool:
    """A search finds documents and topics; a topic is told as one wherever it stands."""
    return isinstance(row, Found) and row.kind == "document"
