"""What is asked above the screens: which market, which command, whether something is meant; and what can be pressed."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from console import keys
from console.local_worker import stop
from console.readings.model import WorkerState
from console.readings.verdict import ALIVE, COLLECT
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ConfirmScreen, MarketPicker, Other
from console.screens.help import HelpScreen
from console.text import ago

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from console.app import TopicConsole
    from console.readings.model import Worker


class Asking:
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
        now, running = self._console.clock(), snapshot.running if snapshot else ()
        collected = {
            task.subject: ago(task.since, now) for task in running if task.name == COLLECT and task.subject
        }
        self._console.push_screen(MarketPicker(ordered, collected), self._collect)

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
            ConfirmScreen(
                question,
                place=console.place,
                count=1,
                sample=[],
                other=self._hold(here[0]),
                after="w starts one again",
            ),
            lambda meant: console.mark(lambda _: stop(pid), lambda _: self._stopping(pid)) if meant else None,
        )

    def _hold(self, worker: Worker) -> Other:
        """Another answer than to stop it: to let it stay, and take nothing; or take tasks again."""
        holds = worker.state is WorkerState.HOLDING
        wish, label = (
            ("resume", "let it take tasks again")
            if holds
            else ("hold", "hold: it stays, and takes nothing new")
        )
        act = self._console.act
        return Other("h", label, lambda: act(lambda actions: actions.ask_workers(wish, [worker.id])))

    def _started(self, pid: int) -> None:
        self._console.notify(
            f"Worker started (pid {pid}). It goes on when the console is left; w stops it.", markup=False
        )

    def _stopping(self, pid: int) -> None:
        self._console.notify(f"The worker (pid {pid}) was asked to stop.", markup=False)

    async def command(self) -> None:
        """Asks for a command, and carries it out.

        Returns once the prompt has the keys: what is typed on, or comes in one burst over a slow line, must not
        act on the screen beneath.
        """
        from console.command_line import CommandLine  # noqa: PLC0415 - the first paint need not wait for it
        from console.screens.prompt import PromptScreen  # noqa: PLC0415

        self._console.drop_told()
        line = CommandLine(self._console)
        prompt = PromptScreen(line, ascii_only=self._console.ascii_only)

        async def answered(text: str | None) -> None:
            if text is not None:
                await line.carry_out(text)

        def know(markets: tuple[str, ...]) -> None:
            line.know(markets)
            prompt.changed()

        await self._console.push_screen(prompt, answered)
        self._console.mark(lambda actions: actions.markets(), know)

    def help(self) -> None:
        """Shows the keys of this screen."""
        console, screen = self._console, self._console.screen_stack[0]
        own: list[keys.Scope] = []
        if isinstance(screen, ConsoleScreen):
            own = [screen.scope, *((keys.Scope.LIST, keys.Scope.MOVE) if screen.has_list else ())]
        console.push_screen(
            HelpScreen(
                [*own, keys.Scope.EVERYWHERE],
                read_only=console.read_only,
                ascii_only=console.ascii_only,
                own_keys=console.own_keys,
            )
        )

    def confirm(
        self,
        question: str,
        *,
        count: int,
        sample: Sequence[str],
        agreed: Callable[[], None],
        other: Other | None = None,
    ) -> None:
        """Asks before many things are changed; one can be undone, and none is nothing to ask about."""
        if count == 0:
            self._console.notify("There is nothing to do.", markup=False)
        elif count == 1:
            agreed()
        else:
            dialog = ConfirmScreen(
                question, place=self._console.place, count=count, sample=sample, other=other
            )
            self._console.push_screen(dialog, lambda meant: agreed() if meant else None)
