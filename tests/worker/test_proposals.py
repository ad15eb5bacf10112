"""The scheduled search for feeds, and the command that answers what it proposes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.worker.test_cli_feeds import config, pages  # noqa: F401 - fixtures
from worker import feed_jobs, jobs
from worker.cli import main
from worker.research.markets import load_market

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)  # six in Berlin
FEED = b"<rss version='2.0'><channel><title>Rival</title><item><title>x</title><pubDate>Mon, 23 Nov 2026 04:00:00 GMT</pubDate></item></channel></rss>"


@pytest.fixture
def rival(config, pages):  # noqa: F811 - the fixtures
    """A market that names a competitor and a schedule."""
    (config / "markets" / "proptech_de.yaml").unlink()
    path = config / "markets" / "demo.yaml"
    site = f"http://127.0.0.1:{pages['port']}"
    more = f'competitor_urls: ["{site}/rival"]\nallow_private: [127.0.0.1]\ndiscovery_schedule_cron: "0 6 * * 1"\n'
    path.write_text(f"{path.read_text()}\n{more}")
    pages["/rival"] = ("application/xml", FEED)
    return f"127.0.0.1:{pages['port']}/rival"


def test_feeds_are_searched_when_a_markets_time_has_come(rival):
    done = feed_jobs.discover_feeds(now=lambda: NOW)
    assert done["markets"] == {"demo": {"sites": 1, "feeds": [f"http://{rival}"], "failed": {}}}
    assert done["proposed"] == 1
    with jobs.open_library() as library:
        market = load_market(jobs.find_config(), "demo")
        assert not feed_jobs.is_due(market, library, NOW + timedelta(days=6, hours=23))
        assert feed_jobs.is_due(market, library, NOW + timedelta(days=7))


def test_a_market_without_a_schedule_is_never_searched(config):  # noqa: F811 - the fixture
    market = load_market(config, "demo")
    with jobs.open_library() as library:
        assert not feed_jobs.is_due(market, library, NOW)


def test_no_run_starts_where_there_is_nothing_to_search_for(rival, config):  # noqa: F811 - the fixture
    wanted = jobs.schedule_specs()["feed_discovery"].wanted
    assert wanted(now=lambda: NOW)
    feed_jobs.discover_feeds(now=lambda: NOW)
    assert not wanted(now=lambda: NOW + timedelta(days=6))
    assert wanted(now=lambda: NOW + timedelta(days=7))
    path = config / "markets" / "demo.yaml"
    path.write_text(path.read_text().replace("discovery_schedule_cron", "# discovery_schedule_cron"))
    assert not wanted(now=lambda: NOW + timedelta(days=7))


def test_a_library_that_cannot_be_read_starts_a_run_that_says_so(rival):
    jobs.find_home().prepare().topics_db.write_bytes(b"no database at all" * 100)
    assert feed_jobs.is_any_due(now=lambda: NOW)


def test_a_proposal_is_listed_and_taken_in(rival, config, capsys):  # noqa: F811 - the fixture
    assert main(["proposals"]) == main(["proposals", "demo", "--add", "all"]) == 1
    feed_jobs.discover_feeds(now=lambda: NOW)
    capsys.readouterr()
    assert main(["proposals"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"demo  {rival}\n    Rival: 1 entries, newest 2026-11-23")
    assert "named as a competitor" in said
    assert main(["proposals", "demo", "--add", rival]) == 0
    assert capsys.readouterr().out == "Added 1 of 1 proposed feeds of demo.\n"
    assert f"http://{rival}" in load_market(config, "demo").feeds
    assert main(["proposals", "demo"]) == 1


def test_a_proposal_is_declined_for_good(rival, capsys):
    feed_jobs.discover_feeds(now=lambda: NOW)
    assert main(["proposals", "demo", "--decline", "all"]) == 0
    feed_jobs.discover_feeds(now=lambda: NOW + timedelta(days=35))
    assert main(["proposals", "demo"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--add", "x"], "of which market"),
        (["demo", "--add", "x"], "demo has no proposal 'x'"),
        (["nowhere"], "there is no market"),
    ],
)
def test_what_cannot_be_done_is_said(rival, capsys, arguments, words):
    assert main(["proposals", *arguments]) == 2
    assert words in capsys.readouterr().err
