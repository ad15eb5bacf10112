"""Canary, other arguments, order, drift and the journal, as they are done with keys and by command."""

from __future__ import annotations

import json

import pytest

from console.readings import Readings
from console.rows.journal import about
from console.widgets.key_line import KeyLine
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import press, until


def toasts(app):
    return [toast.message for toast in app._notifications]


def count(builder, table, *, file="tasks"):
    return getattr(builder, file).execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.fixture
def dead(builder):
    builder.worker()
    for number in range(5):
        builder.letter(age=number)


async def test_a_canary_is_begun_from_the_question_seen_and_stopped(builder, dead):
    app = console(builder)
    async with app.run_test(notifications=True, size=(120, 40)) as pilot:
        await press(pilot, "3", "r")
        await until(pilot, lambda: app.screen.query("#other"))
        await pilot.press("c")
        await until(pilot, lambda: any("one goes first" in text for text in toasts(app)))
        assert count(builder, "task") == 1
        await until(pilot, lambda: app.screen.table.highlighted.canary)
        assert "waiting for canary" in "".join(cell.text for cell in app.screen.table._line(1))
        await until(pilot, lambda: "n stops it" in str(app.screen.detail_text.content))
        await press(pilot, "n")
        await until(pilot, lambda: any("nothing more follows" in text for text in toasts(app)))
        await press(pilot, "u")
        await until(pilot, lambda: app.screen.table.highlighted.canary.going)
    assert builder.letters.execute("SELECT state, count FROM canary").fetchall() == [("waiting", 5)]


async def test_answers_are_given_with_the_mouse(builder, dead):
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "3", "x")
        await until(pilot, lambda: app.screen.query("#answers"))
        answers = str(app.screen.query_one("#answers").render())
        await pilot.click("#answers", offset=(answers.index("changes"), 0))
        await until(pilot, lambda: not app.screen.query("#answers"))
        assert count(builder, "letter", file="letters") == 5
        await press(pilot, "r")
        await until(pilot, lambda: app.screen.query("#other"))
        await pilot.click("#other", offset=(3, 0))
        await until(pilot, lambda: any("one goes first" in text for text in toasts(app)))
        await press(pilot, "u", "x")
        await until(pilot, lambda: app.screen.query("#answers"))
        await pilot.click("#answers", offset=(3, 0))
        await until(pilot, lambda: count(builder, "letter", file="letters") == 0)


async def test_a_number_that_is_not_the_right_one_changes_nothing_and_says_so(builder):
    for number in range(60):
        builder.letter(age=number)
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "3", "C")
        await until(pilot, lambda: app.screen.query("#typed"))
        await pilot.press(*"61", "enter")
        await until(
            pilot,
            lambda: (
                "61 is not 60: nothing has been changed" in str(app.screen.query_one("#answers").render())
            ),
        )
        assert count(builder, "letter", file="letters") == 60
        await pilot.press(*"60", "enter")
        await until(pilot, lambda: count(builder, "letter", file="letters") == 0)


async def test_marked_causes_are_deleted_together(builder, dead):
    builder.letter(fingerprint="f2", error="another")
    builder.letter(fingerprint="f3", error="a third")
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "3", "space", "space", "x")
        await until(pilot, lambda: app.screen.query("#question"))
        assert "6 dead letters of 2 causes" in str(app.screen.query_one("#question").render())
        await pilot.press("y")
        await until(pilot, lambda: count(builder, "letter", file="letters") == 1)
        assert len(app.screen.table.marks) == 0


async def test_arguments_are_edited_looked_at_and_sent(builder, dead):
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "3", "enter")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("e")
        await until(pilot, lambda: app.screen.query("#editor"))
        editor = app.screen.editor
        editor.text = '["demo", '
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "line 1" in str(app.screen.hint.content))
        editor.text = '["proptech_de"]'
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen.has_class("-looking"))
        await pilot.press("e")
        await pilot.click("#answers", offset=(2, 0))  # "ctrl+s shows what changes"
        await until(pilot, lambda: app.screen.has_class("-looking"))
        shown = str(app.screen.difference.content)
        assert '-     "demo"' in shown
        assert '+     "proptech_de"' in shown
        await pilot.press("y")
        await until(pilot, lambda: count(builder, "task") == 1)
    data, subject = builder.tasks.execute("SELECT data, subject FROM task").fetchone()
    assert (json.loads(bytes(data))["args"], subject) == (["proptech_de"], "proptech_de")


async def test_escape_leaves_the_arguments_alone(builder, dead):
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "3", "e")  # on a cause it says what to do first
        await press(pilot, "enter")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("e")
        await until(pilot, lambda: app.screen.query("#editor"))
        await pilot.press("y", "ctrl+s", "escape")
        await until(pilot, lambda: not app.screen.query("#editor"))
    assert count(builder, "task") == 0


async def test_a_task_runs_sooner_and_gets_other_arguments(builder):
    builder.pending("first", age=20)
    builder.pending("second", age=10)
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "2", "j", "plus")
        await until(pilot, lambda: app.screen.table.rows[0].subject == "second")
        assert app.screen.table.highlighted.subject == "second"
        await press(pilot, "u")
        await until(pilot, lambda: app.screen.table.rows[0].subject == "first")
        await pilot.press("e")
        await until(pilot, lambda: app.screen.query("#editor"))
        app.screen.editor.text = '{"args": ["third"], "kwargs": {}}'
        await pilot.press("ctrl+s", "y")
        await until(pilot, lambda: any(row.subject == "third" for row in app.screen.table.rows))


async def test_what_no_worker_knows_is_marked_and_put_aside(builder):
    builder.worker()
    builder._insert(builder.tasks, "handler", queue=homes.QUEUE, name=homes.COLLECT, seen_at=builder.now)
    builder.pending()
    for _ in range(3):
        builder.pending(name="worker.tasks.gone")
    app = console(builder)
    async with app.run_test(notifications=True, size=(120, 40)) as pilot:
        await press(pilot, "2")
        assert [task.known for task in app.screen.table.rows] == [True, False, False, False]
        assert "no worker knows" in "".join(cell.text for cell in app.screen.table._line(2))
        await pilot.press("Q")
        await until(pilot, lambda: app.screen.query("#question"))
        await pilot.press("y")
        await until(pilot, lambda: count(builder, "letter", file="letters") == 3)
        await press(pilot, "u")
        await until(pilot, lambda: count(builder, "task") == 4)
    assert count(builder, "letter", file="letters") == 0


async def test_orphans_are_told_by_what_is_known_of_their_worker(builder):
    alive, gone = builder.worker(), builder.worker(alive=False, beat=300)
    builder.running("alive", worker=alive)
    builder.running("dead", worker=gone)
    builder.running("nobody", worker=77)
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        said = {task.subject: task.evidence for task in app.screen.table.rows}
        assert said == {"alive": "alive", "dead": "dead", "nobody": "unknown"}
        await press(pilot, "slash", *"is:orphaned", "enter")
        await until(pilot, lambda: len(app.screen.table.rows) == 2)


async def test_the_journal_tells_and_undoes_any_act(builder):
    for _ in range(3):
        builder.pending()
    builder.letter()
    app = console(builder)
    async with app.run_test(notifications=True, size=(120, 40)) as pilot:
        await press(pilot, "2", "x")
        await until(pilot, lambda: count(builder, "task") == 2)
        await press(pilot, "3", "x")
        await until(pilot, lambda: count(builder, "letter", file="letters") == 0)
        await press(pilot, "9")
        table = app.screen.table
        await until(pilot, lambda: len(table.rows) == 2)
        assert [(row.action, row.target) for row in table.rows] == [
            ("delete", "failures"),
            ("cancel", "queue"),
        ]
        await press(pilot, "j", "u")
        await until(pilot, lambda: count(builder, "task") == 3)
        await until(pilot, lambda: len(table.rows) == 3)
        assert count(builder, "letter", file="letters") == 0
        assert table.rows[0].undid == table.rows[2].id
        await press(pilot, "G", "u")
        await until(pilot, lambda: any("undone already" in text for text in toasts(app)))
        await until(pilot, lambda: "It was undone by" in str(app.screen.detail_text.content))


def test_an_act_says_which_market_and_what_an_edit_changed(builder):
    builder.act("enqueue", "queue", name="worker.tasks.collect_all_sources", subject="demo", age=20)
    args = (json.dumps({"args": [market], "kwargs": {}}) for market in ("dmeo", "demo"))
    builder.act("edit", "failures", letter=1, before=next(args), after=next(args), age=10)
    readings = Readings(builder.home, now=lambda: homes.NOW)
    told = [about(entry) for entry in readings.journal().all_rows()]
    readings.close()
    assert told == ['"dmeo" → "demo"', "collect_all_sources demo"]


async def test_who_retries_one_letter_after_the_other_is_not_led_to_the_lists_end(builder):
    for number in range(4):
        builder.letter(f"m{number}", age=10 + number)
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "3", "enter", "r")
        await until(pilot, lambda: app.screen.table.rows[-1].state == "retrying")
        assert app.screen.table.highlighted.subject == "m1"
        await press(pilot, "r")
        await until(pilot, lambda: app.screen.table.highlighted.subject == "m2")


async def test_while_a_filter_is_typed_the_last_line_tells_how_it_ends(builder):
    builder.pending()
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "slash")
        line = app.screen.query_one(KeyLine)
        await until(pilot, lambda: [one.description for one in line.keys] == ["Keep it", "Drop it"])
        assert "is:running" in app.screen.prompt.placeholder
        await press(pilot, "a", "/", "b", "enter")
        assert app.screen.filter_text == "a/b"
        await press(pilot, "slash", "escape")
        assert app.screen.filter_text == ""
