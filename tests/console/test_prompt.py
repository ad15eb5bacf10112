"""`:`, the palette's table, the user's own keys, and what is remembered."""

from __future__ import annotations

import json

import pytest

from console import keys
from console.keymap import load_keymap
from console.memory import MOST, Memory
from console.text import ascii_signs
from console.widgets.key_line import KeyLine
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import press, until
from worker.config import ConfigError


def said(app):
    return str(app.screen.query_one("#completions").render())


async def test_a_screen_is_typed_with_its_filter(builder):
    homes.busy(builder)
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "colon")
        await until(pilot, lambda: "overview" in said(app))
        await pilot.press(*"queue is:scheduled", "enter")
        await until(pilot, lambda: app.current_mode == "queue" and app.screen.filter_text == "is:scheduled")
        await until(pilot, lambda: app.screen.table.rows)
        assert {str(row.state) for row in app.screen.table.rows} == {"scheduled"}
        await press(pilot, "colon")
        await until(pilot, lambda: app.screen.query("#completions"))
        await pilot.press(*"filter", "enter")
        await until(pilot, lambda: app.screen_stack[0].filter_text == "")


async def test_tab_completes_and_up_brings_back_what_was_typed(builder):
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "colon")
        await until(pilot, lambda: app.screen.query("#completions"))
        await pilot.press(*"fai", "tab", "enter")
        await until(pilot, lambda: app.current_mode == "failures")
        await press(pilot, "colon")
        await until(pilot, lambda: app.screen.query("#completions"))
        await pilot.press("up")
        assert app.screen.query_one("Input").value == "failures"
        await pilot.press("down", *"co", "tab")
        assert app.screen.query_one("Input").value == "collect demo"
        await pilot.press("enter")
        await until(pilot, lambda: app.snapshot.depth.pending == 1)


async def test_what_is_no_command_is_said_and_can_be_mended(builder):
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "colon")
        await until(pilot, lambda: app.screen.query("#completions"))
        await pilot.press(*"[/foo]", "enter")
        assert "there is no [/foo] here" in said(app)
        await pilot.press(*["backspace"] * 6, "q", "enter")
        await until(pilot, lambda: not app.is_running)
    assert app.return_value == 0


async def test_a_read_only_console_offers_only_what_is_possible(builder):
    app = console(builder, read_only=True)
    async with app.run_test() as pilot:
        await press(pilot, "2", "colon")
        await until(pilot, lambda: app.screen.query("#completions"))
        await pilot.press(*"c")
        assert "collect" not in said(app)
        assert "clear" not in said(app)


async def test_theme_zone_filter_and_order_are_there_the_next_time(builder, tmp_path):
    homes.busy(builder)
    path = tmp_path / "state" / "console.json"
    app = console(builder, memory=Memory(path))
    async with app.run_test() as pilot:
        await press(pilot, "t", "2", "slash", *"is:scheduled", "enter")
        app.theme = "light"
        await until(pilot, lambda: app.screen.filter_text == "is:scheduled")
        await press(pilot, "4", "s")
        order = app.screen.sort_id
    assert path.stat().st_mode & 0o077 == 0
    again = console(builder, memory=Memory(path))
    async with again.run_test() as pilot:
        await press(pilot, "2")
        assert (again.theme, again.utc, again.screen.filter_text) == ("light", True, "is:scheduled")
        assert again.screen.prompt.display
        await press(pilot, "4")
        assert again.screen.sort_id == order != again.screen.table.sorts[0].id
    elsewhere = homes.Builder(tmp_path / "another")
    other = console(elsewhere, memory=Memory(path))
    async with other.run_test() as pilot:
        await press(pilot, "2")
        assert other.screen.filter_text == ""
    elsewhere.close()


@pytest.mark.parametrize(
    "garbage",
    ["", "[1, 2", "[]", '{"theme": 5, "typed": "x", "utc": "yes"}', "\x00" * 9, "[" * 100_000, "x" * 300_000],
)
def test_garbage_in_the_memory_counts_as_empty_and_is_written_over(tmp_path, garbage):
    path = tmp_path / "console.json"
    path.write_text(garbage)
    memory = Memory(path)
    assert (memory.text("theme", "dark"), memory.flag("utc"), memory.lines("typed")) == ("dark", False, ())
    memory.keep("theme", "light")
    memory.save()
    assert json.loads(path.read_text())["theme"] == "light"
    assert [one.name for one in tmp_path.iterdir()] == ["console.json"]


def test_a_memory_that_cannot_be_written_is_passed_over(tmp_path):
    (tmp_path / "a file").write_text("")
    Memory(tmp_path / "a file" / "console.json").save()


def test_only_the_newest_lines_are_remembered_each_once(tmp_path):
    memory = Memory(tmp_path / "x")
    for number in [*range(MOST + 5), 50]:
        memory.add("typed", str(number))
    assert len(memory.lines("typed")) == MOST
    assert memory.lines("typed")[-1] == "50"
    assert memory.lines("typed").count("50") == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("queue.cancle: d", "keys.yaml:1: queue.cancle: there is no such action; perhaps queue.cancel?"),
        (
            "queue.cancel: [d]",
            "keys.yaml:1: queue.cancel: expected a key such as d, f5 or ctrl+g, found ['d']",
        ),
        ("\nqueue.cancel: hyper+d", "keys.yaml:2: queue.cancel: expected a key"),
        ("queue.cancel: c", "keys.yaml:1: queue.cancel: c is the key of everywhere.collect already"),
        ("everywhere.help: '/'", "keys.yaml:1: everywhere.help: / is the key of list.filter already"),
    ],
)
def test_a_fault_among_ones_own_keys_is_named(tmp_path, text, fault):
    (tmp_path / "keys.yaml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_keymap(tmp_path / "keys.yaml")
    assert fault in str(raised.value)


async def test_ones_own_keys_take_the_place_of_ours_and_are_shown(builder, tmp_path):
    homes.busy(builder)
    (tmp_path / "keys.yaml").write_text(
        "everywhere.go_queue: f7\nqueue.pause: f8\neverywhere.help: f1, ctrl+g\n"
    )
    app = console(builder, own_keys=load_keymap(tmp_path / "keys.yaml"))
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        assert app.current_mode == "overview"
        await press(pilot, "f7")
        assert app.current_mode == "queue"
        await until(pilot, lambda: any(key.display == "f8" for key in app.screen.query_one(KeyLine).keys))
        await pilot.press("f8")
        await until(pilot, lambda: app.screen.query("#dialog"))
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.snapshot.paused)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: app.screen.query("#dialog"))
        assert "f1 ctrl+g" in str(app.screen.query("Static").first().render())


def test_every_action_has_a_name_of_its_own_for_the_users_keys():
    names = [action.bound for action in keys.ACTIONS]
    assert len(set(names)) == len(names)
    assert all(ascii_signs(name) == name for name in names)
