from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from console.cli import main
from console.readings import ReadingError, Readings
from console.readings.documents import parse
from console.readings.words import query_of, spellings, stem_of
from worker.places import Home
from worker.research.document import Document, content_hash
from worker.research.library import Harvest, Library
from worker.research.sources import Source
from worker.research.urls import comparison_key

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Shelf:
    """A home whose library is filled by the worker's own code, and read by the console's."""

    def __init__(self, folder):
        self.home = Home(folder)
        self.library = Library(self.home.topics_db)
        self.readings = Readings(self.home, now=lambda: NOW)
        self.number = 0

    def put(
        self, title, text="", *, source="https://a.example/f", market="m", language="de", days_ago=0, url=None
    ):
        self.number += 1
        at = NOW - timedelta(days=days_ago)
        one = Source.at(source)
        url = url or f"https://x.example/{self.number}"
        key = comparison_key(url)
        document = Document(
            source=one.key, source_url=url, title=title, content=text, language=language, domain="d", market="G",
            vertical="v", content_hash=content_hash(title, text, key), canonical_url=url, canonical_key=key,
            published_at=at, fetched_at=at,
        )  # fmt: skip
        self.library.store(market, one, Harvest((document,), 1, 200, 0.1, 10), now=at)

    def topic(self, title, market="m", summary=None):
        with self.library.transaction() as conn:
            conn.execute(
                "INSERT INTO topic (market, key, title, score, parts, sources, documents, samples, first_seen, "
                "last_seen, summary) VALUES (?, ?, ?, 1, '{}', 3, 4, '[]', ?, ?, ?)",
                (market, title, title, NOW.timestamp(), NOW.timestamp(), summary),
            )

    def titles(self, query, limit=100):
        return [found.title for found in self.readings.search(query, limit).all_rows()]


@pytest.fixture
def shelf(home):
    one = Shelf(home)
    yield one
    one.readings.close()
    one.library.close()


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Wärmepumpe", "wärmepumpe"),
        ("Wärmepumpe", "WÄRMEPUMPE"),
        ("Wärmepumpe", "warmepumpe"),
        ("Wärmepumpe", "waermepumpe"),
        ("Waermepumpe", "wärmepumpe"),
        ("Straße", "strasse"),
        ("Strasse", "straße"),
        ("STRASSE", "Straße"),
        ("Größe", "groesse"),
        ("Groesse", "größe"),
        ("Überbau", "ueberbau"),
        ("Wärmepumpen", "wärmepumpe"),
        ("Wärmepumpe", "wärmepumpen"),
        ("Wärmepumpenförderung", "wärmepumpe"),
        ("Mietpreise", "mietpreis"),
        ("Sanierungen", "sanierung"),
        ("Sanierung", "sanierungen"),
        ("pumps", "pump"),
        ("pump", "pumps"),
        ("Café", "cafe"),
        ("Neue Bauer-Quelle", "neue bauer quelle"),
        ("Förderung ab Januar", "förderung jan"),
        ("Smart Building Summit", '"smart building"'),
    ],
)
def test_every_spelling_and_form_finds(shelf, written, typed):
    shelf.put(f"Etwas zu {written} heute")
    shelf.put("Etwas ganz anderes")
    assert shelf.titles(typed) == [f"Etwas zu {written} heute"]


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Bau", "baum"),
        ("Building smart", '"smart building"'),
        ("Miete", "mieterbund"),
        ("Haus", "hausmeister"),
    ],
)
def test_what_does_not_match(shelf, written, typed):
    shelf.put(written)
    assert shelf.titles(typed) == []


def test_titles_before_texts_and_the_word_itself_before_its_forms(shelf):
    shelf.put("Aufzug", "Die Wärmepumpe wird einmal erwähnt, sonst geht es um anderes. " * 3)
    shelf.put("Wärmepumpe im Altbau", "Förderung ab Januar")
    shelf.put("Wärmepumpenhersteller klagt", "Wenig Neues")
    assert shelf.titles("wärmepumpe") == ["Wärmepumpe im Altbau", "Aufzug", "Wärmepumpenhersteller klagt"]
    assert shelf.titles("wärmepumpe", 1) == ["Wärmepumpe im Altbau"]


def test_filters(shelf):
    shelf.put("Miete eins", market="m", source="https://www.heise.de/f", language="de", days_ago=40)
    shelf.put("Miete zwei", market="n", source="https://golem.de/f", language="en", days_ago=3)
    shelf.put("Miete drei", market="m", source="https://golem.de/f", language="de", days_ago=1)
    assert shelf.titles("miete market:n") == ["Miete zwei"]
    assert set(shelf.titles("miete market:n market:m")) == {"Miete eins", "Miete zwei", "Miete drei"}
    assert shelf.titles("miete source:heise") == ["Miete eins"]
    assert shelf.titles("miete source:www.heise.de") == ["Miete eins"]
    assert shelf.titles("miete lang:en") == ["Miete zwei"]
    assert set(shelf.titles("miete after:7d")) == {"Miete zwei", "Miete drei"}
    assert set(shelf.titles("miete after:2026-11")) == {"Miete zwei", "Miete drei"}
    assert shelf.titles("miete before:2026-11") == ["Miete eins"]
    assert shelf.titles("miete source:golem market:m after:2026-11-01 lang:de") == ["Miete drei"]
    assert shelf.titles("market:m") == ["Miete drei", "Miete eins"], "without words the newest first"
    assert shelf.titles("miete !drei") == shelf.titles("miete -drei")
    assert set(shelf.titles("miete !drei")) == {"Miete eins", "Miete zwei"}
    assert shelf.titles("miete source:") != [], "still being typed"
    assert shelf.titles("miete market:nowhere") == []


@pytest.mark.parametrize(
    "query", ["x after:yesterday", "x after:2026-13", "x is:wrong", "x author:me", "x before:0"]
)
def test_a_filter_that_cannot_be_understood_is_named(shelf, query):
    shelf.put("x")
    with pytest.raises(ReadingError, match="expected"):
        shelf.titles(query)


def test_a_common_word_is_ranked_by_age_and_title(shelf, monkeypatch):
    monkeypatch.setattr("console.readings.documents.NEWEST", 5)
    monkeypatch.setattr("console.readings.documents._MOST_RANKED", 10)
    for number in range(20):
        shelf.put(f"Nummer {number}", "Die Miete steigt.")
    shelf.put("Miete im Titel", "anderes", days_ago=9)
    for number in range(20, 30):
        shelf.put(f"Nummer {number}", "Die Miete steigt.")
    assert shelf.titles("miete", 3) == ["Miete im Titel", "Nummer 29", "Nummer 28"]


def test_topics_are_found_with_documents(shelf):
    shelf.put("Wärmepumpe im Altbau")
    shelf.topic("Wärmepumpe")
    shelf.topic("Heizung", summary="Was sich bei der Wärmepumpe ändert")
    assert set(shelf.titles("wärmepumpe is:topic")) == {"Wärmepumpe", "Heizung"}
    assert shelf.titles("wärmepumpe is:document") == ["Wärmepumpe im Altbau"]
    assert shelf.titles("wärmepumpe")[-1] == "Wärmepumpe im Altbau"
    assert shelf.titles("wärmepumpe market:n") == []
    with shelf.library.transaction() as conn:
        conn.execute("UPDATE topic SET title = 'Kessel', summary = NULL")
    assert shelf.titles("wärmepumpe is:topic") == []


def test_copies_are_counted(shelf):
    shelf.put("Miete", source="https://a.example/f", url="https://x.example/same")
    shelf.put("Miete", source="https://b.example/f", url="https://x.example/same")
    shelf.put("Miete", source="https://c.example/f", url="https://x.example/same")
    (found,) = shelf.readings.search("miete").all_rows()
    assert found.copies == 2


def test_the_context_names_the_words(shelf):
    shelf.put("Titel", f"{'vorher ' * 40}die Förderung ab Januar{' nachher' * 40}")
    (found,) = shelf.readings.search("foerderung").all_rows()
    assert ("Förderung", True) in found.context
    assert found.snippet.startswith("…")


@pytest.mark.parametrize(
    "query",
    ['"', '"a', "a AND", "NOT", "a OR OR b", "(", "*", "a*b", "{a b}:c", "^a", "a - b", "\0", "😀", "_", "__ _", "-", "!",
     "", "   ", "a" * 10_000, "a " * 5_000, "NEAR(a b)", "%", "';--", "\ud800x", "ß", "a\nb", "1.5", "'", "\\", "!a",
     "http://x.example/1", "a NOT b", "title : a"],
)  # fmt: skip
def test_any_text_is_a_query(shelf, query):
    shelf.put("a b", "c")
    assert isinstance(shelf.titles(query), list)


def test_the_command(shelf, capsys, home):
    shelf.put(
        "Wärmepumpe \x1b]0;böse\x07im Altbau", "Förderung der Wärmepumpe ab Januar", url="https://x.example/1"
    )
    assert main(["--home", str(home), "search", "waermepumpe", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["kind"] == "document"
    assert found["url"] == "https://x.example/1"
    assert "Wärmepumpe" in found["snippet"]
    assert found["fetched_at"] == NOW.isoformat()
    assert main(["--home", str(home), "search", "waermepumpe", "source:a.example"]) == 0
    out = capsys.readouterr().out
    assert "    a.example  2026-11-23" in out
    assert "Förderung der Wärmepumpe ab Januar" in out
    assert "\x1b" not in out
    assert main(["--home", str(home), "search", "nichts"]) == 0
    assert "Nothing matches" in capsys.readouterr().out
    assert main(["--home", str(home), "search", "x after:never"]) == 2
    assert "after:never" in capsys.readouterr().err


def test_an_empty_home_has_nothing(home, capsys):
    assert main(["--home", str(home), "search", "x", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_file_that_no_newer_worker_has_opened_yet(home, monkeypatch):
    from worker.research import schema
    from worker.sqlite import sqlite3

    conn = sqlite3.connect(home / "topics.db", isolation_level=None)
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    schema.make_current(conn, home / "topics.db")
    conn.execute(
        "INSERT INTO document (market, source, title, canonical_key, content_hash, content, language, domain, country, "
        "vertical, reliability_score, fetched_at) VALUES ('m', 's', 'Miete', 'k', 'h', '', 'de', 'd', 'c', 'v', 0.5, 0)"
    )
    conn.execute("INSERT INTO document_fts (document_fts) VALUES ('rebuild')")
    conn.close()
    readings = Readings(Home(home), now=lambda: NOW)
    assert [found.title for found in readings.search("miete").all_rows()] == ["Miete"]
    readings.close()


def test_words():
    assert spellings("größe")[:2] == ["größe", "groesse"]
    assert spellings("neue bauer") == ["neue bauer"]
    assert [stem_of(word) for word in ("wärmepumpen", "sanierungen", "pumps", "haus", "bus")] == [
        "wärmepump", "sanierung", "pump", "haus", "bus",
    ]  # fmt: skip
    assert query_of(["", "!!!"]) == ""
    assert parse("  ", 0).match == ""
