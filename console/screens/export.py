"""What is asked before a file is written: as what, and by which name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from console.screens.dialog import ChoiceDialog
from console.text import clean
from console.widgets.frame import short_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.widget import Widget

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


class ExportScreen(ChoiceDialog[tuple[Choice, Path] | None]):
    """Asks; answers what to write and where, or None.

    Args:
        choices: the likeliest first.
        folder: where a bare name goes.
        ascii_only: draw with plain characters.
    """

    def __init__(self, choices: Sequence[Choice], folder: Path, *, ascii_only: bool) -> None:
        super().__init__("Export", ascii_only=ascii_only)
        self._choices, self._folder = tuple(choices), folder

    def parts(self) -> Iterable[Widget]:
        """Formats, and the name."""
        self.options = OptionList(
            *(Option(Content(choice.title), id=f"format-{at}") for at, choice in enumerate(self._choices)),
            compact=True,
        )
        yield self.options
        self.name_input = Input(self._choices[0].file, id="file", compact=True)
        self.name_input.cursor_blink = False
        yield self.name_input
        self.fault = Static(Content(self._where()), classes="quiet", id="where", markup=False)
        yield self.fault

    def on_mount(self) -> None:
        """The answers there are."""
        self.offer(("enter writes it", "write"), ("tab changes the name", "rename"), ("esc closes", "cancel"))

    def _where(self) -> str:
        return f"in {short_path(self._folder)}"

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """The name follows the format, as long as nobody has written another."""
        if self.name_input.value in {choice.file for choice in self._choices}:
            self.name_input.value = self._choices[event.option_index].file

    def on_option_list_option_selected(self) -> None:
        """By this name."""
        self.action_write()

    def on_input_submitted(self) -> None:
        """By this name."""
        self.action_write()

    def action_rename(self) -> None:
        """To the name."""
        self.set_focus(self.name_input)

    def action_write(self) -> None:
        """By this name, unless it cannot be."""
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
