"""The app beneath the console: its two threads, and what becomes of what they tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from rich.segment import Segment, Segments
from textual.app import App

from console.differing import Shown
from console.faults import record
from console.messages import ActionDone, ActionRefused, Answered, Faulted, SnapshotTaken
from console.poller import Actor, Poller
from console.readings.still import tells_the_same
from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.message import Message
    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from console.actions import Actions, Done
    from console.readings import Readings
    from console.readings.model import Snapshot

Answer = TypeVar("Answer")
TOAST_S, ERROR_TOAST_S, ERROR_SEEN_S = 5.0, 15.0, 3.0
# What is older or farther off is told in minutes.
SECONDS_SHOWN = timedelta(seconds=62)


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class ThreadedApp(App[int]):
    """An app that asks one thread and acts through another.

    Args:
        readings: opens them, on the thread that reads.
        actions: for the thread that acts.
        ansi_color: as Textual's.
    """

    def __init__(
        self, readings: Callable[[], Readings], actions: Actions, *, ansi_color: bool | None
    ) -> None:
        super().__init__(ansi_color=ansi_color)
        self.snapshot: Snapshot | None = None
        self._stirred_at = self._drawn_at = datetime.min.replace(tzinfo=UTC)
        self._shown = Shown()
        self._poller = Poller(readings, self.tell)
        self._actor = Actor(actions, self.tell)

    def get_driver_class(self) -> type[Driver]:
        """The terminal's driver is ours; a browser's, or a test's, stays what it is."""
        found = super().get_driver_class()
        if found.__name__ != "LinuxDriver":
            return found
        from console.driver import PromptDriver  # noqa: PLC0415 - where there is a terminal

        return PromptDriver

    def tell(self, message: Message) -> object:
        """Takes a message from a thread; after the end nobody listens, which the threads need not know."""
        return self.post_message(message) if self.is_running else None

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Carries a key's action out before the next key is looked at, unless text is being typed.

        Textual first hands a key to what has the focus, and looks for its action when it has come back from there.
        Of keys that come in one burst, over a slow line or pasted, the second would act where the first has just
        led away from: `/x` would cancel a task.
        """
        if await super()._check_bindings(key, priority):
            return True
        typing = self.focused is not None and self.focused.check_consume_key("a", "a")
        return priority and not typing and await super()._check_bindings(key)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Writes to the terminal only what differs from what stands there."""
        super()._display(screen, self._shown.differing(renderable))

    def _fatal_error(self) -> None:
        """A fault of the console itself: logged whole, and said in a sentence when the terminal is given back."""
        error = self._exception
        if error is not None:
            record("the console", error)
            said = f"topic-console: unexpected {type(error).__name__}: {clean(error)}; the whole story is in logs/console.log"
            self._exit_renderables.append(Segments([Segment(said)]))
        self._close_messages_no_wait()

    def redraw(self) -> None:
        """Has the screen show what is known now."""
        raise NotImplementedError

    def on_unmount(self) -> None:
        """Nothing goes on behind the operator's back."""
        if self._poller.is_alive():
            self._poller.stop()
        if self._actor.is_alive():
            self._actor.stop()

    # -- asking and acting ----------------------------------------------------------------------

    def ask(
        self,
        slot: str,
        question: Callable[[Readings], Answer | Iterator[Answer]],
        tell: Callable[[Answer], None],
    ) -> None:
        """Asks the reader; a newer question of the slot makes an older answer void."""
        self._poller.ask(slot, question, tell)

    def forget(self, slot: str) -> None:
        """Makes the answer to what was asked last void."""
        self._poller.forget(slot)

    def act(self, act: Callable[[Actions], Done]) -> None:
        """Carries out an act; a toast tells what came of it."""
        self._actor.do(act, self._tell_done)

    def _tell_done(self, done: Done) -> None:
        self.post_message(ActionDone(done))

    def mark(self, act: Callable[[Actions], Answer], tell: Callable[[Answer], None]) -> None:
        """Has the actor find out something before an act."""
        self._actor.do(act, tell)

    def notify(self, message: str, *, severity: SeverityLevel = "information", **options: Any) -> None:
        """Tells something; it takes the place of what was told before, since `u` takes back the latest alone."""
        self.drop_told()
        super().notify(message, severity=severity, **options)

    def drop_told(self) -> None:
        """Takes away the toasts that have been told; an error stays as long as it takes to read it."""
        from textual.widgets._toast import Toast  # noqa: PLC0415 - the first paint has none

        for told in list(self._notifications):
            if told.severity != "error" or time() - told.raised_at > ERROR_SEEN_S:
                self._unnotify(told, refresh=False)
        # Textual would leave those of the screen beneath a dialog where they are.
        for screen in self.screen_stack:
            for toast in screen.query(Toast):
                if toast._notification not in self._notifications:  # noqa: SLF001
                    toast._expire()  # noqa: SLF001

    def refuse(self, text: str) -> None:
        """Says why something is not done."""
        self.notify(clean(text, 600), severity="error", timeout=ERROR_TOAST_S, markup=False)

    # -- what the threads tell ------------------------------------------------------------------

    def on_snapshot_taken(self, message: SnapshotTaken) -> None:
        """New facts, or the old ones as of now: then only what shows seconds is drawn anew, and the rest once a minute."""
        before, self.snapshot = self.snapshot, message.snapshot
        now, snapshot = self.snapshot.at, self.snapshot
        if before is None or not tells_the_same(before, snapshot):
            self._stirred_at = now
        last, coming = self._drawn_at, [one.next_at for one in snapshot.schedules if one.next_at]
        if (
            before is None
            or before.number != snapshot.number
            or last.replace(second=0, microsecond=0) != now.replace(second=0, microsecond=0)
            or any(abs(now - moment) < SECONDS_SHOWN for moment in (self._stirred_at, *coming))
        ):
            self._drawn_at = now
            self.redraw()

    def on_answered(self, message: Answered) -> None:
        """An answer goes to who asked, unless it is void."""
        if not message.slot:
            self._poller.hurry()
        if not message.slot or self._poller.is_current(message):
            message.tell(message.answer)

    def on_action_done(self, message: ActionDone) -> None:
        """Says what came of an act, and how to take it back."""
        done = message.done
        failed = bool(done.change.asked) and not done.change.done
        hint = "  u undoes it." if done.change.entry and done.change.action != "undo" else ""
        self.notify(
            f"{clean(done.text, 600)}{hint}",
            severity="warning" if failed else "information",
            timeout=TOAST_S,
            markup=False,
        )

    def on_action_refused(self, message: ActionRefused) -> None:
        """Says why not."""
        self.refuse(message.text)

    def on_faulted(self, message: Faulted) -> None:
        """Says in short what is logged whole."""
        self.refuse(f"Unexpected: {message.text}. The whole story is in logs/console.log.")
