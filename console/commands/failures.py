"""`failures list|show|retry|delete|clear`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Exit, plain, table, unpacked
from console.rows import failures as rows
from console.rows.base import Cell, Column
from console.text import clean, clean_lines, plural, stamp

if TYPE_CHECKING:
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
        f"arguments {clean(detail.args, 2_000)}",
        *(f"attempt {number} {stamp(at)} {clean(error, 300)}" for number, at, error in detail.history),
        "",
        clean_lines(detail.traceback),
    ]
    return "\n".join(lines).rstrip()


def retry(context: Context) -> Exit:
    """Runs the tasks of dead letters again: those named, or all that are dead now."""
    options = context.options
    if bool(options.ids) == options.all:
        raise CommandError("say which: topic-console failures retry ID..., or --all", Exit.UNUSABLE)
    ids = options.ids
    if options.all:
        ids = _all_dead(context)
        context.confirm(f"Retry {plural(len(ids), 'dead letter')}?")
    return context.done(context.actions.retry(ids))


def _all_dead(context: Context) -> list[int]:
    return [letter.id for letter in context.readings.letters(None, "is:dead").all_rows()]


def delete(context: Context) -> Exit:
    """Takes dead letters away."""
    ids = context.options.ids
    context.confirm(f"Delete {plural(len(ids), 'dead letter')}?")
    return context.done(context.actions.delete_letters(ids))


def clear(context: Context) -> Exit:
    """Takes away every dead letter there is now."""
    last, count = context.actions.letters_mark()
    context.confirm(f"Clear {plural(count, 'dead letter')} from {context.home.root}?")
    return context.done(context.actions.clear_letters(last))
