"""The pictures of the README, taken from the running program: a real worker, the demo market, real failures.

python -m tests.pictures [FOLDER]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
SIZE = (120, 36)
PATIENCE_S = 120.0
SCREENS = {"overview": "1", "failures": "3", "topics": "7"}
# A market whose only source answers nobody: port 9 of this machine.
BROKEN = """domain: Energie
market: Germany
language: de
vertical: Energie
seed_keywords: [Wärmepumpe]
rss_feeds: ["http://127.0.0.1:9/feed.xml"]
"""


def main() -> None:
    """Takes them all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / ".pictures")
    folder = parser.parse_args().folder
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        # The home is shown: it must look like anybody's.
        os.environ |= {
            "HOME": name,
            "TOPIC_HOME": f"{name}/topics",
            "XDG_STATE_HOME": f"{name}/state",
            "TEXTUAL_ANIMATIONS": "none",
        }
        os.environ |= {
            "TOPIC_CONFIG": f"{name}/config",
            "TOPIC_RETRY__ATTEMPTS": "0",
            "COLORTERM": "truecolor",
        }
        shutil.copytree(ROOT / "config", Path(name, "config"))
        for market in ("energie_de", "waerme_at"):
            Path(name, "config", "markets", f"{market}.yaml").write_text(BROKEN)
        worker = subprocess.Popen([sys.executable, "-m", "worker.cli"], cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            asyncio.run(_all(Path(name), folder))
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait()


async def _all(place: Path, folder: Path) -> None:
    from console import keys
    from console.actions import Actions
    from console.app import TopicConsole
    from worker.places import Home

    home = Home(place / "topics")
    actions = Actions(home, place / "config")
    for market in ("energie_de", "demo", "energie_de", "waerme_at", "demo"):
        actions.collect(market)
    actions.enqueue("worker.tasks.collect_everything", ["demo"])
    app = TopicConsole(home=home, config=place / "config")
    async with app.run_test(size=SIZE) as pilot:
        await _until(lambda: app.snapshot and app.snapshot.depth.dead_letters == 4 and _idle(app))
        actions.collect("demo", delay=900)
        actions.close()
        for name, key in SCREENS.items():
            if name not in {action.screen for action in keys.to_screens()}:
                continue
            await pilot.press(key)
            if name == "overview":
                # A collection in full swing, as an operator would see it.
                await pilot.press("c", "enter")
                await _until(lambda: app.snapshot.running and app.snapshot.running[0].done)
            await asyncio.sleep(1.5)
            await pilot.pause()
            (folder / f"{name}.svg").write_text(app.export_screenshot(title="topic-console"))


def _idle(app: object) -> bool:
    depth = app.snapshot.depth  # type: ignore[attr-defined]  # the console
    return not depth.pending and not depth.running


async def _until(fact: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not fact():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    main()
