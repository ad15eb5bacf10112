"""Where a filter is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.widgets import Input

if TYPE_CHECKING:
    from textual.binding import BindingType


class FilterInput(Input):
    """The prompt of `/`. While it has the keys, the last line tells the two that lead out of it.

    Args:
        hint: what can be typed here, while nothing is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Keep it"),
        Binding("escape", "screen.back", "Drop it", key_display="esc"),
    ]

    def __init__(self, hint: str) -> None:
        super().__init__(placeholder=hint, id="filter", compact=True)
        self.cursor_blink = False
