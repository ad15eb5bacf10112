from __future__ import annotations

import pytest

from console.readings import ReadingError, Readings
from console.readings.filters import parse
from tests.console.homes import NOW


@pytest.fixture
def readings(builder):
    builder.running("demo")
    for age in (10, 400, 90_000):
        builder.pending("demo", age=age)
    builder.pending("100%_real", age=20)
    builder.scheduled("proptech_de")
    reader = Readings(builder.home, now=lambda: NOW)
    yield reader
    reader.close()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", 6), ("demo", 4), ("DEMO", 4), ("!demo", 2), ("market:demo age>5m", 2), ("age<5m is:pending", 2),
        ("is:running", 1), ("is:scheduled", 1), ("!is:pending", 2), ("task:collect", 6), ("task:sync", 0),
        ("100%_", 1), ("%", 1), ('"100%_real"', 1), ("collect demo", 4), ('"unfinished', 0), ("market:", 6),
        ("'; DROP TABLE task; --", 0),
    ],
)  # fmt: skip
def test_a_filter_finds_in_the_whole_list(readings, text, found):
    assert len(list(readings.queue(text).all_rows())) == found


def test_failed_runs_are_those_that_are_tried_again_too(builder):
    for state in ("completed", "retrying", "dead", "skipped"):
        builder.run(state=state)
    readings = Readings(builder.home, now=lambda: NOW)
    assert {run.state for run in readings.runs("is:failed").all_rows()} == {"retrying", "dead"}
    readings.close()


@pytest.mark.parametrize("text", ["age>5", "age>m", "age>5w", "foo:bar", "age<"])
def test_what_cannot_be_understood_is_named(text):
    with pytest.raises(ReadingError, match=text):
        parse(text)


def test_an_address_is_a_word_not_a_field():
    assert parse("https://a.example/b")[0].field == "any"
