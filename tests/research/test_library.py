from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tests.research.corpus import document
from worker.research import schema
from worker.research.document import Document, content_hash
from worker.research.errors import LibraryBusyError, LibraryError, LibraryFileError
from worker.research.library import Harvest, Library, Stored
from worker.research.sources import Source
from worker.research.upkeep import fingerprint_old
from worker.research.urls import canonical_url, comparison_key
from worker.sqlite import sqlite3

LONG = "Der Text ist lang genug, um ein Beweis zu sein: " + " ".join(f"wort{n}" for n in range(30))


@pytest.fixture
def put(library, now):
    """Stores documents of (title, url, text) under a source, and answers what was new."""

    def put(source_url, *entries, market="m", guid=None, at=None, into=library, **more):
        source = Source.at(source_url)
        documents = []
        for title, url, text in entries:
            clean = canonical_url(url) if url else None
            key = comparison_key(clean) if clean else f"{source.key}#{title}"
            documents.append(
                Document(
                    source=source.key, source_url=url or source.url, title=title, content=text, language="de",
                    domain="SaaS", market="Germany", vertical="v", content_hash=content_hash(title, text, key),
                    canonical_url=clean, canonical_key=key, guid=guid, fetched_at=at or now(),
                )
            )  # fmt: skip
        harvest = Harvest(tuple(documents), len(documents), 200, 0.1, 10, **more)
        return into.store(market, source, harvest, now=at or now())

    return put


def with_word(library, word):
    """The titles of the documents that the index finds."""
    found = library.rows("SELECT title FROM document_fts WHERE document_fts MATCH ?", word)
    return [row["title"] for row in found]


def test_nothing_is_created_before_it_is_needed(home):
    with Library(home / "topics.db"):
        assert not (home / "topics.db").exists()


def test_the_same_url_is_stored_once_and_linked_once(library, put):
    assert put("https://a.example/f", ("t", "https://x.example/1?utm_source=a", "")) == Stored(1, 0)
    assert put("https://a.example/f", ("t", "https://x.example/1", "")) == Stored(0, 0), (
        "its own source again"
    )
    assert put("https://b.example/f", ("other", "http://www.x.example/1/", "")) == Stored(0, 1)
    assert put("https://b.example/f", ("other", "https://x.example/1", "")) == Stored(0, 0)
    assert (library.tally("documents"), library.tally("documents:m"), library.tally("duplicates")) == (
        1,
        1,
        1,
    )
    (link,) = library.rows("SELECT * FROM duplicate")
    assert (link["source"], link["reason"]) == ("b.example/f", "url")


def test_the_same_text_is_stored_once(library, put):
    assert put("https://a.example/f", ("Titel", "https://a.example/1", LONG)) == Stored(1, 0)
    assert put("https://b.example/f", ("TITEL!", "https://b.example/9", LONG.upper())) == Stored(0, 1)
    assert library.rows("SELECT reason FROM duplicate")[0]["reason"] == "content"


def test_a_short_text_is_no_evidence(library, put):
    put("https://a.example/f", ("Podcast: Guten Morgen", "https://a.example/1", ""))
    assert put("https://a.example/f", ("Podcast: Guten Morgen", "https://a.example/2", "")) == Stored(1, 0)


def test_an_entry_that_changed_its_address_is_known_by_its_guid(library, put):
    put("https://a.example/f", ("Alt", "https://a.example/alt", ""), guid="7")
    assert put("https://a.example/f", ("Neu", "https://a.example/neu", ""), guid="7") == Stored(0, 0)
    assert put("https://b.example/f", ("Neu", "https://b.example/neu", ""), guid="7") == Stored(1, 0)


def test_a_guid_that_all_entries_share_identifies_none(library, put):
    pages = [(f"t{n}", f"https://a.example/{n}", "") for n in range(3)]
    assert put("https://a.example/f", *pages, guid="same") == Stored(3, 0)


def test_another_market_links_what_the_first_stored(library, put):
    put("https://a.example/f", ("t", "https://x.example/1", ""), market="m")
    assert put("https://a.example/f", ("t", "https://x.example/1", ""), market="n") == Stored(0, 1)
    assert library.tally("documents:n") == 0


def test_tallies_and_index_follow_a_deletion(library, put):
    put("https://a.example/f", ("Wärmepumpe", "https://x.example/1", ""), ("b", "https://x.example/2", ""))
    put("https://b.example/f", ("c", "https://x.example/1", ""))
    with library.transaction() as conn:
        conn.execute("DELETE FROM document WHERE title = 'Wärmepumpe'")
    assert [library.tally(name) for name in ("documents", "documents:m", "duplicates")] == [1, 1, 0]
    assert with_word(library, "Wärmepumpe") == []
    library.rows("INSERT INTO document_fts (document_fts) VALUES ('integrity-check')")


def test_health_over_success_silence_and_failure(library, put, now):
    source = Source.at("https://a.example/f")
    library.note_failure("m", source, "404 Not Found", status=404, now=now())
    library.note_failure("m", source, "410 Gone", status=410, now=now() + timedelta(hours=1))
    (health,) = library.sources("m")
    assert (health.errors_in_row, health.last_error, health.status) == (2, "410 Gone", 410)
    assert health.gone_at == now() + timedelta(hours=1)
    assert health.last_success is None
    put(
        "https://a.example/f",
        ("t", "https://x.example/1", ""),
        etag='"e"',
        last_modified="lm",
        moved_to="https://n/",
    )
    (health,) = library.sources("m")
    assert (health.errors_in_row, health.gone_at, health.documents, health.items) == (0, None, 1, 1)
    assert (health.name, health.moved_to, health.last_error) == ("a.example", "https://n/", "410 Gone")
    library.note_failure("m", source, "timed out after 20 s", status=None, now=now())
    validators = library.known("m")["a.example/f"]
    assert (validators.etag, validators.last_modified) == ('"e"', "lm"), "a failure forgets no validators"
    library.note_unchanged("m", source, seconds=0.2, now=now())
    assert library.sources("m")[0].errors_in_row == 0


def test_a_failing_transaction_stores_nothing_of_the_source(library, put, monkeypatch):
    put("https://b.example/f", ("b", "https://x.example/0", ""))
    monkeypatch.setattr("worker.research.library.succeeded", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        put("https://a.example/f", ("t", "https://x.example/1", ""), etag="x")
    assert library.tally("documents") == 1
    assert [source.key for source in library.sources("m")] == ["b.example/f"]
    assert with_word(library, "t") == []


def test_a_locked_library_says_so(home, put, now):
    path = home / "locked.db"
    with Library(path, busy_timeout_s=0.05) as library:
        put("https://a.example/f", ("t", "https://x.example/1", ""), into=library)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LibraryBusyError, match="another process has kept the library locked"):
            put("https://a.example/f", ("t", "https://x.example/2", ""), into=library)
        assert library.tally("documents") == 1, "reading goes on"
        other.close()


def test_whose_file_it_is(home):
    foreign = home / "foreign.db"
    conn = sqlite3.connect(foreign)
    conn.execute("CREATE TABLE x (y)")
    conn.close()
    before = foreign.read_bytes()
    newer = home / "newer.db"
    conn = sqlite3.connect(newer)
    conn.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    conn.execute("PRAGMA user_version = 99")
    conn.close()
    (home / "text.db").write_text("hello " * 500)
    for name, words in (
        ("foreign.db", "another program's database"),
        ("newer.db", "its schema is version 99, this program knows versions up to 4"),
        ("text.db", "expected a SQLite database"),
        ("none/topics.db", "its folder does not exist"),
        (".", "found a folder"),
    ):
        with Library(home / name) as library, pytest.raises(LibraryFileError, match=words):
            library.tally("documents")
    assert foreign.read_bytes() == before
    assert not (home / "foreign.db-wal").exists()


def test_sqlites_other_errors_are_ours(library):
    with pytest.raises(LibraryError, match="no such table"):
        library.rows("SELECT * FROM nowhere")


def test_threads_share_a_library(library, put):
    def work(number):
        put(f"https://s{number}.example/f", *((f"t{n}", f"https://x.example/{n}", "") for n in range(20)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert library.tally("documents") == 20
    assert library.tally("duplicates") == 7 * 20


def of_version_1(path, documents, monkeypatch):
    """A library as version 1 left it."""
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    conn = sqlite3.connect(path, isolation_level=None)
    schema.make_current(conn, path)
    conn.execute("BEGIN")
    conn.executemany(
        "INSERT INTO document (market, source, title, canonical_key, content_hash, content, language, domain, country, "
        "vertical, reliability_score, fetched_at) VALUES ('m', 'a.example/f', ?, ?, ?, ?, 'de', 'd', 'c', 'v', 0.5, 0)",
        [
            (title, f"a.example/{number}", f"h{number}", text)
            for number, (title, text) in enumerate(documents)
        ],
    )
    conn.execute(
        "INSERT INTO topic (id, market, key, title, score, parts, sources, documents, samples, first_seen, last_seen) "
        "VALUES (3, 'm', 'k', 'Wärmepumpe', 1, '{}', 1, 1, '[]', 0, 0)"
    )
    conn.execute("COMMIT")
    conn.close()
    monkeypatch.undo()


def test_a_library_of_version_1_becomes_current(home, monkeypatch):
    of_version_1(home / "old.db", [("alt", "")] * 7, monkeypatch)
    with Library(home / "old.db") as library:
        assert library.tally("documents") == 0
        assert dict(library.rows("SELECT * FROM upkeep")[0]) == {"name": "fingerprints", "up_to": 7}
        found = library.rows("SELECT rowid FROM topic_fts WHERE topic_fts MATCH 'warmepumpe'")
        assert [row["rowid"] for row in found] == [3]


def test_old_documents_get_their_fingerprints_in_batches(home, put, monkeypatch):
    texts = [" ".join(f"w{number}x{word}" for word in range(30)) for number in range(500)]
    of_version_1(
        home / "old.db", [*((f"t{n}", text) for n, text in enumerate(texts)), ("Holzbau", STORY)], monkeypatch
    )
    with Library(home / "old.db") as library:
        assert fingerprint_old(library, budget_s=0) == 200, "one batch"
        copy = STORY[:200]
        assert put("https://b.example/f", ("Kopie", "https://b.example/1", copy), into=library) == Stored(
            0, 1
        ), "the newest come first"
        assert fingerprint_old(library) == 301
        assert library.rows("SELECT * FROM upkeep") == []
        assert fingerprint_old(library) == 0
        copy = f"{texts[0]} und noch etwas mehr"
        assert put("https://b.example/f", ("Kopie", "https://b.example/2", copy), into=library) == Stored(
            0, 1
        )


def test_a_fresh_library_leaves_no_upkeep(library):
    assert library.rows("SELECT * FROM upkeep") == []


STORY = (
    "In Cottbus stehen drei Häuser aus vorgefertigten Modulen, die in elf Monaten entstanden sind. Die Bauzeit sank "
    "gegenüber dem Nachbarprojekt um fast die Hälfte, die Kosten blieben im vereinbarten Rahmen. Der Bauherr plant nun "
    "zwei weitere Häuser nach demselben Verfahren, und die Stadt will das Vorgehen bei Schulen erproben."
)


@pytest.mark.parametrize(
    "copy",
    [
        STORY[:200],
        f"COTTBUS (dpa) - {STORY} Lesen Sie mehr in unserer Sonntagsausgabe, im Handel und als E-Paper erhältlich.",
        STORY.replace(
            "In Cottbus stehen drei Häuser aus", "Drei Gebäude stehen in der Lausitz, sämtlich aus"
        ),
        STORY.replace("fast die Hälfte", "beinahe fünfzig vom Hundert").replace("zwei weitere", "noch zwei"),
    ],
    ids=["cut", "boilerplate", "lead", "edited"],
)
def test_a_copy_is_linked_and_kept_as_a_further_source(library, put, copy):
    put("https://a.example/f", ("Holzbau in Cottbus", "https://a.example/1", STORY))
    assert put("https://b.example/f", ("Serielles Bauen", "https://b.example/9", copy)) == Stored(0, 1)
    (link,) = library.rows("SELECT source, url, reason, title, similarity FROM duplicate")
    assert tuple(link)[:4] == ("b.example/f", "https://b.example/9", "similar", "Serielles Bauen")
    assert 0.55 <= link["similarity"] <= 1
    assert put("https://b.example/f", ("Serielles Bauen", "https://b.example/9", copy)) == Stored(0, 0), (
        "again"
    )
    assert put("https://c.example/f", ("x", "https://b.example/9?utm_source=c", "")) == Stored(0, 1), (
        "who links to the copy tells the same story"
    )


def test_copies_are_known_after_a_restart_and_within_one_feed(home, put):
    path = home / "restarted.db"
    with Library(path) as library:
        put("https://a.example/f", ("t", "https://a.example/1", STORY), into=library)
    with Library(path) as library:
        entries = [(f"t{n}", f"https://b.example/{n}", STORY[: -n * 10]) for n in range(1, 4)]
        assert put("https://b.example/f", *entries, into=library) == Stored(0, 1), "one further source"


def test_a_form_with_other_numbers_is_another_story(library, put):
    text = (
        "Die Miete in {0} stieg im dritten Quartal um {1} Prozent auf {2} Euro je Quadratmeter. Das teilte das Amt am "
        "Montag mit. Gegenüber dem Vorjahr ist das ein Zuwachs von {3} Prozent, und für das nächste Jahr rechnen die "
        "Fachleute mit weiteren {4} Prozent, wie aus dem Bericht hervorgeht."
    )
    put("https://a.example/f", ("Mieten", "https://a.example/1", text.format("Jena", 3, 9, 12, 2)))
    assert put(
        "https://b.example/f", ("Mieten", "https://b.example/1", text.format("Gera", 1, 7, 5, 4))
    ) == Stored(1, 0)


def test_stories_that_share_a_footer_are_not_copies(library, put):
    footer = "Dieser Beitrag erschien zuerst in unserem Newsletter, den Sie hier kostenlos und jederzeit kündbar abonnieren können."
    entries = [
        (f"t{n}", f"https://a.example/{n}", f"{' '.join(f'wort{n}x{m}' for m in range(18))} {footer}")
        for n in range(6)
    ]
    assert put("https://a.example/f", *entries) == Stored(6, 0)


def test_copies_are_found_in_scripts_without_spaces(library, put):
    text = "東京都は来年度から集合住宅へのヒートポンプ導入に補助金を出すと発表した。管理組合が申請でき、上限は一棟あたり百万円となる見込みだ。"
    put("https://a.example/f", ("補助金", "https://a.example/1", text))
    assert put("https://b.example/f", ("東京都", "https://b.example/1", f"【速報】{text[:50]}")) == Stored(
        0, 1
    )


def test_what_a_podcast_says_of_itself_under_every_episode_makes_them_no_copies(library, now):
    """Neither those of one answer, nor the one that comes a week later."""
    text = (
        "In unserem Podcast sprechen wir jede Woche mit Menschen, die die Immobilienwirtschaft verändern. Abonnieren Sie uns "
        "bei allen bekannten Anbietern und schreiben Sie uns Ihre Fragen. Moderation: Anna Berg und Tom Lutz."
    )
    podcast = Source.at("https://pod.example/feed.xml")
    for first in (0, 1):
        episodes = tuple(document(podcast, n, f"Folge {n}: Gast {n}", text) for n in range(first, first + 10))
        library.store("m", podcast, Harvest(episodes, 10, 200, 0.1, 1), now=now())
    assert library.tally("documents") == 11
