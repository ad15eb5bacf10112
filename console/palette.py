"""What can be done on a screen, by its name: for the palette (`ctrl+p`) and for the prompt (`:`)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider

from console import keys
from console.screens.base import ConsoleScreen
from console.screens.dialog import Question
from console.themes import THEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.screen import Screen

    from console.app import TopicConsole


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be done here.

    Attributes:
        name: as it is typed after `:`; a screen by its own name.
        title: one or two words.
        key: does the same.
        about: one sentence.
        run: does it.
    """

    name: str
    title: str
    key: str
    about: str
    run: Callable[[], object]


def offers(console: TopicConsole, screen: Screen[object]) -> Iterator[Offer]:
    """What the action table allows on a screen, the screen's own actions first."""
    if not isinstance(screen, ConsoleScreen):
        return
    own = (screen.scope, keys.Scope.LIST) if screen.has_list else (screen.scope,)
    for action in keys.nearest(*own, keys.Scope.EVERYWHERE):
        target = console if action.scope is keys.Scope.EVERYWHERE else screen
        possible = action.palette and hasattr(target, f"action_{action.method}")
        if possible and target.check_action(action.method, ()):
            yield Offer(
                action.screen or action.id.replace("_", "-"),
                action.title,
                keys.shown_key(keys.keys_of(action, console.own_keys)[0]),
                action.help,
                partial(_run, target, action.call),
            )
    for theme in THEMES:
        yield Offer(
            f"theme {theme.name}", f"Theme: {theme.name}", "", f"Colours: {theme.name}.",
            partial(setattr, console, "theme", theme.name),
        )  # fmt: skip


class ActionProvider(Provider):
    """The palette's part."""

    async def discover(self) -> Hits:
        """Everything, before anything is typed."""
        for offer in self._offers():
            yield DiscoveryHit(_titled(offer), offer.run, help=offer.about)

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for offer in self._offers():
            if (score := matcher.match(_titled(offer))) > 0:
                yield Hit(score, matcher.highlight(_titled(offer)), offer.run, help=offer.about)

    def _offers(self) -> Iterator[Offer]:
        return offers(cast("TopicConsole", self.app), self.screen)


class Palette(CommandPalette, Question[None]):
    """Textual's, which is answered once."""

    def _action_command_list(self, action: str) -> None:
        # Textual pages through what is not laid out yet with a KeyError.
        with contextlib.suppress(KeyError):
            super()._action_command_list(action)


def _titled(offer: Offer) -> str:
    return f"{offer.title}  ({offer.key})" if offer.key else offer.title


async def _run(target: ConsoleScreen | TopicConsole, action: str) -> None:
    await target.run_action(action)
