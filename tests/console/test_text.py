from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from console import text
from tests.console.homes import HOSTILE

NOW = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "foreign", [*HOSTILE, "".join(map(chr, range(0x110000 // 8))), "\ud800 lone", b"bytes", 7]
)
def test_nothing_that_steers_a_terminal_survives(foreign):
    for cleaned in (text.clean(foreign), text.clean_lines(foreign)):
        assert not any(ord(sign) < 32 and sign != "\n" for sign in cleaned)
        assert not any(0x7F <= ord(sign) < 0xA0 for sign in cleaned)
        assert not any(sign in cleaned for sign in "\u202e\u2066\u200b\ufeff\u200d\U000e0041\x1b")
        cleaned.encode()  # no lone surrogate, which could not be written
    assert "\n" not in text.clean(foreign)


def test_a_sequence_goes_with_its_payload_and_the_rest_stays():
    assert text.clean("A\x1b]52;c;cHduZWQ=\x07B\x1b[2JC\x9b31mD") == "ABCD"
    assert text.clean("a\r\nb\tc") == "a b c"
    assert text.clean_lines("a\r\n\tb") == "a\n    b"


def test_brackets_are_no_markup_and_stay():
    assert text.clean("[/foo] a [b] c") == "[/foo] a [b] c"


def test_a_limit_is_kept_with_its_ellipsis():
    assert text.clean("x" * 300, 10) == "x" * 9 + "…"
    assert len(text.clean("x" * 5_000_000)) == 200


@pytest.mark.parametrize("foreign", ["日本語のとても長い見出し", "🏳️\u200d🌈 abc", "short", ""])
@pytest.mark.parametrize("width", [1, 2, 5, 12, 40])
@pytest.mark.parametrize("align", ["left", "right"])
def test_a_cell_is_exactly_as_wide_as_asked(foreign, width, align):
    assert cell_len(text.cell(text.clean(foreign), width, align)) == width


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0s"), (0.9, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (86_399, "23h"), (86_400, "1d")],
)  # fmt: skip
def test_an_age_is_short(seconds, words):
    assert text.age(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "40ms"), (9.96, "10.0s"), (12, "12s"), (185, "3m 05s"), (7800, "2h 10m")]
)
def test_a_duration_is_exact_where_it_is_short(seconds, words):
    assert text.duration(seconds) == words


def test_times_are_told_as_people_say_them():
    assert text.until(NOW + timedelta(hours=6), NOW) == "in 6h"
    assert text.until(NOW - timedelta(minutes=10), NOW) == "10m late"
    assert text.when(NOW + timedelta(hours=7), NOW, utc=True) == "tomorrow 02:00"
    assert text.when(NOW + timedelta(days=3), NOW, utc=True) == "Thu 19:00"
    assert text.when(NOW + timedelta(days=30), NOW, utc=True) == "2026-12-23 19:00"
    assert text.when(None, NOW) == text.ago(None, NOW) == text.until(None, NOW) == "·"


@pytest.mark.parametrize("done", range(13))
def test_a_bar_grows_and_keeps_its_width(done):
    drawn = text.bar(done, 12, 8)
    assert len(drawn) == 8
    assert len(text.bar(done, 12, 8, ascii_only=True)) == 8
    assert (drawn == "█" * 8) == (done == 12)


def test_a_cron_is_told_in_words_and_a_strange_one_as_it_is():
    assert text.cron_in_words("0 2 * * *") == "At 02:00"
    assert text.cron_in_words("\x1b[2Jnonsense") == "nonsense"


def test_plain_characters_are_plain():
    assert text.ascii_signs("● ▲ ■ █▌░ … · ›").isascii()


def test_rates_that_are_compared_have_one_unit():
    assert text.rates(46 / 60, 18 / 3600) == ["46/min", "0.3/min"]
    assert text.rates(0, 0) == ["0.0/d", "0.0/d"]
