"""A text that is longer than its room, moved by the keys that move a list."""

from __future__ import annotations

from textual.containers import VerticalScroll

from console import keys
from console.widgets.steps import Steps


class Pane(Steps, VerticalScroll):
    """The pane."""

    BINDINGS = [one for one in keys.bindings(keys.Scope.MOVE) if one.action != "open"]  # noqa: RUF012 - as Textual declares it

    # Where it begins is all that it has of a cursor.
    @property
    def _cursor(self) -> int:  # type: ignore[override]
        return self.scroll_offset.y

    def _move(self, index: int) -> None:
        self.scroll_to(y=index, animate=False)

    def action_first(self) -> None:
        """To its beginning."""
        self.scroll_home(animate=False)

    def action_last(self) -> None:
        """To its end."""
        self.scroll_end(animate=False)
