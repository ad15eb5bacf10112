"""What can go wrong in the queue.

QueueError
├── QueueFileError        the file cannot be used as it is
│   ├── StockHueyFileError    written by Huey's SqliteHuey
│   ├── ForeignFileError      written by another program
│   ├── NewerFileError        written by a newer version of this program
│   ├── OlderFileError        not yet brought up to date, and may not be changed here
│   ├── NetworkFileError      on a network file system
│   ├── EmptiedFileError      emptied under somebody who works with it
│   └── UnusableFileError     not a database, not readable, not writable
├── BusyError             another process kept the file locked for too long
├── MessageError          a task's arguments cannot be stored as JSON, or a message cannot be read
├── ClaimLostError        the claim was given to another worker: this outcome is refused
├── TaskCrashedError      a task's body raised something that is no Exception (SystemExit)
├── PoisonError           a task took its worker down max_deliveries times
├── TaskCancelledError    the operator asked a running task to stop (in cancelled.py, which brings Huey)
├── ScheduleError         a cron expression or a time zone is not valid
└── RefusedError          an operator's wish that cannot be carried out
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class QueueError(Exception):
    """Base of all errors of the queue; the message is one sentence for the operator."""


class QueueFileError(QueueError):
    """The file cannot be used as it is."""


class StockHueyFileError(QueueFileError):
    """The file belongs to Huey's own SqliteHuey; its pickled messages are never read."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path}: this is a tasks.db of Huey's own SqliteHuey, whose messages are pickled and are never "
            "read here; let a stock worker finish it, or name another home with --home"
        )


class ForeignFileError(QueueFileError):
    """The file belongs to another program."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: expected a file of topic-console, found a database of another program")


class NewerFileError(QueueFileError):
    """The file was written by a newer version of this program."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path}: its schema is version {found}, this program knows versions up to {known}; "
            "nothing was touched, please upgrade topic-console"
        )


class OlderFileError(QueueFileError):
    """The file was not yet brought up to date, which somebody who only reads may not do."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path}: its schema is version {found}, and only version {known} can be read; a worker brings it up to "
            "date when it starts, and so does a console that is not read-only"
        )


class NetworkFileError(QueueFileError):
    """The file is on a network file system, where SQLite's write-ahead log cannot work."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(
            f"{path}: is on a network file system ({kind}), where several hosts would damage it; "
            "name a home on a local disk with --home"
        )


class EmptiedFileError(QueueFileError):
    """The file has nothing in it, though its write-ahead log says that somebody works or worked with it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path}: was emptied, and {path.name}-wal is still there: stop all workers, then put a copy of the file "
            f"back, or remove {path.name} and {path.name}-wal to begin with nothing"
        )


class UnusableFileError(QueueFileError):
    """Not a database, not readable, or not writable."""

    def __init__(self, path: Path | str, why: object) -> None:
        super().__init__(f"{path}: {why}")


class BusyError(QueueError):
    """Another process kept the file locked for too long."""


class MessageError(QueueError, ValueError):
    """A task's arguments cannot be stored as JSON, or a message cannot be read."""


class ClaimLostError(QueueError):
    """The claim was given to another worker in the meantime: this outcome is refused."""

    def __init__(self, task_id: str | None) -> None:
        super().__init__(f"late outcome refused: task {task_id} was given to another worker")


class TaskCrashedError(QueueError):
    """A task's body raised something that is no Exception, for example SystemExit."""


class PoisonError(QueueError):
    """A task took its worker down as often as `max_deliveries` allows."""


class ScheduleError(QueueError, ValueError):
    """A cron expression or a time zone is not valid."""


class RefusedError(QueueError):
    """An operator's wish that cannot be carried out; the message says why."""
