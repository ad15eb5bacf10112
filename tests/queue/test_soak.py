"""Real kills at random times under mixed load; then everything adds up, to the task."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 1_200 if os.environ.get("SOAK") == "long" else 8


@pytest.mark.soak
def test_everything_adds_up_after_kills_at_random():
    done = subprocess.run(
        [sys.executable, "-m", "tests.queue.soak", str(SECONDS), "7"],
        capture_output=True, text=True, timeout=SECONDS + 400, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["drained"]
    assert found["integrity"] == "ok"
    assert found["enqueued"] > 20 * SECONDS / 4
    assert found["kills"] > SECONDS / 10
