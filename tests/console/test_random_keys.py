"""Any keys in any order, in bursts and one by one, while the terminal changes its size: nothing ends the console."""

from __future__ import annotations

import os
import random
import webbrowser

import pytest
from textual import events

from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import settled

LONG = os.environ.get("SOAK") == "long"
NAMED = [
    "enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "pageup", "pagedown", "home", "end", "space",
    "backspace", "ctrl+p", "ctrl+d", "ctrl+u", "ctrl+s", "ctrl+f", "ctrl+b", "ctrl+space", "f2", "slash", "colon",
]  # fmt: skip
# Not `q`, which ends it, and not `w`, which starts a worker.
KEYS = [*"1234567890abcdefghijklmnoprstuvxyzCEGQ+-*?", *NAMED]
SIZES = [(80, 24), (120, 40), (60, 15), (40, 10), (200, 60)]


@pytest.mark.parametrize("seed", range(60 if LONG else 3))
async def test_nothing_that_is_pressed_ends_the_console(builder, seed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    chosen = random.Random(seed)
    (homes.busy, homes.broken, homes.hostile)[seed % 3](builder)
    app = console(builder)
    async with app.run_test(size=chosen.choice(SIZES)) as pilot:
        await settled(pilot)
        for _ in range(250 if LONG else 80):
            for key in chosen.choices(KEYS, k=chosen.choice([1, 1, 1, 2, 5])):
                app.post_message(events.Key(key, key if len(key) == 1 else None))
            if chosen.random() < 0.5:
                await pilot.pause(chosen.choice([0, 0, 0.02]))
            if chosen.random() < 0.02:
                await pilot.resize_terminal(*chosen.choice(SIZES))
        await settled(pilot)
    assert not app.return_code  # some keys spell a command that leaves
