"""A durable task queue: Huey's interface on SQLite, without its windows of loss.

Knows Huey and SQLite and nothing of what the tasks are about; any Huey project could use it.

Names are imported when they are first asked for, so that a program which only reads errors or
schedules does not pay for Huey.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worker.queue.change import Change, QueueMark
    from worker.queue.cron import Cron
    from worker.queue.huey import DurableHuey
    from worker.queue.operator import Operator
    from worker.queue.progress import RunHandle, current_run

__all__ = ["Change", "Cron", "DurableHuey", "Operator", "QueueMark", "RunHandle", "current_run"]

_HOMES = {
    "Change": "change",
    "Cron": "cron",
    "DurableHuey": "huey",
    "Operator": "operator",
    "QueueMark": "change",
    "RunHandle": "progress",
    "current_run": "progress",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
