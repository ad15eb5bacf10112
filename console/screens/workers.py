"""What is asked where several workers run, or one runs elsewhere: which of them is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from console.screens.dialog import ChoiceDialog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.widget import Widget

START = "start one on this machine"


class WorkerPicker(ChoiceDialog[int | None]):
    """Asks which worker; answers its place in the list, the number of workers for a new one, or None.

    Args:
        workers: a line for each.
        can_start: whether one may be started on this machine, where none is.
        place: which home.
        ascii_only: draw with plain characters.
    """

    def __init__(
        self, workers: Sequence[str], *, can_start: bool, place: str, ascii_only: bool = False
    ) -> None:
        super().__init__("Which worker?", place=place, ascii_only=ascii_only)
        self._lines = (*workers, START) if can_start else tuple(workers)

    def parts(self) -> Iterable[Widget]:
        """The workers, and to start one."""
        self.options = OptionList(*(Option(Content(line)) for line in self._lines), compact=True)
        yield self.options

    def on_mount(self) -> None:
        """The answers there are."""
        self.offer(("enter asks what to do with it", "choose"), ("esc closes", "cancel"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """This one."""
        self.dismiss(event.option_index)
