"""`search`: the documents and topics that match a query."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from console.commands.output import Exit
from console.text import clean, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from console.commands.output import Context
    from console.readings.model import Found

_BOLD, _PLAIN = "\x1b[1m", "\x1b[22m"


def search(context: Context) -> Exit:
    """What matches, the likeliest first."""
    found = context.readings.search(" ".join(context.options.words), context.options.limit).all_rows()
    if context.json:
        context.answer([_facts(one) for one in found], "")
        return Exit.DONE
    bold = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    lines = "\n".join(line for one in found for line in _lines(one, bold=bold))
    context.answer(
        None, lines or "Nothing matches. All words must occur; market: source: lang: after: narrow it."
    )
    return Exit.DONE


def _facts(found: Found) -> dict[str, Any]:
    """As JSON has it; `fetched_at` of a topic is when it was last ranked."""
    return {
        "kind": found.kind,
        "id": found.id,
        "title": found.title,
        "url": found.url,
        "source": found.source,
        "market": found.market,
        "language": found.language,
        "published_at": found.published_at,
        "fetched_at": found.at,
        "copies": found.copies,
        "snippet": found.snippet,
    }


def _lines(found: Found, *, bold: bool) -> Iterable[str]:
    yield clean(found.title)
    when = stamp(found.published_at or found.at)
    if found.kind == "topic":
        yield f"    topic of {clean(found.market)}  {when}  {found.copies} sources"
    else:
        more = f"  +{found.copies} more" if found.copies else ""
        yield f"    {clean((found.source or '').partition('/')[0])}  {when}  {clean(found.market)}  {clean(found.language)}{more}"
    if found.snippet.strip() and found.snippet != found.title:
        yield f"    {_context(found, bold=bold)}"
    if found.url:
        yield f"    {clean(found.url, 500)}"


def _context(found: Found, *, bold: bool) -> str:
    return "".join(f"{_BOLD}{text}{_PLAIN}" if hit and bold else text for text, hit in _cleaned(found))


def _cleaned(found: Found) -> Iterable[tuple[str, bool]]:
    """The pieces without what steers a terminal; the spaces at their ends kept."""
    for text, hit in found.context:
        before, after = " " * text[:1].isspace(), " " * text[-1:].isspace()
        yield f"{before}{clean(text.strip(), 400)}{after}", hit
