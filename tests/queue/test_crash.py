from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SWEEP = Path(__file__).with_name("crash_sweep.py")
STEP = 1 if os.environ.get("SOAK") == "long" else 3


@pytest.mark.soak
@pytest.mark.parametrize(
    "scenario", ["plain", "pipeline", "retry_and_death", "later", "chord", "unknown", "on_error"]
)
def test_no_task_is_lost_wherever_the_process_dies(scenario):
    done = subprocess.run(
        [sys.executable, str(SWEEP), scenario, str(STEP)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["points"] > 30 // STEP
    assert found["lost"] == []
    assert found["wrong"] == []
