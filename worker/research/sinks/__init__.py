"""Where topics are sent."""

from __future__ import annotations
