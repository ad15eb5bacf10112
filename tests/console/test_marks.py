"""Marks, orders and searching: what is chosen in a list, in which order it comes, and how a filter looks for it."""

from __future__ import annotations

import pytest

from console.readings import Edge, Marks, Readings, Whole
from console.readings import search as searching
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import press, settled, until


@pytest.fixture
def readings(builder):
    reader = Readings(builder.home, now=lambda: homes.NOW)
    yield reader
    reader.close()


@pytest.fixture
def crowd(builder):
    """Five thousand tasks, every hundredth of another market, in three priorities."""
    builder.tasks.execute("BEGIN")
    for number in range(5_000):
        builder.pending("rare" if number % 100 == 50 else "demo", age=5_000 - number, priority=number % 3)
    builder.tasks.execute("COMMIT")


def frozen(listing):
    return list(listing.freeze())[-1]


def test_all_of_a_filter_is_kept_by_number_with_a_sample_and_the_oldest(readings, crowd):
    chosen = frozen(readings.queue("market:rare"))
    assert len(chosen) == 50
    assert {task.subject for task in chosen.sample} == {"rare"}
    assert chosen.oldest == min(task.since for task in readings.queue("market:rare").all_rows())
    keys = {task.key for task in readings.queue("market:rare").all_rows()}
    assert {f"p{number}" for number in chosen.numbers["p"]} == keys
    assert all(key in chosen for key in keys)
    assert "p1" not in chosen
    assert "s1" not in chosen
    assert len(frozen(readings.queue())) == 5_000


def test_a_mark_is_taken_out_of_all_and_put_back(readings, crowd):
    listing = readings.queue("market:rare")
    marks = Marks(lambda task: task.key, lambda task: task.since)
    marks.take(frozen(listing))
    first, second = listing.first(2).rows
    marks.toggle(first)
    assert (len(marks), first.key in marks, second.key in marks) == (49, False, True)
    assert int(first.key[1:]) not in marks.numbers()["p"]
    marks.toggle(first)
    assert len(marks) == len(marks.numbers()["p"]) == 50
    other = readings.queue("!market:rare").first(1).rows[0]
    marks.toggle(other)
    assert len(marks) == len(marks.numbers()["p"]) == 51
    assert list(marks.numbers()["p"]) == sorted(marks.numbers()["p"])
    assert set(marks.keys()) >= {other.key, first.key}
    marks.clear()
    assert (len(marks), marks.numbers(), marks.oldest) == (0, {}, None)


def test_short_lists_are_marked_by_name():
    marks = Marks(str)
    marks.take(list(Whole(["daily", "weekly"], str).freeze())[-1])
    assert (len(marks), "daily" in marks, sorted(marks.keys())) == (2, True, ["daily", "weekly"])
    marks.toggle("daily")
    assert marks.keys() == ["weekly"]


@pytest.mark.parametrize("stretch", [1_000, 7])
@pytest.mark.parametrize("edge", [Edge.FIRST, Edge.LAST])
def test_a_search_finds_step_by_step_what_it_finds_at_once(readings, crowd, monkeypatch, stretch, edge):
    monkeypatch.setattr(searching, "STEP_S", 0.0)
    monkeypatch.setattr(searching, "FIRST_STRETCH", stretch)
    listing = readings.queue("market:rare")
    expected = [task.key for task in readings.queue().all_rows() if task.subject == "rare"]
    parts = list(listing.steps(edge, None, 200))
    assert len(parts) > 3
    assert all(part.searching for part in parts[:-1])
    assert (parts[-1].searching, parts[-1].searched, parts[-1].of) == (False, 5_000, 5_000)
    ordered = parts[::-1] if edge is Edge.LAST else parts
    assert [task.key for part in ordered for task in part.rows] == expected
    # And from any place on, both ways.
    middle = listing.first(20)
    assert [task.key for task in listing.after(middle.places[-1], 200).rows] == expected[20:]
    assert [task.key for task in listing.before(middle.places[-1], 200).rows] == expected[:19]
    assert [task.key for task in listing.again(middle.places[5], 10).rows] == expected[5:15]


def test_every_order_is_walked_over_every_row_once(builder, readings):
    for number in range(60):
        builder.letter(
            ["demo", None, "x"][number % 3],
            name=f"t.{number % 4}",
            age=number // 2,
            fingerprint=f"f{number % 2}",
        )
    expected = {
        "newest": lambda one: (-one.last_seen.timestamp(), -one.id),
        "oldest": lambda one: (one.last_seen.timestamp(), one.id),
        "task": lambda one: (one.name, -one.last_seen.timestamp(), -one.id),
        "market": lambda one: (one.subject or "", -one.last_seen.timestamp(), -one.id),
    }
    for cause in (None, "f1"):
        for sort, key in expected.items():
            rows = list(readings.letters(cause, "", sort).all_rows())
            assert rows == sorted(rows, key=key), sort
            assert len(rows) == (30 if cause else 60)


def test_the_queue_is_ordered_by_age_too(readings, crowd):
    oldest = [task.subject and task.since for task in readings.queue("", "oldest").all_rows()]
    assert oldest == sorted(oldest)
    newest = [task.since for task in readings.queue("", "newest").all_rows()]
    assert newest == oldest[::-1]


async def test_a_range_reaches_over_rows_that_are_not_loaded(builder):
    builder.tasks.execute("BEGIN")
    for _ in range(1_500):
        builder.pending()
    builder.tasks.execute("COMMIT")
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "2", "j", "space")
        await pilot.press("G")
        table = app.screen.table
        await until(pilot, lambda: table.highlighted and table.highlighted.key == "p1500")
        await pilot.press("ctrl+@")
        await until(pilot, lambda: len(table.marks) == 1_499)
        assert "p1" not in table.marks
        await pilot.press("escape")
        await settled(pilot)
        assert len(table.marks) == 0


async def test_all_of_the_filter_is_marked_seen_or_not(builder, crowd):
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "2", "slash", *"demo", "enter", "asterisk")
        table = app.screen.table
        await until(pilot, lambda: len(table.marks) == 4_950)
        assert "4,950 marked" in str(app.screen.caption.content)
        await press(pilot, "asterisk")
        assert len(table.marks) == 0


async def test_s_and_a_click_on_a_heading_sort(builder):
    for number in range(30):
        builder.pending(age=100 - number, priority=number)
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        table = app.screen.table
        assert table.rows[0].key == "p30"
        await press(pilot, "s")
        await until(pilot, lambda: table.rows[0].key == "p1")
        assert table.sort.id == "oldest"
        at = "".join(cell.text for cell in table._line(0)).index("When")
        await pilot.click("#tasks", offset=(at, 0))
        await until(pilot, lambda: table.sort.id == "newest" and table.rows[0].key == "p30")


async def test_typing_goes_on_while_a_rare_word_is_searched(builder, crowd, monkeypatch):
    """Each look is kept short; the newest question wins, and says how far it has come."""
    monkeypatch.setattr(searching, "STEP_S", 0.0)
    monkeypatch.setattr(searching, "FIRST_STRETCH", 50)
    monkeypatch.setattr(searching, "LONGEST_STRETCH", 50)
    app = console(builder)
    seen = []
    async with app.run_test() as pilot:
        await press(pilot, "2")
        update = app.screen.caption.update
        monkeypatch.setattr(app.screen.caption, "update", lambda text, **more: (seen.append(str(text)), update(text, **more)))  # fmt: skip
        await pilot.press("slash", *"rare")
        table = app.screen.table
        await until(pilot, lambda: table.window and not table.window.searching and len(table.rows) == 50)
        assert "50 found" in str(app.screen.caption.content)
    assert any("of 5,000 so far" in text for text in seen)


async def test_marked_rows_are_cancelled_together_and_only_they(builder):
    for _ in range(6):
        builder.pending()
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "2", "space", "j", "space")
        table = app.screen.table
        assert [table._key(row) in table.marks for row in table.rows] == [
            True,
            False,
            True,
            False,
            False,
            False,
        ]
        assert "2 marked" in str(app.screen.caption.content)
        await press(pilot, "x")
        await until(pilot, lambda: app.screen.query("#question"))
        await pilot.press("y")
        await until(pilot, lambda: builder.tasks.execute("SELECT count(*) FROM task").fetchone()[0] == 4)
        await until(pilot, lambda: not len(table.marks))
        await press(pilot, "u")
        await until(pilot, lambda: builder.tasks.execute("SELECT count(*) FROM task").fetchone()[0] == 6)
