"""The only place that reads the databases: read-only connections in, frozen dataclasses out.

Its names are loaded when they are first used: the first paint needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.readings.errors import ReadingError
    from console.readings.marks import Frozen, Marks
    from console.readings.pages import Cursor, Edge, Listing, Sort, Whole, Window
    from console.readings.snapshot import Readings

_MODULES = {
    "ReadingError": "errors", "Frozen": "marks", "Marks": "marks", "Cursor": "pages", "Edge": "pages",
    "Listing": "pages", "Sort": "pages", "Whole": "pages", "Window": "pages", "Readings": "snapshot",
}  # fmt: skip

__all__ = [
    "Cursor",
    "Edge",
    "Frozen",
    "Listing",
    "Marks",
    "ReadingError",
    "Readings",
    "Sort",
    "Whole",
    "Window",
]


def __getattr__(name: str) -> Any:
    """A public name, from the module that has it (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return found
