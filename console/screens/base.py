"""What all screens have in common: the frame, and how a snapshot reaches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.containers import Container
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from console.widgets.frame import StatusBar, banner, is_stale
from console.widgets.key_line import KeyLine
from console.widgets.looks import STALE_CLASS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from textual.app import ComposeResult
    from textual.widget import Widget

    from console import keys
    from console.app import TopicConsole
    from console.readings.model import Snapshot

SMALLEST = (60, 15)


class ConsoleScreen(Screen[None]):
    """A screen of the console.

    Attributes:
        here: the action that leads to it.
        scope: its own actions.
        has_list: whether it shows a list.
        says_verdict: whether it says itself what needs the operator.
    """

    here: ClassVar[str]
    scope: ClassVar[keys.Scope]
    has_list: ClassVar[bool] = True
    says_verdict: ClassVar[bool] = False
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (SMALLEST[0], "-narrow"), (110, "-wide")]  # noqa: RUF012 - as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (SMALLEST[1], "-short"), (32, "-tall")]  # noqa: RUF012

    @property
    def console(self) -> TopicConsole:
        """The app, as what it is."""
        return cast("TopicConsole", self.app)

    def compose(self) -> ComposeResult:
        """The frame around the body."""
        # Textual would give these with the first size, and style everything anew.
        for points, room in (
            (self.HORIZONTAL_BREAKPOINTS, self.app.size.width),
            (self.VERTICAL_BREAKPOINTS, self.app.size.height),
        ):
            self.add_class(max(point for point in points if point[0] <= room)[1])
        self.status = StatusBar(
            self.here, read_only=self.console.read_only, ascii_only=self.console.ascii_only
        )
        self.banner = Static(id="banner", markup=False)
        yield self.status
        yield self.banner
        yield Container(*self.body(), id="body")
        yield Static(
            Content(f"The terminal is too small.\nThe console needs {SMALLEST[0]}x{SMALLEST[1]}."),
            id="too-small",
        )
        yield KeyLine()

    def body(self) -> Iterable[Widget]:
        """The screen's own widgets."""
        raise NotImplementedError

    def draw(self, snapshot: Snapshot | None, now: datetime) -> None:
        """Shows what is known now; called for each new snapshot and once a second.

        Args:
            snapshot: None before the first look.
            now: the time, for ages.
        """
        self.status.show(
            snapshot,
            now,
            home=self.console.home.root,
            installation=self.console.installation,
            utc=self.console.utc,
        )
        if snapshot is None:
            return
        text = banner(snapshot, now, verdict_seen=self.says_verdict)
        if self.banner.display != bool(text):
            self.banner.display = bool(text)
        if text and text != str(self.banner.content):
            self.banner.update(Content(text), layout=False)
        stale = is_stale(snapshot, now) or bool(snapshot.unreadable)
        if stale != self.has_class(STALE_CLASS):
            self.set_class(stale, STALE_CLASS)
            self.query("*").refresh()

    def on_mount(self) -> None:
        """Nothing to warn of before the first look; the filter is the one of the last time."""
        self.banner.display = False
        remembered = self.console.memory.text(self.console.filter_name)
        for prompt in self.query("#filter").results(Input):
            prompt.value, prompt.display = remembered, bool(remembered)

    def on_screen_resume(self) -> None:
        """What was seen meanwhile is shown at once."""
        self.console.redraw()

    def on_screen_suspend(self) -> None:
        """What was drawn is kept for nobody: a screen that is shown again is drawn anew."""
        self.query("*").refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A read-only console dims what would change something."""
        return self.console.permits(action, self.scope) and super().check_action(action, parameters)

    def named(self, what: str) -> str:
        """A slot's name, this screen's own."""
        return f"{self.here}.{what}"


def unused(*_: Any) -> None:
    """Takes an answer that nobody needs."""
