"""Waiting for facts, never for time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from console.screens.listing import ListScreen

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
    """The screen shows the first look, its list and its detail."""
    app = pilot.app
    await until(pilot, lambda: app.snapshot is not None, "a first look")
    screen = app.screen_stack[0]
    if isinstance(screen, ListScreen):
        await until(pilot, lambda: screen.table.window is not None, "a window")
        wants_detail = screen.is_open or screen.has_class("-wide")
        if wants_detail and screen.table.rows:
            await until(pilot, lambda: str(screen.detail_text.content), "a detail")
    for _ in range(3):
        await asyncio.sleep(0.02)
        await pilot.pause()


async def press(pilot: Pilot, *keys: str) -> None:
    """Presses keys one after the other, each once the screen has settled."""
    await settled(pilot)
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
        await settled(pilot)
