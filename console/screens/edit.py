"""Other arguments for a task: edited as JSON, shown as a difference, then sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from console.rows.base import Cell, Tone
from console.rows.diff import diff_lines
from console.text import clean
from console.widgets.lines import as_content
from worker.queue.arguments import parse
from worker.queue.errors import MessageError

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

EDITING = "ctrl+s shows what changes   esc changes nothing"
AGREEING = "y sends it   e edits on   esc changes nothing"


class EditScreen(ModalScreen[str | None]):
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
    ]

    def __init__(self, question: str, *, place: str, args: str | None, ascii_only: bool = False) -> None:
        super().__init__()
        self._question, self._place, self._ascii = question, place, ascii_only
        try:
            self._before = json.dumps(json.loads(args or "{}"), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            self._before = args or ""

    def compose(self) -> ComposeResult:
        """Question, editor or difference, and how to go on."""
        with Vertical(id="dialog"):
            yield Static(Content(self._question), id="question")
            yield Static(Content(f"in {self._place}"), classes="quiet")
            self.editor = TextArea(self._before, id="editor", soft_wrap=True, tab_behavior="indent")
            self.editor.cursor_blink = False
            yield self.editor
            self.difference = Static(id="difference", markup=False)
            with VerticalScroll(id="changes"):
                yield self.difference
            self.note = Static(Content(EDITING), id="edit-note", classes="quiet", markup=False)
            yield self.note

    def on_mount(self) -> None:
        """The editor has the keys."""
        self._show(looking=False)

    def _show(self, *, looking: bool) -> None:
        self.set_class(looking, "-looking")
        if looking:
            self.set_focus(None)
        else:
            self.set_focus(self.editor)
        self.note.update(Content(AGREEING if looking else EDITING))

    def _after(self) -> str:
        return json.dumps(parse(self.editor.text), indent=2, ensure_ascii=False)

    def action_look(self) -> None:
        """Checks what was typed, and shows what it changes."""
        try:
            lines = diff_lines(self._before, self._after())
        except MessageError as error:
            self._show(looking=False)
            self.note.update(Content.styled(clean(error, 200), "$text-error"))
            return
        self.difference.update(
            as_content(
                lines or [(Cell("Nothing differs: it is sent as it was.", Tone.QUIET),)],
                ascii_only=self._ascii,
            )
        )
        self._show(looking=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """`y` and `e` are letters while the text is edited."""
        del parameters
        return action not in {"send", "edit"} or self.has_class("-looking")

    def action_send(self) -> None:
        """It is meant."""
        self.dismiss(self.editor.text)

    def action_edit(self) -> None:
        """Back to the editor."""
        self._show(looking=False)

    def action_cancel(self) -> None:
        """It is not meant."""
        self.dismiss(None)
