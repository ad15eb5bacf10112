"""The console as it is used: keys in, rows and words out, over real files."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from textual._styles_cache import StylesCache
from textual.widget import Widget
from textual.widgets import Static
from textual.widgets._toast import Toast

from console import keys
from console.widgets.pane import Pane
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import press, settled, until


def toasts(app):
    return [toast.message for toast in app._notifications]


def rows(builder, table, *, file="tasks"):
    return getattr(builder, file).execute(f"SELECT count(*) FROM {table}").fetchone()[0]


async def test_c_and_enter_start_a_collection(builder):
    async with console(builder).run_test(notifications=True) as pilot:
        await press(pilot, "c", "enter")
        await until(pilot, lambda: toasts(pilot.app))
        assert toasts(pilot.app) == ["Collection of demo enqueued.  u undoes it."]
        await until(pilot, lambda: pilot.app.snapshot.depth.pending == 1)
    name, subject = builder.tasks.execute("SELECT name, subject FROM task").fetchone()
    assert (name, subject) == (homes.COLLECT, "demo")


async def test_the_market_of_the_last_collection_comes_first(builder):
    builder.run("proptech_de", result={"documents": 1, "sources": 1, "errors": 0})
    builder.run("no market any more", state="dead")
    async with console(builder).run_test() as pilot:
        await press(pilot, "c", "enter")
        await until(pilot, lambda: rows(builder, "task"))
    assert builder.tasks.execute("SELECT subject FROM task").fetchone()[0] == "proptech_de"


async def test_only_the_latest_act_is_said_to_be_undone_and_no_toast_hides_an_answer(builder):
    builder.worker()
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "c", "enter", "4", "2", "p", "enter", "enter")
        await until(pilot, lambda: len(toasts(app)) == 1 and "The queue is paused" in toasts(app)[0])
        app.refuse("what went wrong stays")
        await press(pilot, "c")
        assert toasts(app) == ["what went wrong stays"]
        seen = {toast._notification.severity for toast in app.screen_stack[0].query(Toast)}
        assert seen == {"error"}


async def test_a_faulty_market_is_refused_with_file_and_line(builder, tmp_path):
    config = tmp_path / "config"
    (config / "markets").mkdir(parents=True)
    (config / "markets" / "bad.yaml").write_text("domain: X\nlanguag: de\n")
    app = console(builder)
    app._actor._actions._config = config
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "c", "enter")
        await until(pilot, lambda: toasts(app))
        assert "bad.yaml:" in toasts(app)[0]
        assert "more; topic-worker check names them all" in toasts(app)[0]
    assert rows(builder, "task") == 0


async def test_a_dead_letter_is_retried_deleted_and_brought_back(builder):
    builder.worker()
    first, second = builder.letter(age=10), builder.letter(age=20)
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "3", "enter", "r")
        await until(pilot, lambda: "Retried 1 dead letter.  u undoes it." in toasts(app))
        assert (
            builder.letters.execute("SELECT state FROM letter WHERE id = ?", (first,)).fetchone()[0]
            == "retrying"
        )
        assert rows(builder, "task") == 1
        screen = app.screen
        # The one that is retried no longer stands first among the dead.
        await until(pilot, lambda: screen.table.rows[0].id == second)
        await press(pilot, "g", "x")
        await until(pilot, lambda: "Deleted 1 dead letter.  u undoes it." in toasts(app))
        assert (
            builder.letters.execute("SELECT count(*) FROM letter WHERE id = ?", (second,)).fetchone()[0] == 0
        )
        await press(pilot, "u")
        await until(pilot, lambda: rows(builder, "letter", file="letters") == 2)


async def test_a_whole_cause_asks_first_and_takes_the_frozen_list(builder):
    for number in range(5):
        builder.letter(age=number)
    other = builder.letter(fingerprint="other", age=900)
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "3", "x")
        await until(pilot, lambda: app.screen.query("#question"))
        builder.letter(age=0)  # arrives while the question stands
        await pilot.press("y")
        await until(pilot, lambda: "Deleted 5 dead letters.  u undoes it." in toasts(app))
    left = builder.letters.execute(
        "SELECT fingerprint, count(*) FROM letter GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert left == [("f1", 1), ("other", 1)]
    assert other


@pytest.mark.parametrize("answer", ["n", "escape", "q"])
async def test_no_means_no(builder, answer):
    for number in range(5):
        builder.letter(age=number)
    async with console(builder).run_test() as pilot:
        await press(pilot, "3", "C")
        await until(pilot, lambda: pilot.app.screen.query("#question"))
        await pilot.press(answer)
        await settled(pilot)
        assert pilot.app.is_running
    assert rows(builder, "letter", file="letters") == 5


async def test_what_moves_a_list_does_no_harm_in_a_question_without_one(builder):
    homes.broken(builder)
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "3")
        for question in ("C", "e"):
            await press(pilot, question)
            await pilot.press("j", "k", "down", "up", "escape", "escape")
            await settled(pilot)
            assert app.is_running, question


async def test_what_was_drawn_of_a_question_is_not_kept_for_ever(builder):
    app = console(builder)
    async with app.run_test() as pilot:
        for _ in range(2):
            await press(pilot, "question_mark", "escape")
        app._tidy()
        found = gc.get_objects()
        widgets = {id(one._styles_cache) for one in found if isinstance(one, Widget)}
        assert not [one for one in found if isinstance(one, StylesCache) and id(one) not in widgets]


async def test_above_fifty_a_y_is_too_quick_and_the_number_is_typed(builder):
    for number in range(60):
        builder.pending(age=number)
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "2", "C")
        await until(pilot, lambda: app.screen.query("#typed"))
        await pilot.press("y")
        await pilot.press(*"59", "enter")
        await settled(pilot)
        assert rows(builder, "task") == 60
        await pilot.press(*"60", "enter")
        await until(pilot, lambda: rows(builder, "task") == 0)
        await until(pilot, lambda: "Cleared 60 waiting tasks.  u undoes it." in toasts(app))
        await press(pilot, "u")
        await until(pilot, lambda: rows(builder, "task") == 60)


async def test_in_the_smallest_terminal_a_dialog_shows_all_its_answers(builder):
    for number in range(60):
        builder.letter(age=number, fingerprint=f"f{number % 7}")
    app = console(builder)
    async with app.run_test(size=(60, 15)) as pilot:
        await press(pilot, "3", "C")
        typed, answers = app.screen.query_one("#typed"), app.screen.query_one("#answers")
        frame = app.screen.query_one("#dialog").content_region
        assert frame.contains_region(typed.region)
        assert frame.contains_region(answers.region)


async def test_clear_respects_the_filter(builder):
    for number in range(6):
        builder.pending(["demo", "other"][number % 2])
    async with console(builder).run_test() as pilot:
        await press(pilot, "2", "slash", *"market:other", "enter", "C")
        await until(pilot, lambda: pilot.app.screen.query("#question"))
        await pilot.press("y")
        await until(pilot, lambda: rows(builder, "task") == 3)
    assert {row[0] for row in builder.tasks.execute("SELECT subject FROM task")} == {"demo"}


async def test_the_cursor_stays_with_its_row_while_others_come_and_go(builder):
    for number in range(40):
        builder.pending(f"m{number}")
    async with console(builder).run_test(size=(80, 24)) as pilot:
        await press(pilot, "2", *["j"] * 12)
        table = pilot.app.screen.table
        held = table.highlighted.key
        builder.tasks.execute("DELETE FROM task WHERE id < 6")
        for _ in range(3):
            builder.running("new")
        await until(pilot, lambda: len(table.rows) == 38)
        assert table.highlighted.key == held
        builder.tasks.execute("DELETE FROM task WHERE id = ?", (int(held[1:]),))
        await until(pilot, lambda: len(table.rows) == 37)
        assert table.highlighted.key != held


async def test_the_opened_task_is_followed_to_its_end_and_no_other_slips_under_the_keys(builder):
    builder.worker()
    opened = builder.pending("first", age=60, task_id="one")
    builder.pending("second", age=50, task_id="two")
    app = console(builder)

    def detail():
        return str(app.screen.detail_text.content)

    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "2", "enter")
        await until(pilot, lambda: "pending" in detail())
        builder.tasks.execute("DELETE FROM task WHERE id = ?", (opened,))
        claim = builder.running("first", task_id="one")
        await until(pilot, lambda: "5 of 12" in detail())
        builder.tasks.execute("DELETE FROM claim WHERE id = ?", (claim,))
        builder.run("first", result={"documents": 3, "sources": 1, "errors": 0})
        builder.tasks.execute("UPDATE run SET task_id = 'one'")
        await until(pilot, lambda: "3 new documents" in detail())
        await press(pilot, "x")
        await until(pilot, lambda: toasts(app))
        assert toasts(app) == ["Cancelled 0 of 1 task; 1 not: has begun, ended or moved on since."]
        assert builder.tasks.execute("SELECT task_id FROM task").fetchall() == [("two",)]
        await press(pilot, "escape")
        assert app.screen.table.highlighted.task_id == "two"


async def test_what_is_opened_and_the_help_move_like_a_list(builder):
    for number in range(5):
        builder.letter(fingerprint=f"f{number}", traceback="\n".join(f"line {at}" for at in range(80)))
    app = console(builder)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "3", "C")
        assert "and 3 more causes" in str(app.screen.query_one("#sample", Static).content)
        await press(pilot, "escape", "enter", "enter")
        for pane, opener in ((app.screen.detail, ()), (None, ("question_mark",))):
            await press(pilot, *opener)
            seen = pane or app.screen.query_one(Pane)
            await press(pilot, "j", "j", "k")
            assert seen.scroll_offset.y == 1
            await press(pilot, "G")
            assert seen.scroll_offset.y == seen.max_scroll_y > 10
            await press(pilot, "ctrl+u")
            assert 0 < seen.scroll_offset.y < seen.max_scroll_y
            await press(pilot, "g")
            assert seen.scroll_offset.y == 0


async def test_a_terminal_that_grows_shows_the_row_beside_the_list_at_once(builder):
    builder.run("first", result={"documents": 3, "sources": 1, "errors": 0})
    app = console(builder)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "5")
        assert not str(app.screen.detail_text.content)
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: "3 new documents" in str(app.screen.detail_text.content))


async def test_a_long_list_is_walked_to_its_end_and_back(builder):
    builder.tasks.execute("BEGIN")
    for number in range(5000):
        builder.pending(f"m{number}")
    builder.tasks.execute("COMMIT")
    async with console(builder).run_test(size=(80, 24)) as pilot:
        await press(pilot, "2")
        table = pilot.app.screen.table
        assert len(table.rows) == 200
        await pilot.press("G")
        await until(pilot, lambda: table.highlighted and table.highlighted.subject == "m4999")
        step = table.size.height - 2
        for pages in range(1, 21):
            await pilot.press("pageup")
            await until(pilot, lambda pages=pages: table.highlighted.subject == f"m{4999 - pages * step}")
        await pilot.press("g")
        await until(pilot, lambda: table.highlighted.subject == "m0")
        for pages in range(1, 61):
            await pilot.press("pagedown")
            await until(pilot, lambda pages=pages: table.highlighted.subject == f"m{pages * step}")
        assert len(table.rows) == 800


async def test_a_cause_opens_into_letters_and_escape_leads_back(builder):
    homes.broken(builder)
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "3", "enter")
        assert app.screen.table is app.screen.letters
        await press(pilot, "enter")
        assert app.screen.is_open
        assert "jobs.collect_market" in str(app.screen.detail_text.content)
        await press(pilot, "escape")
        assert not app.screen.is_open
        await press(pilot, "escape")
        assert app.screen.table is app.screen.causes
        await press(pilot, "escape", "escape")
        assert app.is_running


async def test_a_schedule_is_paused_for_a_while_with_a_note_resumed_and_run(builder):
    builder.schedule("daily_collection", "0 2 * * *")
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "4", "p", "j", "enter", *"moving", "enter")
        await until(pilot, lambda: app.screen.table.highlighted.paused)
        schedule = app.screen.table.highlighted
        assert schedule.pause_note == "moving"
        assert timedelta(minutes=119) < schedule.paused_until - datetime.now(UTC) <= timedelta(hours=2)
        await press(pilot, "p")
        await until(pilot, lambda: not app.screen.table.highlighted.paused)
        await press(pilot, "r")
        await until(pilot, lambda: rows(builder, "task") == 1)
        await press(pilot, "u")
        await until(pilot, lambda: rows(builder, "task") == 0)


async def test_a_pause_of_any_length_and_one_without_an_end(builder):
    builder.schedule("daily_collection", "0 2 * * *")
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "4", "p", *"jjjj", "enter", *"soon", "enter")
        assert "write 30m, 2h or 1d" in str(app.screen.hint.content)
        for _ in "soon":
            await pilot.press("backspace")
        await press(pilot, *"45m", "enter", "enter")
        await until(pilot, lambda: app.screen_stack[0].table.highlighted.paused)
        left = app.screen.table.highlighted.paused_until - datetime.now(UTC)
        assert timedelta(minutes=44) < left <= timedelta(minutes=45)
        await press(pilot, "p", "p", "escape")
        assert not app.screen.table.highlighted.paused
        await press(pilot, "p", *"jjj", "enter", "enter")
        await until(pilot, lambda: app.screen.table.highlighted.paused)
        assert app.screen.table.highlighted.paused_until is None


async def test_a_span_is_typed_without_choosing_that_one_will_be(builder):
    builder.schedule("daily_collection", "0 2 * * *")
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "4", "p")
        await pilot.press(*"13h", "enter", *"why", "enter")
        await until(pilot, lambda: app.screen_stack[0].table.highlighted.paused)
        row = app.screen.table.highlighted
        assert row.paused_until - datetime.now(UTC) > timedelta(hours=12, minutes=59)
        assert row.pause_note == "why"


@pytest.mark.parametrize(
    ("keys", "states", "waiting"),
    [
        ("o", {"replayed": 2, "paused": 1}, 1),
        ("a", {"replayed": 2, "paused": 1}, 2),
        (["p", "a"], {"replayed": 3}, 3),
        (["s", "enter"], {"replayed": 2, "paused": 1}, 1),
        ("x", {"acknowledged": 2, "paused": 1}, 0),
        (["j", "j", "j", "enter"], {"acknowledged": 2, "paused": 1}, 0),
        (["escape"], {"missed": 2, "paused": 1}, 0),
    ],
)
async def test_missed_ticks_are_answered_by_key_and_that_is_taken_back(builder, keys, states, waiting):
    builder.schedule("daily_collection", "0 2 * * *")
    for hours, state in ((50, "missed"), (26, "missed"), (74, "paused")):
        builder.tick(
            "daily_collection", ago=hours * 3600, state=state, ended=None, why="no worker was running"
        )

    def now():
        return dict(builder.tasks.execute("SELECT state, count(*) FROM tick GROUP BY state").fetchall())

    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "4", "m")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        assert "2 ticks of daily_collection got no run" in str(app.screen.question.content)
        await press(pilot, *keys)
        await until(pilot, lambda: now() == states)
        assert rows(builder, "task") == waiting
        if "escape" not in keys:
            await press(pilot, "u")
            await until(pilot, lambda: now() == {"missed": 2, "paused": 1})
            assert rows(builder, "task") == rows(builder, "schedule") == 0


async def test_schedules_are_filtered_and_sorted(builder):
    homes.broken(builder)
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "4", "slash", *"is:paused", "enter")
        await until(pilot, lambda: [one.name for one in app.screen.table.rows] == ["weekly_notion_sync"])
        await press(pilot, "escape")
        await until(pilot, lambda: len(app.screen.table.rows) == 2)
        await press(pilot, "s", "s", "s")
        await until(pilot, lambda: app.screen.table.sort.id == "missed")
        assert [one.missed for one in app.screen.table.rows] == [2, 0]


async def test_of_many_runs_it_is_asked_once_more(builder):
    builder.schedule("hourly", "0 * * * *")
    for hours in range(12):
        builder.tick("hourly", ago=hours * 3600, state="missed", ended=None)
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "4", "m")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await press(pilot, "a")
        await until(
            pilot, lambda: "Start 12 runs of hourly?" in str(app.screen.query_one("#question").content)
        )
        assert rows(builder, "task") == 0
        await press(pilot, "y")
        await until(pilot, lambda: rows(builder, "task") == 12)


async def test_read_only_changes_nothing_whatever_is_pressed(builder):
    homes.broken(builder)

    def versions():
        files = (builder.tasks, builder.letters, builder.library)
        return [file.execute("PRAGMA data_version").fetchone()[0] for file in files]

    before, screens = versions(), {action.screen: action.keys[0] for action in keys.to_screens()}
    app = console(builder, read_only=True)
    async with app.run_test(notifications=True) as pilot:
        await settled(pilot)
        changing = [action for action in keys.ACTIONS if action.changes]
        for scope, actions in groupby(changing, key=lambda action: action.scope):
            await press(pilot, screens.get(scope.lower(), "1"))
            for key in [key for action in actions for key in action.keys]:
                app.clear_notifications()
                await pilot.press(key)
                assert toasts(app) == ["This console is read-only: it changes nothing."], (scope, key)
        await settled(pilot)
    assert versions() == before


async def test_a_read_only_console_holds_its_log_still_as_ever(builder):
    builder.logged((1, "info", "a line", {}))
    app = console(builder, read_only=True)
    async with app.run_test() as pilot:
        await press(pilot, "8", "p")
        assert "PAUSED" in str(app.screen.caption.content)


async def test_help_and_palette_offer_what_is_possible_here(builder):
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "3", "question_mark")
        assert "Run it again" in str(app.screen.query("Static").first().render())
        await press(pilot, "question_mark", "ctrl+p")
        await pilot.press(*"schedules")
        await until(pilot, lambda: "Schedules" in str(app.screen.query_one("OptionList").options))
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "schedules")


async def test_a_dead_worker_is_said_and_a_new_one_seen(builder):
    homes.busy(builder)
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "2")
        assert not app.screen.banner.display
        builder.kill_workers()
        await until(pilot, lambda: app.screen.banner.display)
        assert "Worker is not running: 32 tasks wait" in str(app.screen.banner.content)
        builder.worker()
        await until(pilot, lambda: not app.screen.banner.display)


async def test_a_file_that_breaks_while_it_is_watched_is_named(builder):
    homes.busy(builder)
    app = console(builder)
    async with app.run_test() as pilot:
        await settled(pilot)
        for name in ("tasks.db", "tasks.db-wal", "tasks.db-shm"):
            (builder.home.root / name).rename(builder.home.root / f"gone-{name}")
        builder.home.tasks_db.write_bytes(b"not a database, whatever it says" * 200)
        await until(pilot, lambda: app.screen.banner.display)
        assert "tasks.db" in str(app.screen.banner.content)
        assert app.screen.has_class("-stale")


async def test_a_home_that_is_created_later_is_seen(tmp_path):
    from console.app import TopicConsole
    from tests.console.conftest import CONFIG
    from worker.places import Home

    app = TopicConsole(home=Home(tmp_path / "later"), config=CONFIG, clock=lambda: homes.NOW)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.snapshot is not None)
        late = homes.Builder(tmp_path / "later")
        homes.busy(late)
        await until(pilot, lambda: app.snapshot.depth.pending == 30)
        late.close()


async def test_the_queue_is_paused_said_to_be_and_goes_on(builder):
    homes.busy(builder)
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "2", "p", "enter", *"moving", "enter")
        await until(pilot, lambda: app.snapshot.paused)
        await until(
            pilot, lambda: "The queue is paused (moving): 30 tasks waiting" in str(app.screen.banner.content)
        )
        ends = builder.tasks.execute("SELECT paused_until - paused_at FROM pause").fetchone()[0]
        assert 1790 < ends <= 1800
        await press(pilot, "p")
        await until(pilot, lambda: not app.snapshot.paused)
        await press(pilot, "u")
        await until(pilot, lambda: app.snapshot.paused)
