"""What is drawn: one module for each screen, loaded when it is first shown."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.screens.base import ConsoleScreen


def screen_class(name: str) -> type[ConsoleScreen]:
    """The class of a screen: `QueueScreen` of `console.screens.queue` for `queue`."""
    found: type[ConsoleScreen] = getattr(
        import_module(f"console.screens.{name}"), f"{name.capitalize()}Screen"
    )
    return found


def opened(name: str) -> ConsoleScreen:
    """A new screen of that name."""
    return screen_class(name)()
