"""What Notion takes in a request, of what topics need; anything else is refused, as Notion refuses it.

After the request types of Notion's own client (`@notionhq/client` 5.26, generated from Notion's specification)
and its limits (https://developers.notion.com/reference/request-limits#size-limits). The description that ships
with Notion's MCP server names only `database_id` as the parent of a page; the guide to version 2025-09-03 and
the client's types ask for `data_source_id`, and so does this.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

Name = Annotated[str, Field(min_length=1)]


def _short(text: str) -> str:
    if len(text.encode("utf-16-le")) // 2 > 2000:
        raise ValueError("length should be ≤ `2000`")
    return text


def _no_comma(text: str) -> str:
    if "," in text:
        raise ValueError("Invalid select option, commas not allowed")
    return text


OptionName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_no_comma)]


def is_id(text: str) -> bool:
    """Whether it is a UUID, with or without dashes."""
    return bool(re.fullmatch(r"[0-9a-fA-F]{8}(-?)([0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}", text))


def _uuid(text: str) -> str:
    if not is_id(text):
        raise ValueError("should be a valid uuid")
    return text


Id = Annotated[str, AfterValidator(_uuid)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _OneOf(_Body):
    """Exactly one of the fields, and `type`, where it is given, names it."""

    type: str | None = None

    @model_validator(mode="after")
    def _one(self) -> _OneOf:
        given = self.model_fields_set - {"type", "name", "description"}
        if len(given) != 1 or self.type not in {None, *given}:
            raise ValueError("should be defined in exactly one way")
        return self


class Link(_Body):
    url: str


class Text(_Body):
    content: Annotated[str, AfterValidator(_short)]
    link: Link | None = None


class RichText(_Body):
    text: Text
    type: Literal["text"] = "text"
    annotations: dict[str, Any] = {}


RichTexts = Annotated[list[RichText], Field(max_length=100)]


class Option(_Body):
    name: OptionName
    color: str | None = None
    description: str | None = None


class Day(_Body):
    start: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d(T.+)?$")]
    end: str | None = None
    time_zone: str | None = None


class Value(_OneOf):
    """A property of a page."""

    title: RichTexts = []
    rich_text: RichTexts = []
    select: Option | None = None
    status: Option | None = None
    number: float | None = None
    url: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    date: Day | None = None
    checkbox: bool = False


class Nothing(_Body):
    """An object without members."""


class Options(_Body):
    options: Annotated[list[Option], Field(max_length=100)] = []


class Number(_Body):
    format: Literal["number", "number_with_commas", "percent", "euro", "dollar"] = "number"


class Property(_OneOf):
    """A property of a data source; the kinds that the API can make."""

    name: Name | None = None
    description: str | None = None
    title: Nothing = Nothing()
    rich_text: Nothing = Nothing()
    select: Options = Options()
    number: Number = Number()
    url: Nothing = Nothing()
    date: Nothing = Nothing()
    checkbox: Nothing = Nothing()


class Renamed(_Body):
    name: Name


class SourceParent(_OneOf):
    """`database_id` is the way of earlier versions: it works as long as a database has one data source."""

    data_source_id: Id | None = None
    database_id: Id | None = None


class PageParent(_Body):
    type: Literal["page_id"]
    page_id: Id


class CreatePage(_Body):
    parent: SourceParent
    properties: dict[str, Value]


class UpdatePage(_Body):
    properties: dict[str, Value] = {}
    in_trash: bool = False


class Equals(_Body):
    equals: str


class Filter(_Body):
    property: Name
    rich_text: Equals
    type: Literal["rich_text"] = "rich_text"


class Query(_Body):
    filter: Filter | None = None
    start_cursor: str | None = None
    page_size: Annotated[int, Field(ge=1, le=100)] = 100
    result_type: Literal["page", "data_source"] = "page"
    in_trash: bool = False


class FirstSource(_Body):
    properties: dict[str, Property]


class CreateDatabase(_Body):
    parent: PageParent
    initial_data_source: FirstSource
    title: RichTexts = []


class UpdateSource(_Body):
    title: RichTexts = []
    properties: dict[str, Property | Renamed | None] = {}


def fault(model: type[BaseModel], body: Any) -> str | None:
    """What Notion would say of a body, or None where it takes it."""
    try:
        model.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"body failed validation: body.{where}: {first['msg']}"
    return None
