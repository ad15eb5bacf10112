"""The only place that reads the databases: read-only connections in, frozen dataclasses out."""

from __future__ import annotations

from console.readings.connection import ReadingError
from console.readings.marks import Frozen, Marks
from console.readings.pages import Cursor, Edge, Listing, Sort, Whole, Window
from console.readings.snapshot import Readings

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
