"""The keys of a screen, from the action table."""

from __future__ import annotations

import itertools
import textwrap
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.widgets import Static

from console import keys
from console.rows.base import Cell, Tone
from console.screens.dialog import Question
from console.widgets.lines import as_content
from console.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from console.widgets.lines import Line

# The dialog's width and the cells that its frame, a gap and the scrollbar take, as the style sheet has them.
WIDTH, FRAME = 90, 9
# Where what a key does begins.
INDENT = 14


class HelpScreen(Question[None]):
    """What can be pressed here.

    Args:
        scopes: whose actions, the nearest first.
        read_only: whether nothing can be changed.
        ascii_only: draw with plain characters.
        own_keys: the user's, by the name of the action.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,escape,q", "close", "Close", show=False),
    ]

    def __init__(
        self,
        scopes: Sequence[keys.Scope],
        *,
        read_only: bool,
        ascii_only: bool,
        own_keys: Mapping[str, str],
    ) -> None:
        super().__init__()
        self._own_keys = own_keys
        self._scopes, self._read_only, self._ascii = scopes, read_only, ascii_only

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with Pane(id="dialog"):
            yield Static(as_content(self._lines(), ascii_only=self._ascii), markup=False)

    @property
    def _room(self) -> int:
        """Cells for what a key does, so that its second line begins below the first."""
        return min(WIDTH, self.app.size.width * 9 // 10) - FRAME - INDENT

    def _lines(self) -> list[Line]:
        lines: list[Line] = []
        if self._read_only:
            lines += [
                (Cell("This console is read-only: keys that change something do nothing.", Tone.WARN),),
                (),
            ]
        for scope, actions in itertools.groupby(keys.nearest(*self._scopes), lambda action: action.scope):
            lines.append((Cell(str(scope), Tone.ACCENT),))
            for action in actions:
                pressed = keys.shown_keys(keys.keys_of(action, self._own_keys))
                dimmed = self._read_only and action.changes
                tone = Tone.QUIET if dimmed else Tone.PLAIN
                first, *more = textwrap.wrap(action.help, self._room)
                lines.append((Cell(f"{pressed:<{INDENT}}", tone), Cell(first, tone)))
                lines += [(Cell(" " * INDENT + rest, tone),) for rest in more]
            lines.append(())
        lines.append(
            (Cell("? or esc closes this; keys.yaml in your configuration folder changes keys", Tone.QUIET),)
        )
        return lines

    def action_close(self) -> None:
        """Back to the screen."""
        self.dismiss()
