"""The action table: every key, what it does, and where.

Bindings, footer, `?`, the palette and the README's table of keys all come from it. Where an action is bound
(an app, a screen, a table) there is a method `action_<id>`. Upper case is dangerous.

An action `go_<name>` leads to a screen: to the class `<Name>Screen` in `console/screens/<name>.py`, which is
loaded when it is first shown. Such a line here is all that a new screen needs to have its key and its tab.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from textual.binding import Binding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Scope(StrEnum):
    """Where an action applies; the value is its heading in the help."""

    EVERYWHERE = "Everywhere"
    MOVE = "Moving in a list"
    LIST = "In a list"
    OVERVIEW = "Overview"
    QUEUE = "Queue"
    FAILURES = "Failures"
    SCHEDULES = "Schedules"
    RUNS = "Runs"
    SOURCES = "Sources"
    TOPICS = "Topics"
    LOGS = "Logs"
    JOURNAL = "Journal"


@dataclass(frozen=True, slots=True)
class Action:
    """Something the operator can do with a key.

    Attributes:
        id: names its method, `action_<id>`.
        keys: as Textual names them, the one that is shown first.
        title: one or two words for the footer and the palette.
        help: one sentence.
        scope: where it applies.
        shown: whether the footer shows it.
        changes: whether it changes something; impossible in a read-only console.
        palette: whether the palette offers it.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    help: str
    scope: Scope
    shown: bool = False
    changes: bool = False
    palette: bool = True

    @property
    def screen(self) -> str:
        """The screen that the action leads to; empty for one that does something else."""
        return self.id.removeprefix(GO) if self.id.startswith(GO) else ""

    @property
    def call(self) -> str:
        """The action as Textual writes it: all that lead to a screen are one method."""
        return f"go('{self.screen}')" if self.screen else self.id

    @property
    def method(self) -> str:
        """What its method is called, after `action_`."""
        return "go" if self.screen else self.id

    @property
    def bound(self) -> str:
        """What the binding is called, by which a user's own keymap names it: `queue.cancel`."""
        return f"{self.scope.name.lower()}.{self.id}"


GO = "go_"
_ALL, _MOVE, _LIST = Scope.EVERYWHERE, Scope.MOVE, Scope.LIST

ACTIONS = (
    Action("go_overview", ("1",), "Overview", "Is it well? The state of everything on one screen.", _ALL),
    Action("go_queue", ("2",), "Queue", "What runs, what is ready, what is scheduled.", _ALL),
    Action("go_failures", ("3",), "Failures", "Dead letters, grouped by what killed them.", _ALL),
    Action("go_schedules", ("4",), "Schedules", "Periodic tasks: when each ran, when it will.", _ALL),
    Action("go_runs", ("5",), "Runs", "The history: what ran, how long it waited and took, and what came of it.", _ALL),
    Action("go_sources", ("6",), "Sources", "How each source of each market is doing.", _ALL),
    Action("go_topics", ("7",), "Topics", "Rising topics with their reasons, and all documents, to be searched.", _ALL),
    Action("go_logs", ("8",), "Logs", "The worker's log, as it grows.", _ALL),
    Action("go_journal", ("9",), "Journal", "What operators did; undo any of it from there.", _ALL),
    Action("collect", ("c",), "Collect", "Choose a market and collect it now.", _ALL, shown=True, changes=True),
    Action("worker", ("w",), "Worker", "Start a worker on this machine; stop or hold the one that runs here.", _ALL, shown=True, changes=True),
    Action("undo", ("u",), "Undo", "Take back the latest act of an operator.", _ALL, changes=True),
    Action("copy", ("y",), "Copy", "Copy the row under the cursor in full; on the Overview, an incident write-up.", _ALL),
    Action("export", ("E",), "Export", "Write what is shown to a file: CSV, JSON, Markdown, or an incident write-up.", _ALL),
    Action("toggle_utc", ("t",), "UTC/local", "Show times in UTC, or in local time.", _ALL),
    Action("prompt", ("colon",), "Command", "Type a command: a screen, an action, filter WORDS, collect MARKET, q; tab completes.", _ALL, palette=False),
    Action("command_palette", ("ctrl+p",), "Palette", "Find an action by its name.", _ALL, palette=False),
    Action("help", ("question_mark",), "Help", "The keys of this screen.", _ALL, shown=True),
    Action("suspend_process", ("ctrl+z",), "Suspend", "Back to the shell; `fg` returns.", _ALL, palette=False),
    Action("copy_or_quit", ("ctrl+c",), "Copy or quit", "Copy the selected text; with none, leave the console.", _ALL, palette=False),
    Action("quit", ("q", "ctrl+q"), "Quit", "Leave the console.", _ALL, shown=True),
    Action("cursor_down", ("j", "down"), "Down", "One row down.", _MOVE, palette=False),
    Action("cursor_up", ("k", "up"), "Up", "One row up.", _MOVE, palette=False),
    Action("half_page_down", ("ctrl+d",), "Half a page down", "Half a page down.", _MOVE, palette=False),
    Action("half_page_up", ("ctrl+u",), "Half a page up", "Half a page up.", _MOVE, palette=False),
    Action("page_down", ("pagedown", "ctrl+f"), "Page down", "A page down.", _MOVE, palette=False),
    Action("page_up", ("pageup", "ctrl+b"), "Page up", "A page up.", _MOVE, palette=False),
    Action("first", ("g", "home"), "First row", "To the first row.", _MOVE, palette=False),
    Action("last", ("G", "end"), "Last row", "To the last row, however long the list.", _MOVE, palette=False),
    Action("open", ("enter",), "Open", "Open the row under the cursor.", _MOVE, palette=False),
    Action("back", ("escape",), "Back", "Close what is open, else drop the marks, else the filter.", _LIST, palette=False),
    Action("filter", ("slash",), "Filter", "Words, task: market: err: id: is: age>5m; ! inverts. It searches the whole list.", _LIST, shown=True),
    Action("mark", ("space",), "Mark", "Mark the row, or no longer; what is done next is done to all marked rows.", _LIST),
    Action("mark_range", ("ctrl+space", "ctrl+@"), "Mark range", "Mark the rows from the last mark to here.", _LIST),
    Action("mark_all", ("asterisk",), "Mark all", "Mark all that the filter shows, seen or not; again: none.", _LIST),
    Action("sort", ("s",), "Sort", "The next order of the list; a click on a heading sorts by it.", _LIST),
    Action("period", ("h",), "Period", "Graphs of the last hour, or of the last 24 hours.", Scope.OVERVIEW, shown=True),
    Action("dismiss_news", ("d",), "Seen", "What is new since you last looked has been seen.", Scope.OVERVIEW),
    Action("run_now", ("r",), "Run now", "Make the scheduled task ready at once.", Scope.QUEUE, shown=True, changes=True),
    Action("cancel", ("x",), "Cancel", "Take the task away; a running one is asked to stop.", Scope.QUEUE, shown=True, changes=True),
    Action("edit", ("e",), "Edit args", "Give the waiting task other arguments; it keeps its place.", Scope.QUEUE, changes=True),
    Action("raise_priority", ("plus",), "Sooner", "Raise the priority by one: higher runs first.", Scope.QUEUE, changes=True),
    Action("lower_priority", ("minus",), "Later", "Lower the priority by one.", Scope.QUEUE, changes=True),
    Action("quarantine", ("Q",), "Put aside", "Make dead letters of tasks whose name no worker knows.", Scope.QUEUE, changes=True),
    Action("clear", ("C",), "Clear", "Take away all that waits, or all that the filter shows.", Scope.QUEUE, shown=True, changes=True),
    Action("pause", ("p",), "Pause", "Let workers take nothing more from the queue, for a while or until it is resumed; or let them go on.", Scope.QUEUE, shown=True, changes=True),
    Action("retry", ("r",), "Retry", "Run it again: a dead letter, or all of a cause.", Scope.FAILURES, shown=True, changes=True),
    Action("canary", ("n",), "Canary", "Retry one first, the rest when it has succeeded; while it goes on: stop it.", Scope.FAILURES, shown=True, changes=True),
    Action("edit", ("e",), "Edit args", "Run the dead letter's task again with other arguments.", Scope.FAILURES, changes=True),
    Action("delete", ("x",), "Delete", "Take it away: a dead letter, or all of a cause.", Scope.FAILURES, shown=True, changes=True),
    Action("clear", ("C",), "Clear", "Take away all dead letters, or all that the filter shows.", Scope.FAILURES, shown=True, changes=True),
    Action("run_now", ("r",), "Run now", "Run the schedule's task once, now.", Scope.SCHEDULES, shown=True, changes=True),
    Action("pause", ("p",), "Pause", "Stop the schedule from firing, for a while or until it is resumed; or resume it.", Scope.SCHEDULES, shown=True, changes=True),
    Action("missed", ("m",), "Missed", "Answer the ticks that got no run: once, all, spread over a period, or acknowledge them.", Scope.SCHEDULES, shown=True, changes=True),
    Action("run_again", ("r",), "Run again", "Enqueue the task once more, as a new one with the same arguments.", Scope.RUNS, shown=True, changes=True),
    Action("period", ("h",), "Period", "Numbers of the last hour, 24 hours or 7 days.", Scope.RUNS, shown=True),
    Action("log", ("l",), "Its log", "Go to the log, and show only the lines of this task.", Scope.RUNS, shown=True),
    Action("run_now", ("r",), "Collect it", "Collect just this source, now, whatever it waits for.", Scope.SOURCES, shown=True, changes=True),
    Action("pause", ("p",), "Disable", "Let no collection ask the source, or let them ask it again.", Scope.SOURCES, shown=True, changes=True),
    Action("open_link", ("o",), "Open", "Open the source's address in a browser.", Scope.SOURCES),
    Action("pause", ("p",), "Pause", "Hold the log still, or let it go on.", Scope.LOGS, shown=True),
    Action("level", ("v",), "Level", "Show only graver lines, or all again.", Scope.LOGS, shown=True),
    Action("find", ("f",), "Find", "Mark a text without hiding the other lines.", Scope.LOGS, shown=True),
    Action("find_next", ("n",), "Next", "To the next line with what is sought.", Scope.LOGS),
    Action("find_previous", ("b",), "Previous", "To the line before with what is sought.", Scope.LOGS),
    Action("only_task", ("i",), "This task", "Show only the lines of the task under the cursor.", Scope.LOGS),
    Action("wrap", ("z",), "Wrap", "Wrap long lines, or cut them.", Scope.LOGS, shown=True),
    Action("documents", ("d",), "Documents", "All documents, to be searched with `/`; again: the topics.", Scope.TOPICS, shown=True),
    Action("open_link", ("o",), "Open link", "Open the document, or the topic's first headline, in a browser.", Scope.TOPICS, shown=True),
    Action("sync", ("n",), "Sync", "Rank anew, write the report and sync to Notion, now.", Scope.TOPICS, shown=True, changes=True),
    Action("to_runs", ("v",), "Its runs", "The runs of the market.", Scope.TOPICS),
    Action("to_sources", ("i",), "Its sources", "The sources of the market.", Scope.TOPICS),
    Action("undo", ("u",), "Undo", "Take back the act under the cursor.", Scope.JOURNAL, shown=True, changes=True),
)  # fmt: skip

# How keys are written for people.
_NAMES = {
    "question_mark": "?", "slash": "/", "colon": ":", "escape": "esc", "pagedown": "pgdn", "pageup": "pgup",
    "up": "↑", "down": "↓", "asterisk": "*", "full_stop": ".", "minus": "-", "plus": "+",
    # What terminals send for it, unless they speak a newer protocol.
    "ctrl+@": "ctrl+space",
}  # fmt: skip


def of(scope: Scope) -> tuple[Action, ...]:
    """The actions of a scope, in the table's order."""
    return tuple(action for action in ACTIONS if action.scope is scope)


def nearest(*scopes: Scope) -> tuple[Action, ...]:
    """The actions of some scopes, the nearest scope first; one that a nearer scope has as its own is left out."""
    found: dict[str, Action] = {}
    for scope in scopes:
        for action in of(scope):
            found.setdefault(action.id, action)
    return tuple(found.values())


def to_screens() -> tuple[Action, ...]:
    """The actions that lead to a screen, in the order of their keys."""
    return tuple(action for action in ACTIONS if action.screen)


def shown_key(key: str) -> str:
    """A key as people write it: `?`, `esc`, `ctrl+p`."""
    if key in _NAMES:
        return _NAMES[key]
    modifiers, plus, last = key.rpartition("+")
    return f"{modifiers}{plus}{_NAMES.get(last, last)}"


def keys_of(action: Action, keymap: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of an action where a user has keys of their own."""
    own = keymap.get(action.bound)
    return tuple(own.split(",")) if own else action.keys


def shown_keys(pressed: Iterable[str]) -> str:
    """An action's keys as people write them, each once."""
    return " ".join(dict.fromkeys(shown_key(key) for key in pressed))


def bindings(*scopes: Scope) -> list[Binding]:
    """Textual's bindings for the actions of some scopes."""
    return [
        Binding(
            key,
            action.call,
            action.title,
            id=action.bound,
            show=action.shown and key == action.keys[0],
            key_display=shown_key(key),
            tooltip=action.help,
        )
        for scope in scopes
        for action in of(scope)
        for key in action.keys
    ]


def changes(action_id: str, scope: Scope) -> bool:
    """Whether an action of a scope changes something."""
    return any(action.changes for action in of(scope) if action.id == action_id)


def table() -> str:
    """The table of keys as Markdown, for the README."""
    lines = ["| where | key | what it does |", "|---|---|---|"]
    for scope in Scope:
        for action in of(scope):
            keys = " ".join(f"`{key}`" for key in shown_keys(action.keys).split())
            lines.append(f"| {scope} | {keys} | {action.help} |")
    return "\n".join(lines)
