"""The Overview: forecast in words, graphs of an hour and a day, and what is new since the last look."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.memory import Memory
from console.readings import Readings
from console.readings.news import News
from console.rows import overview, plots, pulse
from console.rows.base import Tone
from console.visit import Visit
from tests.console import homes
from tests.console.conftest import console
from tests.console.homes import NOW
from tests.console.test_history_screens import text
from tests.console.waiting import press, settled, until


def drawn(lines):
    return ["".join(part.text for part in line) for line in lines]


# -- graphs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("plain", [False, True])
def test_an_area_has_a_scale_a_maximum_and_gaps(plain):
    lines = drawn(
        plots.area([None, None, 5, 10], 47, 5, plots.Axis("1h ago", gap="no worker"), ascii_only=plain)
    )
    assert len(lines) == 5
    assert {len(line) for line in lines} == {47}
    assert lines[0].startswith("   10 ┤")
    assert lines[-1].startswith("    0 └1h ago ╌╌ no worker ")
    assert lines[-1].endswith("─now")
    assert lines[0][7:27].strip() == ""
    assert set(lines[0][-10:]) == {"█" if plain else "⣿"}
    assert set(lines[3][7:27]) == {" "}


def test_nothing_is_drawn_of_nothing_and_one_of_many_is_still_seen():
    assert drawn(plots.area([], 30, 3, plots.Axis("1h ago")))[0].strip() == "│"
    few = drawn(plots.area([0, 1, 10_000], 13, 4, plots.Axis(""), ascii_only=True))
    assert few[0].startswith("  10k ┤")
    assert few[2][7:11] == "  ▁▁"


def test_a_minute_with_a_failure_is_crossed():
    lines = plots.bars([1, 0, 2, 1], 11, 3, plots.Axis("", ""), marks=[0, 0, 1, 0])
    assert drawn(lines)[-1] == "    0 └──×─"
    assert any(part.tone is Tone.BAD and "█" in part.text for part in lines[0])


def test_lines_lie_above_each_other_and_fill_the_time_between():
    low, high = [1, 1, 1], [4, 4, 4]
    lines = drawn(plots.lines([(high, Tone.QUIET), (low, Tone.ACCENT)], 27, 5, plots.Axis("24h ago")))
    assert lines[0].startswith("    4 ┤")
    assert " " not in lines[0][7:]
    assert " " not in lines[2][7:]
    assert lines[1][7:].strip() == ""


def test_resampling_keeps_the_highest_and_the_gaps():
    assert plots.resampled([1, 9, None, None, 3, 2], 3) == [9, None, 3]
    assert plots.resampled([1, None], 4) == [1, 1, None, None]


# -- in words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "words"), [("empty", "Nothing waits"), ("busy", "Empty in ~18m at 5.7/min, 4.0/min arrive"), ("broken", "Stands still: no worker")]
)  # fmt: skip
async def test_the_forecast_in_words(builder, scene, words):
    homes.SCENES[scene](builder)
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: words in text(app.screen.pulse))


async def test_where_nothing_waits_the_hour_is_counted(builder):
    builder.worker(beat=0.5)
    builder.minute(0, enqueued=1, retried=3, completed=1)
    app = console(builder)
    async with app.run_test() as pilot:
        await until(
            pilot, lambda: "Nothing waits: in the last hour 1 arrived, 1 ended" in text(app.screen.pulse)
        )


async def test_the_graphs_show_the_hour_and_on_a_key_the_day(builder):
    builder.worker()
    for ago in range(300):
        builder.minute(ago, completed=2)
        builder.depth(ago, 700 if ago == 290 else 5)
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        await until(pilot, lambda: "most 5" in text(screen.waiting) and "120 done" in text(screen.ended))
        await press(pilot, "h")
        await until(pilot, lambda: "most 700" in text(screen.waiting) and "600 done" in text(screen.ended))
        assert "24h ago ╌╌ no worker" in text(screen.waiting)
        await press(pilot, "h")
        await until(pilot, lambda: "1h ago" in text(screen.waiting))


async def test_a_click_on_a_part_goes_to_the_screen_that_has_all_of_it(builder):
    homes.broken(builder)
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for part, screen in (("#causes", "failures"), ("#schedules", "schedules"), ("#running", "queue")):
            await pilot.click(part)
            await until(pilot, lambda screen=screen: app.current_mode == screen)
            await press(pilot, "1")


# -- the verdict ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits", "said"),
    [
        (True, "▲ demo failed at 18:59 and is tried again at 19:03.\n  Why: connection refused"),
        (False, "● All well."),
    ],
)
def test_while_a_task_is_tried_again_not_all_is_well(builder, waits, said):
    builder.worker()
    builder.document("a story")
    builder.run(state="retrying", error="connection refused", age=30, retry_at=builder.now + 200)
    if waits:
        task = builder.tasks.execute("SELECT task_id FROM run").fetchone()[0]
        builder.scheduled(reason="retry", due=200, task_id=task)
    readings = Readings(builder.home, now=lambda: NOW)
    lines = overview.verdict_lines(readings.snapshot(), 76)
    readings.close()
    assert "\n".join(drawn(lines)).startswith(said)


def test_a_worker_that_is_starting_needs_no_key(builder):
    readings = Readings(builder.home, now=lambda: NOW)
    snapshot = readings.snapshot()
    readings.close()
    assert "Press w" in drawn(overview.verdict_lines(snapshot, 76))[1]
    assert "One is starting." in drawn(overview.verdict_lines(snapshot, 76, starting=True))[1]


# -- what is new -------------------------------------------------------------------------------


async def test_what_is_new_is_told_until_it_is_dismissed(builder, tmp_path):
    homes.broken(builder)
    path = tmp_path / "console.json"
    memory = Memory(path)
    memory.keep(f"seen {builder.home.root}", (NOW - timedelta(hours=2)).isoformat())
    app = console(builder, memory=memory)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        await until(pilot, lambda: screen.news.display)
        told = text(screen.news)
        assert "Since you last looked  2h ago; d dismisses" in told
        assert "nothing could be collected for demo (40×)" in told
        assert "14 tasks failed for good" in told
        await press(pilot, "d")
        assert not screen.news.display
    assert Visit(Memory(path), builder.home.root, lambda: NOW).since == NOW


async def test_the_first_look_and_a_quiet_time_have_no_news(builder, tmp_path):
    homes.broken(builder)
    memory = Memory(tmp_path / "console.json")
    for _ in range(2):  # the second time, nothing has happened since the first
        app = console(builder, memory=memory)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda app=app: "Worker is not running" in text(app.screen.verdict))
            await pilot.pause(0.3)
            assert not app.screen.news.display
    assert Visit(memory, builder.home.root, lambda: NOW).since == NOW
    assert Visit(memory, tmp_path, lambda: NOW).since is None


def test_a_memory_of_nonsense_is_no_visit(tmp_path):
    memory = Memory(tmp_path / "console.json")
    for text_ in ("yesterday", "2026-11-23", ""):
        memory.keep(f"seen {tmp_path}", text_)
        assert Visit(memory, tmp_path, lambda: NOW).since is None


def test_news_stand_on_as_few_lines_as_there_is_room_for():
    news = News(
        NOW, failed=4, missed=1, collections=12, acts=3, actors=("ann@ops", "x\x1b]0;pwned\x07y"), workers=1
    )
    wide = drawn(pulse.news_lines(news, 200))
    assert wide == ["4 tasks failed for good  ·  1 tick missed  ·  12 collections ended  ·  3 acts by ann@ops, xy  ·  1 worker started"]  # fmt: skip
    narrow = drawn(pulse.news_lines(news, 50))
    assert len(narrow) == 3
    assert max(map(len, narrow)) <= 50
