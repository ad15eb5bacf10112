"""Foreign text as plain text: no markup, no control characters, one line, bounded."""

from __future__ import annotations

import re
from html import unescape

# A space before a block keeps the words of two paragraphs apart, while <b> inside a word does not split it.
_BLOCK = re.compile(
    r"<(?=/?(?:p|br|div|li|[uo]l|d[ltd]|h[1-6]|hr|t[rdh]|table|section|article|figure|figcaption|"
    r"blockquote|pre|header|footer|aside|nav|img)\b)",
    re.IGNORECASE,
)
# Tags that do no more to a text than to part words (the first group) or not, without a sign that could end them early.
# Most markup has no others, and is read at a tenth of a parser's cost.
_PLAIN_TAG = re.compile(
    r"</?(?:(p|br|div|li|[uo]l|d[ltd]|h[1-6]|hr|section|article|figure|figcaption|blockquote|img)"
    r"|a|abbr|b|cite|code|em|i|mark|q|s|small|span|strong|su[bp]|time|u)"
    r"(?=[\s/>])(?:[^<>\"']++|\"[^\"<>]*+\"|'[^'<>]*+')*+>",
    re.IGNORECASE,
)
_UNSEEN = ["script", "style", "template", "noscript", "iframe", "object", "svg", "title"]
_SPACES = re.compile(r"  +")  # written out, it is looked for twice as fast as " {2,}"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")


_TAG = re.compile(r"<(/?)[a-zA-Z]")
# The parser's time grows with the square of the depth; real articles stay below a hundred.
_MAX_DEPTH = 2_000


def html_to_text(html: str, limit: int) -> str:
    """What a reader would see of the markup."""
    if "<" not in html and "&" not in html:
        return clean(html, limit)
    plain = _PLAIN_TAG.sub(lambda tag: " " if tag[1] else "", html)
    if "<" not in plain:
        return clean(unescape(plain), limit)
    return clean(_parsed(html), limit)


def _parsed(html: str) -> str:
    if _is_deep(html):
        return re.sub(r"<[^<>]*>", " ", html)
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError  # noqa: PLC0415 - heavy; only collecting needs it

    try:
        tree = LexborHTMLParser(_BLOCK.sub(" <", _without_controls(html)))
        tree.strip_tags(_UNSEEN)
        return str(tree.body.text()) if tree.body else ""
    except (SelectolaxError, ValueError, RuntimeError):  # markup the parser refuses, for example too large
        return re.sub(r"<[^<>]*>", " ", html)


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
    line = text[: limit * 4]
    if line.isprintable():  # so all its white space is spaces
        return _SPACES.sub(" ", line).strip()[:limit].rstrip()
    line = " ".join(line.split())
    if not line.isprintable():
        line = " ".join(_CONTROLS.sub(" ", line).split())
    return line[:limit].rstrip()


def _without_controls(text: str) -> str:
    return text if text.isprintable() else _CONTROLS.sub(" ", text)
