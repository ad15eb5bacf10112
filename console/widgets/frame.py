"""What is always on the screen: where this is, whether it is well, and how old that is."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from console import keys
from console.rows import frame
from console.rows.base import Cell, Tone
from console.text import DOT, age, clean, local
from console.widgets.lines import Line, draw
from console.widgets.looks import BADGE, lit, look

if TYPE_CHECKING:
    from datetime import datetime

    from textual import events

    from console.keys import Action
    from console.readings.model import Installation, Snapshot

# The reader looks at least every two seconds; a snapshot older than this is said to be old.
STALE_AFTER_S = 4.5
SCREENS = keys.to_screens()


def is_stale(snapshot: Snapshot, now: datetime) -> bool:
    """Whether what is shown may not be so any more."""
    return (now - snapshot.at).total_seconds() > STALE_AFTER_S


def banner(snapshot: Snapshot, now: datetime, *, verdict_seen: bool = False) -> str | None:
    """What must be said above everything else; a screen with the verdict says most of it itself."""
    if snapshot.unreadable:
        # The status bar says which home this is; a long path would push the file's own name out of the line.
        named = snapshot.unreadable.replace(f"{snapshot.home}{os.sep}", "")
        return f"Cannot be read: {clean(named, 300)}"
    if is_stale(snapshot, now):
        return f"This is {age((now - snapshot.at).total_seconds())} old: the files do not answer."
    if verdict_seen:
        return None
    urgent = {"worker_down": "  w starts one.", "worker_silent": "", "queue_paused": "  p lets it go on."}
    return next((f"{one.text}.{urgent[one.code]}" for one in snapshot.problems if one.code in urgent), None)


class StatusBar(Widget):
    """Two lines: the screens; worker, depth, dead letters, next schedule; where this is, and the clock.

    Args:
        screen_id: the action that leads to this screen.
        read_only: whether nothing can be changed.
        ascii_only: draw with plain characters.
    """

    def __init__(self, screen_id: str, *, read_only: bool, ascii_only: bool) -> None:
        super().__init__(id="status")
        self._here, self._read_only, self._ascii = screen_id, read_only, ascii_only
        self._corner, self._snapshot, self._now = frame.Corner(), None, None
        self._drawn: object = None
        self._clickable: list[tuple[int, int, Action]] = []

    _badge_colour = ""
    _snapshot: Snapshot | None
    _now: datetime | None

    def show(
        self, snapshot: Snapshot | None, now: datetime, *, home: Path, installation: Installation, utc: bool
    ) -> None:
        """Shows what is known now; repaints only what differs."""
        there = local(now, utc=utc)
        marks = (installation.name, "READ-ONLY" if self._read_only else "")
        clock = f"{there:%H:%M} {there.tzname() or 'UTC'}"
        self._corner, self._snapshot, self._now = frame.Corner(short_path(home), marks, clock), snapshot, now
        self._badge_colour = installation.colour
        shown = (self._corner, self._facts(self.size.width))
        if shown != self._drawn:
            self._drawn = shown
            self.refresh()

    def _facts(self, room: int) -> Line:
        if self._snapshot is None or self._now is None:
            return (Cell(" Reading…", Tone.QUIET),)
        return frame.facts(self._snapshot, self._now, room)

    def render_line(self, y: int) -> Strip:
        """One line, as Textual asks for it."""
        width = self.size.width
        tabs, beside = frame.tabs(SCREENS, self._here, width, self._corner.width)
        if y == 0:
            left = self._names(tabs)
        else:
            room = width if beside else max(width - self._corner.width, 0)
            facts = self._facts(room)
            left = draw(
                self, facts, min(sum(cell_len(part.text) for part in facts), room), ascii_only=self._ascii
            )
        right = self._right(width - left.cell_length) if (y == 0) == beside else Strip.blank(0)
        filler = draw(self, (), max(width - left.cell_length - right.cell_length, 0))
        return Strip.join([left, filler, right]).adjust_cell_length(width, self.rich_style)

    def _names(self, tabs: list[frame.Tab]) -> Strip:
        """The names with one cell between them, which belongs to the name of this screen where it can."""
        over = lit(self)
        strips, at, was_here = [], 0, False
        self._clickable = []
        for tab in tabs:
            here = tab.action.id == self._here
            strips += [
                draw(self, (Cell(" "),), 1, over=over if here or was_here else None),
                draw(self, tab.cells, tab.width, over=over if here else None),
            ]
            self._clickable.append((at, at + tab.width + 1, tab.action))
            at, was_here = at + tab.width + 1, here
        return Strip.join([*strips, draw(self, (Cell(" "),), 1, over=over if was_here else None)])

    def _right(self, room: int) -> Strip:
        marked = self._corner.marked
        home = self._corner.shortened(room)
        parts = [
            draw(self, (Cell(text, Tone.QUIET),), cell_len(text), ascii_only=self._ascii)
            for text in (f"  {home} " if home else "", f"  {self._corner.clock}")
        ]
        badge = draw(self, (Cell(marked),), cell_len(marked), over=self._badge_style())
        return Strip.join([parts[0], badge, parts[1]])

    def _badge_style(self) -> Style:
        if not self._badge_colour or self.app.native_ansi_color:
            return look(self, BADGE)
        ground = Color.parse(self._badge_colour)
        return Style(color=ground.get_contrast_text(1.0).rich_color, bgcolor=ground.rich_color, bold=True)

    async def on_click(self, event: events.Click) -> None:
        """A click on a screen's name goes there."""
        if event.y == 0:
            for start, end, action in self._clickable:
                if start <= event.x < end:
                    await self.run_action(f"app.{action.call}")


def short_path(path: Path) -> str:
    """A path with `~` for the user's own folder."""
    with contextlib.suppress(ValueError, RuntimeError):
        below = path.relative_to(Path.home())
        return clean(f"~/{below}" if below.parts else "~", 400)
    return clean(path, 400) or DOT
