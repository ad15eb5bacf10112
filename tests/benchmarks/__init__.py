"""Figures as ratios against a baseline that runs beside them; not timed in the test run.

`python -m tests.benchmarks.queue` and `python -m tests.benchmarks.console`, each with `--quick`.
"""

from __future__ import annotations
