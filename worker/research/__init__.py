"""What a run does: collects documents from the sources of a market, and finds its topics."""

from __future__ import annotations
