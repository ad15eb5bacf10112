"""What a Notion database must have to take topics: made, completed, or checked in words.

Property kinds: https://developers.notion.com/reference/property-object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from worker.research.errors import NotionError

if TYPE_CHECKING:
    from worker.research.sinks.notion_api import NotionApi

KEY: Final = "Topic Key"
# Without these no topic is sent; the names are those the original project gave them.
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
# These are filled where the database has them.
MORE_PROPERTIES: Final = {
    "Trend": "select",
    "Velocity": "number",
    "Confidence": "number",
    "Sources": "number",
    "Stories": "number",
    "Why": "rich_text",
    "Angle": "rich_text",
    "First Seen": "date",
}
TITLE: Final = "Rising topics"
_OPTIONS: Final = {
    "Status": ("discovered", "validated", "researched", "drafted", "published", "archived"),
    "Trend": ("new", "rising", "steady", "falling", "unknown"),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a database.

    Attributes:
        data_source: its id; pages are made in it.
        faults: what keeps topics out, a sentence each.
        missing: properties that would be filled if they were there.
    """

    data_source: str
    faults: tuple[str, ...]
    missing: tuple[str, ...]
    names: frozenset[str]


def check(api: NotionApi, database_id: str) -> Checked:
    """Compares a database with what topics need; changes nothing.

    Raises:
        NotionError: it cannot be read.
    """
    source = api.data_source(database_id)
    found: dict[str, Any] = source.get("properties") or {}
    kinds = {name: (found.get(name) or {}).get("type") for name in PROPERTIES | MORE_PROPERTIES}
    return Checked(
        data_source=str(source["id"]),
        faults=tuple(
            f'"{name}" ({kind}) is missing'
            if kinds[name] is None
            else f'"{name}" is of type {str(kinds[name])[:40]}, expected {kind}'
            for name, kind in PROPERTIES.items()
            if kinds[name] != kind
        ),
        missing=tuple(name for name, kind in MORE_PROPERTIES.items() if kinds[name] != kind),
        names=frozenset(name for name, kind in (PROPERTIES | MORE_PROPERTIES).items() if kinds[name] == kind),
    )


def require(checked: Checked) -> None:
    """Names what a database lacks before a single page is touched.

    Raises:
        NotionError: it lacks something.
    """
    if checked.faults:
        raise NotionError(
            f"the Notion database cannot take topics: property {'; '.join(checked.faults)}; "
            "topic-worker notion init adds what is missing"
        )


def create(api: NotionApi, page_id: str, title: str = TITLE) -> str:
    """Makes a database for topics under a page; its id.

    Raises:
        NotionError: it cannot be made.
    """
    return api.create_database(page_id, title, {name: _made(name, kind) for name, kind in _every().items()})


def complete(api: NotionApi, database_id: str) -> tuple[str, ...]:
    """Adds the properties that a database lacks; their names. What is there stays as it is.

    Raises:
        NotionError: a property is there with another type, or they cannot be added.
    """
    source = api.data_source(database_id)
    found: dict[str, Any] = source.get("properties") or {}
    other = [
        f'"{name}" is of type {found[name].get("type")}, expected {kind}'
        for name, kind in PROPERTIES.items()
        if name in found and found[name].get("type") != kind
    ]
    if other:
        raise NotionError(f"the Notion database has other properties of these names: {'; '.join(other)}")
    wanted: dict[str, dict[str, Any]] = {
        name: _made(name, kind) for name, kind in _every().items() if name not in found and kind != "title"
    }
    if "Title" not in found:  # every data source has one title property, however it is called
        named = next((name for name, one in found.items() if one.get("type") == "title"), None)
        if named is not None:
            wanted[named] = {"name": "Title"}
    if wanted:
        api.add_properties(str(source["id"]), wanted)
    return tuple("Title" if value == {"name": "Title"} else name for name, value in wanted.items())


def _every() -> dict[str, str]:
    return PROPERTIES | MORE_PROPERTIES


def _made(name: str, kind: str) -> dict[str, Any]:
    match kind:
        case "select":
            return {"select": {"options": [{"name": option} for option in _OPTIONS.get(name, ())]}}
        case "number":
            return {"number": {"format": "percent" if name == "Confidence" else "number"}}
        case _:
            return {kind: {}}
