"""The console's acts and lists as commands for scripts; each module a subject."""

from __future__ import annotations
