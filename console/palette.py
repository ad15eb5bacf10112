"""The palette (`ctrl+p`, `:`): every action of the table by its name, and the themes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from console import keys
from console.screens.base import ConsoleScreen
from console.themes import THEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from console.app import TopicConsole


class ActionProvider(Provider):
    """What the palette offers: what is possible on the screen beneath it."""

    async def discover(self) -> Hits:
        """Everything, before anything is typed."""
        for title, about, run in self._offers():
            yield DiscoveryHit(title, run, help=about)

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for title, about, run in self._offers():
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), run, help=about)

    def _offers(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        screen = self.screen
        if not isinstance(screen, ConsoleScreen):
            return
        app = cast("TopicConsole", self.app)
        for scope in (screen.scope, keys.Scope.LIST, keys.Scope.EVERYWHERE):
            for action in keys.of(scope):
                if not action.palette or not app.permits(action.id):
                    continue
                target = app if scope is keys.Scope.EVERYWHERE else screen
                if hasattr(target, f"action_{action.method}"):
                    yield (
                        f"{action.title}  ({keys.shown_key(action.keys[0])})",
                        action.help,
                        partial(_run, target, action.call),
                    )
        for theme in THEMES:
            yield (
                f"Theme: {theme.name}",
                f"Colours: {theme.name}.",
                partial(setattr, app, "theme", theme.name),
            )


async def _run(target: ConsoleScreen | TopicConsole, action: str) -> None:
    await target.run_action(action)
