"""Strings from outside, made fit for a terminal.

A feed's title, an exception's message or an argument may carry escape codes that write the operator's clipboard
(OSC 52) or clear the screen, and signs that hide text or turn it round. Whatever the worker prints and the
console draws goes through here, once.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TextIO

ELLIPSIS = "…"
# What steers a terminal or deceives the eye in a document that must keep every character: it is escaped there.
STEERING = re.compile(
    "[\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)

# ECMA-48 sequences with their payload: OSC, DCS, SOS, PM, APC up to their end, then CSI, then two-byte ones.
_SEQUENCES = re.compile(
    "(?:\x1b[\\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c|$)"
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"
    "|\x1b[ -/]*[0-~]?"
)
# C0 but tab and newline, DEL, C1, lone surrogates.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Directional overrides and isolates, zero-width and invisible operators, variation and tag characters, BOM.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_SPACE = re.compile(r"\s+")
# A letter under a tower of combining marks covers its neighbours' lines.
_TOWERS = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def clean(text: object, limit: int = 200) -> str:
    """A foreign string as one harmless line.

    Args:
        text: anything; None gives an empty line.
        limit: characters at the most, an ellipsis included.
    """
    if text is None:
        return ""
    # Far beyond the limit nothing is shown, and a megabyte need not be searched.
    line = _SPACE.sub(" ", harmless(str(text)[: limit * 20 + 1000])).strip()
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + ELLIPSIS


def clean_lines(text: object, limit: int = 20_000) -> str:
    """A foreign text of several lines, such as a traceback, made harmless; indentation stays."""
    if text is None:
        return ""
    lines = harmless(str(text)[: limit * 2].replace("\r\n", "\n").replace("\r", "\n")).expandtabs(4)
    return lines if len(lines) <= limit else lines[:limit].rstrip() + "\n" + ELLIPSIS


def harmless(text: str) -> str:
    """The text without what steers a terminal or deceives the eye; its lines stay."""
    return _TOWERS.sub(r"\1", _INVISIBLE.sub("", _CONTROLS.sub(" ", _SEQUENCES.sub("", text))))


def escaped(document: str) -> str:
    """A JSON document in which signs that steer a terminal are escaped: somebody may just look at it."""
    return STEERING.sub(lambda found: json.dumps(found[0])[1:-1], document)


def say(text: object, file: TextIO | None = None, *, end: str = "\n", flush: bool = False) -> None:
    """Prints a text for people: whatever it carries from outside steers no terminal."""
    print(harmless(str(text)), file=file, end=end, flush=flush)


def let_go_of_output() -> None:
    """Whoever read us has seen enough: nothing may be written to the closed pipe at exit, either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
