from __future__ import annotations

import re
from pathlib import Path

import pytest

from worker.research.language import language_of

DEMO = Path(__file__).resolve().parents[2] / "config" / "markets" / "demo"
ENGLISH = {"proptech-ledger.json", "smart-building-weekly.atom", "the-facility-post.atom"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Die Miete steigt, und der Bund will mit einer Bremse dagegen halten", "de"),
        ("The rent rises, and the state will answer with a brake of its own", "en"),
        ("Onderzoek naar warmtepompen in de stad van morgen", "nl"),
        ("Les loyers augmentent à Paris et dans toutes les grandes villes", "fr"),
        ("Los alquileres suben en todas las grandes ciudades", "es"),
        ("Ceny mieszkań w dużych miastach znowu rosną", "pl"),
        ("東京都は来年度から集合住宅への補助金を出すと発表した", "ja"),
        ("Цены на жильё в больших городах снова растут", "ru"),
    ],
)
def test_languages(text, code):
    if code not in {"de", "en"}:
        pytest.importorskip("pycld2", reason="there is no wheel of it for this system")
    assert language_of(text, "xx") == code


@pytest.mark.parametrize(
    "text", ["", "Update", "GPT-5", "42 % 7", "iPhone 17 Pro", "Proptech sammelt 12 Millionen ein"]
)
def test_what_cannot_be_told_is_the_markets(text):
    assert language_of(text, "de") == "de"


@pytest.mark.parametrize("path", sorted(DEMO.iterdir()), ids=lambda path: path.name)
def test_short_titles_of_the_demo(path):
    raw = path.read_bytes()
    text = raw.decode("latin-1" if b"8859-1" in raw[:100] else "utf-8")
    titles = re.findall(r"<title>([^<]+)</title>", text)[1:] or re.findall(r'"title": "([^"]+)"', text)[1:]
    expected = "en" if path.name in ENGLISH else "de"
    wrong = [title for title in titles if language_of(title, expected) != expected]
    assert wrong == [], f"{len(wrong)} of {len(titles)}"
