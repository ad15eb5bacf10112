from __future__ import annotations

import datetime as dt
import decimal
import math
import pickle
import uuid
from pathlib import PurePosixPath

import orjson
import pytest
from huey.registry import Message

from worker.queue.errors import MessageError
from worker.queue.message import RemoteError, decode, encode, encode_call, header

VALUES = [
    None, True, False, 0, -1, 2**200, -(2**70), 1.5, float("inf"), "", "ümläut 日本", "\x00\x1b",
    dt.datetime(2026, 3, 29, 2, 30), dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=45))), dt.date(2026, 2, 28),
    dt.time(23, 59, 59, 999_999), dt.timedelta(days=-3, microseconds=7), b"", b"\x00\xff", (), (1, (2, [3])),
    {1, 2}, frozenset({"a"}), decimal.Decimal("1.10"), uuid.UUID(int=7), PurePosixPath("/a/b"),
    {"a": 1}, {1: "int key", (1, 2): "tuple key"}, {"$tuple": [1]}, {"$bytes": "!!"}, {"v": 1}, {"$x": {"$y": 1}},
    [[[[]]]], {"deep": [{"er": ({"still": {b"x"}},)}]},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was(value):
    back = decode(encode(value))
    assert back == value
    assert type(back) is type(value)


def test_not_a_number_comes_back():
    back = decode(encode(float("nan")))
    assert math.isnan(back)


def test_a_whole_message_comes_back():
    follow = Message("id-2", "module.next", args=(1,), kwargs={})
    message = Message(
        "id-1", "module.task", eta=dt.datetime(2026, 1, 1), retries=3, retry_delay=60, priority=5,
        args=("demo", (1, 2)), kwargs={"when": dt.date(2026, 1, 1)}, on_complete=follow, on_error=follow,
    )  # fmt: skip
    assert decode(encode(message)) == message


def test_an_exception_comes_back_as_its_name_its_text_and_its_repr():
    class OddError(Exception):
        def __repr__(self):
            return "OddError!"

    back = decode(encode(OddError("what happened")))
    assert isinstance(back, RemoteError)
    assert (type(back).__name__, str(back), repr(back)) == ("OddError", "what happened", "OddError!")


def test_an_exception_that_cannot_be_shown_does_not_lose_its_task():
    class BrokenError(Exception):
        def __str__(self):
            raise ValueError

        __repr__ = __str__

    assert str(decode(encode(BrokenError()))) == "BrokenError"


class Stranger:
    """A type that JSON knows nothing of."""


@pytest.mark.parametrize("value", [Stranger(), Stranger, lambda: None, object(), {"a": [Stranger()]}, open])
def test_what_cannot_be_stored_is_refused_by_name(value):
    with pytest.raises(MessageError, match="cannot be stored as JSON"):
        encode(value)


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}])
def test_a_lone_surrogate_is_refused(value):
    with pytest.raises(MessageError, match="JSON"):
        encode(value)


def test_a_subclass_is_refused_since_it_would_come_back_as_its_base():
    class Special(dict):
        pass

    with pytest.raises(MessageError, match="Special"):
        encode(Special())


def test_a_value_that_is_nested_too_deeply_is_refused():
    value = []
    for _ in range(100):
        value = [value]
    with pytest.raises(MessageError, match="nested"):
        encode(value)


def test_a_value_that_holds_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(MessageError, match="nested"):
        encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"nonsense", b"\xff\xfe", pickle.dumps(Message("id", "name")), b'{"v": 2, "id": "a", "name": "b"}',
        b'{"v": 1}', b'{"v": 1, "id": 1, "name": "b"}', b'{"$bytes": 5}', b'{"$datetime": "soon"}', b'{"$dict": [[1]]}',
        b'{"$decimal": "x"}', b'{"$dict": [[[], 1]]}', b"[" * 100_000,
    ],
    ids=lambda data: repr(data[:30]),
)  # fmt: skip
def test_what_is_no_message_is_refused_in_words(data):
    with pytest.raises(MessageError, match="a message"):
        decode(data)


def test_nothing_that_is_read_runs(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    with pytest.raises(MessageError):
        decode(pickle.dumps(Bomb()))
    assert not (tmp_path / "exploded").exists()


def test_an_exceptions_name_makes_no_code():
    back = decode(orjson.dumps({"$exception": ["__import__('os')", "text", "shown"]}))
    assert type(back).__name__ == "__import__('os')"


def test_the_head_of_a_message_is_read_without_its_task():
    data = encode_call("id-1", "gone.task", ("demo",), {"limit": 3}, eta=dt.datetime(2026, 1, 1), priority=5)
    head = header(data)
    assert (head.task_id, head.name, head.retries) == ("id-1", "gone.task", None)
    assert orjson.loads(head.args) == {"args": ["demo"], "kwargs": {"limit": 3}}
    assert header(b"nonsense") is None
    assert header(b'"text"') is None
    assert header(b"[1]") is None
