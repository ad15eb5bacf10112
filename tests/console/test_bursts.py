"""Keys that come faster than they are answered: over a slow line, pasted, or pressed twice."""

from __future__ import annotations

import pytest
from textual import events

from console.screens.dialog import Question
from console.screens.pausing import PauseScreen
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import press, settled, until

QUESTIONS = {
    "which market": ["c"], "which file": ["3", "E"], "a command": ["2", "colon"], "help": ["question_mark"],
    "really retry": ["3", "r"], "how long to pause": ["4", "p"], "missed ticks": ["4", "m"],
    "other arguments": ["3", "enter", "e"],
}  # fmt: skip


def burst(app, *keys):
    """Presses keys of which none waits for the one before."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.parametrize(
    "keys", [("escape",) * 3, ("enter",) * 3, ("enter", "escape", "y"), ("j", "k")], ids="-".join
)
@pytest.mark.parametrize("name", QUESTIONS)
async def test_a_question_is_answered_once_however_often_it_is_answered(builder, name, keys):
    homes.broken(builder)
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, *QUESTIONS[name])
        await until(pilot, lambda: isinstance(app.screen, Question))
        burst(app, *keys)
        await settled(pilot)
        await press(pilot, "escape", "escape")
        await until(pilot, lambda: not isinstance(app.screen, Question))


async def test_the_key_that_came_first_is_the_answer(builder):
    """`c` retries one first; the `y` behind it would retry them all."""
    for _ in range(3):
        builder.letter("demo")
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "3", "r")
        await until(pilot, lambda: isinstance(app.screen, Question))
        burst(app, "c", "y")
        await until(pilot, lambda: builder.tasks.execute("SELECT 1 FROM task").fetchone())
        await settled(pilot)
    assert builder.tasks.execute("SELECT count(*) FROM task").fetchone() == (1,)


async def test_a_span_is_typed_at_once(builder):
    homes.busy(builder)
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "4", "p")
        await until(pilot, lambda: isinstance(app.screen, PauseScreen))
        burst(app, "8", "h")
        await settled(pilot)
        assert app.screen.typed.value == "8h"
        await press(pilot, "escape")
