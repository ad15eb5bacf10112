from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: two to a core, since most tests wait, for other processes or until the screen is still."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A fresh data folder with a short path."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder
