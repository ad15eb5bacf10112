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
import uuid
from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

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
        value = orjson.loads(bytes(data))
        return _unpack_message(value) if type(value) is dict and "v" in value else _unpack(value)
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
_MESSAGES = frozenset({"on_complete", "on_error"})


def _pack_message(message: Message, depth: int = 0) -> dict[str, Any]:
    packed: dict[str, Any] = {"v": VERSION}
    for field, value in zip(_FIELDS, message, strict=True):
        if value is None:
            continue
        if field in _MESSAGES:
            packed[field] = _pack_message(value, depth + 1)
        elif field == "args":
            # Huey lets a caller pass a single value where a tuple is meant; it fails when it is called.
            packed[field] = (
                [_pack(item, depth + 1) for item in value] if type(value) is tuple else _pack(value, depth)
            )
        elif field == "kwargs":
            packed[field] = {_key(key): _pack(item, depth + 1) for key, item in value.items()}
        elif field == "chord_config":
            cid, size, index, callback = value
            packed[field] = [cid, size, index, _pack_message(callback, depth + 1)]
        else:
            packed[field] = _pack(value, depth + 1)
    return packed


def _unpack_message(packed: dict[str, Any]) -> Message:
    if packed["v"] != VERSION:
        raise MessageError(f"a message has version {packed['v']!r}, expected {VERSION}")
    fields: dict[str, Any] = {"args": (), "kwargs": {}}
    for field in _FIELDS:
        value = packed.get(field)
        if value is None:
            continue
        if field in _MESSAGES:
            fields[field] = _unpack_message(value)
        elif field == "args":
            fields[field] = tuple(_unpack(item) for item in value) if type(value) is list else _unpack(value)
        elif field == "kwargs":
            fields[field] = {key: _unpack(item) for key, item in value.items()}
        elif field == "chord_config":
            cid, size, index, callback = value
            fields[field] = (cid, size, index, _unpack_message(callback))
        else:
            fields[field] = _unpack(value)
    if not isinstance(fields["id"], str) or not isinstance(fields["name"], str):
        raise MessageError("a message names no task")
    return Message(**fields)


def _key(key: Any) -> str:
    if type(key) is not str:
        raise MessageError(f"a keyword argument must be a str, found {key!r}")
    return key


_PLAIN = frozenset({str, bool, type(None)})


def _pack(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in _PLAIN:
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
    if all(type(key) is str and not key.startswith("$") and key != "v" for key in value):
        return {key: _pack(item, depth) for key, item in value.items()}
    return {"$dict": [[_pack(key, depth), _pack(item, depth)] for key, item in value.items()]}


def _listed(tag: str) -> Callable[[Any, int], Any]:
    return lambda value, depth: {tag: [_pack(item, depth) for item in value]}


def _text(tag: str, render: Callable[[Any], Any]) -> Callable[[Any, int], Any]:
    return lambda value, _depth: {tag: render(value)}


_PACKERS: dict[type, Callable[[Any, int], Any]] = {
    int: _pack_int,
    float: _pack_float,
    dict: _pack_dict,
    list: lambda value, depth: [_pack(item, depth) for item in value],
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


def _unpack(value: Any) -> Any:
    if type(value) is list:
        return [_unpack(item) for item in value]
    if type(value) is not dict:
        return value
    if len(value) == 1:
        tag, content = next(iter(value.items()))
        if unpacker := _UNPACKERS.get(tag):
            return unpacker(content)
    return {key: _unpack(item) for key, item in value.items()}
