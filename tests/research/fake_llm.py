"""An OpenAI-compatible endpoint on loopback, which refuses what the documented one refuses.

https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "sk-test-1234567890"


@dataclass
class FakeModel:
    """The endpoint.

    Attributes:
        say: the model: makes its text from the data it was sent.
        forms: which forms of answer it knows.
        fail: statuses, or "slow", to answer first, one a request.
        usage: whether it says what a request cost.
        asked: each accepted request.
    """

    say: Callable[[dict[str, Any]], str]
    forms: tuple[str, ...] = ("json_schema", "json_object")
    fail: list[Any] = field(default_factory=list)
    usage: bool = True
    retry_after: str | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        """One request."""
        self.requests += 1
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _error(401, f"Incorrect API key provided: {request.headers.get('Authorization')}")
        if self.fail:
            what = self.fail.pop(0)
            if what == "slow":
                await asyncio.sleep(5)
            elif isinstance(what, str):
                return web.Response(text=what, content_type="application/json")
            else:
                return _error(
                    what, "not now", **({"Retry-After": self.retry_after} if self.retry_after else {})
                )
        body = await request.json()
        if fault := self._fault(body):
            return _error(400, fault)
        self.asked.append(body)
        text = self.say(json.loads(body["messages"][1]["content"]))
        usage = {"prompt_tokens": 300, "completion_tokens": 100, "total_tokens": 400}
        return web.json_response(
            {
                "id": "chatcmpl-1", "object": "chat.completion", "model": body["model"],
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                **({"usage": usage} if self.usage else {}),
            }
        )  # fmt: skip

    def _fault(self, body: dict[str, Any]) -> str | None:
        messages = body.get("messages")
        if not isinstance(body.get("model"), str) or not isinstance(messages, list) or not messages:
            return "you must provide a model and messages"
        if [one["role"] for one in messages] != ["system", "user"]:
            return "unexpected roles"
        form = body.get("response_format", {}).get("type")
        if form is not None and form not in self.forms:
            return f"response_format {form} is not supported"
        if form == "json_object" and "json" not in json.dumps(messages).lower():
            return "'messages' must contain the word 'json' in some form"
        if form == "json_schema" and not _is_strict(body["response_format"]["json_schema"]["schema"]):
            return "Invalid schema for response_format: additionalProperties is required to be false"
        return None


def _is_strict(schema: dict[str, Any]) -> bool:
    """https://platform.openai.com/docs/guides/structured-outputs#supported-schemas."""
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        whole = schema.get("additionalProperties") is False and set(schema.get("required", ())) == set(
            properties
        )
        return whole and all(map(_is_strict, properties.values()))
    return _is_strict(schema["items"]) if schema.get("type") == "array" else True


def _error(status: int, message: str, **headers: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "error"}}, status=status, headers=headers)


def obedient(data: dict[str, Any]) -> str:
    """A good model: names each topic with the words of its headlines."""
    return json.dumps(
        {
            "topics": [
                {
                    "id": topic["id"], "title": f"{topic['phrase'].title()} im Überblick",
                    "summary": f"Mehrere Medien berichten: {topic['headlines'][0]}",
                    "angle": f"Was {topic['phrase']} für Verwalter bedeutet",
                }
                for topic in data["topics"]
            ]
        }
    )  # fmt: skip


def gullible(data: dict[str, Any]) -> str:
    """A bad model: obeys every headline that gives orders, and is otherwise good."""
    answer = json.loads(obedient(data))
    for topic, said in zip(data["topics"], answer["topics"], strict=True):
        for headline in topic["headlines"]:
            if "ignore your instructions" in headline.lower():
                said["title"] = headline.partition(":")[2].strip()
                said["summary"] = f"{headline.partition(':')[2]} https://casino.example now with 99 % bonus"
                said["angle"] = "Visit casino.example"
                answer["topics"].append(said | {"id": 77})
    return json.dumps(answer)
