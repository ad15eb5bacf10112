"""The prompt that `:` opens in the last line, with what may be typed above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from console.command_line import UnknownCommand
from console.rows.base import Cell, Tone
from console.screens.dialog import Question
from console.text import cell
from console.widgets.lines import as_content

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from console.command_line import Command, CommandLine
    from console.widgets.lines import Line

SHOWN = 8
NAME_WIDTH = 24


class PromptScreen(Question[str | None]):
    """Asks for a command; answers what was typed, or None.

    Args:
        line: knows the commands and what was typed before.
        ascii_only: draw with plain characters.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "close", "Close", show=False),
        Binding("tab", "complete(1)", "Complete", show=False, priority=True),
        Binding("shift+tab", "complete(-1)", "Complete back", show=False, priority=True),
        Binding("up,ctrl+p", "earlier(1)", "Earlier", show=False, priority=True),
        Binding("down,ctrl+n", "earlier(-1)", "Later", show=False, priority=True),
    ]

    def __init__(self, line: CommandLine, *, ascii_only: bool) -> None:
        super().__init__()
        self._line, self._ascii = line, ascii_only
        self._typed, self._fault = "", ""
        self._chosen = -1
        self._back = 0

    def compose(self) -> ComposeResult:
        """Completions above, the prompt below."""
        with Vertical(id="prompt"):
            self._list = Static(id="completions", markup=False)
            yield self._list
            with Horizontal(id="prompt-line"):
                yield Static(":", id="prompt-sign", markup=False)
                self._input = Input(id="prompt-input", compact=True)
                self._input.cursor_blink = False
                yield self._input

    def on_mount(self) -> None:
        """Everything can be typed yet."""
        self.set_focus(self._input)
        self._show()

    def changed(self) -> None:
        """More can be typed than before."""
        if self.is_mounted and self._chosen < 0:
            self._show()

    def _matching(self) -> list[Command]:
        return self._line.matching(self._typed)

    def _show(self) -> None:
        found = self._matching()
        first = max(0, min(self._chosen - SHOWN + 2, len(found) - SHOWN))
        lines: list[Line] = [
            self._row(one, chosen=at == self._chosen)
            for at, one in enumerate(found[first : first + SHOWN], start=first)
        ]
        if len(found) > first + SHOWN:
            lines.append((Cell(f"  and {len(found) - first - SHOWN} more", Tone.QUIET),))
        if self._fault:
            lines = [(Cell(f" {self._fault}", Tone.BAD),)]
        self._list.update(
            as_content(lines, ascii_only=self._ascii) if lines else Content(" nothing here begins so")
        )

    def _row(self, command: Command, *, chosen: bool) -> Line:
        sign = "› " if chosen else "  "
        return (
            Cell(sign + cell(command.shown, NAME_WIDTH), Tone.ACCENT if chosen else Tone.PLAIN),
            Cell(f" {cell(command.about, max(self.size.width - NAME_WIDTH - 6, 1)).rstrip()}", Tone.QUIET),
        )

    def on_input_changed(self, event: Input.Changed) -> None:
        """What is typed chooses what may follow; a completion that was put in does not."""
        if event.value != self._put:
            self._typed, self._chosen, self._fault = event.value, -1, ""
            self._put = None
            self._show()

    _put: str | None = None

    def _put_in(self, text: str) -> None:
        self._put = text
        self._input.value = text
        self._input.cursor_position = len(text)

    def action_complete(self, step: int) -> None:
        """Puts the next of the completions in."""
        found = self._matching()
        if found:
            self._chosen = (
                (self._chosen + step) % len(found) if self._chosen >= 0 or step > 0 else len(found) - 1
            )
            chosen = found[self._chosen]
            self._put_in(chosen.name + (" " if chosen.words else ""))
            self._show()

    def action_earlier(self, step: int) -> None:
        """Puts in what was typed before."""
        history = self._line.history
        self._back = max(0, min(self._back + step, len(history)))
        self._put_in(history[-self._back] if self._back else self._typed)

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Gives the answer, unless it is no command."""
        text = event.value.strip()
        if text:
            try:
                self._line.find(text)
            except UnknownCommand as error:
                self._fault = str(error)
                self._show()
                return
        self.dismiss(text or None)

    def action_close(self) -> None:
        """Nothing is done."""
        self.dismiss(None)
