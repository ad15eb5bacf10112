"""What a reading may come to instead of an answer."""

from __future__ import annotations


class ReadingError(Exception):
    """Something cannot be read; the message is one sentence for the operator."""
