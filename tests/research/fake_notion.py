"""Notion's API on loopback, as far as topics need it: it refuses what the documented one refuses.

Written after the reference of version 2025-09-03 (https://developers.notion.com/reference); `notion_bodies` tells
what a request may hold. It proves conformity to what is published, not to Notion.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.research import notion_bodies

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "ntn_secret_of_the_tests"
BOT, PERSON = str(uuid.uuid4()), str(uuid.uuid4())
VERSIONS = {"2025-09-03", "2026-03-11"}
KINDS = {"title", "rich_text", "select", "number", "url", "date", "status", "checkbox"}


class Refused(Exception):  # noqa: N818 - it is an answer
    """What Notion answers in place of what was asked."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


@dataclass
class FakeNotion:
    """The workspace.

    Attributes:
        lag_s: how long after a page was made a query finds it.
        rate: requests a second that are allowed on average; None: any number.
        faults: for the requests to come, one each: a status, "slow", "invalid", "drop" (not done),
            "done, then 500" or "done, then drop"; None does nothing.
        hook: called with (number of the request, "before" or "after" it is carried out).
        clock: by which pages are made and edited.
    """

    lag_s: float = 0.0
    rate: float | None = None
    token: str = TOKEN
    faults: deque[Any] = field(default_factory=deque)
    retry_after: str | None = None
    slow_s: float = 1.0
    hook: Callable[[int, str], None] | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    databases: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[tuple[float, str, str, Any]] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    lock: Any = field(default_factory=threading.RLock)

    def start(self) -> str:
        """Serves until `stop`; the address."""
        handler = type("Handler", (_Handler,), {"notion": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that was killed hangs up
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        self.root_page = str(uuid.uuid4())
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    # -- what tests look at --

    def asked(self, method: str, path: str = "") -> int:
        return sum(one == method and path in where for _, one, where, _ in self.log)

    def text(self, page: dict[str, Any], name: str) -> Any:
        value = page["properties"].get(name)
        if value is None:
            return None
        kind = next(kind for kind in KINDS if kind in value)
        if kind in {"title", "rich_text"}:
            return "".join(part["text"]["content"] for part in value[kind])
        return value[kind]["name"] if kind == "select" and value[kind] else value[kind]

    def keys(self) -> list[str]:
        return sorted(self.text(page, "Topic Key") for page in self.pages.values() if not page["in_trash"])

    def database(self, properties: dict[str, Any], title: str = "Topics") -> str:
        """A database with one data source."""
        if sum("title" in one for one in properties.values()) != 1:
            raise Refused(400, "validation_error", "a data source has exactly one title property")
        database, source = str(uuid.uuid4()), str(uuid.uuid4())
        self.databases[database] = {
            "object": "database",
            "id": database,
            "title": title,
            "data_sources": [{"id": source, "name": title}],
        }
        self.sources[source] = {"object": "data_source", "id": source, "properties": {}}
        self._add(source, properties)
        return database

    def _add(self, source: str, properties: dict[str, Any]) -> None:
        known = self.sources[source]["properties"]
        for name, given in properties.items():
            if given is None:
                del known[name]
                continue
            if set(given) == {"name"}:
                if name not in known:
                    raise Refused(400, "validation_error", f"{name} is not a property that exists.")
                known[given["name"]] = known.pop(name) | {"name": given["name"]}
                continue
            kind = next(kind for kind in KINDS if kind in given)
            if kind == "title" and any(one["type"] == "title" for one in known.values()):
                raise Refused(400, "validation_error", "Cannot create new title property")
            known[name] = {"id": name[:4], "name": name, "type": kind, kind: given[kind]}

    # -- answering --

    def answer(self, method: str, path: str, headers: Any, body: Any) -> tuple[int, dict[str, Any]]:
        if headers.get("Authorization") != f"Bearer {self.token}":
            raise Refused(401, "unauthorized", "API token is invalid.")
        if not headers.get("Notion-Version"):
            raise Refused(400, "missing_version", "Notion-Version header should be defined.")
        self.versions.add(headers["Notion-Version"])
        if headers["Notion-Version"] not in VERSIONS:
            raise Refused(400, "validation_error", "Notion-Version header is not a known version.")
        self._check_rate()
        for pattern, verb, act, shape in self._routes:
            if verb == method and (found := re.fullmatch(pattern, path)):
                self._check_request(found.groups(), headers, body, shape)
                return 200, getattr(self, act)(*map(str.lower, found.groups()), body)
        raise Refused(400, "invalid_request_url", "Invalid request URL.")

    _routes = (
        (r"/v1/databases/([^/]+)", "GET", "_get_database", None),
        (r"/v1/databases", "POST", "_post_database", notion_bodies.CreateDatabase),
        (r"/v1/data_sources/([^/]+)", "GET", "_get_source", None),
        (r"/v1/data_sources/([^/]+)", "PATCH", "_patch_source", notion_bodies.UpdateSource),
        (r"/v1/data_sources/([^/]+)/query", "POST", "_query", notion_bodies.Query),
        (r"/v1/pages", "POST", "_post_page", notion_bodies.CreatePage),
        (r"/v1/pages/([^/]+)", "PATCH", "_patch_page", notion_bodies.UpdatePage),
    )

    def _check_request(self, numbers: tuple[str, ...], headers: Any, body: Any, shape: Any) -> None:
        for number in numbers:
            if not notion_bodies.is_id(number):
                fault = f'path failed validation: should be a valid uuid, instead was "{number}"'
                raise Refused(400, "validation_error", fault)
        if shape is None:
            return
        if headers.get_content_type() != "application/json" or not isinstance(body, dict):
            raise Refused(400, "invalid_json", "Error parsing JSON body.")
        if fault := notion_bodies.fault(shape, body):
            raise Refused(400, "validation_error", fault)

    def _check_rate(self) -> None:
        if self.rate is None:
            return
        now = time.monotonic()
        recent = [at for at, *_ in self.log if now - at < 3.0]
        if len(recent) > self.rate * 3.0:
            raise Refused(429, "rate_limited", "You have been rate limited.", **{"Retry-After": "1"})

    def _get_database(self, number: str, _: Any) -> dict[str, Any]:
        return self._known(self.databases, number, "database")

    def _post_database(self, body: Any) -> dict[str, Any]:
        if body.get("parent", {}).get("page_id") != self.root_page:
            raise Refused(404, "object_not_found", "Could not find page.")
        made = self.database(body["initial_data_source"]["properties"], body["title"][0]["text"]["content"])
        return self.databases[made]

    def _get_source(self, number: str, _: Any) -> dict[str, Any]:
        return self._known(self.sources, number, "data_source")

    def _patch_source(self, number: str, body: Any) -> dict[str, Any]:
        source = self._known(self.sources, number, "data_source")
        self._add(number, body["properties"])
        return source

    def _query(self, number: str, body: Any) -> dict[str, Any]:
        source = self._known(self.sources, number, "data_source")
        wanted = body.get("filter")
        if wanted and wanted["property"] not in source["properties"]:
            raise Refused(
                400, "validation_error", f"Could not find property with name or id: {wanted['property']}"
            )
        seen = [
            page
            for page in self.pages.values()
            if page["parent"]["data_source_id"] == number and not page["in_trash"]
            and time.monotonic() - page["made"] >= self.lag_s
            and (not wanted or self.text(page, wanted["property"]) == wanted["rich_text"]["equals"])
        ]  # fmt: skip
        return {
            "object": "list",
            "results": [self._public(page) for page in seen[: body.get("page_size", 100)]],
            "has_more": len(seen) > body.get("page_size", 100),
            "next_cursor": None,
        }

    def _post_page(self, body: Any) -> dict[str, Any]:
        source = self._parent(body["parent"])
        self._check(source, body["properties"])
        return self._public(self.add_page(source["id"], body["properties"]))

    def add_page(self, source: str, properties: dict[str, Any], *, by: str = BOT) -> dict[str, Any]:
        """A page, made by the integration or by a person."""
        number = str(uuid.uuid4())
        page = {
            "object": "page", "id": number, "url": f"https://www.notion.so/{number.replace('-', '')}",
            "parent": {"type": "data_source_id", "data_source_id": source}, "properties": properties,
            "in_trash": False, "archived": False, "created_time": self._minute(), "last_edited_time": self._minute(),
            "created_by": {"object": "user", "id": by}, "last_edited_by": {"object": "user", "id": by},
            "made": time.monotonic(),
        }  # fmt: skip
        self.pages[number] = page
        return page

    def edit_page(self, number: str, properties: dict[str, Any], *, by: str = BOT) -> None:
        """Sets properties; who did it, and when, is told to the minute, as Notion tells it."""
        page = self.pages[number]
        page["properties"] = page["properties"] | properties
        page |= {"last_edited_time": self._minute(), "last_edited_by": {"object": "user", "id": by}}

    def _minute(self) -> str:
        return f"{self.clock():%Y-%m-%dT%H:%M}:00.000Z"

    def _parent(self, parent: dict[str, Any]) -> dict[str, Any]:
        if "data_source_id" in parent:
            return self._known(self.sources, parent["data_source_id"], "data_source")
        sources = self._known(self.databases, parent["database_id"], "database")["data_sources"]
        if len(sources) != 1:
            raise Refused(400, "validation_error", "Databases with multiple data sources are not supported")
        return self.sources[sources[0]["id"]]

    def _patch_page(self, number: str, body: Any) -> dict[str, Any]:
        page = self._known(self.pages, number, "page")
        if page["in_trash"] and body.get("in_trash") is not False:
            raise Refused(
                400,
                "validation_error",
                "Can't edit block that is archived. You must unarchive the block before editing.",
            )
        properties = body.get("properties", {})
        self._check(self.sources[page["parent"]["data_source_id"]], properties)
        page["in_trash"] = page["archived"] = body.get("in_trash", page["in_trash"])
        self.edit_page(number, properties)
        return self._public(page)

    def _public(self, page: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in page.items() if name != "made"}

    def _known(self, where: dict[str, Any], number: str, what: str) -> dict[str, Any]:
        if number not in where:
            raise Refused(
                404,
                "object_not_found",
                f"Could not find {what} with ID: {number}. Make sure the relevant pages and databases are shared with your integration.",
            )
        found: dict[str, Any] = where[number]
        return found

    def _check(self, source: dict[str, Any], properties: dict[str, Any]) -> None:
        for name, value in properties.items():
            if name not in source["properties"]:
                raise Refused(400, "validation_error", f"{name} is not a property that exists.")
            kind = source["properties"][name]["type"]
            if kind not in value:
                raise Refused(400, "validation_error", f"{name} is expected to be {kind}.")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    notion: FakeNotion

    def log_message(self, *args: Any) -> None:
        """Quiet."""

    def _serve(self) -> None:
        notion = self.notion
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw) if raw else None
        with notion.lock:
            number = len(notion.log)
            notion.log.append((time.monotonic(), self.command, self.path, body))
            fault = notion.faults.popleft() if notion.faults else None
        if notion.hook:
            notion.hook(number, "before")
        if isinstance(fault, int):
            extra = {"Retry-After": notion.retry_after} if notion.retry_after else {}
            self._send(
                fault,
                {"object": "error", "status": fault, "code": "some_error", "message": "Not now."},
                extra,
            )
            return
        if fault == "slow":
            time.sleep(notion.slow_s)
        if fault == "drop":
            self.close_connection = True
            self.connection.close()
            return
        if fault == "invalid":
            self._raw(200, b'{"object": "page", "id"')
            return
        try:
            with notion.lock:
                status, answer = notion.answer(self.command, self.path.partition("?")[0], self.headers, body)
                text = json.dumps(answer, default=str)
            headers: dict[str, str] = {}
        except Refused as refused:
            status, headers = refused.status, refused.headers
            text = json.dumps(
                {"object": "error", "status": status, "code": refused.code, "message": str(refused)}
            )
        if notion.hook:
            notion.hook(number, "after")
        if fault == "done, then drop":
            self.close_connection = True
            self.connection.close()
        elif fault == "done, then 500":
            self._send(
                500,
                {"object": "error", "status": 500, "code": "internal_server_error", "message": "Oops."},
                {},
            )
        else:
            self._raw(status, text.encode(), headers)

    def _send(self, status: int, answer: Any, headers: dict[str, str]) -> None:
        self._raw(status, json.dumps(answer).encode(), headers)

    def _raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - as http.server names them
