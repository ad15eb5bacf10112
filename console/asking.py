"""What is asked above the screens: which market, which command, whether something is meant; and what can be pressed."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from console import keys
from console.local_worker import stop
from console.readings.model import WorkerState
from console.readings.verdict import ALIVE, COLLECT
from console.rows.workers import in_few_words
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ConfirmScreen, MarketPicker, Other
from console.screens.help import HelpScreen
from console.screens.workers import WorkerPicker
from console.text import ago, clean

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
        collections = (run.subject for run in runs if run.name == COLLECT)
        last = self._last_market or next((market for market in collections if market in markets), None)
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
        """Starts a worker here, or asks what shall become of the one that runs here; of several, of which."""
        console, snapshot = self._console, self._console.snapshot
        workers = [one for one in snapshot.workers if one.state in ALIVE] if snapshot else []
        if not workers:
            self._start_one()
        elif len(workers) == 1 and self._is_here(workers[0]):
            self._about(workers[0])
        else:
            lines = [in_few_words(one, console.clock()) for one in workers]
            picker = WorkerPicker(
                lines, can_start=not any(self._is_here(one) for one in workers), place=console.place,
                ascii_only=console.ascii_only,
            )  # fmt: skip
            console.push_screen(picker, lambda at: self._picked(workers, at))

    def _picked(self, workers: Sequence[Worker], at: int | None) -> None:
        if at == len(workers):
            self._start_one()
        elif at is not None:
            self._about(workers[at])

    def _start_one(self) -> None:
        self._console.mark(lambda _: self._console.local_worker.start(), self._started)

    @staticmethod
    def _is_here(worker: Worker) -> bool:
        return worker.host == platform.node()

    def _about(self, worker: Worker) -> None:
        """Asks whether a worker shall end; one of this machine is told by signal, another one by its next heartbeat."""
        console, pid, here = self._console, worker.pid, self._is_here(worker)
        who = f"(pid {pid})" if here else f"{worker.id} on {clean(worker.host, 40)}"
        dialog = ConfirmScreen(
            f"Stop the worker {who}? It finishes what it does; what waits stays.", place=console.place, count=1,
            sample=[in_few_words(worker, console.clock())], other=self._hold(worker),
            after="w starts one again" if here else "",
        )  # fmt: skip

        def answered(meant: bool | None) -> None:
            if meant and here:
                console.mark(lambda _: stop(pid), lambda _: self._stopping(pid))
            elif meant:
                console.act(lambda actions: actions.ask_workers("drain", [worker.id]))

        console.push_screen(dialog, answered)

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
