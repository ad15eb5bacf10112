"""The last line: the keys that apply here.

Textual's Footer makes a widget for each key, anew whenever the focus or the screen changes, and keeps what it has
thrown away (`data_bind` remembers every widget that was ever bound): a console that is left open would grow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from console.widgets.looks import KEY, KEY_SAYS, look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.screen import Screen

# The line begins where all others do; between two keys is more room where the screen has it.
INDENT = 1
NARROW, WIDE = 1, 2
# How many at the end are never left out: help, which tells the others, and the way out.
KEPT = 2


class Shown(NamedTuple):
    """A key that is told.

    Attributes:
        key: Textual's name for it.
        display: how it is written.
        description: what it does, in a word.
        enabled: whether it does so now.
    """

    key: str
    display: str
    description: str
    enabled: bool

    @property
    def width(self) -> int:
        """In cells."""
        return cell_len(self.display) + 1 + cell_len(self.description)


class KeyLine(Widget):
    """The line. It is drawn from the bindings that apply, and a click on a key presses it."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__(id="keys")
        self.keys: tuple[Shown, ...] = ()
        self._clickable: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        """Follows what applies."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[None]) -> None:
        if not self.is_attached or screen is not self.screen or not self.app.app_focus:
            return
        shown: dict[str, Shown] = {}
        for _, binding, enabled, _ in screen.active_bindings.values():
            if binding.show and binding.action not in shown:
                display = self.app.get_key_display(binding)
                shown[binding.action] = Shown(binding.key, display, binding.description, enabled)
        found = tuple(shown.values())
        if found != self.keys:
            self.keys = found
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The keys one after the other; those there is no room for are left out."""
        del y
        key_style, description_style = look(self, KEY), look(self, KEY_SAYS)
        keys, between = _fitting(self.keys, self.size.width - INDENT)
        parts = [Segment(" " * INDENT, self.rich_style)]
        at, self._clickable = INDENT, []
        for one in keys:
            dim = Style(dim=not one.enabled)
            parts += [
                Segment(one.display, key_style + dim),
                Segment(f" {one.description}", description_style + dim),
                Segment(" " * between, self.rich_style),
            ]
            self._clickable.append((at, at + one.width, one.key))
            at += one.width + between
        return Strip(parts).adjust_cell_length(self.size.width, self.rich_style).simplify()

    def on_click(self, event: events.Click) -> None:
        """Presses the key that was clicked."""
        for start, end, key in self._clickable:
            if start <= event.x < end:
                self.app.simulate_key(key)


def _fitting(keys: Sequence[Shown], room: int) -> tuple[list[Shown], int]:
    """The keys for which there is room, and how far apart they stand."""
    fitting = list(keys)
    for between in (WIDE, NARROW):
        if _width(fitting, between) <= room:
            return fitting, between
    while len(fitting) > KEPT and _width(fitting, NARROW) > room:
        del fitting[-KEPT - 1]
    return fitting, NARROW


def _width(keys: Sequence[Shown], between: int) -> int:
    return sum(one.width + between for one in keys) - between
