"""The Topics screen as it is used, and the same things as commands."""

from __future__ import annotations

import json
import webbrowser

import pytest

from console.cli import main
from console.readings import Readings
from console.rows import topics as rows
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import press, settled, until


@pytest.fixture
def browser(monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    return opened


@pytest.fixture
def readings(builder):
    made = Readings(builder.home, now=lambda: homes.NOW)
    yield made
    made.close()


def toasts(app):
    return [toast.message for toast in app._notifications]


def titles(screen):
    return [row.title for row in screen.table.rows]


async def test_topics_are_ranked_filtered_sorted_and_explained(builder):
    homes.topics(builder)
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "7")
        screen = app.screen
        assert titles(screen)[:2] == ["Heizungsgesetz-Novelle", "Digitaler Gebäudepass"]
        detail = str(screen.detail_text.content)
        for words in (
            "60/60 rise",
            "11 voices, usually 0.4",
            "Was Verwalter jetzt",
            "Heizungsgesetz: Novelle im Kabinett",
        ):
            assert words in detail
        await press(pilot, "slash", *"is:falling", "enter")
        await until(pilot, lambda: titles(screen) == ["Hochhausbrand"])
        await press(pilot, "escape", "s")
        await until(pilot, lambda: titles(screen)[-1] == "Hochhausbrand" and len(titles(screen)) == 5)


async def test_documents_are_searched_and_escape_leads_back_to_the_topics(builder):
    homes.topics(builder)
    builder.document("Fernwärme wird teurer")
    builder.document("Glasfaser im Keller")
    app = console(builder)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "7", "d")
        screen = app.screen
        await until(pilot, lambda: titles(screen) == ["Glasfaser im Keller", "Fernwärme wird teurer"])
        await press(pilot, "slash", *"source:x fernw")
        await until(pilot, lambda: screen.table.window is not None and not titles(screen))
        await press(pilot, "escape")
        await press(pilot, "slash", *"fernw", "enter")
        await until(pilot, lambda: titles(screen) == ["Fernwärme wird teurer"])
        await until(pilot, lambda: "Fernwärme" in str(screen.detail_text.content))
        await press(pilot, "escape", "escape")
        await until(pilot, lambda: len(titles(screen)) == 5)


async def test_o_opens_what_is_safe_and_refuses_the_rest(builder, browser):
    builder.topic("Glasfaser")
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "7", "o")
        await until(pilot, lambda: browser == ["https://outlet0.example/0"])
        builder.library.execute(
            "UPDATE topic SET samples = ?",
            (json.dumps([{"title": "x", "source": "y", "url": "javascript:alert(1)"}]),),
        )
        await press(pilot, "o")
        await until(pilot, lambda: any("no address of the web" in one for one in toasts(app)))
    assert len(browser) == 1


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example/x?y=1#z", True),
        ("http://a.example", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("https://a.example/\x1b]52;c;x\x07", False),
        ("https://a.example/ --new-window", False),
        ("-private https://a.example", False),
        ("https://a.example/`id`", False),
        ("https://" + "a" * 3000, False),
        (None, False),
    ],
)
def test_only_addresses_of_the_web_are_opened(url, safe):
    assert (rows.web_url(url) == url) is (safe or url is None)
    assert bool(rows.web_url(url)) is safe


async def test_n_starts_report_and_sync(builder):
    builder.topic("Glasfaser")
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "7", "n")
        await until(pilot, lambda: any("Report and sync enqueued." in one for one in toasts(app)))
    assert builder.tasks.execute("SELECT name FROM task").fetchone()[0] == homes.SYNC


async def test_read_only_starts_nothing(builder):
    builder.topic("Glasfaser")
    app = console(builder, read_only=True)
    async with app.run_test() as pilot:
        await press(pilot, "7", "n")
        await settled(pilot)
    assert builder.tasks.execute("SELECT count(*) FROM task").fetchone()[0] == 0


async def test_y_copies_a_topic_as_markdown_in_which_foreign_text_does_nothing(builder):
    builder.topic("Glas [x](javascript:y) *z*", headlines=("a | b <b>", "\x1b]52;c;eA==\x07 c"))
    app = console(builder)
    copied = []
    app.copy_to_clipboard = copied.append
    async with app.run_test() as pilot:
        await press(pilot, "7", "y")
        await until(pilot, lambda: copied)
    (text,) = copied
    assert text.startswith("## Glas \\[x\\](javascript:y) \\*z\\*")
    assert "- [a \\| b \\<b\\>](<https://outlet0.example/0>)" in text
    assert "\x1b" not in text


async def test_a_file_of_version_one_shows_no_topics_and_does_not_fail(builder):
    for table in ("ranking", "delivery", "topic_document", "document_terms"):
        builder.library.execute(f"DROP TABLE {table}")
    app = console(builder)
    async with app.run_test() as pilot:
        await press(pilot, "7")
        assert titles(app.screen) == []
        assert app.snapshot.unreadable is None


def run(builder, capsys, *arguments):
    code = main(["--home", str(builder.home.root), *arguments])
    said = capsys.readouterr()
    return code, json.loads(said.out) if "--json" in arguments else said.out


def test_list_says_what_there_is_and_what_it_rests_on(builder, capsys):
    homes.topics(builder)
    code, answer = run(builder, capsys, "topics", "list", "--json", "--limit", "2")
    assert code == 0
    assert [one["title"] for one in answer["topics"]] == ["Heizungsgesetz-Novelle", "Digitaler Gebäudepass"]
    assert {
        "key",
        "market",
        "place",
        "score",
        "trend",
        "velocity",
        "confidence",
        "sources",
        "documents",
        "days",
    } <= set(answer["topics"][0])
    assert answer["rankings"][0]["history"] == 8
    assert [one["sink"] for one in answer["deliveries"]] == ["report", "notion"]
    code, text = run(builder, capsys, "topics", "list")
    assert "Heizungsgesetz-Novelle" in text
    assert "498 stories" in text


def test_an_empty_list_says_what_to_do(builder, capsys):
    assert run(builder, capsys, "topics", "list") == (
        0,
        "No topics yet: they are ranked after each collection. Run: topic-console collect MARKET\n",
    )


@pytest.mark.parametrize("key", ["heizungsgesetz-novelle", "proptech_de:heizungsgesetz-novelle", "1"])
def test_show_tells_the_reasons(builder, capsys, key):
    homes.topics(builder)
    code, answer = run(builder, capsys, "topics", "show", key, "--json")
    assert code == 0
    assert answer["topic"]["title"] == "Heizungsgesetz-Novelle"
    assert answer["points"]["rise"] == 60
    assert answer["why"]["rise"] == "11 voices, usually 0.4"
    assert len(answer["headlines"]) == 2


def test_an_unknown_topic_is_said(builder, capsys):
    code, answer = run(builder, capsys, "topics", "show", "nothing", "--json")
    assert code == 1
    assert "there is no topic 'nothing'" in answer["error"]


@pytest.mark.parametrize(
    ("command", "task"), [("sync", homes.SYNC), ("report", "worker.tasks.write_reports")]
)
def test_report_and_sync_are_enqueued(builder, capsys, command, task):
    code, answer = run(builder, capsys, command, "--json")
    assert (code, answer["done"]) == (0, 1)
    assert builder.tasks.execute("SELECT name FROM task").fetchone()[0] == task


def test_status_says_when_topics_were_ranked_and_delivered(builder, capsys):
    homes.topics(builder)
    _, answer = run(builder, capsys, "status", "--json")
    assert answer["topics"]["ranked"]
    assert answer["topics"]["notion"]["error"] is None
    _, text = run(builder, capsys, "status")
    assert "Topics: 498 stories" in text
    assert "model 4,120 of 100,000 tokens" in text


def test_hostile_rows_are_read_and_drawn(builder, readings):
    homes.hostile(builder)
    builder.library.execute("UPDATE topic SET days = 'x', parts = '[1]', samples = '{', phrases = 'null'")
    for topic in readings.topics().all_rows():
        for cell in rows.cells(topic, homes.NOW):
            assert cell.text.isprintable()
        detail = readings.topic(topic.id)
        assert all(part.text.isprintable() for line in rows.in_full(detail, homes.NOW) for part in line)
        rows.as_markdown(detail)
