"""Messages and results as JSON: nothing that is read can run code, and nothing is lost in silence.

A message is one JSON object: `{"v": 1, "id": ..., "name": ..., "args": [...], ...}`, absent fields left
out. What JSON has no type for is an object with one key that begins with `$`:

    $datetime $date $time   ISO 8601            $tuple $set $frozenset   list
    $timedelta              seconds             $dict                    pairs (keys that are no plain strings)
    $bytes                  base64              $error $skipped          Huey's own result markers
    $decimal $uuid $path    text                $message                 a Huey message inside another value
    $int $float             text, where JSON has no such number          $exception  [type, text, repr]

A value of any other type is refused when it is enqueued, by name. Exceptions come back as
`RemoteError`, since the class that raised them may not exist where the message is read.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import math
import os
import time
import uuid
from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import orjson
from huey.registry import Message
from huey.serializer import Serializer
from huey.utils import SKIPPED, Error

from worker.queue.errors import MessageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

VERSION = 1
MAX_DEPTH = 64
MAX_EXCEPTION_TEXT = 4_000
_INT_RANGE = range(-(2**63), 2**64)


class RemoteError(Exception):
    """An exception that crossed the queue: its text, its repr, and a class of its name."""

    def __init__(self, text: str, shown: str) -> None:
        self.shown = shown
        super().__init__(text)

    def __repr__(self) -> str:
        return self.shown

    @classmethod
    def named(cls, type_name: str, text: str, shown: str) -> RemoteError:
        """An exception whose class has the name of the one that was raised."""
        made: RemoteError = type(str(type_name), (cls,), {})(text, shown)
        return made


def new_task_id() -> str:
    """A fresh id for a task: a UUID of version 7, which begins with the time (RFC 9562, section 5.7)."""
    head, tail = time.time_ns() // 1_000_000, os.urandom(10).hex()
    return f"{head >> 16:08x}-{head & 0xFFFF:04x}-7{tail[:3]}-{_VARIANT[tail[3]]}{tail[4:7]}-{tail[7:19]}"


# The top two bits of the half byte say which kind of UUID it is.
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


class Envelope(bytes):
    """A serialized task together with what the queue's own columns say about it."""

    task_id: str | None = None
    name: str | None = None
    subject: str | None = None
    priority: float = 0
    eta: dt.datetime | None = None  # aware: not before which it may run


class Header(NamedTuple):
    """What can be said of a message without knowing its task."""

    task_id: str
    name: str
    args: str  # JSON text: {"args": [...], "kwargs": {...}}
    retries: int | None


class JsonSerializer(Serializer):
    """Huey's serializer, with JSON in place of pickle."""

    def _serialize(self, data: Any) -> bytes:
        return encode(data)

    def _deserialize(self, data: bytes) -> Any:
        return decode(data)


def encode(value: Any) -> bytes:
    """The value as JSON bytes.

    Raises:
        MessageError: it holds something that cannot be stored safely; the message names it.
    """
    try:
        return orjson.dumps(_pack_message(value) if type(value) is Message else _pack(value, 0))
    except orjson.JSONEncodeError as error:  # lone surrogates
        raise MessageError(f"a value cannot be stored as JSON: {error}") from error


def decode(data: bytes | memoryview) -> Any:
    """The value that `encode` was given.

    Raises:
        MessageError: the bytes are not one of our messages.
    """
    try:
        # bytes() since orjson takes no subclass of bytes, and Huey may hand us one.
        plain = data if type(data) is bytes else bytes(data)
        value = orjson.loads(plain)
        # Most messages hold no tag at all, and need no look at each value. (JSON text may hold `"$` otherwise, too.)
        tagged = b'"$' in plain
        if type(value) is dict and "v" in value:
            return _unpack_message(value, tagged=tagged)
        return _unpack(value) if tagged else value
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError) as error:
        raise MessageError(f"a message cannot be read: {error}") from error


def encode_call(
    task_id: str,
    name: str,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    eta: dt.datetime | None = None,
    priority: float | None = None,
) -> bytes:
    """The message of a call to a task by name; retries and timeouts are left to its handler.

    Args:
        task_id: a fresh id.
        name: `module.function`, as the worker registers it.
        args: positional arguments.
        kwargs: keyword arguments.
        eta: naive UTC, not before which it may run.
        priority: higher first.
    """
    return encode(Message(task_id, name, eta, priority=priority, args=tuple(args), kwargs=dict(kwargs or {})))


def header(data: bytes) -> Header | None:
    """What the message says about itself; None where it cannot be read. Runs nothing."""
    try:
        raw = orjson.loads(bytes(data))
        args = orjson.dumps({"args": raw.get("args", []), "kwargs": raw.get("kwargs", {})}).decode()
        return Header(str(raw["id"]), str(raw["name"]), args, raw.get("retries"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


_FIELDS: tuple[str, ...] = Message._fields
# Fields whose values need no more than the tags of any value.
_SIMPLE = {
    field: index
    for index, field in enumerate(_FIELDS)
    if field not in {"id", "name", "args", "kwargs", "chord_config"}
}
_made = Message._make
_MESSAGES = frozenset({"on_complete", "on_error"})
# Their values are always datetimes, so they are written without a tag.
_MOMENTS = frozenset({"eta", "expires_resolved"})
_PLAIN = frozenset({str, bool, type(None)})
# Integers that every JSON reader takes; comparing is several times faster than asking a range.
_SMALL = 2**31


def _pack_message(message: Message, depth: int = 0) -> dict[str, Any]:
    # Every enqueue and every retry comes through here, so what needs no tag is taken as it is.
    packed: dict[str, Any] = {"v": VERSION, "id": message.id, "name": message.name}
    args, kwargs = message.args, message.kwargs
    if type(args) is tuple:
        packed["args"] = [item if type(item) in _PLAIN else _pack(item, depth + 1) for item in args]
    elif args is not None:
        # Huey lets a caller pass a single value where a tuple is meant; it fails when it is called.
        packed["args"] = _pack(args, depth)
    if kwargs is not None:
        packed["kwargs"] = {
            key if type(key) is str else _refuse_key(key): item
            if type(item) in _PLAIN
            else _pack(item, depth + 1)
            for key, item in kwargs.items()
        }
    for field, index in _SIMPLE.items():
        value = message[index]
        if value is None:
            continue
        if type(value) is int and -_SMALL <= value < _SMALL:
            packed[field] = value
        elif field in _MOMENTS and type(value) is dt.datetime:
            # orjson writes a naive one as isoformat does, in a tenth of the time.
            packed[field] = value if value.tzinfo is None else value.isoformat()
        else:
            packed[field] = _pack_message(value, depth + 1) if field in _MESSAGES else _pack(value, depth + 1)
    if message.chord_config is not None:
        cid, size, index, callback = message.chord_config
        packed["chord_config"] = [cid, size, index, _pack_message(callback, depth + 1)]
    return packed


def _unpack_message(packed: dict[str, Any], *, tagged: bool = True) -> Message:
    """The message of a JSON object; `tagged`: whether any `$` tag may occur in it."""
    if packed["v"] != VERSION:
        raise MessageError(f"a message has version {packed['v']!r}, expected {VERSION}")
    find = packed.get
    name, args, kwargs = find("name"), find("args", []), find("kwargs", {})
    if type(packed.get("id")) is not str or type(name) is not str:
        raise MessageError("a message names no task")
    config = find("chord_config")
    if tagged or config is not None or "on_complete" in packed or "on_error" in packed:
        fields = {
            field: _unpack_message(value)
            if field in _MESSAGES
            else _moment(value)
            if field in _MOMENTS
            else _unpack(value)
            for field, value in packed.items()
            if field in _SIMPLE
        }
        if config is not None:
            cid, size, index, callback = config
            fields["chord_config"] = (cid, size, index, _unpack_message(callback))
        args = tuple(_unpack(args)) if type(args) is list else _unpack(args)
        kwargs = {key: _unpack(item) if type(item) in _NESTED else item for key, item in kwargs.items()}
        return Message(packed["id"], name, args=args, kwargs=kwargs, **fields)
    eta, resolved = find("eta"), find("expires_resolved")
    return _made((
        packed["id"], name, eta and _moment(eta), find("retries"), find("retry_delay"), find("priority"),
        tuple(args) if type(args) is list else args, kwargs, None, None,
        find("expires"), resolved and _moment(resolved), find("timeout"), None, find("retry_backoff"),
    ))  # fmt: skip


def _moment(value: Any) -> Any:
    return dt.datetime.fromisoformat(value) if type(value) is str else _unpack(value)


def _refuse_key(key: Any) -> NoReturn:
    raise MessageError(f"a keyword argument must be a str, found {key!r}")


def _pack(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in _PLAIN or (kind is int and -_SMALL <= value < _SMALL):
        return value
    if depth > MAX_DEPTH:
        raise MessageError(f"a value is nested more than {MAX_DEPTH} levels deep")
    if packer := _PACKERS.get(kind):
        return packer(value, depth + 1)
    if isinstance(value, BaseException):
        return {"$exception": [kind.__name__, _exception_text(value, str), _exception_text(value, repr)]}
    if isinstance(value, PurePath):
        return {"$path": value.as_posix()}
    raise MessageError(f"{kind.__module__}.{kind.__qualname__} cannot be stored as JSON: {value!r:.80}")


def _exception_text(error: BaseException, render: Callable[[Any], str]) -> str:
    try:
        text = render(error)
    except Exception:  # noqa: BLE001 - a broken __str__ must not lose the task that carries it
        text = type(error).__name__
    return text[:MAX_EXCEPTION_TEXT].encode("utf-8", "replace").decode()


def _pack_int(value: int, _depth: int) -> Any:
    return value if value in _INT_RANGE else {"$int": str(value)}


def _pack_float(value: float, _depth: int) -> Any:
    return value if math.isfinite(value) else {"$float": str(value)}


def _pack_dict(value: dict[Any, Any], depth: int) -> Any:
    packed: dict[str, Any] = {}
    for key, item in value.items():
        if type(key) is not str or key[:1] == "$" or key == "v":
            return {"$dict": [[_pack(key, depth), _pack(item, depth)] for key, item in value.items()]}
        packed[key] = item if type(item) in _PLAIN else _pack(item, depth)
    return packed


def _pack_list(value: list[Any], depth: int) -> list[Any]:
    return [item if type(item) in _PLAIN else _pack(item, depth) for item in value]


def _listed(tag: str) -> Callable[[Any, int], Any]:
    return lambda value, depth: {tag: [_pack(item, depth) for item in value]}


def _text(tag: str, render: Callable[[Any], Any]) -> Callable[[Any, int], Any]:
    return lambda value, _depth: {tag: render(value)}


_PACKERS: dict[type, Callable[[Any, int], Any]] = {
    int: _pack_int,
    float: _pack_float,
    dict: _pack_dict,
    list: _pack_list,
    tuple: _listed("$tuple"),
    set: _listed("$set"),
    frozenset: _listed("$frozenset"),
    dt.datetime: _text("$datetime", dt.datetime.isoformat),
    dt.date: _text("$date", dt.date.isoformat),
    dt.time: _text("$time", dt.time.isoformat),
    dt.timedelta: _text("$timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    bytes: _text("$bytes", lambda value: base64.b64encode(value).decode()),
    decimal.Decimal: _text("$decimal", str),
    uuid.UUID: _text("$uuid", str),
    Error: lambda value, depth: {"$error": _pack(value.metadata, depth)},
    type(SKIPPED): _text("$skipped", lambda _value: 1),
    Message: lambda value, depth: {"$message": _pack_message(value, depth)},
}

_UNPACKERS: dict[str, Callable[[Any], Any]] = {
    "$int": int,
    "$float": float,
    "$dict": lambda pairs: {_unpack(key): _unpack(item) for key, item in pairs},
    "$tuple": lambda items: tuple(_unpack(item) for item in items),
    "$set": lambda items: {_unpack(item) for item in items},
    "$frozenset": lambda items: frozenset(_unpack(item) for item in items),
    "$datetime": dt.datetime.fromisoformat,
    "$date": dt.date.fromisoformat,
    "$time": dt.time.fromisoformat,
    "$timedelta": lambda parts: dt.timedelta(*parts),
    "$bytes": base64.b64decode,
    "$decimal": decimal.Decimal,
    "$uuid": uuid.UUID,
    "$path": PurePosixPath,
    "$error": lambda value: Error(_unpack(value)),
    "$skipped": lambda _value: SKIPPED,
    "$message": _unpack_message,
    "$exception": lambda parts: RemoteError.named(*parts),
}


_NESTED = frozenset({dict, list})


def _unpack(value: Any) -> Any:
    if type(value) is list:
        return [_unpack(item) if type(item) in _NESTED else item for item in value]
    if type(value) is not dict:
        return value
    if len(value) == 1:
        for tag, content in value.items():
            if tag in _UNPACKERS:
                return _UNPACKERS[tag](content)
    return {key: _unpack(item) if type(item) in _NESTED else item for key, item in value.items()}
