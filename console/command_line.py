"""What is typed after `:`: a screen (`:queue`, `:failures market:demo`), an action, `:filter`, `:collect`, `:q`."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from console import keys
from console.palette import offers
from console.screens.listing import ListScreen
from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from console.app import TopicConsole

HISTORY = "typed"


class UnknownCommand(Exception):  # noqa: N818 - it is an answer, told as such
    """What was typed is no command here; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be typed.

    Attributes:
        name: the whole of it, or its first word where words follow.
        about: one sentence.
        words: what may follow; empty where nothing does.
        run: given what follows.
    """

    name: str
    about: str
    words: str
    run: Callable[[str], object]

    @property
    def shown(self) -> str:
        """As the list of completions shows it."""
        return f"{self.name} {self.words}".rstrip()


class CommandLine:
    """The commands of the screen that is shown.

    Args:
        console: carries them out, and remembers what was typed.
        markets: names that `:collect` can be completed with.
    """

    def __init__(self, console: TopicConsole, markets: Sequence[str] = ()) -> None:
        self._console = console
        self.know(markets)

    def know(self, markets: Sequence[str]) -> None:
        """The markets there are."""
        self.commands = tuple(self._commands(markets))

    @property
    def history(self) -> tuple[str, ...]:
        """What was typed before, oldest first."""
        return self._console.memory.lines(HISTORY)

    def _commands(self, markets: Sequence[str]) -> list[Command]:
        console, screen = self._console, self._console.screen_stack[0]
        found = [Command("q", "Leave the console.", "", _ignoring(partial(console.exit, 0)))]
        if isinstance(screen, ListScreen) and screen.can_filter:
            found.append(
                Command(
                    "filter",
                    "Show only what matches; without words, everything.",
                    "WORDS",
                    partial(show_only, screen),
                )
            )
        found += [
            Command(action.screen, action.help, "[FILTER]", self._go(action.screen))
            for action in keys.to_screens()
        ]
        if console.permits("collect"):
            found += [
                Command(
                    f"collect {clean(name, 60)}",
                    "Collect this market now.",
                    "",
                    _ignoring(partial(self._collect, name)),
                )
                for name in markets
            ]
        taken = {command.name for command in found}
        found += [
            Command(offer.name, offer.about, "", _ignoring(offer.run))
            for offer in offers(console, screen)
            if offer.name not in taken
        ]
        return found

    def _collect(self, market: str) -> None:
        self._console.act(lambda actions: actions.collect(market))

    def _go(self, name: str) -> Callable[[str], Awaitable[None]]:
        async def go(words: str) -> None:
            await self._console.switch_mode(name)
            screen = self._console.screen_stack[0]
            if words and isinstance(screen, ListScreen) and screen.can_filter:
                show_only(screen, words)

        return go

    def matching(self, text: str) -> list[Command]:
        """The commands that what was typed may become, those that begin with it first."""
        typed = text.strip().lower()
        begun = [
            one for one in self.commands if one.name.startswith(typed) or typed.startswith(f"{one.name} ")
        ]
        inside = [one for one in self.commands if typed and typed in one.name and one not in begun]
        return begun + inside

    def find(self, text: str) -> tuple[Command, str]:
        """The command that was meant, and the words that follow it.

        Raises:
            UnknownCommand: there is none, or there are several.
        """
        typed = " ".join(text.split())
        for command in sorted(self.commands, key=lambda one: -len(one.name)):
            rest = typed[len(command.name) :]
            if typed.lower().startswith(command.name) and (not rest or rest.startswith(" ")):
                if rest and not command.words:
                    raise UnknownCommand(f"{command.name} takes no words, found {clean(rest.strip(), 40)}")
                return command, rest.strip()
        begun = [one for one in self.commands if typed and one.name.startswith(typed.lower())]
        if len(begun) == 1:
            return begun[0], ""
        if begun:
            raise UnknownCommand("perhaps " + ", ".join(one.name for one in begun[:4]) + "?")
        raise UnknownCommand(f"there is no {clean(typed, 40)} here; tab completes, ? shows the keys")

    async def carry_out(self, text: str) -> None:
        """Does what was typed, and remembers it.

        Raises:
            UnknownCommand: it is none.
        """
        command, words = self.find(text)
        self._console.memory.add(HISTORY, text.strip())
        result = command.run(words)
        if inspect.isawaitable(result):
            await result


def show_only(screen: ListScreen, words: str) -> None:
    """Puts a filter where the operator would have typed it."""
    screen.prompt.value = words
    screen.prompt.display = bool(words)
    screen.table.focus()


def _ignoring(run: Callable[[], object]) -> Callable[[str], object]:
    return lambda _words: run()
