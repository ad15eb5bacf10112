"""What is always on the screen: where this is, whether it is well, and how old that is."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.widget import Widget

from console import keys
from console.rows import overview
from console.rows.base import Cell, Tone
from console.text import DOT, age, clean, local, number
from console.widgets.lines import TONE_CLASSES, Line, draw

if TYPE_CHECKING:
    from datetime import datetime

    from textual import events
    from textual.strip import Strip

    from console.readings.model import Snapshot

# The reader looks at least once a second; a snapshot older than this is said to be old.
STALE_AFTER_S = 3.0
SCREENS = tuple(action for action in keys.ACTIONS if action.id.startswith("go_"))


def is_stale(snapshot: Snapshot, now: datetime) -> bool:
    """Whether what is shown may not be so any more."""
    return (now - snapshot.at).total_seconds() > STALE_AFTER_S


def banner(snapshot: Snapshot, now: datetime, *, verdict_seen: bool = False) -> str | None:
    """What must be said above everything else; a screen with the verdict says most of it itself."""
    if snapshot.unreadable:
        return f"Cannot be read: {clean(snapshot.unreadable, 300)}"
    if is_stale(snapshot, now):
        return f"This is {age((now - snapshot.at).total_seconds())} old: the files do not answer."
    if verdict_seen:
        return None
    urgent = {"worker_down": "  w starts one.", "worker_silent": "", "queue_paused": "  p lets it go on."}
    return next((f"{one.text}.{urgent[one.code]}" for one in snapshot.problems if one.code in urgent), None)


class StatusBar(Widget):
    """Two lines: where and which screen; worker, depth, dead letters, next schedule, clock.

    Args:
        screen_id: the action that leads to this screen.
        read_only: whether nothing can be changed.
        ascii_only: draw with plain characters.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {*TONE_CLASSES, "status--here", "status--badge"}

    def __init__(self, screen_id: str, *, read_only: bool, ascii_only: bool) -> None:
        super().__init__(id="status")
        self._here, self._read_only, self._ascii = screen_id, read_only, ascii_only
        self._snapshot: Snapshot | None = None
        self._home, self._clock, self._environment = "", "", ""
        self._facts: Line = (Cell("Reading…", Tone.QUIET),)
        self._tabs: list[tuple[int, int, str]] = []

    def show(
        self, snapshot: Snapshot | None, now: datetime, *, home: Path, environment: str, utc: bool
    ) -> None:
        """Shows what is known now; repaints only what differs."""
        there = local(now, utc=utc)
        clock = f"{there:%H:%M} {there.tzname() or 'UTC'}"
        facts = self._facts if snapshot is None else _facts(snapshot, now, self.size.width)
        before = (self._home, self._environment, self._clock, self._facts, self._dead())
        self._home, self._clock, self._facts, self._snapshot = short_path(home), clock, facts, snapshot
        self._environment = environment
        if before != (self._home, self._environment, self._clock, self._facts, self._dead()):
            self.refresh()

    def _dead(self) -> int:
        return self._snapshot.depth.dead_letters if self._snapshot else 0

    def render_line(self, y: int) -> Strip:
        """One line, as Textual asks for it."""
        width = self.size.width
        if y == 0:
            return self._first(width)
        return draw(self, self._facts, width, ascii_only=self._ascii) if y == 1 else draw(self, (), width)

    def _first(self, width: int) -> Strip:
        strips, at = [], 0
        self._tabs = []
        for action in SCREENS:
            count = f" {number(self._dead())}" if action.id == "go_failures" and self._dead() else ""
            text = f" {action.keys[0]} {action.title}{count} "
            here = action.id == self._here
            over = self.get_component_rich_style("status--here") if here else None
            strips.append(draw(self, (Cell(text, Tone.QUIET),), cell_len(text), over=over))
            self._tabs.append((at, at + len(text), action.id))
            at += len(text)
        marks = (self._environment, "READ-ONLY" if self._read_only else "")
        mark = "".join(f" {word} " for word in marks if word)
        room = max(width - at - len(mark) - len(self._clock) - 4, 0)
        home = self._home if len(self._home) <= room else "…" + self._home[len(self._home) - room + 1 :]
        right = f"{home if room > 3 else ''}  {self._clock}"
        filler = draw(self, (), max(width - at - len(mark) - cell_len(right), 0))
        badge = draw(self, (Cell(mark),), len(mark), over=self.get_component_rich_style("status--badge"))
        tail = draw(self, (Cell(right, Tone.QUIET),), cell_len(right), ascii_only=self._ascii)
        return filler.join([*strips, filler, badge, tail]).adjust_cell_length(width, self.rich_style)

    async def on_click(self, event: events.Click) -> None:
        """A click on a screen's name goes there."""
        if event.y == 0:
            for start, end, action in self._tabs:
                if start <= event.x < end:
                    await self.run_action(f"app.{action}")


def _facts(snapshot: Snapshot, now: datetime, width: int) -> Line:
    depth, gap = snapshot.depth, Cell("  ", Tone.QUIET)
    facts: Line = (
        Cell(" "), overview.worker_cell(snapshot), gap,
        Cell(f"{number(depth.pending)} waiting", Tone.PLAIN if depth.pending else Tone.QUIET), gap,
        Cell(f"{number(depth.running)} running", Tone.ACCENT if depth.running else Tone.QUIET), gap,
        Cell(f"{number(depth.dead_letters)} dead", Tone.BAD if depth.dead_letters else Tone.QUIET), gap,
    )  # fmt: skip
    room = width - sum(cell_len(part.text) for part in facts)
    return (*facts, Cell(overview.next_schedule(snapshot, now, room), Tone.QUIET))


def short_path(path: Path) -> str:
    """A path with `~` for the user's own folder."""
    with contextlib.suppress(ValueError, RuntimeError):
        return clean(f"~/{path.relative_to(Path.home())}", 400)
    return clean(path, 400) or DOT
