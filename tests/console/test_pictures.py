"""Every screen at both sizes, on an empty, a good, a bad and a hostile day. Look at each picture that changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console import keys
from console.memory import Memory
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import press, settled, until

SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
SCREENS = {action.screen: action.keys[0] for action in keys.to_screens()}

MOMENTS = {
    "a task in full": ("busy", ["2", "enter"]),
    "the letters of a cause": ("broken", ["3", "enter"]),
    "a letter in full": ("broken", ["3", "enter", "enter"]),
    "a schedule in full": ("broken", ["4", "enter"]),
    "a good schedule in full": ("busy", ["4", "enter"]),
    "for how long to pause": ("busy", ["4", "p"]),
    "why to pause": ("busy", ["4", "p", "j", "enter"]),
    "missed ticks": ("broken", ["4", "m"]),
    "over how long to spread": ("broken", ["4", "m", "s"]),
    "hostile missed ticks": ("hostile", ["4", "m"]),
    "a source in full": ("busy", ["6", "enter"]),
    "a source that is gone": ("broken", ["6", "G", "enter"]),
    "a hostile letter in full": ("hostile", ["3", "enter", "enter"]),
    "marked letters": ("broken", ["3", "enter", "space", "space", "j", "space"]),
    "arguments being edited": ("broken", ["3", "enter", "e"]),
    "arguments that were not changed": ("broken", ["3", "enter", "e", "ctrl+s"]),
    "a run in full": ("broken", ["5", "enter"]),
    "a log line in full": ("busy", ["8", "enter"]),
    "a wrapped log": ("busy", ["8", "z"]),
    "what is found in a log": ("busy", ["8", "f", *"haufe", "enter"]),
    "an act in full": ("broken", ["9", "j", "enter"]),
    "a topic in full": ("busy", ["7", "enter"]),
    "a topic without history in full": ("broken", ["7", "enter"]),
    "a hostile topic in full": ("hostile", ["7", "G", "enter"]),
    "all documents": ("busy", ["7", "d"]),
    "documents that a search finds": ("busy", ["7", "d", "slash", *"teil 1"]),
    "a document in full": ("busy", ["7", "d", "enter"]),
    "rising topics": ("busy", ["7", "slash", *"is:rising"]),
    "a filter": ("busy", ["2", "slash", *"is:scheduled"]),
    "a filter that finds nothing": ("busy", ["2", "slash", *"nowhere"]),
    "a filter that cannot be understood": ("busy", ["2", "slash", *"foo:bar"]),
    "which market": ("busy", ["c"]),
    "which file": ("broken", ["3", "E"]),
    "a command": ("busy", ["2", "colon"]),
    "a command being completed": ("busy", ["3", "colon", "c", "tab", "tab"]),
    "really clear": ("broken", ["3", "C"]),
    "really retry a cause": ("broken", ["3", "r"]),
    "help": ("busy", ["3", "question_mark"]),
    "the last rows": ("busy", ["2", "G"]),
}


@pytest.fixture(autouse=True)
def one_host(monkeypatch):
    """No picture shows the name of the machine that takes it."""
    monkeypatch.setattr("socket.gethostname", lambda: "ops-1")


@pytest.fixture
def picture(snap_compare, builder, monkeypatch, tmp_path):
    """Compares what the console shows after some keys with the picture that was looked at."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def compare(scene, keys=(), size="80x24", **options):
        homes.SCENES[scene](builder)

        async def before(pilot):
            await press(pilot, *keys)
            await settled(pilot)

        terminal = SIZES.get(size, size)
        return snap_compare(console(builder, **options), terminal_size=terminal, run_before=before)

    return compare


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scene", homes.SCENES)
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(picture, screen, scene, size):
    assert picture(scene, [SCREENS[screen]], size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", MOMENTS)
def test_moment(picture, name, size):
    scene, keys = MOMENTS[name]
    assert picture(scene, keys, size)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_new_since_the_last_look(snap_compare, builder, monkeypatch, tmp_path, size):
    monkeypatch.setenv("HOME", str(tmp_path))
    homes.broken(builder)
    memory = Memory()
    memory.keep(f"seen {builder.home.root}", (homes.NOW - timedelta(hours=2)).isoformat())

    async def before(pilot):
        await settled(pilot)
        await until(pilot, lambda: pilot.app.screen.news.display, "news")
        await settled(pilot)

    assert snap_compare(console(builder, memory=memory), terminal_size=SIZES[size], run_before=before)


def test_read_only(picture):
    assert picture("busy", ["2"], read_only=True)


def test_plain_characters(picture):
    assert picture("busy", ["2"], "120x40", ascii_only=True)


def test_plain_signs_of_schedules(picture):
    assert picture("broken", ["4"], "120x40", ascii_only=True)


@pytest.mark.parametrize("theme", ["light", "high-contrast"])
def test_theme(picture, theme):
    assert picture("busy", [], "120x40", theme=theme)


def test_without_colour(picture, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture("broken", ["2"])


def test_too_small(picture):
    assert picture("busy", [], (50, 10))


def test_a_count_is_typed_above_fifty(picture, builder):
    for number in range(60):
        builder.letter(age=number)
    assert picture("empty", ["3", "C"])


def test_an_old_look_says_how_old_it_is(snap_compare, builder, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    homes.busy(builder)
    from datetime import timedelta

    app = console(builder)

    async def before(pilot):
        await settled(pilot)
        app._poller.stop()
        app.clock = lambda: homes.NOW + timedelta(seconds=42)
        app.redraw()
        await pilot.pause()

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)
