from __future__ import annotations

import time

from console import poller
from console.poller import Poller
from console.readings import Readings
from tests.console.conftest import console
from tests.console.homes import NOW
from tests.console.waiting import settled, until


async def test_what_nobody_expected_is_shown_short_and_logged_whole(builder):
    from console.faults import log_to

    log_to(builder.home)
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await settled(pilot)
        app.ask("broken", lambda readings: 1 / 0, lambda answer: None)
        await until(pilot, lambda: app._notifications)
        (toast,) = app._notifications
        assert "ZeroDivisionError" in toast.message
        assert app.is_running
        app.snapshot = None
        await until(pilot, lambda: app.snapshot is not None, "the reader goes on")
    text = (builder.home.root / "logs" / "console.log").read_text()
    assert "Traceback" in text
    assert "1 / 0" in text


def test_an_answer_to_an_older_question_is_void():
    told = []
    reader = Poller(readings=lambda: None, post=told.append)
    reader.ask("slot", lambda _: 1, lambda _: None)
    first = reader._questions["slot"][0]
    reader.ask("slot", lambda _: 2, lambda _: None)
    reader._answer_all()
    (answered,) = told
    assert answered.answer == 2
    assert answered.number == first + 1
    assert reader.is_current(answered)
    reader.forget("slot")
    assert not reader.is_current(answered)


def test_hearts_that_beat_do_not_keep_the_reader_awake_but_what_happens_does(builder, monkeypatch):
    monkeypatch.setattr(poller, "CALM_S", 1.5)  # longer than it rests between two readings
    builder.worker()
    looks = []
    reader = Poller(readings=lambda: Readings(builder.home, now=lambda: NOW), post=looks.append)
    reader.start()
    try:
        deadline = time.monotonic() + 20
        beats = 0
        while not (beats > 12 and reader._is_calm):
            assert time.monotonic() < deadline, "it never rests"
            with builder.tasks:
                builder.tasks.execute("UPDATE worker SET heartbeat_at = heartbeat_at + 0.001")
            beats += 1
            time.sleep(0.2)
        builder.pending()
        while reader._is_calm:
            assert time.monotonic() < deadline, "it sleeps on"
            time.sleep(0.05)
    finally:
        reader.stop()
