"""What operators did, as rows and in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.rows.base import Cell, Column, Tone, short_name
from console.rows.details import arguments, facts, heading
from console.rows.diff import diff_lines
from console.text import DOT, ago, clean, number, plural, precise

if TYPE_CHECKING:
    from datetime import datetime

    from console.readings.journal import JournalDetail, JournalEntry
    from console.rows.details import Line

COLUMNS = (
    Column("When", 5, "right"),
    Column("Did", 27),
    Column("To what", 0, least=14),
    Column("How many", 8, "right", priority=2),
    Column("Undo", 6),
    Column("Who", 20, priority=3),
)
# An act in words: a verb, and what it was done to.
_DID = {
    ("enqueue", "queue"): "enqueued a task",
    ("cancel", "queue"): "cancelled tasks",
    ("cancel", "canary"): "stopped a canary retry",
    ("clear", "queue"): "cleared the queue",
    ("run_now", "queue"): "made tasks ready",
    ("priority", "queue"): "changed a priority",
    ("edit", "queue"): "edited arguments",
    ("quarantine", "queue"): "put unknown tasks aside",
    ("retry", "failures"): "retried dead letters",
    ("canary", "failures"): "began a canary retry",
    ("edit", "failures"): "edited and retried",
    ("delete", "failures"): "deleted dead letters",
    ("clear", "failures"): "cleared dead letters",
    ("pause", "queue"): "paused the queue",
    ("resume", "queue"): "resumed the queue",
    ("pause", "schedules"): "paused a schedule",
    ("resume", "schedules"): "resumed a schedule",
    ("run_now", "schedules"): "ran a schedule now",
    ("replay", "schedules"): "replayed missed ticks",
    ("acknowledge", "schedules"): "acknowledged missed ticks",
}
NO_REVERSE = "cannot be undone"


def key(entry: JournalEntry) -> str:
    """What tells this row from the others."""
    return entry.id


def did(entry: JournalEntry) -> str:
    """The act in words."""
    if entry.action == "undo":
        return f"undid: {_DID.get((entry.undid_action or '', entry.target), entry.undid_action or 'an act')}"
    return act_in_words(entry.action, entry.target)


def act_in_words(action: str, target: str) -> str:
    """What was done, to what: `cleared dead letters`."""
    return _DID.get((action, target), clean(f"{action} {target}", 40))


def reverse(entry: JournalEntry) -> str:
    """Whether it can be taken back: `possible`, `undone`, or `no`."""
    if entry.undone_by:
        return "undone"
    return "possible" if (entry.action, entry.target) in _DID else "no"


def about(entry: JournalEntry) -> str:
    """To what it was done, in a line."""
    change = f"{arguments(entry.before)} → {arguments(entry.after)}" if entry.after else ""
    parts = (
        f"{short_name(entry.name)} {entry.subject}".strip(),
        change,
        f"filter {entry.filter}" if entry.filter else "",
        "; ".join(entry.sample[:1]),
        entry.note,
    )
    return clean("  ".join(filter(None, parts)), 200)


def cells(entry: JournalEntry, now: datetime, *, ascii_only: bool = False) -> tuple[Cell, ...]:
    """The row's cells, in the order of COLUMNS."""
    del ascii_only
    possible = reverse(entry)
    tone = {"undone": Tone.WARN, "possible": Tone.GOOD}.get(possible, Tone.QUIET)
    return (
        Cell(ago(entry.at, now)),
        Cell(did(entry), Tone.QUIET if entry.action == "undo" else Tone.PLAIN),
        Cell(about(entry) or DOT, Tone.QUIET),
        Cell(number(entry.count)),
        Cell({"possible": "u", "no": DOT}.get(possible, possible), tone),
        Cell(clean(entry.actor, 60), Tone.QUIET),
    )


def of_entry(detail: JournalDetail, now: datetime, *, utc: bool = False) -> list[Line]:
    """An act in full."""
    entry = detail.entry
    lines = heading(did(entry), plural(entry.count, "thing"))
    lines += facts(
        (
            ("who", clean(entry.actor, 200)),
            ("when", f"{precise(entry.at, utc=utc)}, {ago(entry.at, now)} ago"),
            ("name", clean(entry.name, 200)),
            ("market", clean(entry.subject, 200)),
            ("filter", clean(entry.filter, 200)),
            ("note", clean(entry.note, 400)),
            ("undo", undo_in_words(detail, utc=utc)),
        )
    )
    if entry.sample:
        lines += [
            (),
            (Cell("Some of them", Tone.ACCENT),),
            *((Cell(clean(one, 200)),) for one in entry.sample),
        ]
    if entry.after:
        lines += [(), (Cell("Arguments", Tone.ACCENT),), *diff_lines(entry.before, entry.after)]
    if detail.task_ids:
        shown = detail.task_ids[:10]
        rest = (
            [(Cell(f"and {number(entry.count - len(shown))} more", Tone.QUIET),)]
            if entry.count > len(shown)
            else []
        )
        lines += [
            (),
            (Cell("Tasks", Tone.ACCENT),),
            *((Cell(clean(one), Tone.QUIET),) for one in shown),
            *rest,
        ]
    return [*lines, (), (Cell(f"entry {clean(entry.id)}", Tone.QUIET),)]


def undo_in_words(detail: JournalDetail, *, utc: bool = False) -> str:
    """Whether the act can be taken back, and why not."""
    entry, other = detail.entry, detail.other
    if entry.action == "undo":
        of = (
            f" It took back what {clean(other.actor, 60)} did {precise(other.at, utc=utc)}: {did(other)}."
            if other
            else ""
        )
        return f"An undo {NO_REVERSE}: do again what it took back.{of}"
    if entry.undone_by:
        by = (
            f" by {clean(other.actor, 60)}, {precise(other.at, utc=utc)}, for {plural(other.count, 'thing')}"
            if other
            else ""
        )
        return f"It was undone{by}."
    if reverse(entry) == "no":
        return f"It {NO_REVERSE}: it has no reverse."
    if (
        entry.action in {"cancel", "clear", "delete", "quarantine"}
        and entry.target != "canary"
        and not detail.kept
    ):
        return "What it took away is not kept any more, or was only asked to stop."
    return "u undoes it, as far as that is still possible."
