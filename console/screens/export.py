"""What is asked before a file is written: as what, and by which name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from console.text import ascii_signs, clean
from console.widgets.frame import short_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from console.export import Format


@dataclass(frozen=True, slots=True)
class Choice:
    """A file that can be written.

    Attributes:
        form: as what.
        what: the list's name, or what else it is.
        title: for people.
        file: its name.
    """

    form: Format
    what: str
    title: str
    file: str


class ExportScreen(ModalScreen[tuple[Choice, Path] | None]):
    """Asks; answers what to write and where, or None.

    Args:
        choices: the likeliest first.
        folder: where a bare name goes.
        ascii_only: draw with plain characters.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def __init__(self, choices: Sequence[Choice], folder: Path, *, ascii_only: bool) -> None:
        super().__init__()
        self._choices, self._folder, self._ascii = tuple(choices), folder, ascii_only

    def compose(self) -> ComposeResult:
        """Formats, the name, and how to answer."""
        with Vertical(id="dialog"):
            yield Static(Content("Export"), id="question")
            self.options = OptionList(
                *(
                    Option(Content(choice.title), id=f"format-{at}")
                    for at, choice in enumerate(self._choices)
                ),
                compact=True,
            )
            yield self.options
            self.name_input = Input(self._choices[0].file, id="file", compact=True)
            self.name_input.cursor_blink = False
            yield self.name_input
            self.fault = Static(Content(self._where()), classes="quiet", id="where", markup=False)
            yield self.fault
            hint = "enter writes it · tab changes the name · esc closes"
            yield Static(Content(ascii_signs(hint) if self._ascii else hint), classes="quiet")

    def _where(self) -> str:
        return f"in {short_path(self._folder)}"

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """The name follows the format, as long as nobody has written another."""
        if self.name_input.value in {choice.file for choice in self._choices}:
            self.name_input.value = self._choices[event.option_index].file

    def on_option_list_option_selected(self) -> None:
        """By this name."""
        self._answer()

    def on_input_submitted(self) -> None:
        """By this name."""
        self._answer()

    def _answer(self) -> None:
        choice = self._choices[self.options.highlighted or 0]
        written = self.name_input.value.strip()
        path = self._folder / Path(written).expanduser() if written else self._folder
        if not written or path.is_dir():
            path /= choice.file
        if path.exists():
            self.fault.update(Content(f"{clean(path.name, 60)} is there already: give it another name."))
        elif not path.parent.is_dir():
            self.fault.update(Content(f"There is no folder {clean(path.parent, 200)}."))
        else:
            self.dismiss((choice, path))

    def action_cancel(self) -> None:
        """Nothing is written."""
        self.dismiss(None)

    def action_down(self) -> None:
        """The next."""
        self.options.action_cursor_down()

    def action_up(self) -> None:
        """The one before."""
        self.options.action_cursor_up()
