from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A fresh data folder with a short path."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder
