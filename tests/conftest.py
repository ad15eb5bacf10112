from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A fresh data folder with a short path."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder
