"""Other arguments for a task: edited as JSON, shown as a difference, then sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static, TextArea

from console.rows.base import Cell, Tone
from console.rows.diff import diff_lines
from console.screens.dialog import Dialog
from console.text import clean
from console.widgets.lines import as_content
from worker.queue.arguments import parse
from worker.queue.errors import MessageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import BindingType
    from textual.widget import Widget

EDITING = (("ctrl+s shows what changes", "look"), ("esc changes nothing", "cancel"))
AGREEING = (("y sends it", "send"), ("e edits on", "edit"), ("esc changes nothing", "cancel"))


class EditScreen(Dialog["str | None"]):
    """Asks for arguments; answers their JSON text, or None.

    Args:
        question: what will be done with them.
        place: which home.
        args: as they are, in JSON.
        ascii_only: draw with plain characters.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,f2", "look", "Look", show=False, priority=True),
        Binding("escape", "cancel", "Cancel", show=False, priority=True),
        Binding("y", "send", "Send", show=False),
        Binding("e", "edit", "Edit", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, question: str, *, place: str, args: str | None, ascii_only: bool = False) -> None:
        super().__init__(question, place=place, ascii_only=ascii_only)
        try:
            self._before = json.dumps(json.loads(args or "{}"), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            self._before = args or ""

    def parts(self) -> Iterable[Widget]:
        """Editor, or difference."""
        self.editor = TextArea(self._before, id="editor", soft_wrap=True, tab_behavior="indent")
        self.editor.cursor_blink = False
        yield self.editor
        self.difference = Static(id="difference", markup=False)
        self.changes = VerticalScroll(self.difference, id="changes")
        yield self.changes

    def on_mount(self) -> None:
        """The editor has the keys."""
        self._show(looking=False)

    def _show(self, *, looking: bool) -> None:
        self.set_class(looking, "-looking")
        self.set_focus(None if looking else self.editor)
        self.offer(*(AGREEING if looking else EDITING))

    def _after(self) -> str:
        return json.dumps(parse(self.editor.text), indent=2, ensure_ascii=False)

    def action_look(self) -> None:
        """Checks what was typed, and shows what it changes."""
        try:
            lines = diff_lines(self._before, self._after())
        except MessageError as error:
            self._show(looking=False)
            self.object_to(clean(error, 200))
            return
        self.difference.update(
            as_content(
                lines or [(Cell("Nothing differs: it is sent as it was.", Tone.QUIET),)],
                ascii_only=self._ascii,
            )
        )
        self._show(looking=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """These are letters while the text is edited."""
        del parameters
        return action not in {"send", "edit", "scroll"} or self.has_class("-looking")

    def action_send(self) -> None:
        """It is meant."""
        self.dismiss(self.editor.text)

    def action_edit(self) -> None:
        """Back to the editor."""
        self._show(looking=False)

    def action_scroll(self, lines: int) -> None:
        """The difference goes on, or back."""
        self.changes.scroll_relative(y=lines, animate=False)
