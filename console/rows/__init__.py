"""How a row looks: pure functions from a reading to cells, shared by the screens and the list commands."""

from __future__ import annotations
