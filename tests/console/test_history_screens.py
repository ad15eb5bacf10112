"""Runs and Logs, with keys over real files."""

from __future__ import annotations

from dataclasses import replace

from console.rows.base import Cell
from console.rows.details import facts
from console.widgets.detail import hung
from console.widgets.lines import as_content
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import press, settled, until


def text(widget):
    """What a widget shows, line by line."""
    return "\n".join(
        "".join(part.text for part in widget.render_line(y)).rstrip() for y in range(widget.size.height)
    )


def log(builder, count, start=0, **more):
    builder.logged(*((100 - (start + n) / 100, "info", f"line {start + n}", {"task_id": f"task-{n % 2}", **more}) for n in range(count)))  # fmt: skip


async def test_the_log_follows_its_end_and_stands_still_when_paused(builder):
    log(builder, 100)
    app = console(builder)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "8")
        view = app.screen.view
        await until(pilot, lambda: "line 99" in text(view))
        log(builder, 5, 100)
        await until(pilot, lambda: "line 104" in text(view))
        await press(pilot, "p")
        shown = text(view)
        log(builder, 3, 105)
        await until(pilot, lambda: "PAUSED, 3 new lines" in str(app.screen.caption.content))
        assert text(view) == shown
        await press(pilot, "p")
        await until(pilot, lambda: "line 107" in text(view))


async def test_the_end_is_in_sight_before_anything_is_laid_out(builder):
    log(builder, 3)
    app = console(builder)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "8")
        view = app.screen.view
        await until(pilot, lambda: "line 2" in text(view))
        first, height = view.lines[0], view.size.height
        view.show([replace(first, event=f"more {n}", place=(1, n)) for n in range(100)])
        # Nothing runs in between that could have mended it.
        assert view.scroll_offset.y == 100 - height


async def test_who_reads_further_up_is_not_moved(builder):
    log(builder, 100)
    app = console(builder)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "8")
        view = app.screen.view
        await until(pilot, lambda: "line 99" in text(view))
        await press(pilot, *["k"] * 40)
        held, shown = view.highlighted, text(view)
        assert held.event == "line 59"
        log(builder, 10, 100)
        await until(pilot, lambda: len(view.lines) == 110)
        assert (view.highlighted, text(view)) == (held, shown)
        assert "G follows" in str(app.screen.caption.content)
        await press(pilot, "G")
        assert "line 109" in text(view)


async def test_level_filter_and_one_task(builder):
    log(builder, 10)
    builder.logged((1, "warning", "careful", {"task_id": "task-1"}), (1, "error", "broken", {}))
    app = console(builder)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "8")
        view = app.screen.view
        await until(pilot, lambda: "broken" in text(view))
        await press(pilot, "v", "v")
        await until(pilot, lambda: [line.event for line in view.lines] == ["careful", "broken"])
        assert "warning and graver" in str(app.screen.caption.content)
        await press(pilot, "g", "i")
        await until(pilot, lambda: [line.event for line in view.lines] == ["careful"])
        await press(pilot, "v", "v")
        await until(pilot, lambda: len(view.lines) == 6)
        await press(pilot, "escape")
        await until(pilot, lambda: len(view.lines) == 12)
        await press(pilot, "slash", *"nowhere", "enter")
        await until(pilot, lambda: "No line matches" in text(view))


async def test_nothing_is_found_where_nothing_is_logged(builder):
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "8", "f", "x", "enter")
        assert "find: x" in str(app.screen.caption.content)


async def test_finding_marks_without_hiding_and_goes_round(builder):
    log(builder, 50)
    app = console(builder)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "8")
        view = app.screen.view
        await until(pilot, lambda: len(view.lines) == 50)
        await press(pilot, "f", *"LINE 1", "enter")
        assert view.highlighted.event == "line 19"
        await press(pilot, "n")
        assert view.highlighted.event == "line 1"
        await press(pilot, "b")
        assert view.highlighted.event == "line 19"
        assert len(view.lines) == 50
        await press(pilot, "escape")
        assert view.sought == ""


async def test_a_long_line_is_wrapped_or_cut_and_opened_in_full(builder):
    log(builder, 3, words="word " * 60 + "the end")
    app = console(builder)
    async with app.run_test(size=(80, 30)) as pilot:
        await press(pilot, "8")
        view = app.screen.view
        await until(pilot, lambda: len(view.lines) == 3)
        assert "the end" not in text(view)
        await press(pilot, "z")
        assert text(view).count("the end") == 3
        await press(pilot, "z", "enter")
        await until(pilot, lambda: "the end" in str(app.screen.detail_text.content))


async def test_the_log_comes_back_after_it_was_taken_away_and_after_a_rotation(builder):
    app = console(builder)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "8")
        view = app.screen.view
        await until(pilot, lambda: "There is no log yet" in text(view))
        log(builder, 2)
        await until(pilot, lambda: "line 1" in text(view))
        builder.home.log_file.rename(f"{builder.home.log_file}.1")
        log(builder, 2, 2)
        await until(pilot, lambda: "line 3" in text(view))
        assert len(view.lines) == 4
        builder.home.log_file.write_text("")
        log(builder, 1, 9)
        await until(pilot, lambda: "line 9" in text(view))


async def test_a_run_shows_its_own_lines_and_leads_to_the_log(builder):
    homes.broken(builder)
    task_id = builder.tasks.execute("SELECT task_id FROM run ORDER BY id DESC LIMIT 1").fetchone()[0]
    builder.home.log_file.unlink()
    builder.logged((301, "info", "its own line", {"task_id": task_id}), (301, "info", "another's", {}))
    app = console(builder)
    async with app.run_test(size=(120, 60)) as pilot:
        await press(pilot, "5")
        screen = app.screen
        await until(pilot, lambda: "its own line" in str(screen.detail_text.content))
        assert "another's" not in str(screen.detail_text.content)
        assert "attempt    4 of 4" in str(screen.detail_text.content)
        assert "Traceback" in str(screen.detail_text.content)
        await press(pilot, "l")
        assert app.screen.here == "go_logs"
        await until(pilot, lambda: [line.event for line in app.screen.view.lines] == ["its own line"])


async def test_numbers_of_each_task_over_three_periods(builder):
    for number in range(20):
        builder.run(age=60, took=1.0 + number)
    builder.run(name=homes.SYNC, age=86_400 * 3, took=30)
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "5")
        screen = app.screen
        await until(pilot, lambda: "collect_all_sources" in text(screen.numbers))
        assert "weekly" not in text(screen.numbers)
        assert "19s ┤" in text(screen.trend)
        await press(pilot, "h")
        await until(pilot, lambda: "weekly_notion_sync" in text(screen.numbers))
        assert "the last 7 days" in text(screen.numbers)
        await press(pilot, "h")
        await until(pilot, lambda: "the last hour" in text(screen.numbers))


async def test_slow_runs_are_found_and_the_oldest_come_first_when_wanted(builder):
    for number in range(30):
        builder.run(str(number), age=3_000 - number, took=float(number))
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "5", "slash", *"took>27s", "enter")
        table = app.screen.table
        await until(pilot, lambda: [run.subject for run in table.rows] == ["29", "28"])
        await press(pilot, "s")
        await until(pilot, lambda: [run.subject for run in table.rows] == ["28", "29"])


async def test_a_running_task_shows_its_own_lines_in_the_queue(builder):
    builder.worker()
    builder.running(task_id="mine", age=10)
    builder.logged(
        (5, "info", "asking heise.de", {"task_id": "mine"}), (5, "info", "other", {"task_id": "x"})
    )
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        await settled(pilot)
        await until(pilot, lambda: "asking heise.de" in str(app.screen.detail_text.content))
        assert "other" not in str(app.screen.detail_text.content)


async def test_r_runs_a_task_of_the_history_again_and_u_takes_it_back(builder):
    builder.run(age=60)
    app = console(builder)
    count = "SELECT count(*) FROM task"
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "5", "r")
        await until(pilot, lambda: builder.tasks.execute(count).fetchone()[0] == 1, "a new task")
        await press(pilot, "u")
        await until(pilot, lambda: builder.tasks.execute(count).fetchone()[0] == 0, "taken back")


def test_what_is_said_of_a_fact_stays_in_its_column():
    long = "nothing could be collected: all 2 sources failed"
    lines = [
        *facts([("error", long), ("state", "dead")]),
        (Cell("a line of prose that is longer than the pane"),),
    ]
    told = hung(as_content(lines), 30)
    assert told.plain.splitlines() == [
        "error      nothing could be",
        "           collected: all 2",
        "           sources failed",
        "state      dead",
        "a line of prose that is longer than the pane",
    ]
    whole = hung(as_content(facts([("task", "worker.tasks.collect_all")])), 26)
    assert whole.plain.splitlines() == ["task       ", "  worker.tasks.collect_all"]
    assert hung(as_content(lines), 12).plain == as_content(lines).plain
