"""The quick ways of reading text say what the slow ones do."""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata

from worker.research import text
from worker.research.document import content_hash
from worker.research.text import clean, html_to_text

PIECES = [
    "<p>", "</p>", "<br>", "<br/>", "</br>", "<b>", "</b>", '<a href="x">', "</a>", "<a title='a > b'>", "<a =x>", "<a b'c>",
    '<p class=x id="y">', "<li>", "</ul>", "<h1>", '<img alt="x">', "<sub>2</sub>", "<blockquote>", "<x-p>", "<P >",
    "<table>", "<td>", "<script>", "</script>", "<title>", "<!--", "-->", "<s", "<div", "<", "</", ">", '"', "'", "=", "/", "&",
    "&amp;", "&nbsp;", "&auml;", "&#228;", "&#x80;", "&#0;", "&lt;p&gt;", "&copy", "&notit;", "Haus", "\u201ex\u201c", "  ", "\n", "\t",
    "\0", "\xad", "\u200b",
]  # fmt: skip


def test_plain_markup_is_read_as_a_parser_reads_it():
    rng = random.Random(4)
    plain = 0
    for _ in range(4_000):
        html = "".join(rng.choices(PIECES, k=rng.randint(1, 9)))
        plain += "<" in html and "<" not in text._PLAIN_TAG.sub("", html)
        assert html_to_text(html, 500) == clean(text._parsed(html), 500), html
    assert plain > 500


def test_no_markup_makes_telling_it_apart_slow():
    for piece in ("<p a", '<a b="', "<a b='", "<a b=\"'", "<b c ", "< p", "&#", "<p "):
        html = piece * 200_000
        assert text._PLAIN_TAG.sub("", html)


def test_a_hash_is_of_the_words_alone():
    rng = random.Random(2)
    pieces = [
        "Haus",
        "haus",
        "\u201ex\u201c",
        "stra\u00dfe",
        "e\u0301",
        "a_b",
        "\u2013",
        "\u00bd",
        "\xb5",
        "\xa0y",
        "\u0416",
        "\u6771\u4eac",
        "\ud800",
        "\x85",
        ".",
    ]
    for _ in range(1_000):
        content = rng.choice(["", " "]).join(rng.choices(pieces, k=rng.randint(0, 40)))
        words = re.findall(r"\w+", unicodedata.normalize("NFKC", f"T {content}").casefold())
        told = " ".join(words if len(words) >= 20 else ["k/1", *words])
        assert (
            content_hash("T", content, "k/1")
            == hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
        )
