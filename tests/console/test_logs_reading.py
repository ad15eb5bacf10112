"""The log from its end: bounded, incremental, and at peace with whatever happens to the file."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from console.readings import ReadingError
from console.readings.log_lines import Level, LogQuery
from console.readings.logs import BLOCK, LogFile

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALL = LogQuery()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "worker.jsonl"


@pytest.fixture
def log(path):
    return LogFile(path, lambda: START + timedelta(hours=1))


def line(number, level="info", **more):
    at = (START + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
    return json.dumps({"event": f"event {number}", "level": level, "logger": "worker.jobs", "timestamp": at, **more}, ensure_ascii=False) + "\n"  # fmt: skip


def write(path, *lines, mode="a"):
    with path.open(mode) as file:
        file.write("".join(lines))


def events(part):
    return [one.event for one in part.lines]


def test_no_file_is_no_fault_and_is_seen_when_it_comes(log, path):
    assert log.tail(ALL, 10) == log.tail(ALL, 10)
    assert not log.tail(ALL, 10).exists
    write(path, line(1))
    assert events(log.tail(ALL, 10)) == ["event 1"]


def test_the_newest_lines_oldest_first_over_blocks_of_any_cut(log, path):
    write(path, *(line(number, filler="ü" * (number % 97)) for number in range(5_000)))
    assert path.stat().st_size > 3 * BLOCK
    part = log.tail(ALL, 4_500)
    assert events(part) == [f"event {number}" for number in range(500, 5_000)]
    assert not part.complete
    assert events(log.tail(ALL, 10_000)) == [f"event {number}" for number in range(5_000)]


def test_what_is_written_since_is_taken_in_and_a_half_written_line_waits(log, path):
    write(path, line(1), line(2)[:20])
    assert events(log.tail(ALL, 3)) == ["event 1"]
    write(path, line(2)[20:], line(3))
    assert events(log.tail(ALL, 3)) == ["event 1", "event 2", "event 3"]
    write(path, line(4))
    assert events(log.tail(ALL, 3)) == ["event 2", "event 3", "event 4"]


def test_only_what_is_new_is_read(log, path, monkeypatch):
    write(path, *(line(number) for number in range(20_000)))
    log.tail(ALL, 100)
    read = []
    from console.readings import logs

    true_read = logs._read
    monkeypatch.setattr(logs, "_read", lambda *args: read.append(args[2] - args[1]) or true_read(*args))
    write(path, line(1), line(2))
    log.tail(ALL, 100)
    log.tail(ALL, 100)
    assert sum(read) == len(line(1)) * 2


def test_a_rotation_between_two_looks_loses_no_line(log, path):
    write(path, line(1))
    log.tail(ALL, 10)
    write(path, line(2))
    path.rename(path.with_name("worker.jsonl.1"))
    write(path, line(3))
    assert events(log.tail(ALL, 10)) == ["event 1", "event 2", "event 3"]
    write(path, line(4))
    assert events(log.tail(ALL, 10)) == ["event 1", "event 2", "event 3", "event 4"]


def test_two_rotations_between_two_looks(log, path):
    write(path, line(1))
    log.tail(ALL, 10)
    path.rename(path.with_name("worker.jsonl.2"))
    write(path.with_name("worker.jsonl.1"), line(2))
    write(path, line(3))
    assert events(log.tail(ALL, 10)) == ["event 1", "event 2", "event 3"]


def test_a_fresh_file_after_rotation_still_shows_what_was_before(log, path):
    write(path.with_name("worker.jsonl.2"), line(1))
    write(path.with_name("worker.jsonl.1"), line(2))
    write(path, line(3))
    assert events(log.tail(ALL, 10)) == ["event 1", "event 2", "event 3"]
    assert events(log.tail(ALL, 2)) == ["event 2", "event 3"]


def test_just_after_a_rotation_the_old_lines_are_still_there(log, path):
    write(path.with_name("worker.jsonl.1"), line(1))
    part = log.tail(ALL, 10)
    assert events(part) == ["event 1"]
    assert part.exists


def test_a_truncated_file_is_read_anew(log, path):
    write(path, line(1), line(2))
    log.tail(ALL, 10)
    write(path, line(3), mode="w")
    assert events(log.tail(ALL, 10)) == ["event 3"]


def test_a_file_that_was_taken_away_comes_back(log, path):
    write(path, line(1))
    log.tail(ALL, 10)
    path.unlink()
    assert not log.tail(ALL, 10).exists
    write(path, line(2))
    assert events(log.tail(ALL, 10)) == ["event 2"]


def test_a_line_that_is_no_json_and_one_of_a_megabyte(log, path):
    write(path, "Traceback (most recent call last):\n", "[1, 2]\n", line(1, blob="x" * 3_000_000), line(2))
    found = log.tail(ALL, 10).lines
    assert [one.event[:10] for one in found][:2] == ["Traceback ", "[1, 2]"]
    assert found[-1].event == "event 2"
    assert all(len(text) <= 64 * 1024 for one in found for _, text in (*one.fields, ("", one.event)))
    assert sum(len(one.event) for one in found) < 300_000


def test_a_gigabyte_opens_at_once(log, path):
    write(path, line(0))
    with path.open("r+b") as file:
        file.truncate(1_000_000_000)  # a hole: no byte of it may be needed
        file.seek(0, 2)
        file.write(b"\n" + "".join(line(number) for number in range(1_000)).encode())
    started = time.perf_counter()
    part = log.tail(ALL, 800)
    assert events(part)[-1] == "event 999"
    assert len(part.lines) == 800
    assert time.perf_counter() - started < 1.0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (LogQuery(level=Level.WARNING), [2, 3]),
        (LogQuery(task_id="abc-1"), [1, 3]),
        (LogQuery(task_id="abc"), [1, 2, 3]),
        (LogQuery(text="is:warn"), [2, 3]),
        (LogQuery(text="!is:warning"), [0, 1]),
        (LogQuery(text="market:demo"), [1]),
        (LogQuery(text="HEISE"), [2]),
        (LogQuery(text="event !heise"), [0, 1, 3]),
        (LogQuery(text="err:boom"), [3]),
        (LogQuery(text="id:abc-2"), [2]),
        (LogQuery(text="age<59m"), []),
        (LogQuery(text="age>59m"), [0, 1, 2, 3]),
        (LogQuery(level=Level.WARNING, task_id="abc-1", text="event"), [3]),
    ],
)
def test_filters(log, path, query, expected):
    write(
        path,
        line(0),
        line(1, task_id="abc-1", market="demo"),
        line(2, "warning", task_id="abc-2", source="heise.de"),
        line(3, "error", task_id="abc-1", exception="Traceback\n  boom"),
    )
    assert events(log.tail(query, 10)) == [f"event {number}" for number in expected]


def test_a_filter_that_cannot_be_understood_is_said(log, path):
    with pytest.raises(ReadingError, match="foo"):
        log.tail(LogQuery(text="foo:bar"), 10)


def test_a_filter_goes_on_with_what_is_written_since(log, path):
    query = LogQuery(text="heise")
    write(path, line(1, source="heise"), line(2))
    assert events(log.tail(query, 10)) == ["event 1"]
    write(path, line(3), line(4, source="heise"))
    assert events(log.tail(query, 10)) == ["event 1", "event 4"]


def test_the_lines_of_one_task_of_the_time_that_it_ran(log, path):
    old = path.with_name("worker.jsonl.1")
    write(old, *(line(n, task_id="mine" if n % 1_000 == 7 else "other") for n in range(8_000)))
    write(path, *(line(n, task_id="mine" if n % 1_000 == 7 else "other") for n in range(8_000, 16_000)))

    def lines(begin, end, limit=100):
        return events(
            log.of_task(
                "mine", START + timedelta(seconds=begin), end and START + timedelta(seconds=end), limit
            )
        )

    assert lines(0, 3_000) == ["event 7", "event 1007", "event 2007"]
    assert lines(6_500, 9_500) == ["event 7007", "event 8007", "event 9007"]
    assert lines(14_000, None) == ["event 14007", "event 15007"]
    assert lines(0, None, 2) == ["event 14007", "event 15007"]
    assert log.of_task("nobody", START, None, 10).lines == ()
