"""Takes secrets out of what is shown and kept, also where nobody has loaded the settings."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.places import Home

# The variables that hold a secret, as `worker.settings.Secrets` has them.
NAMES = frozenset({"NOTION_TOKEN", "ALERT_URLS", "LLM_API_KEY", "REDDIT_CLIENT_SECRET", "REDDIT_FEED_TOKEN"})


def env_files(home: Home | None) -> list[Path]:
    """The files that may say what the environment does not: in the working directory and in the home."""
    files = [Path.cwd() / ".env", *([home.root / ".env"] if home else [])]
    return [path for path in files if path.is_file()]


def redactor(home: Home) -> Callable[[str], str]:
    """What takes the secrets of a home out of a text; it looks for them when it is first asked."""

    @functools.cache
    def found() -> Callable[[str], str]:
        if not NAMES.intersection(map(str.upper, os.environ)) and not env_files(home):
            return str  # the settings would bring pydantic: 0.1 s and 10 MB, to find nothing
        from worker.settings import load_secrets  # noqa: PLC0415

        return load_secrets(home).redact

    def redact(text: str) -> str:
        return found()(text)

    return redact
