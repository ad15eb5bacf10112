"""Taking a figure, and printing it beside its baseline."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def head(title: str, baseline: str) -> None:
    """Prints what is compared."""
    print(f"\n{title}\n{'':44} {'ours':>12} {baseline:>16} {'ratio':>8}")


def line(name: str, ours: float, baseline: float | None, unit: str) -> None:
    """Prints one figure; the ratio is ours to the baseline's."""
    other = f"{baseline:>12.3f} {unit:<3}" if baseline is not None else f"{'':>16}"
    ratio = f"{ours / baseline:>8.2f}" if baseline else ""
    print(f"{name:<44} {ours:>8.3f} {unit:<3} {other} {ratio}", flush=True)


def median_ms(work: Callable[[], object], times: int) -> float:
    """The median wall time of a call in milliseconds, after one to warm up."""
    work()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)
