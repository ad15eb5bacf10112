"""Foreign text as plain text: no markup, no control characters, one line, bounded."""

from __future__ import annotations

import re

# A space before a block keeps the words of two paragraphs apart, while <b> inside a word does not split it.
_BLOCK = re.compile(
    r"<(?=/?(?:p|br|div|li|[uo]l|d[ltd]|h[1-6]|hr|t[rdh]|table|section|article|figure|figcaption|"
    r"blockquote|pre|header|footer|aside|nav|img)\b)",
    re.IGNORECASE,
)
_UNSEEN = ["script", "style", "template", "noscript", "iframe", "object", "svg", "title"]
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")


_TAG = re.compile(r"<(/?)[a-zA-Z]")
# The parser's time grows with the square of the depth; real articles stay below a hundred.
_MAX_DEPTH = 2_000


def html_to_text(html: str, limit: int) -> str:
    """What a reader would see of the markup."""
    if "<" not in html and "&" not in html:
        return clean(html, limit)
    if _is_deep(html):
        return clean(re.sub(r"<[^<>]*>", " ", html), limit)
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError  # noqa: PLC0415 - heavy; only collecting needs it

    try:
        tree = LexborHTMLParser(_BLOCK.sub(" <", _without_controls(html)))
        tree.strip_tags(_UNSEEN)
        text = tree.body.text() if tree.body else ""
    except (SelectolaxError, ValueError, RuntimeError):  # markup the parser refuses, for example too large
        text = re.sub(r"<[^<>]*>", " ", html)
    return clean(text, limit)


def _is_deep(html: str) -> bool:
    if html.count("<") <= _MAX_DEPTH:
        return False
    depth = deepest = 0
    for tag in _TAG.finditer(html):
        depth += -1 if tag[1] else 1
        deepest = max(deepest, depth)
    return deepest > _MAX_DEPTH


def clean(text: str, limit: int) -> str:
    """One line without control characters, at most `limit` characters."""
    line = " ".join(text[: limit * 4].split())
    if not line.isprintable():
        line = " ".join(_CONTROLS.sub(" ", line).split())
    return line[:limit].rstrip()


def _without_controls(text: str) -> str:
    return text if text.isprintable() else _CONTROLS.sub(" ", text)
