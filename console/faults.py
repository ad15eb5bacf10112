"""What nobody expected, logged whole in `logs/console.log`; the screen shows it short."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worker.places import Home

LOG = "console.log"
logger = logging.getLogger("console")


class _File(logging.FileHandler):
    """Opened with the first fault, its folder created then; it never writes to the terminal."""

    def __init__(self, home: Home) -> None:
        super().__init__(home.log_file.with_name(LOG), delay=True, encoding="utf-8")
        self._home = home

    def _open(self) -> Any:
        self._home.prepare_logs()
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A home that cannot be written has no log; that is no second fault."""


def log_to(home: Home) -> str:
    """Sends faults to the home's log; returns where that is."""
    handler = _File(home)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for old in logger.handlers:
        old.close()
    logger.handlers[:] = [handler]
    logger.propagate = False
    return handler.baseFilename


def record(what: str, error: BaseException) -> None:
    """Logs a fault with its traceback.

    Args:
        what: was being done.
        error: that came up.
    """
    logger.error(what, exc_info=error)
