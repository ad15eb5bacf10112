"""`doctor`: an examination of the whole installation, and what can be mended of what it finds."""

from __future__ import annotations

import os
import platform
import time
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Exit
from worker.queue.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from console.commands.output import Context

CHECKED = (
    "the three files, the counters, workers and their locks, handlers, schedules, disk, clock, configuration"
)


def doctor(context: Context) -> Exit:
    """Says what is wrong; with `--fix`, asks for each thing that can be mended."""
    from worker.queue.doctor import examine, file_integrity  # noqa: PLC0415 - no other command needs it

    found = [*_installation(context), *examine(context.home.tasks_db, context.home.dlq_db)]
    found += file_integrity(context.home.topics_db)
    mended = _mend(context, found) if context.options.fix else {}
    left = [finding for finding in found if finding.code not in mended]
    wrong = [finding for finding in left if not finding.hint]
    context.answer(_document(context, found, mended, healthy=not wrong), _in_words(found, mended))
    if any(finding.unusable for finding in left):
        return Exit.UNUSABLE
    return Exit.ATTENTION if wrong else Exit.DONE


def _installation(context: Context) -> Iterator[Finding]:
    """What is wrong around the files: the folder, its time zone, the configuration."""
    root = context.home.root
    if root.exists():
        if not os.access(root, os.W_OK | os.X_OK):
            yield Finding("not_writable", f"{root}: this user may not write there", unusable=True)
        if hasattr(os, "getuid") and root.stat().st_mode & 0o077:
            yield Finding("open_folder", f"{root}: others may look into it; chmod 700 {root}", hint=True)
    yield from _configuration(context)


def _configuration(context: Context) -> Iterator[Finding]:
    from worker.config import ConfigError  # noqa: PLC0415 - brings pydantic
    from worker.places import market_names  # noqa: PLC0415
    from worker.settings import check_market, load_settings  # noqa: PLC0415

    try:
        load_settings(context.config)
    except ConfigError as error:
        for fault in error.faults:
            yield Finding("configuration", str(fault))
    names = market_names(context.config)
    for name in names:
        try:
            check_market(context.config, name)
        except ConfigError as error:
            for fault in error.faults:
                yield Finding("configuration", str(fault))
    if not names:
        yield Finding("configuration", f"{context.config / 'markets'}: there is no market, NAME.yaml")


def _mend(context: Context, found: list[Finding]) -> dict[str, int]:
    """Mends what may be mended; what it was and how many things were changed."""
    mended = {}
    for finding in found:
        if finding.mend is None:
            continue
        try:
            context.confirm(f"{finding.text}. {finding.mend}?")
        except CommandError as refused:
            if refused.code is Exit.UNUSABLE:  # nobody can be asked
                raise
            continue
        mended[finding.code] = context.actions.mend(finding.code)
    return mended


def _document(
    context: Context, found: list[Finding], mended: dict[str, int], *, healthy: bool
) -> dict[str, object]:
    from worker.sqlite import has_wal_reset_bug, sqlite3  # noqa: PLC0415

    return {
        "healthy": healthy,
        "home": str(context.home.root),
        "sqlite": {
            "version": sqlite3.sqlite_version,
            "bundled": sqlite3.__name__.startswith("pysqlite3"),
            "wal_reset_bug": has_wal_reset_bug(sqlite3.sqlite_version_info),
        },
        "python": platform.python_version(),
        "timezone": time.strftime("%Z %z"),
        "findings": [
            {
                "code": finding.code, "text": finding.text, "hint": finding.hint, "unusable": finding.unusable,
                "mend": finding.mend, "mended": mended.get(finding.code),
            }
            for finding in found
        ],
    }  # fmt: skip


def _in_words(found: list[Finding], mended: dict[str, int]) -> str:
    from console.text import clean  # noqa: PLC0415 - not needed with --json
    from worker.sqlite import sqlite3  # noqa: PLC0415

    source = "bundled with pysqlite3" if sqlite3.__name__.startswith("pysqlite3") else "of this Python"
    lines = [f"SQLite {sqlite3.sqlite_version}, {source}; time zone {time.strftime('%Z, UTC%z')}."]
    for finding in found:
        if finding.code in mended:
            lines.append(f"mended  {clean(finding.text)}")
        else:
            lines.append(f"{'note' if finding.hint else 'WRONG':6}  {clean(finding.text)}")
    if not found:
        lines.append(f"All is well: {CHECKED}.")
    elif any(finding.mend and finding.code not in mended for finding in found):
        lines.append("To mend what can be mended: topic-console doctor --fix")
    return "\n".join(lines)
