"""What the options of commands take; whatever else is given is named in a sentence."""

from __future__ import annotations

import argparse
import math

LARGEST = 2**63 - 1
# A delay beyond is no delay.
LONGEST_S = 1_000 * 365 * 86_400


def row(text: str) -> int:
    """A number that SQLite can hold."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, found {text[:40]!r}") from None
    if abs(number) > LARGEST:
        raise argparse.ArgumentTypeError(f"expected a number of at most {LARGEST}, found {text:.40}")
    return number


def positive(text: str) -> int:
    """One or more."""
    number = row(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text}")
    return number


def amount(text: str) -> float:
    """Any number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"expected a number, found {text[:40]!r}")
    return number


def seconds(text: str) -> float:
    """How long something is to wait."""
    number = amount(text)
    if not 0 <= number <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"expected seconds from 0 to {LONGEST_S}, found {text[:40]}")
    return number


def port(text: str) -> int:
    """Of this machine."""
    number = row(text)
    if not 0 < number < 65_536:
        raise argparse.ArgumentTypeError(f"expected a port from 1 to 65535, found {text}")
    return number
