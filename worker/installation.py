"""What an installation calls itself, for a console that is just opening.

The settings as a whole are checked by pydantic, which takes a tenth of a second and ten megabytes. These few are
plain words: read here where they are what they should be, and by the settings themselves where anything is not.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FILE = "settings.yaml"
CONSOLE = ("off", "bell", "notify")
MAX_NAME = 24
_COLOUR = re.compile(r"(#[0-9a-fA-F]{6})?")
_ENVIRONMENT, _NAME, _TINT = "TOPIC_", "environment", "environment_colour"


@dataclass(frozen=True, slots=True)
class Installation:
    """Which installation this is, for the frame and for every question before something is destroyed.

    Attributes:
        name: such as `production`.
        colour: of its badge, `#rrggbb`; empty for the theme's own.
        alerts: what an open console does when something new needs the operator: off | bell | notify.
        oldest_age: seconds that the oldest ready task may have waited before that counts.
    """

    name: str = ""
    colour: str = ""
    alerts: str = "off"
    oldest_age: float = 900.0


class InstallationError(Exception):
    """The settings have a fault; the message is one sentence."""


def read(config: Path) -> Installation:
    """What the settings say.

    Raises:
        InstallationError: they have a fault.
    """
    return _plainly(config / FILE) or _checked(config)


def _plainly(path: Path) -> Installation | None:
    """The same where all is as it should be; None where the settings must be asked."""
    if any(
        name.upper().startswith(_ENVIRONMENT) and name not in {"TOPIC_HOME", "TOPIC_CONFIG"}
        for name in os.environ
    ):
        return None
    try:
        import yaml  # noqa: PLC0415 - where no settings file is, none is needed

        found = yaml.safe_load(path.read_bytes()) if path.exists() else {}
    except (OSError, yaml.YAMLError):
        return None
    if not isinstance(found, dict) or not isinstance(alerts := found.get("alerts", {}), dict):
        return None
    return _fitting(
        found.get(_NAME, ""),
        found.get(_TINT, ""),
        alerts.get("console", "off"),
        alerts.get("oldest_age", 900.0),
    )


def _fitting(name: Any, colour: Any, alerts: Any, oldest: Any) -> Installation | None:
    fits = (
        isinstance(name, str) and len(name) <= MAX_NAME
        and isinstance(colour, str) and _COLOUR.fullmatch(colour)
        and alerts in CONSOLE
        and isinstance(oldest, int | float) and not isinstance(oldest, bool) and oldest >= 0
    )  # fmt: skip
    return Installation(name, colour, alerts, float(oldest)) if fits else None


def _checked(config: Path) -> Installation:
    from worker.config import ConfigError  # noqa: PLC0415 - brings pydantic
    from worker.settings import load_settings  # noqa: PLC0415

    try:
        settings = load_settings(config)
    except ConfigError as error:
        more = len(error.faults) - 1
        rest = f" (and {more} more; topic-worker check names them all)" if more else ""
        raise InstallationError(f"{error.faults[0]}{rest}") from error
    alerts = settings.alerts
    return Installation(settings.environment, settings.environment_colour, alerts.console, alerts.oldest_age)
