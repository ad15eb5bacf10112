"""A copy of a file as it is before a migration changes it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from worker.queue.errors import UnusableFileError
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from pathlib import Path

# The copy, and as much again for what the migration writes before old pages are free.
TIMES = 2
MEGABYTE = 1_000_000


def backup_path(path: Path, version: int) -> Path:
    """Where the copy of a file of this version is kept: `tasks.db.v1.bak`."""
    return path.with_name(f"{path.name}.v{version}.bak")


def keep(path: Path, version: int) -> Path:
    """Copies the file; the caller holds its write lock, so the copy is what the migration will find.

    Args:
        path: of the file.
        version: of its schema.

    Returns:
        The copy, on disk and whole; an earlier one of the same version is replaced.

    Raises:
        UnusableFileError: there is not enough room; nothing was touched.
    """
    size = sum(part.stat().st_size for part in (path, path.with_name(path.name + "-wal")) if part.exists())
    free = shutil.disk_usage(path.parent).free
    if free < TIMES * size:
        raise UnusableFileError(
            path,
            f"its schema of version {version} must be brought up to date, for which {TIMES * size / MEGABYTE:.0f} MB are "
            f"needed beside it; {free / MEGABYTE:.0f} MB are free; nothing was touched",
        )
    draft = path.with_name(f"{path.name}.v{version}.{os.getpid()}.part")
    draft.unlink(missing_ok=True)
    try:
        source = sqlite3.connect(path, isolation_level=None)
        try:
            # Takes no write lock, and sees what is committed: https://sqlite.org/lang_vacuum.html#vacuuminto
            source.execute("VACUUM INTO ?", (str(draft),))
        finally:
            source.close()
        _to_disk(draft)
        target = backup_path(path, version)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    _to_disk(path.parent)
    return target


def _to_disk(path: Path) -> None:
    if path.is_file():
        path.chmod(0o600)
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # pragma: no cover - a folder cannot be opened on Windows
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
