"""What an open console tells without being asked."""

from __future__ import annotations

from datetime import timedelta

from console.alerts import QUIET_S, Watch, sequences
from console.readings.model import Cause, Depth, Installation, Problem, Snapshot
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import settled, until

DOWN = Problem("worker_down", "Worker is not running: 3 tasks wait, oldest 4m")


def at(seconds, builder, **facts):
    return Snapshot(at=homes.NOW + timedelta(seconds=seconds), home=builder.home.root, **facts)


def cause(name):
    return Cause(name, 1, homes.NOW, homes.NOW, "ValueError", "[/x] \x1b]52;c;eA==\x07", "job", None)


def test_what_was_so_at_the_start_is_no_news_and_what_lasts_is_told_once(builder):
    watch = Watch()
    assert watch.news(at(0, builder, problems=(DOWN,))) == ()
    assert watch.news(at(1, builder, problems=())) == ()
    assert watch.news(at(2, builder, problems=(DOWN,))) == ()
    later = QUIET_S + 5
    assert watch.news(at(later, builder, problems=())) == ()
    assert watch.news(at(later + 1, builder, problems=(DOWN,))) == (DOWN.text,)
    older = Problem("worker_down", "Worker is not running: 9 tasks wait, oldest 40m")
    assert watch.news(at(later + 60, builder, problems=(older,))) == ()


def test_a_new_cause_and_a_task_that_waits_too_long_are_news(builder):
    watch = Watch(oldest_age=60)
    watch.news(at(0, builder, fingerprints=frozenset("ao"), newest_causes=(cause("a"),)))
    newest = (cause("o"), cause("b"))  # o is old, and has died again
    assert len(watch.news(at(1, builder, fingerprints=frozenset("aob"), newest_causes=newest))) == 1
    depth = Depth(pending=1, oldest_pending_at=homes.NOW)
    assert watch.news(at(59, builder, depth=depth)) == ()
    assert len(watch.news(at(61, builder, depth=depth))) == 1


def test_a_notification_carries_no_foreign_sequence():
    text = sequences(["new cause: \x1b]52;c;eA==\x07 a; b"], "production")
    assert text.count("\x1b") == 2
    assert text.startswith("\x1b]9;production: new cause: a; b\x07\x1b]777;notify;production;")
    assert text.rpartition("notify;")[2].count(";") == 1


async def test_an_open_console_rings_when_its_worker_dies(builder, monkeypatch):
    homes.busy(builder)
    app = console(builder)
    rung = []
    monkeypatch.setattr(app, "bell", lambda: rung.append(1))
    async with app.run_test() as pilot:
        await settled(pilot)
        builder.kill_workers()
        await until(pilot, lambda: any(one.code == "worker_down" for one in app.snapshot.problems))
        assert rung == []  # off by default
        builder.worker()
        await until(pilot, lambda: not any(one.code == "worker_down" for one in app.snapshot.problems))
        app.installation = Installation(alerts="bell")
        app._watch.news(app.snapshot)
        builder.kill_workers()
        await until(pilot, lambda: rung)
        assert rung == [1]


async def test_the_badge_has_the_colour_of_the_settings(builder, monkeypatch):
    monkeypatch.setenv("TOPIC_ENVIRONMENT", "production")
    monkeypatch.setenv("TOPIC_ENVIRONMENT_COLOUR", "#c62828")
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: app.installation.name)
        styles = {part.text: part.style for part in app.screen.status.render_line(0)}
        badge = next(style for text, style in styles.items() if "production" in text)
        assert (badge.bgcolor.get_truecolor(), badge.color.get_truecolor()) == (
            (0xC6, 0x28, 0x28),
            (255, 255, 255),
        )
