"""Pages that were made twice, put right: what Notion carried out after it had been asked again goes to the trash.

A page is only ever put there while the one that is kept is seen beside it, and only if the integration made it
and nobody has touched it since. What a person has edited stays, and is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from worker.research.sinks.notion_api import PageGoneError, PagePutAwayError
from worker.research.sinks.notion_page import key_of
from worker.research.sinks.notion_schema import KEY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.research.sinks.notion_api import FoundPage, NotionApi
    from worker.research.sinks.notion_memory import Doubt, PageMemory

# So long after a page was made, whatever was asked for with it has been done, or never will be.
SETTLED_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Doubles:
    """What was found beside the pages that are kept.

    Attributes:
        trashed: pages put into the trash.
        left: for each page that stays because somebody has worked on it, a sentence with its address.
    """

    trashed: int = 0
    left: tuple[str, ...] = ()


def heal(api: NotionApi, memory: PageMemory) -> Doubles:
    """Looks at every topic that may have two pages; one that is old enough is not looked at again.

    Raises:
        NotionError: what was put right stays so.
        LibraryError: the library cannot be read or written.
    """
    trashed, left = 0, list[str]()
    for doubt in memory.doubts():
        found = api.find_pages(memory.data_source, KEY, key_of(doubt.market, doubt.key))
        for page in _beside(doubt, found):
            if page.untouched:
                trashed += _trash(api, page)
            else:
                left.append(f'two pages tell of "{doubt.title}"; one was edited, so it stays: {page.url}')
        if memory.now().timestamp() - doubt.since >= SETTLED_S:
            memory.settle(doubt)
    return Doubles(trashed, tuple(left))


def _beside(doubt: Doubt, found: Iterable[FoundPage]) -> list[FoundPage]:
    """The pages made by whoever made the one that is kept: a copy that a person made is the person's."""
    by_id = {page.id: page for page in found}
    kept = by_id.pop(doubt.page, None)
    return [page for page in by_id.values() if kept and page.made_by == kept.made_by]


def _trash(api: NotionApi, page: FoundPage) -> bool:
    try:
        api.trash_page(page.id)
    except (PageGoneError, PagePutAwayError):
        return False  # somebody was faster
    return True
