"""A market's feeds: lists in and out, and finding them; the commands as they are typed."""

from __future__ import annotations

import http.server
import resource
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from worker.cli import main
from worker.foreign import STEERING
from worker.research.markets import load_market

ROOT = Path(__file__).parents[2]
OPML = """<opml version="2.0"><body><outline text="News">
<outline text="A" xmlUrl="https://a.example/feed"/><outline text="B" xmlUrl="https://b.example/feed"/>
<outline text="t3n" xmlUrl="https://t3n.de/rss.xml"/></outline></body></opml>"""
FEED = b"<rss version='2.0'><channel><title>The Feed</title><item><title>x</title><pubDate>Mon, 23 Nov 2026 08:00:00 GMT</pubDate></item></channel></rss>"


@pytest.fixture
def config(tmp_path, monkeypatch):
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    monkeypatch.setenv("TOPIC_CONFIG", str(folder))
    monkeypatch.setenv("TOPIC_HOME", str(tmp_path / "home"))
    return folder


@pytest.fixture
def pages():
    served = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            kind, body = served.get(self.path.partition("?")[0], (None, b""))
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    served["port"] = server.server_address[1]
    yield served
    server.shutdown()
    server.server_close()


def test_a_list_is_imported_beside_the_market_and_its_file_keeps_every_word(config, tmp_path, capsys):
    (tmp_path / "mine.opml").write_text(OPML)
    before = (config / "markets/proptech_de.yaml").read_text()
    assert main(["opml", "import", str(tmp_path / "mine.opml"), "proptech_de"]) == 0
    assert capsys.readouterr().out == "Added 2 of 3 feeds to proptech_de; 1 it had already.\n"
    after = (config / "markets/proptech_de.yaml").read_text()
    assert after.startswith(before.rstrip())
    assert after.removeprefix(before.rstrip()).strip() == (
        "opml_file: proptech_de.opml  # feeds that were imported or discovered"
    )
    assert len(load_market(config, "proptech_de").feeds) == 9
    assert main(["opml", "import", str(tmp_path / "mine.opml"), "proptech_de"]) == 0
    assert "Added 0 of 3 feeds" in capsys.readouterr().out
    assert sorted(path.name for path in (config / "markets").iterdir()) == [
        "demo",
        "demo.yaml",
        "proptech_de.opml",
        "proptech_de.yaml",
    ]
    assert main(["check"]) == 0


def test_a_market_is_exported_and_its_list_is_good_for_another(config, tmp_path, capsys):
    assert main(["opml", "export", "proptech_de", str(tmp_path / "out.opml")]) == 0
    assert capsys.readouterr().out == f"Wrote 7 feeds to {tmp_path / 'out.opml'}\n"
    assert main(["opml", "import", str(tmp_path / "out.opml"), "demo"]) == 0
    assert len(load_market(config, "demo").feeds) == 7
    assert main(["opml", "export", "demo"]) == 0
    assert "<outline" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["opml", "import", "none.opml", "demo"], "none.opml: cannot be read"),
        (["opml", "export", "nowhere"], "there is no market 'nowhere'"),
        (["discover", "x.example", "--add"], "--add: to which market?"),
        (["discover", "http://127.0.0.1:1/"], "refused: 127.0.0.1, which is not public"),
    ],
)
def test_what_cannot_be_done_is_said(config, capsys, arguments, words):
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_a_list_that_is_in_the_way_is_not_overwritten(config, tmp_path, capsys):
    (tmp_path / "mine.opml").write_text(OPML)
    (config / "markets/demo.opml").write_text("mine")
    before = (config / "markets/demo.yaml").read_text()
    assert main(["opml", "import", str(tmp_path / "mine.opml"), "demo"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (config / "markets/demo.opml").read_text() == "mine"
    assert (config / "markets/demo.yaml").read_text() == before


def loopback(config):
    path = config / "markets/demo.yaml"
    path.write_text(path.read_text() + "\nallow_private: [127.0.0.1]\n")


def test_the_feeds_that_a_page_names_are_found_and_added(config, pages, capsys):
    loopback(config)
    pages["/"] = ("text/html", b"<html><head><base href='/blog/'><link rel=alternate type='application/rss+xml' href='feed.xml'>"
                  b"<link rel='alternate' type='application/atom+xml' href='/dead'></head><body><a href='/rss/news'>RSS</a></body></html>")  # fmt: skip
    pages["/blog/feed.xml"] = pages["/rss/news"] = ("application/xml", FEED)
    site = f"http://127.0.0.1:{pages['port']}"
    assert main(["discover", f"{site}/", "--market", "demo", "--add"]) == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert [lines[0], lines[2], lines[4]] == [
        f"{site}/blog/feed.xml",
        f"{site}/rss/news",
        "Added 2 of 2 feeds to demo.",
    ]
    assert lines[1].startswith("    The Feed: 1 entries, newest 2026-11-23")
    assert len(load_market(config, "demo").feeds) == 2


def test_where_a_page_names_none_the_usual_places_are_tried(config, pages, capsys):
    loopback(config)
    pages["/"] = ("text/html", b"<html><body>nothing here")
    pages["/rss.xml"] = ("application/xml", FEED)
    assert main(["discover", f"http://127.0.0.1:{pages['port']}", "--market", "demo"]) == 0
    assert "/rss.xml\n" in capsys.readouterr().out


def test_a_feed_is_its_own_answer_and_a_site_without_one_says_so(config, pages, capsys):
    loopback(config)
    pages["/f"] = ("application/xml", FEED)
    pages["/"] = ("text/html", b"<html>")
    site = f"http://127.0.0.1:{pages['port']}"
    assert main(["discover", f"{site}/f", "--market", "demo"]) == 0
    assert main(["discover", f"{site}/", "--market", "demo"]) == 1
    assert "no feed was found" in capsys.readouterr().err


def test_a_title_that_steers_the_terminal_is_told_as_text_and_exported_as_it_is(config, pages, capsys):
    loopback(config)
    evil = "news \u202eright \U000e0041tag"
    pages["/f"] = ("application/xml", FEED.replace(b"The Feed", evil.encode()))
    site = f"http://127.0.0.1:{pages['port']}"
    assert main(["discover", f"{site}/f", "--market", "demo", "--add"]) == 0
    assert f"{site}/f\n    news right tag: 1 entries" in capsys.readouterr().out
    assert main(["opml", "export", "demo"]) == 0
    listed = capsys.readouterr().out
    assert STEERING.search(listed) is None
    assert "&#8238;right &#917569;tag" in listed
    assert main(["opml", "export", "\x1b]52;c;eA==\x07"]) == 2
    with pytest.raises(SystemExit):
        main(["--\x1b[2J"])
    assert STEERING.search(said := capsys.readouterr().err) is None
    assert "\x1b" not in said


def test_words_become_news_searches(config, pages, capsys, monkeypatch):
    loopback(config)
    gateway = f"http://127.0.0.1:{pages['port']}"
    monkeypatch.setenv("TOPIC_COLLECT__SERVICES", f'{{"google_news": "{gateway}", "bing_news": "{gateway}"}}')
    pages["/rss/search"] = ("application/xml", FEED)
    assert main(["discover", "smart", "home", "--market", "demo"]) == 0
    assert capsys.readouterr().out.startswith(
        "https://news.google.com/rss/search?q=smart+home&hl=de&gl=DE&ceid=DE"
    )


def test_check_says_what_a_market_collects_and_what_needs_a_key(config, capsys):
    assert main(["check"]) == 0
    said = capsys.readouterr().out
    assert "7 feeds, without a key" in said
    assert "REDDIT_FEED_USER" in said
    assert "new feeds are proposed: 0 6 * * *, at the next feed_discovery" in said


def test_ten_thousand_sources_are_checked_in_a_moment(config):
    outlines = "".join(f'<outline xmlUrl="https://outlet{n}.example/rss/{n}.xml"/>' for n in range(10_000))
    (config / "markets" / "many.opml").write_text(f'<opml version="2.0"><body>{outlines}</body></opml>')
    with (config / "markets" / "demo.yaml").open("a") as file:
        file.write("\nopml_file: many.opml\n")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run(
        [sys.executable, "-m", "worker.cli", "check"], capture_output=True, check=True, timeout=60
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert b"10012 feeds" in said.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2.0, (
        "0.7 s where it was measured"
    )
