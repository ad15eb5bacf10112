"""Editing the arguments of a message: what is shown, what is understood, and what is sent.

People see arguments without the secrets that the settings name; what they leave as they saw it is sent as it was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from worker.queue.errors import MessageError
from worker.queue.message import decode

if TYPE_CHECKING:
    from collections.abc import Callable


# Stands where a secret stood.
HIDDEN = "\N{BULLET}" * 5


@dataclass(frozen=True, slots=True)
class Edited:
    """Arguments that were edited.

    Attributes:
        before: as they were, in JSON, secrets taken out.
        after: as they are sent, likewise.
        call: what is sent: `{"args": [...], "kwargs": {...}}`.
        old: what was there.
    """

    before: str
    after: str
    call: dict[str, Any]
    old: dict[str, Any]

    def apply(self, message: dict[str, Any]) -> None:
        """Puts them into a message."""
        message.update(self.call)

    def subject(self, before: str | None) -> str | None:
        """What the call is about now, where that was its first argument."""
        old, new = (json.loads(shown).get("args", []) for shown in (self.before, self.after))
        follows = before is not None and bool(old) and old[0] == before
        return str(new[0]) if follows and new and isinstance(new[0], str) else before


def parse(text: str) -> dict[str, Any]:
    """Arguments that were typed.

    Args:
        text: JSON: a list, an object of named arguments, or `{"args": [...], "kwargs": {...}}`.

    Raises:
        MessageError: they cannot be understood; the message says where and what was expected.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise MessageError(
            f"line {error.lineno}, column {error.colno}: {error.msg}; expected JSON"
        ) from error
    except RecursionError as error:
        raise MessageError("they are nested too deeply") from error
    if isinstance(value, list):
        return {"args": value, "kwargs": {}}
    if not isinstance(value, dict):
        raise MessageError(f"expected a list or an object of arguments, found {text.strip()[:40]!r}")
    if set(value) - {"args", "kwargs"} or not value:
        return {"args": [], "kwargs": value}
    call = {"args": value.get("args", []), "kwargs": value.get("kwargs", {})}
    for name, kind, word in (("args", list, "a list"), ("kwargs", dict, "an object")):
        if not isinstance(call[name], kind):
            raise MessageError(f"{name}: expected {word}, found {json.dumps(call[name])[:40]}")
    return call


def edited(data: bytes, text: str, shown: Callable[[bytes], str | None]) -> Edited:
    """What editing has made of a message's arguments.

    Args:
        data: the message.
        text: what was typed, as `parse` takes it.
        shown: gives a message's arguments as JSON without secrets.

    Raises:
        MessageError: they cannot be understood, or the message cannot be read.
    """
    typed = parse(text)
    try:
        message = orjson.loads(bytes(data))
        old = {"args": message.get("args", []), "kwargs": message.get("kwargs", {})}
    except (ValueError, AttributeError) as error:
        raise MessageError(f"the message cannot be read: {error}") from error
    seen = json.loads(shown(data) or "{}")
    call = {name: _unredacted(typed[name], seen.get(name), old[name]) for name in ("args", "kwargs")}
    message.update(call)
    new = orjson.dumps(message)
    decode(new)  # tagged values, such as $datetime, must be what they say
    return Edited(_pretty(shown(data)), _pretty(shown(new)), call, old)


def _pretty(text: str | None) -> str:
    return json.dumps(json.loads(text or "{}"), indent=2, ensure_ascii=False)


def _unredacted(new: Any, seen: Any, old: Any) -> Any:
    """What was left as it was seen is what it was, secrets included."""
    if new == seen:
        return old
    if isinstance(new, dict) and isinstance(seen, dict) and isinstance(old, dict):
        return {key: _unredacted(value, seen.get(key), old.get(key)) for key, value in new.items()}
    if isinstance(new, list) and isinstance(seen, list) and isinstance(old, list):
        return [
            _unredacted(value, seen[at], old[at]) if at < len(seen) and at < len(old) else value
            for at, value in enumerate(new)
        ]
    return new
