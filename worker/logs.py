"""The structured log: one JSON document a line, each with the task it belongs to."""

from __future__ import annotations

import fcntl
import logging
import logging.handlers
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from worker.foreign import escaped, harmless
from worker.queue.progress import current_run

if TYPE_CHECKING:
    from collections.abc import Callable

# Of the attempts that a task has left Huey says `3 retries executed in 3.1s`, as if it had taken them.
_LEFT = re.compile(r" \d+ retries")
MAX_BYTES = 10_000_000
BACKUPS = 5


def configure(path: Path, level: str, redact: Callable[[str], str] = str) -> None:
    """Sends the log of this process to a file, rotated at 10 MB, and its warnings to stderr.

    Args:
        path: the log file; its folder exists.
        level: `debug`, `info`, `warning` or `error`.
        redact: takes secrets out of a line.
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_task,
        _name_once,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    lines = SharedFileHandler(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    lines.setFormatter(
        _formatter(shared, structlog.processors.JSONRenderer(ensure_ascii=False), _escaped, redact=redact)
    )
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.WARNING)
    screen.setFormatter(
        _formatter(
            shared, _harmless, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()), redact=redact
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [lines, screen]
    root.setLevel(level.upper())


class SharedFileHandler(logging.handlers.RotatingFileHandler):
    """A rotated file that several processes write: worker processes, and several workers of one home.

    The standard library's handler knows only its own process: after another one's rotation it goes on writing to
    the renamed file, and rotates the new one too early.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a line to the file that has the name now."""
        if self._moved():
            self._reopen()
        super().emit(record)

    def doRollover(self) -> None:  # noqa: N802 - the standard library's name
        """Renames the files, unless another process has done so meanwhile."""
        lock = os.open(Path(self.baseFilename).parent, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._moved():
                self._reopen()
            else:
                super().doRollover()
        finally:
            os.close(lock)

    def _moved(self) -> bool:
        """Whether the open file is not the one that has the name."""
        if self.stream is None:
            return False
        try:
            there = Path(self.baseFilename).stat()
        except OSError:
            return True
        here = os.fstat(self.stream.fileno())
        return (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino)

    def _reopen(self) -> None:
        if self.stream is not None:
            self.stream.close()
        self.stream = self._open()


def _formatter(shared: list[Any], *renderers: Any, redact: Callable[[str], str]) -> logging.Formatter:
    def redacted(_logger: Any, _name: str, line: Any) -> str:
        return redact(str(line))

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers, redacted],
    )


def _harmless(_logger: Any, _name: str, event: Any) -> Any:
    """On a screen, what comes from outside steers nothing."""
    return {
        harmless(name): harmless(value) if isinstance(value, str) else value for name, value in event.items()
    }


def _escaped(_logger: Any, _name: str, line: Any) -> str:
    """In the file it is kept, but whoever just looks at the file is safe as well."""
    return escaped(str(line))


def _add_task(_logger: Any, _name: str, event: Any) -> Any:
    task_id = current_run().task_id
    if task_id is not None:
        event["task_id"] = task_id
    return event


def _name_once(_logger: Any, _name: str, event: Any) -> Any:
    """Huey writes its task out in full; what the line has as a field, or may be misread, is not said again."""
    task_id = event.get("task_id")
    if task_id and event.get("logger") == "huey":
        before, found, after = str(event["event"]).partition(f": {task_id}")
        if found:
            event["event"] = before + _LEFT.sub("", after, count=1)
    return event
