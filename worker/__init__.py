"""The worker: a durable queue on SQLite and the research it runs."""

from __future__ import annotations
