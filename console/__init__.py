"""The console: what the operator sees, on a terminal and as commands for scripts."""

from __future__ import annotations
