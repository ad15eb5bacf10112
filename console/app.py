"""The Textual app: wiring between the threads, the screens and the keys."""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual._styles_cache import StylesCache

from console import keys
from console.actions import Actions
from console.alerts import Watch, sequences
from console.asking import Asking
from console.local_worker import LocalWorker
from console.memory import Memory
from console.readings.model import Installation
from console.screens import opened
from console.screens.base import ConsoleScreen
from console.themes import THEMES, chosen, no_colour
from console.threaded_app import ThreadedApp, utc_now
from console.visit import Visit
from console.widgets.frame import is_stale, short_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from textual.binding import Binding
    from textual.command import Provider
    from textual.widgets import Input

    from console.exporting import Exporting
    from console.leaving import Leaving
    from console.messages import SnapshotTaken
    from console.readings import Readings
    from worker.places import Home

THEME, UTC_SHOWN = "theme", "utc"
# How often it is seen to that a worker of ours has ended, and that the looks have not stopped.
TICK_S = 2.0
# What Textual leaves behind goes in rings; by itself Python looks for them when there are 20 MB of them.
TIDY_S = 30.0


def _readings(home: Home, clock: Callable[[], datetime]) -> Readings:
    from console.readings import Readings  # noqa: PLC0415 - on the reader's thread, after the first paint

    return Readings(home, now=clock)


def _actions_by_name() -> type[Provider]:
    from console.palette import ActionProvider  # noqa: PLC0415 - the first paint needs no palette

    return ActionProvider


class TopicConsole(ThreadedApp):
    """The console.

    Args:
        home: the data folder.
        config: the configuration folder.
        read_only: nothing can be changed.
        with_worker: also run a worker, which stops with the console.
        ascii_only: draw with plain characters.
        theme: by name; None for what is remembered.
        memory: what is remembered of the user; None remembers nothing.
        own_keys: the user's keys, by the name of the action.
        clock: the time, aware.
        leaving: ends the console when it is told to; None where signals are no matter of this app.
        live: whether the threads run; a test may hand in snapshots itself.
    """

    TITLE = "topic-console"
    CSS_PATH = "console.tcss"
    COMMANDS: ClassVar[set[Any]] = {_actions_by_name}
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
        memory: Memory | None = None,
        own_keys: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] = utc_now,
        leaving: Leaving | None = None,
        live: bool = True,
    ) -> None:
        # Textual decides here, before any theme is set, whether NO_COLOR means greys or no colour at all.
        super().__init__(
            lambda: _readings(home, clock),
            Actions(home, config, read_only=read_only),
            ansi_color=True if no_colour() else None,
        )
        self.home, self.read_only, self.ascii_only, self.clock = home, read_only, ascii_only, clock
        self.memory, self.own_keys = memory or Memory(), dict(own_keys or {})
        self.utc = self.memory.flag(UTC_SHOWN)
        self.installation, self._watch = Installation(), Watch()
        self.local_worker = LocalWorker(home, config)
        self.local_worker.expected = with_worker
        self._with_worker, self._live, self._leaving = with_worker, live, leaving
        # Before anything is drawn: to change it later draws everything twice.
        for one in THEMES:
            self.register_theme(one)
        self.set_reactive(TopicConsole.theme, chosen(theme or self.memory.text(THEME)))
        self.asking = Asking(self)
        self.visit = Visit(self.memory, home.root, clock)

    def on_mount(self) -> None:
        """Signals, threads."""
        self.theme_changed_signal.subscribe(self, lambda theme: self.remember(THEME, theme.name))
        self.set_keymap(self.own_keys)
        if self.ascii_only:
            self.add_class("-ascii")
        self.call_after_refresh(gc.enable)
        # After `fg` the terminal is empty, and Textual draws only what changes.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        if self._leaving is not None:
            last = self.local_worker.ask_started_to_stop if self._with_worker else None
            self._leaving.watch(asyncio.get_running_loop(), self.exit, last)
        # Once something can be seen: what the threads load would hold it up.
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        self.mark(lambda actions: actions.installation(), self._know_installation)
        if self._live:
            self._poller.start()
            self.set_interval(TICK_S, self._tick)
            self.set_interval(TIDY_S, self._tidy)
        self._actor.start()
        if self._with_worker:
            self._actor.do(lambda _: self.local_worker.start(), lambda _: None)
            self.notify("Starting a worker, which ends with the console…", markup=False)

    def _know_installation(self, found: Installation) -> None:
        self.installation, self._watch = found, Watch(found.oldest_age)
        self.redraw()

    def on_snapshot_taken(self, message: SnapshotTaken) -> None:
        """What is new and bad may be told aloud; Textual also calls the handler that draws it."""
        news = self._watch.news(message.snapshot) if self.installation.alerts != "off" else ()
        if not news:
            return
        self.bell()
        if self.installation.alerts == "notify" and self._driver is not None:
            self._driver.write(sequences(news, self.place))

    def on_unmount(self) -> None:
        """What is remembered is written."""
        self.visit.end()
        self.memory.save()

    def _tick(self) -> None:
        self.local_worker.reap()
        # Looks draw what changes; without one, the ages must go on and the look is called old.
        if self.snapshot is None or is_stale(self.snapshot, self.clock()):
            self.redraw()

    def _tidy(self) -> None:
        # A cache of Textual's, of two colours each, holds all that its last 1024 askers have drawn, long after their end.
        StylesCache.get_inner_outer.cache_clear()
        # A whole look costs 60 ms, and where nothing has happened there is nothing to find.
        if any(gc.get_count()[1:]):
            gc.collect()

    def redraw(self) -> None:
        """Has the screen show what is known now."""
        screen = self.screen_stack[0] if self.screen_stack else None
        if isinstance(screen, ConsoleScreen) and screen.is_mounted:
            screen.draw(self.snapshot, self.clock())

    # -- asking --------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        """Which data this is, for whoever is about to change it."""
        return (
            f"{short_path(self.home.root)}{f', {self.installation.name}' if self.installation.name else ''}"
        )

    def permits(self, action: str, scope: keys.Scope = keys.Scope.EVERYWHERE) -> bool | None:
        """Whether a key does something; None where the console is read-only and it would change something."""
        return None if self.read_only and keys.changes(action, scope) else True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A read-only console dims what would change something."""
        return self.permits(action) and super().check_action(action, parameters)

    async def run_action(self, action: Any, default_namespace: Any = None, namespaces: Any = None) -> bool:
        """As Textual's; says why a read-only console does not do it, where Textual says nothing."""
        target, name, _ = self._parse_action(action, default_namespace or self, namespaces)
        scope = keys.Scope.EVERYWHERE if target is self else getattr(target, "scope", None)
        if scope is not None and self.permits(name, scope) is None:
            self.refuse("This console is read-only: it changes nothing.")
            return True
        return await super().run_action(action, default_namespace, namespaces)

    # -- what is remembered ---------------------------------------------------------------------

    def remember(self, name: str, value: str | bool) -> None:
        """Keeps something for the next time."""
        self.memory.keep(name, value)

    def get_key_display(self, binding: Binding) -> str:
        """A key as people write it, also a user's own."""
        return keys.shown_key(binding.key)

    def on_input_changed(self, event: Input.Changed) -> None:
        """A filter is remembered for this home and screen."""
        if event.input.id == "filter":
            self.remember(self.filter_name, event.value)

    @property
    def filter_name(self) -> str:
        """What the filter of this screen is remembered by."""
        return f"filter {self.home.root} {self.current_mode}"

    # -- keys -----------------------------------------------------------------------------------

    async def action_go(self, screen: str) -> None:
        """To a screen."""
        await self.switch_mode(screen)

    async def go_to(self, name: str, words: str) -> None:
        """To a screen with a list, of which only what the words say is shown."""
        if not any(action.screen == name for action in keys.to_screens()):
            self.refuse(f"There is no screen {name} yet.")
            return
        from console.command_line import show_only  # noqa: PLC0415 - for this and the `:` prompt only
        from console.screens.listing import ListScreen  # noqa: PLC0415 - the Overview needs no list

        await self.switch_mode(name)
        screen = self.screen_stack[0]
        if isinstance(screen, ListScreen):
            show_only(screen, words)

    def action_command_palette(self) -> None:
        """Opens the palette, unless it is open."""
        from console.palette import Palette  # noqa: PLC0415 - the first paint needs no palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_collect(self) -> None:
        """Asks which market, and collects it."""
        self.asking.collect()

    def action_worker(self) -> None:
        """Starts a worker here, or stops the one that runs here."""
        self.asking.worker()

    def action_undo(self) -> None:
        """Takes the latest act back."""
        self.act(lambda actions: actions.undo())

    def action_toggle_utc(self) -> None:
        """UTC or local time."""
        self.utc = not self.utc
        self.remember(UTC_SHOWN, self.utc)
        self.redraw()

    async def action_prompt(self) -> None:
        """Asks for a command."""
        await self.asking.command()

    def action_copy(self) -> None:
        """Copies what the cursor stands on."""
        self._exporting().copy()

    def action_export(self) -> None:
        """Asks for a file, and writes what is shown."""
        self._exporting().ask()

    def _exporting(self) -> Exporting:
        from console.exporting import Exporting  # noqa: PLC0415 - the first paint need not wait for it

        return Exporting(self)

    def action_help(self) -> None:
        """The keys of this screen."""
        self.asking.help()

    def action_copy_or_quit(self) -> None:
        """Copies what is selected, else leaves."""
        if self.screen.get_selected_text():
            self.screen.action_copy_text()
        else:
            self.exit(0)

    async def action_quit(self) -> None:
        """Leaves."""
        self.exit(0)
