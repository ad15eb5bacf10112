"""What `c` and `w` ask before something starts: which market, and whether the worker here shall stop."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from console.local_worker import stop
from console.readings.verdict import ALIVE, COLLECT
from console.screens.dialogs import ConfirmScreen, MarketPicker

if TYPE_CHECKING:
    from console.app import TopicConsole


class Starting:
    """The questions, and what follows from their answers.

    Args:
        console: asks and acts.
    """

    def __init__(self, console: TopicConsole) -> None:
        self._console = console
        self._last_market: str | None = None

    def collect(self) -> None:
        """Asks which market, and collects it."""
        self._console.mark(lambda actions: actions.markets(), self._pick)

    def _pick(self, markets: tuple[str, ...]) -> None:
        if not markets:
            self._console.refuse(
                "There is no market yet. Write a starter configuration with: topic-worker init"
            )
            return
        snapshot = self._console.snapshot
        runs = snapshot.last_runs if snapshot else ()
        last = self._last_market or next((run.subject for run in runs if run.name == COLLECT), None)
        ordered = sorted(markets, key=lambda name: name != last)
        self._console.push_screen(MarketPicker(ordered), self._collect)

    def _collect(self, market: str | None) -> None:
        if market is not None:
            self._last_market = market
            self._console.act(lambda actions: actions.collect(market))

    def worker(self) -> None:
        """Starts a worker here, or asks whether the one that runs here shall stop."""
        console, snapshot = self._console, self._console.snapshot
        workers = snapshot.workers if snapshot else ()
        here = [one for one in workers if one.state in ALIVE and one.host == platform.node()]
        if not here:
            console.mark(lambda _: console.local_worker.start(), self._started)
            return
        pid = here[0].pid
        question = f"Stop the worker (pid {pid})? It finishes what it does; what waits stays."
        console.push_screen(
            ConfirmScreen(question, place=console.place, count=1, sample=[]),
            lambda meant: console.mark(lambda _: stop(pid), lambda _: self._stopping(pid)) if meant else None,
        )

    def _started(self, pid: int) -> None:
        self._console.notify(
            f"Worker started (pid {pid}). It goes on when the console is left; w stops it.", markup=False
        )

    def _stopping(self, pid: int) -> None:
        self._console.notify(f"The worker (pid {pid}) was asked to stop.", markup=False)
