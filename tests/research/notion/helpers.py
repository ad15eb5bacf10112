"""What the tests of the Notion sink share beside their fixtures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def counts(created=0, updated=0, unchanged=0, trashed=0):
    return {
        "topics_synced": created + updated + unchanged, "notion_pages_created": created,
        "notion_pages_updated": updated, "unchanged": unchanged, "doubles_trashed": trashed, "doubles_left": [],
    }  # fmt: skip


def run_and_kill(notion, path, at, moment, count=3):
    """A sync in its own process, killed at one request; None: it runs to its end."""
    command = [
        sys.executable,
        "-m",
        "tests.research.notion_runner",
        str(path),
        notion.url,
        notion.main,
        str(count),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill(number, when):
        if at is not None and (number - start, when) == (at, moment):
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    start, notion.hook = len(notion.log), kill
    out, err = process.communicate(timeout=60)
    notion.hook = None
    return process.returncode, out + err
