"""What the console remembers of its user from one time to the next: colours, the zone, filters, what was typed.

One small JSON file in the platform's state folder. It is a convenience: a file that cannot be read, or holds
something else, counts as empty; one that cannot be written is passed over. Nothing of it is in the databases.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from worker.places import APP

FILE = "console.json"
MOST = 100
MAX_BYTES = 200_000


def state_file() -> Path:
    """Where it is kept."""
    from platformdirs import user_state_path  # noqa: PLC0415 - the commands remember nothing

    return user_state_path(APP, appauthor=False) / FILE


class Memory:
    """The file's content; reading and writing it never fails.

    Args:
        path: of the file; None remembers nothing beyond this process.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known = _read(path) if path else {}

    def text(self, name: str, default: str = "") -> str:
        """A remembered word."""
        found = self._known.get(name)
        return found if isinstance(found, str) else default

    def flag(self, name: str) -> bool:
        """A remembered yes."""
        return self._known.get(name) is True

    def lines(self, name: str) -> tuple[str, ...]:
        """What was typed, oldest first."""
        found = self._known.get(name)
        return tuple(line for line in found if isinstance(line, str)) if isinstance(found, list) else ()

    def keep(self, name: str, value: str | bool) -> bool:
        """Remembers a word or a yes; returns whether that is news."""
        if self._known.get(name, "" if isinstance(value, str) else False) == value:
            return False
        self._known[name] = value
        return True

    def add(self, name: str, line: str) -> None:
        """Remembers something that was typed, as the newest."""
        earlier = [one for one in self.lines(name) if one != line]
        self._known[name] = [*earlier, line][-MOST:]

    def save(self) -> None:
        """Writes the file, whole or not at all."""
        if self._path is None:
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(self._known, file, ensure_ascii=False, indent=1)
                Path(draft).replace(self._path)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, RecursionError):
        if path.stat().st_size <= MAX_BYTES:
            found = json.loads(path.read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else {}
    return {}
