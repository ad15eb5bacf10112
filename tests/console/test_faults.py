from __future__ import annotations

from console.poller import Poller
from tests.console.conftest import console
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
    poller = Poller(readings=lambda: None, post=told.append)
    poller.ask("slot", lambda _: 1, lambda _: None)
    first = poller._questions["slot"][0]
    poller.ask("slot", lambda _: 2, lambda _: None)
    poller._answer_all()
    (answered,) = told
    assert answered.answer == 2
    assert answered.number == first + 1
    assert poller.is_current(answered)
    poller.forget("slot")
    assert not poller.is_current(answered)
