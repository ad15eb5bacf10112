"""Waiting for facts, never for time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

LONGEST_S = 10.0


async def until(pilot: Pilot, fact: Callable[[], object], what: str = "") -> None:
    """Waits until it is so, and what follows from it is drawn.

    Raises:
        AssertionError: it is not so after ten seconds.
    """
    deadline = time.monotonic() + LONGEST_S
    while not fact():
        assert time.monotonic() < deadline, f"never so: {what or fact}"
        await asyncio.sleep(0.01)
        await pilot.pause()
    await pilot.pause()


async def settled(pilot: Pilot) -> None:
    """The screen shows a look, and nothing that was asked is unanswered."""
    app = pilot.app
    if app.snapshot is None:
        await until(pilot, lambda: app.snapshot is not None, "a first look")
    deadline = time.monotonic() + LONGEST_S
    while not await _nothing_followed(pilot):
        assert time.monotonic() < deadline, "one question leads to the next for ever"


async def _nothing_followed(pilot: Pilot) -> bool:
    """Has the reader answer all that it was asked; whether that led to no further question."""
    app, poller = pilot.app, pilot.app._poller
    owed = poller._hurried or poller._going or not app._actor._acts.empty()
    asked = poller._numbers | {"last": 0}
    if poller.is_alive() and app.is_running:
        # Answers come in the order of the questions.
        answered = asyncio.Event()
        app.ask("last", lambda _: None, lambda _: answered.set())
        await asyncio.wait_for(answered.wait(), LONGEST_S)
    await pilot.pause()
    return not owed and asked == poller._numbers | {"last": 0}


async def press(pilot: Pilot, *keys: str) -> None:
    """Presses keys one after the other, each once the screen has settled."""
    await settled(pilot)
    for key in keys:
        await pilot.press(key)
        await settled(pilot)
