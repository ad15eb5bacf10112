"""No task is lost wherever the process dies: at each line of Huey's and our code, before each SQL statement."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.queue.lab import SCENARIOS

ROOT = Path(__file__).parents[2]
# Every point takes twenty minutes on two cores; the short form takes every so-manieth.
STEPS = (
    {"lines": 1, "statements": 1} if os.environ.get("SOAK") == "long" else {"lines": 120, "statements": 30}
)


@pytest.mark.soak
@pytest.mark.parametrize("how", STEPS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_task_is_lost_wherever_the_process_dies(scenario, how):
    done = subprocess.run(
        [sys.executable, "-m", "tests.queue.crash_sweep", scenario, how, str(STEPS[how])],
        capture_output=True, text=True, timeout=3_000, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # A point that depends on the time may not be reached a second time.
    assert found["points"] >= {"lines": 700, "statements": 30}[how] // STEPS[how]
    assert found["died"] >= found["points"] - 1 - found["points"] // 20
    assert found["lost"] == []
    assert found["wrong"] == []


def test_the_sweep_sees_a_loss(tmp_path):
    """An acknowledgement before the body, as in stock Huey, is found out."""
    code = """
import sys
from tests.queue import crash_sweep
from worker.queue.huey import DurableHuey
execute = DurableHuey.execute
def execute_acknowledged(self, task, timestamp=None):
    self.storage.sql("DELETE FROM claim", commit=True)
    return execute(self, task, timestamp)
DurableHuey.execute = execute_acknowledged
found = crash_sweep.sweep("pipeline", "lines", 40)
sys.exit(0 if found["lost"] else 1)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=300, check=False).returncode == 0
