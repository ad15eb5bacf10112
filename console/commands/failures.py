"""`failures list|show|retry|edit|delete|clear`."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Exit, plain, table, unpacked
from console.rows import failures as rows
from console.rows.base import Cell, Column
from console.rows.diff import diff_lines
from console.text import clean, clean_lines, plural, stamp
from worker.queue.arguments import parse
from worker.queue.errors import MessageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.commands.output import Context
    from console.readings.model import LetterDetail


def list_(context: Context) -> Exit:
    """Dead letters, newest first; `--causes` groups them."""
    options, now = context.options, context.now()
    width = shutil.get_terminal_size().columns
    empty = "No dead letters."
    if options.causes:
        causes = context.readings.causes(options.limit)
        drawn = table(
            rows.CAUSE_COLUMNS, [rows.cause_cells(one, now) for one in causes], empty=empty, width=width
        )
        context.answer(causes, drawn)
        return Exit.DONE
    letters = context.readings.letters(None, options.filter).first(options.limit).rows
    columns = (Column("Id", 6, "right"), *rows.LETTER_COLUMNS)
    drawn = table(
        columns,
        [(Cell(str(one.id)), *rows.letter_cells(one, now)) for one in letters],
        empty=empty,
        width=width,
    )
    context.answer(letters, drawn)
    return Exit.DONE


def show(context: Context) -> Exit:
    """One dead letter with its traceback."""
    detail = context.readings.letter(context.options.id)
    if detail is None:
        raise CommandError(f"there is no dead letter {context.options.id}")
    history = [{"attempt": number, "at": at, "error": error} for number, at, error in detail.history]
    document = plain(detail.letter) | {
        "args": unpacked(detail.args), "traceback": detail.traceback, "history": plain(history),
        "worker": detail.worker, "retried_at": plain(detail.retried_at),
    }  # fmt: skip
    context.answer(document, in_words(detail))
    return Exit.DONE


def in_words(detail: LetterDetail) -> str:
    """A dead letter for people."""
    letter = detail.letter
    lines = [
        f"{clean(letter.name)}  {clean(letter.subject)}".rstrip(),
        f"{clean(letter.error_type)}: {clean(letter.error, 1_000)}",
        f"died {stamp(letter.last_seen)}, {letter.reason}, on {clean(detail.worker)}",
        f"arguments {_arguments(detail.args)}",
        *(f"attempt {number} {stamp(at)} {clean(error, 300)}" for number, at, error in detail.history),
        "",
        clean_lines(detail.traceback),
    ]
    return "\n".join(lines).rstrip()


def _arguments(text: str | None) -> str:
    """As they are stored, so that they can be copied into `edit`; what is no JSON says so."""
    unreadable = isinstance(unpacked(text), str)
    return f"{'cannot be read: ' if unreadable else ''}{clean(text, 2_000)}"


def retry(context: Context) -> Exit:
    """Runs the tasks of dead letters again: those named, those a filter finds, or all that are dead now."""
    options = context.options
    if sum(map(bool, (options.ids, options.all, options.filter, options.cause))) != 1:
        raise CommandError(
            "say which: topic-console failures retry ID..., --filter TEXT, --cause FINGERPRINT, or --all",
            Exit.UNUSABLE,
        )
    ids: Sequence[int] = options.ids or _dead(context, options.cause or None, options.filter)
    if not options.ids:
        context.confirm(f"Retry {plural(len(ids), 'dead letter')}?")
    act = context.actions.canary if options.canary else context.actions.retry
    return context.done(act(ids, {"filter": options.filter}))


def _dead(context: Context, cause: str | None, text: str) -> Sequence[int]:
    """The ids of the dead letters that a filter finds now."""
    frozen = list(context.readings.letters(cause, f"{text} is:dead".strip()).freeze())[-1]
    return frozen.numbers.get("", ())


def stop_canary(context: Context) -> Exit:
    """Lets no more letters of a cause follow its canary."""
    return context.done(context.actions.cancel_canaries(context.options.cause))


def edit(context: Context) -> Exit:
    """Runs a dead letter's task again with other arguments."""
    options = context.options
    detail = context.readings.letter(options.id)
    if detail is None:
        raise CommandError(f"there is no dead letter {options.id}")
    try:
        after = json.dumps(parse(options.args), indent=2, ensure_ascii=False)
    except MessageError as error:
        raise CommandError(f"arguments: {error}", Exit.UNUSABLE) from error
    before = json.dumps(unpacked(detail.args), indent=2, ensure_ascii=False)
    changes = "\n".join("".join(cell.text for cell in line) for line in diff_lines(before, after))
    if not options.yes and not context.json:
        print(changes or "Nothing differs.", file=sys.stderr)
    context.confirm(f"Run dead letter {options.id} again with these arguments?")
    return context.done(context.actions.edit_letter(options.id, options.args))


def delete(context: Context) -> Exit:
    """Takes dead letters away."""
    options = context.options
    if bool(options.ids) == bool(options.filter):
        raise CommandError("say which: topic-console failures delete ID..., or --filter TEXT", Exit.UNUSABLE)
    ids: Sequence[int] = options.ids or _dead(context, None, options.filter)
    context.confirm(f"Delete {plural(len(ids), 'dead letter')}?")
    return context.done(context.actions.delete_letters(ids, {"filter": options.filter}))


def clear(context: Context) -> Exit:
    """Takes away every dead letter there is now."""
    last, count = context.actions.letters_mark()
    context.confirm(f"Clear {plural(count, 'dead letter')} from {context.home.root}?")
    return context.done(context.actions.clear_letters(last))
