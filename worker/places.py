"""Where things are: the data's home and the configuration's folder.

Standard library only, so that `topic-console --help` and the first paint never wait for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

APP = "topic-console"
SHIPPED_MARKER = "settings.yaml"
LONGEST_SHOWN = 200


class PlaceError(Exception):
    """A folder cannot be used; the message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds all data of one installation.

    Attributes:
        root: the folder itself; nothing is created until `prepare` is called.
    """

    root: Path

    @property
    def tasks_db(self) -> Path:
        """Queue, schedule, claims, runs, schedules' state, journal."""
        return self.root / "tasks.db"

    @property
    def dlq_db(self) -> Path:
        """Dead letters."""
        return self.root / "dlq.db"

    @property
    def topics_db(self) -> Path:
        """Documents, topics, sources' health."""
        return self.root / "topics.db"

    @property
    def reports(self) -> Path:
        """The weekly reports, where the settings name no other folder."""
        return self.root / "reports"

    @property
    def log_file(self) -> Path:
        """The worker's structured log, one JSON document a line."""
        return self.root / "logs" / "worker.jsonl"

    def check(self) -> None:
        """Whether the path can be a data folder; nothing is created.

        Raises:
            PlaceError: it is a file.
        """
        if self.root.exists() and not self.root.is_dir():
            raise PlaceError(f"{self.root}: expected a folder for the data, found a file")

    def prepare(self) -> Home:
        """Creates the folder (mode 0700) where it is missing.

        Raises:
            PlaceError: the path is a file, or may not be written.
        """
        self.check()
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise PlaceError(f"{self.root}: cannot create the data folder: {error.strerror}") from error
        if not os.access(self.root, os.W_OK | os.X_OK):
            read_only = hasattr(os, "statvfs") and os.statvfs(self.root).f_flag & os.ST_RDONLY
            why = "is on a file system mounted read-only" if read_only else "is not writable by this user"
            raise PlaceError(f"{self.root}: the data folder {why}")
        return self

    def prepare_logs(self) -> Path:
        """Creates the folder of the logs where it is missing, and returns it.

        Raises:
            PlaceError: it cannot be created.
        """
        folder = self.prepare().log_file.parent
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise PlaceError(f"{folder}: cannot be created: {error.strerror}") from error
        return folder


def find_home(given: str | os.PathLike[str] | None = None) -> Home:
    """The home to use: `given`, else `TOPIC_HOME`, else the platform's user data directory.

    Raises:
        PlaceError: what was given cannot be a path.
    """
    chosen = given or os.environ.get("TOPIC_HOME")
    if not chosen:
        from platformdirs import user_data_path  # noqa: PLC0415 - only needed without TOPIC_HOME

        return Home(user_data_path(APP, appauthor=False))
    return Home(named(chosen))


def named(given: str | os.PathLike[str]) -> Path:
    """A path that somebody named, absolute; whether anything is there is another question."""
    shown = given if len(os.fspath(given)) <= LONGEST_SHOWN else f"{os.fspath(given)[:LONGEST_SHOWN]}..."
    try:
        path = Path(given).expanduser().absolute()
        path.exists()
    except RuntimeError as error:
        raise PlaceError(f"{shown}: there is no user of this name, or it has no home") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "holds a sign that no path may hold"
        raise PlaceError(f"{shown}: cannot be a folder: {why}") from error
    return path


def shipped_config() -> Path:
    """The configuration that ships with the project: inside the wheel, or the checkout's own folder."""
    here = Path(__file__).resolve().parent
    packed = here / "shipped_config"
    return packed if packed.is_dir() else here.parent / "config"


def find_config(given: str | os.PathLike[str] | None = None) -> Path:
    """The folder with `settings.yaml` and `markets/`.

    `given`, else `TOPIC_CONFIG`, else `./config` where it holds a settings file, else the user's
    config directory where that exists, else the shipped copy.

    Raises:
        PlaceError: a folder was named that does not exist.
    """
    chosen = given or os.environ.get("TOPIC_CONFIG")
    if chosen:
        folder = named(chosen)
        if not folder.is_dir():
            raise PlaceError(f"{folder}: expected a folder with settings.yaml and markets/, found none")
        return folder
    local = Path.cwd() / "config"
    if (local / SHIPPED_MARKER).is_file():
        return local
    from platformdirs import user_config_path  # noqa: PLC0415 - only when nothing nearer was found

    personal = user_config_path(APP, appauthor=False)
    return personal if (personal / SHIPPED_MARKER).is_file() else shipped_config()


def market_names(config: Path) -> tuple[str, ...]:
    """Names of the markets that have a file in the folder, sorted; the file may still be faulty."""
    return tuple(sorted(path.stem for path in (config / "markets").glob("*.yaml")))
