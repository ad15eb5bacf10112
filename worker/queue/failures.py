"""What is kept of an exception, and which failures have one cause."""

from __future__ import annotations

import hashlib
import re
import sysconfig
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ERROR = 2_000
MAX_TRACEBACK = 64_000

# What differs between two failures of one cause. The order matters: the longest shapes first.
_VARYING = (
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>]+", re.IGNORECASE), "<url>"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (
        re.compile(r"\b(?:mon|tue|wed|thu|fri|sat|sun)\w*,? \d{1,2}[ -]\w{3}[ -]\d{2,4}\b", re.IGNORECASE),
        "<time>",
    ),
    (
        re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%\w+)?(?![\w:])", re.IGNORECASE),
        "<address>",
    ),
    (re.compile(r"(?<!\w)/(?:[\w.@+-]+/)+[\w.@+-]*"), "<path>"),
    (re.compile(r"\b0x[0-9a-f]+\b|\b[0-9a-f]{12,}\b", re.IGNORECASE), "<hex>"),
    # A quotation mark within a word is an apostrophe.
    (re.compile(r"(?<!\w)'[^']*'|(?<!\w)\"[^\"]*\""), "<text>"),
    # Letters and digits in one long word: the id of a request, a token, a file.
    (re.compile(r"\b(?=\w*\d)(?=\w*[a-z])\w{8,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\d+(?:\.\d+)?"), "<n>"),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception as it is stored."""

    error_type: str
    error: str
    traceback: str
    fingerprint: str


def describe(exception: BaseException, redact: Callable[[str], str] = str) -> Failure:
    """What is kept of an exception.

    Args:
        exception: with its traceback, if it was raised. Its `alike`, where it has one, says what is the same in
            all failures of its cause; else its message does.
        redact: takes secrets out of a text.
    """
    kind = type(exception)
    error_type = (
        kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    )
    error = redact(_storable(_text_of(exception)))
    lines = redact(_storable("".join(traceback.format_exception(exception))))
    return Failure(
        error_type=error_type,
        error=error[:MAX_ERROR],
        traceback=_middle_out(lines, MAX_TRACEBACK),
        fingerprint=fingerprint(error_type, getattr(exception, "alike", error), _own_frame(exception)),
    )


def fingerprint(error_type: str, error: str, frame: str = "") -> str:
    """The cause of a failure as 16 hexadecimal digits.

    Args:
        error_type: qualified name of the exception's class.
        error: its message; what differs from one failure to the next is left out.
        frame: the innermost frame of our own code, `file.py:function`.
    """
    normal = error
    for pattern, placeholder in _VARYING:
        normal = pattern.sub(placeholder, normal)
    return hashlib.sha256(f"{error_type}\0{normal.strip()[:500]}\0{frame}".encode()).hexdigest()[:16]


def _text_of(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception as error:  # noqa: BLE001 - a broken __str__ must not hide the failure
        return f"<the exception's text cannot be read: {type(error).__name__}>"


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{SYMBOL FOR NULL}")


def _middle_out(text: str, limit: int) -> str:
    """Keeps both ends of a text: where it began, and where it broke."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n  ... {len(text) - limit:,} characters left out ...\n{text[-half:]}"


_FOREIGN = tuple(str(Path(sysconfig.get_path(key)).resolve()) for key in ("stdlib", "purelib", "platlib"))


def _own_frame(exception: BaseException) -> str:
    """The innermost frame that is neither the standard library's nor an installed package's."""
    chosen = ""
    for frame in traceback.extract_tb(exception.__traceback__):
        if not frame.filename.startswith((*_FOREIGN, "<")):
            chosen = f"{Path(frame.filename).name}:{frame.name}"
    return chosen
