from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from console.app import TopicConsole
from tests.console import homes

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing depends on the machine: UTC, colours, no blinking, no animation."""
    for name in ("NO_COLOR", "TOPIC_HOME", "TOPIC_CONFIG", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    time.tzset()
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[homes.Builder]:
    """An empty home to be filled."""
    made = homes.Builder(tmp_path / "home")
    yield made
    made.close()


def console(builder: homes.Builder, **options) -> TopicConsole:
    """The console over a home, at the frozen moment."""
    return TopicConsole(home=builder.home, config=CONFIG, clock=lambda: homes.NOW, **options)
