"""The Textual app: wiring between the threads, the screens and the keys."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.app import App

from console import keys
from console.actions import Actions, Done
from console.faults import log_to
from console.local_worker import LocalWorker
from console.messages import ActionDone, ActionRefused, Answered, Faulted, SnapshotTaken
from console.palette import ActionProvider
from console.poller import Actor, Poller
from console.readings import Readings
from console.readings.snapshot import MAX_AGE_S
from console.screens import opened
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ConfirmScreen
from console.screens.help import HelpScreen
from console.starting import Starting
from console.text import clean
from console.themes import THEMES, chosen, no_colour
from console.widgets.frame import short_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from textual.message import Message

    from console.readings.model import Snapshot
    from worker.places import Home

Answer = TypeVar("Answer")
TOAST_S, ERROR_TOAST_S = 5.0, 15.0


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class TopicConsole(App[int]):
    """The console.

    Args:
        home: the data folder.
        config: the configuration folder.
        read_only: nothing can be changed.
        with_worker: also run a worker, which stops with the console.
        ascii_only: draw with plain characters.
        theme: by name; None for what the terminal asks for.
        clock: the time, aware.
        live: whether the threads run; a test may hand in snapshots itself.
    """

    TITLE = "topic-console"
    CSS_PATH = "console.tcss"
    COMMANDS: ClassVar[set[Any]] = {ActionProvider}
    BINDINGS = keys.bindings(keys.Scope.EVERYWHERE)  # type: ignore[assignment]  # a list of one kind of binding
    MODES: ClassVar[dict[str, Any]] = {
        action.screen: partial(opened, action.screen) for action in keys.to_screens()
    }
    DEFAULT_MODE = "overview"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(
        self,
        *,
        home: Home,
        config: Path,
        read_only: bool = False,
        with_worker: bool = False,
        ascii_only: bool = False,
        theme: str | None = None,
        clock: Callable[[], datetime] = utc_now,
        live: bool = True,
    ) -> None:
        # Textual decides here, before any theme is set, whether NO_COLOR means greys or no colour at all.
        super().__init__(ansi_color=True if no_colour() else None)
        self.home, self.read_only, self.ascii_only, self.clock = home, read_only, ascii_only, clock
        self.utc = False
        self.environment = ""
        self.snapshot: Snapshot | None = None
        self.local_worker = LocalWorker(home, config)
        self._with_worker, self._theme_name, self._live = with_worker, chosen(theme), live
        self.starting = Starting(self)
        self._poller = Poller(Readings(home, now=clock), self._post)
        self._actor = Actor(Actions(home, config, read_only=read_only), self._post)

    def _post(self, message: Message) -> object:
        # After the end nobody listens; the threads need not know.
        return self.post_message(message) if self.is_running else None

    def on_mount(self) -> None:
        """Themes, signals, threads."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._theme_name
        self.set_class(self.ascii_only, "-ascii")
        # After `fg` the terminal is empty, and Textual draws only what changes.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Without these the terminal stays in the alternate screen when ssh drops.
            loop.add_signal_handler(number, self.exit, 128 + number)
        self._actor.start()
        self.mark(lambda actions: actions.environment(), self._show_environment)
        if self._live:
            self._poller.start()
            self.set_interval(1.0, self._tick)
        if self._with_worker:
            self._actor.do(lambda _: self.local_worker.start(), lambda _: None)

    def _show_environment(self, name: str) -> None:
        self.environment = clean(name, 24)
        self.redraw()

    def on_unmount(self) -> None:
        """Nothing goes on behind the operator's back."""
        if self._poller.is_alive():
            self._poller.stop()
        self._actor.stop()

    def _tick(self) -> None:
        self.local_worker.reap()
        # A look a second draws anyway; without one, the ages must go on and the look is called old.
        if self.snapshot is None or (self.clock() - self.snapshot.at).total_seconds() > MAX_AGE_S * 1.5:
            self.redraw()

    def redraw(self) -> None:
        """Has the screen show what is known now."""
        screen = self.screen_stack[0] if self.screen_stack else None
        if isinstance(screen, ConsoleScreen) and screen.is_mounted:
            screen.draw(self.snapshot, self.clock())

    # -- asking and acting ----------------------------------------------------------------------

    def ask(
        self,
        slot: str,
        question: Callable[[Readings], Answer | Iterator[Answer]],
        tell: Callable[[Answer], None],
    ) -> None:
        """Asks the reader; a newer question of the slot makes an older answer void."""
        self._poller.ask(slot, question, tell)

    def forget(self, slot: str) -> None:
        """Makes the answer to what was asked last void."""
        self._poller.forget(slot)

    def act(self, act: Callable[[Actions], Done]) -> None:
        """Carries out an act; a toast tells what came of it."""
        self._actor.do(act, self._tell_done)

    def _tell_done(self, done: Done) -> None:
        self.post_message(ActionDone(done))

    def mark(self, act: Callable[[Actions], Answer], tell: Callable[[Answer], None]) -> None:
        """Has the actor find out something before an act."""
        self._actor.do(act, tell)

    def refuse(self, text: str) -> None:
        """Says why something is not done."""
        self.notify(clean(text, 600), severity="error", timeout=ERROR_TOAST_S, markup=False)

    def confirm(
        self, question: str, *, count: int, sample: Sequence[str], agreed: Callable[[], None]
    ) -> None:
        """Asks before many things are changed; one can be undone, and none is nothing to ask about."""
        if count == 0:
            self.notify("There is nothing to do.", markup=False)
        elif count == 1:
            agreed()
        else:
            place = self.place
            dialog = ConfirmScreen(question, place=place, count=count, sample=sample)
            self.push_screen(dialog, lambda meant: agreed() if meant else None)

    @property
    def place(self) -> str:
        """Which data this is, for whoever is about to change it."""
        return f"{short_path(self.home.root)}{f', {self.environment}' if self.environment else ''}"

    def permits(self, action: str) -> bool | None:
        """Whether a key does something; None where the console is read-only and it would change something."""
        return None if self.read_only and keys.changes(action) else True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A read-only console dims what would change something."""
        return self.permits(action) and super().check_action(action, parameters)

    # -- what the threads tell ------------------------------------------------------------------

    def on_snapshot_taken(self, message: SnapshotTaken) -> None:
        """New facts."""
        self.snapshot = message.snapshot
        self.redraw()

    def on_answered(self, message: Answered) -> None:
        """An answer goes to who asked, unless it is void."""
        if not message.slot or self._poller.is_current(message):
            message.tell(message.answer)

    def on_action_done(self, message: ActionDone) -> None:
        """Says what came of an act, and how to take it back."""
        done = message.done
        failed = bool(done.change.asked) and not done.change.done
        hint = "  u undoes it." if done.change.entry and done.change.action not in {"undo", "enqueue"} else ""
        self.notify(
            f"{done.text}{hint}",
            severity="warning" if failed else "information",
            timeout=TOAST_S,
            markup=False,
        )

    def on_action_refused(self, message: ActionRefused) -> None:
        """Says why not."""
        self.refuse(message.text)

    def on_faulted(self, message: Faulted) -> None:
        """Says in short what is logged whole."""
        self.refuse(f"Unexpected: {message.text}. The whole story is in logs/console.log.")

    # -- keys -----------------------------------------------------------------------------------

    def action_go(self, screen: str) -> None:
        """To a screen."""
        self.switch_mode(screen)

    def action_collect(self) -> None:
        """Asks which market, and collects it."""
        self.starting.collect()

    def action_worker(self) -> None:
        """Starts a worker here, or stops the one that runs here."""
        self.starting.worker()

    def action_undo(self) -> None:
        """Takes the latest act back."""
        self.act(lambda actions: actions.undo())

    def action_toggle_utc(self) -> None:
        """UTC or local time."""
        self.utc = not self.utc
        self.redraw()

    def action_help(self) -> None:
        """The keys of this screen."""
        screen = self.screen_stack[0]
        own = (
            [screen.scope, keys.Scope.LIST, keys.Scope.MOVE]
            if isinstance(screen, ConsoleScreen) and screen.has_list
            else []
        )
        self.push_screen(
            HelpScreen([*own, keys.Scope.EVERYWHERE], read_only=self.read_only, ascii_only=self.ascii_only)
        )

    def action_copy_or_quit(self) -> None:
        """Copies what is selected, else leaves."""
        if self.screen.get_selected_text():
            self.screen.action_copy_text()
        else:
            self.exit(0)

    async def action_quit(self) -> None:
        """Leaves."""
        self.exit(0)


def run_app(
    *, home: Home, config: Path, read_only: bool, with_worker: bool, ascii_only: bool, theme: str | None
) -> int:
    """Opens the console until it is left; returns the exit code."""
    log_to(home)
    app = TopicConsole(
        home=home, config=config, read_only=read_only, with_worker=with_worker, ascii_only=ascii_only, theme=theme
    )  # fmt: skip
    code = app.run() or app.return_code or 0
    if with_worker:
        _stop_worker(app.local_worker)
    return code


def _stop_worker(worker: LocalWorker) -> None:
    say = sys.stderr.write
    say("topic-console: waiting for the worker to finish what it does… ")
    sys.stderr.flush()
    worker.stop_started()
    say("done\n")
