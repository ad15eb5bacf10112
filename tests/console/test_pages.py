from __future__ import annotations

import random

import pytest

from console.readings import Readings
from console.readings.stats import Period
from tests.console.homes import NOW


@pytest.fixture
def readings(builder):
    reader = Readings(builder.home, now=lambda: NOW)
    yield reader
    reader.close()


@pytest.fixture
def long_queue(builder, readings):
    chosen = random.Random(7)
    builder.tasks.execute("BEGIN")
    for _ in range(5):
        builder.running()
    for number in range(700):
        builder.pending(str(number), priority=chosen.choice([0, 0, 5, -1]))
    for number in range(300):
        builder.scheduled(str(number), due=chosen.choice([60, 60, 61, 3600]))
    builder.tasks.execute("COMMIT")
    return readings.queue()


def walk(listing, limit, *, backward):
    window = listing.last(limit) if backward else listing.first(limit)
    rows = list(window.rows)
    while not (window.at_start if backward else window.at_end):
        window = (
            listing.before(window.places[0], limit) if backward else listing.after(window.places[-1], limit)
        )
        rows = [*window.rows, *rows] if backward else [*rows, *window.rows]
    return rows


@pytest.mark.parametrize("limit", [1, 7, 200, 5000])
def test_both_ways_lead_over_every_row_once_and_in_one_order(long_queue, limit):
    forward = walk(long_queue, limit, backward=False)
    assert len(forward) == len({task.key for task in forward}) == 1005
    assert walk(long_queue, limit, backward=True) == forward
    assert [task.state for task in forward] == ["running"] * 5 + ["pending"] * 700 + ["scheduled"] * 300
    priorities = [task.priority for task in forward[5:705]]
    assert priorities == sorted(priorities, reverse=True)


def test_a_window_knows_its_ends_and_the_whole_length(long_queue):
    first, last = long_queue.first(10), long_queue.last(10)
    assert (first.at_start, first.at_end, first.total) == (True, False, 1005)
    assert (last.at_start, last.at_end) == (False, True)
    middle = long_queue.after(first.places[-1], 10)
    assert (middle.at_start, middle.at_end) == (False, False)
    assert long_queue.again(middle.places[0], 10).rows == middle.rows


def test_joined_windows_drop_at_the_far_end(long_queue):
    first = long_queue.first(10)
    joined = first.followed_by(long_queue.after(first.places[-1], 10), most=15)
    assert (len(joined.rows), joined.at_start) == (15, False)
    back = joined.preceded_by(long_queue.before(joined.places[0], 10), most=15)
    assert back.rows == long_queue.first(15).rows
    assert (back.at_start, back.at_end) == (True, False)


def test_a_window_goes_on_where_its_first_row_was_taken_away(builder, long_queue):
    window = long_queue.after(long_queue.first(100).places[-1], 10)
    builder.tasks.execute("DELETE FROM task WHERE id = ?", (int(window.rows[0].key[1:]),))
    again = long_queue.again(window.places[0], 9)
    assert again.rows == window.rows[1:]


@pytest.mark.parametrize("text", ["", "is:dead"])
def test_letters_and_runs_page_too(builder, readings, text):
    for number in range(25):
        builder.letter(age=number // 3)
        builder.run(state="dead", age=number)
    for listing in (readings.letters(None, text), readings.letters("f1", text), readings.runs(text)):
        forward = walk(listing, 4, backward=False)
        assert len(forward) == 25
        assert walk(listing, 4, backward=True) == forward


def plan(conn, statement, params=()):
    return " | ".join(row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {statement}", params))


def test_no_reading_scans_or_sorts(builder, readings):
    """Each query of a look and of a page is a search in an index: the same cost at ten rows and at a million."""
    for _ in range(3):
        builder.pending(), builder.scheduled(), builder.running(), builder.letter(), builder.run()
        builder.document("title")
    builder.worker()
    seen = []
    for file, conn in ((readings._tasks, builder.tasks), (readings._letters, builder.letters), (readings._library, builder.library)):  # fmt: skip
        original = file.rows
        file.rows = lambda sql, params=(), original=original, conn=conn: (
            seen.append((sql, plan(conn, sql, params))) or original(sql, params)
        )
    readings.snapshot(), readings.day(), readings.news(NOW), [readings.stats(period) for period in Period]
    readings.run(1)
    for listing in (readings.queue(), readings.letters(), readings.letters("f1"), readings.runs()):
        window = listing.first(2)
        listing.last(2), listing.after(window.places[0], 2), listing.before(window.places[-1], 2)
        listing.again(window.places[0], 2)
    assert len(seen) > 40
    # Small by nature: one row for each worker, each running task, each cause, each schedule, each table, each market, each sink,
    # each feed that was proposed.
    bounded = (
        "SCAN worker",
        "SCAN claim",
        "SCAN cause",
        "SCAN periodic",
        "SCAN depth",
        "SCAN sqlite_master",
        "SCAN ranking",
        "SCAN delivery",
        "SCAN proposal",
    )
    # Headings of a view of two halves, each of which has a step of its own.
    headings = ("CO-ROUTINE", "COMPOUND QUERY", "LEFT-MOST SUBQUERY", "UNION ALL", "LIST SUBQUERY")
    for sql, steps in seen:
        for step in steps.split(" | "):
            # ... each tick that one task answers.
            small = step.startswith(bounded) or "claim" in sql or "cause" in sql or "tick_task_id" in steps
            ordered_walk = step.startswith("SCAN") and " LIMIT " in sql and "TEMP B-TREE" not in steps
            assert small or ordered_walk or step.startswith(("SEARCH", "MULTI-INDEX", "CORRELATED", "SCALAR", *headings)), (sql, steps)  # fmt: skip
