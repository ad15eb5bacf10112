"""What is asked above a screen: is that really meant, and which market."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from textual.binding import Binding
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from console.screens.dialog import ChoiceDialog, Dialog, answers
from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from textual.binding import BindingType
    from textual.widget import Widget

# One needs no question, since it can be undone; beyond this many a `y` is too quick.
TYPED_ABOVE = 50
SAMPLE = 4
UNDO = "u undoes it later"
OtherKey = Literal["c", "h"]


@dataclass(frozen=True, slots=True)
class Other:
    """Another answer to whether something is meant.

    Attributes:
        key: that gives it.
        label: what it does.
        act: does it.
    """

    key: OtherKey
    label: str
    act: Callable[[], None]


class ConfirmScreen(Dialog[bool]):
    """Asks before many things are changed; answers whether it is meant.

    Args:
        question: says what and how many.
        place: which home.
        count: how many things.
        sample: some of them, raw.
        other: another answer; what it does is done without any further question.
        after: how it is taken back.
        ascii_only: draw with plain characters.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "agree", "Yes", show=False),
        Binding("n", "cancel", "No", show=False),
        *(Binding(key, f"other('{key}')", "Other", show=False) for key in get_args(OtherKey)),
    ]

    def __init__(
        self,
        question: str,
        *,
        place: str,
        count: int,
        sample: Sequence[str],
        other: Other | None = None,
        after: str = UNDO,
        ascii_only: bool = False,
    ) -> None:
        super().__init__(question, place=place, ascii_only=ascii_only)
        self._count, self._other, self._after = count, other, after
        self._sample = [clean(line, 56) for line in sample[:SAMPLE]]

    @property
    def _typed(self) -> bool:
        return self._count > TYPED_ABOVE

    def parts(self) -> Iterable[Widget]:
        """Sample, the other answer, and where the number is typed."""
        if self._sample:
            yield Static(Content("\n".join(self._sample)), id="sample")
        if self._other is not None:
            yield Static(answers((f"{self._other.key} {self._other.label}", "other")), id="other")
        if self._typed:
            yield Static(Content(f"Type {self._count} here, so that it is meant:"), id="typing")
            yield Input(id="typed", compact=True, type="integer")

    def on_mount(self) -> None:
        """The answers there are."""
        yes = ("enter does it", "typed") if self._typed else ("y does it", "agree")
        no = ("esc changes nothing" if self._typed else "n or esc changes nothing", "cancel")
        self.offer(yes, no, *([(self._after, "")] if self._after else []))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A `y` does not do where the number is to be typed."""
        if action == "other":
            return self._other is not None and parameters in {(), (self._other.key,)}
        return not (action == "agree" and self._typed)

    def action_other(self, key: str = "") -> None:
        """The other answer."""
        del key
        if self._other is not None and self.is_active:
            self.dismiss(False)
            self._other.act()

    def on_input_submitted(self) -> None:
        """The number was typed."""
        self.action_typed()

    def action_typed(self) -> None:
        """The number, or nothing happens."""
        typed = self.query_one("#typed", Input)
        if typed.value.strip() == str(self._count):
            self.dismiss(True)
        else:
            said = f"{clean(typed.value, 20)} is not" if typed.value else "Type"
            self.object_to(f"{said} {self._count}: nothing has been changed. esc closes.")
            typed.value = ""
            self.set_focus(typed)

    def action_agree(self) -> None:
        """It is meant."""
        self.dismiss(True)

    def action_cancel(self) -> None:
        """It is not meant."""
        self.dismiss(False)


class MarketPicker(ChoiceDialog[str | None]):
    """Asks which market to collect; answers its name, or None.

    Args:
        markets: their names, the likeliest first.
        collected: for how long the market is being collected already, in words, by its name.
    """

    def __init__(self, markets: Sequence[str], collected: Mapping[str, str]) -> None:
        super().__init__("Collect which market?")
        self._markets, self._collected = tuple(markets), collected

    def parts(self) -> Iterable[Widget]:
        """A short list."""
        self.options = OptionList(
            *(Option(self._shown(name), id=f"market-{at}") for at, name in enumerate(self._markets)),
            compact=True,
        )
        yield self.options

    def _shown(self, market: str) -> Content:
        since = self._collected.get(market)
        return Content(f"{clean(market, 40)}{f'  being collected for {since}' if since else ''}")

    def on_mount(self) -> None:
        """The answers there are."""
        self.offer(("enter collects it now", "choose"), ("esc closes", "cancel"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """This one."""
        self.dismiss(self._markets[event.option_index])
