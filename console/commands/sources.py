"""`sources list|show|disable|enable`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from console.commands.output import CommandError, Exit, plain, table
from console.rows import sources as rows

if TYPE_CHECKING:
    from console.commands.output import Context
    from console.readings.model import Source

EMPTY = "No sources yet: they are known once a market has been collected. Run: topic-console collect MARKET"


def list_(context: Context) -> Exit:
    """How each source is doing, those that fail first."""
    options, now = context.options, context.now()
    market = f' market:"{options.market}"' if options.market else ""
    window = context.readings.sources(f"{options.filter}{market}".strip()).first(options.limit)
    drawn = "" if context.json else table(
        rows.COLUMNS, [rows.cells(one, now) for one in window.rows], empty=EMPTY,
        width=shutil.get_terminal_size().columns,
    )  # fmt: skip
    context.answer(window.rows, drawn)
    return Exit.DONE


def show(context: Context) -> Exit:
    """One source."""
    source = _one(context, context.options.key)
    lines = rows.in_full(source, context.now())
    context.answer(plain(source), "\n".join("".join(cell.text for cell in line) for line in lines))
    return Exit.DONE


def disable(context: Context) -> Exit:
    """Lets no collection ask a source."""
    source = _one(context, context.options.key)
    return context.done(context.actions.disable_sources(source.market, [source.key], context.options.note))


def enable(context: Context) -> Exit:
    """Lets collections ask a source again."""
    source = _one(context, context.options.key)
    return context.done(context.actions.enable_sources(source.market, [source.key]))


def _one(context: Context, name: str) -> Source:
    """The source that a key, a name or an address means.

    Raises:
        CommandError: it means none, or more than one.
    """
    found = context.readings.sources_named(context.options.market, name)
    source: Source | None = context.readings.source(*found[0]) if len(found) == 1 else None
    if source is not None:
        return source
    if found:
        meant = ", ".join(f"{key} of {market}" for market, key in found[:5])
        raise CommandError(f"{name!r} means {len(found)} sources: {meant}; say which, or add --market")
    raise CommandError(f"no source is named {name!r}; try: topic-console sources list")
