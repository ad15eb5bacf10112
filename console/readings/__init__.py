"""The only place that reads the databases: read-only connections in, frozen dataclasses out."""

from __future__ import annotations

from console.readings.connection import ReadingError
from console.readings.pages import Cursor, Listing, Window
from console.readings.snapshot import Readings

__all__ = ["Cursor", "Listing", "ReadingError", "Readings", "Window"]
