from __future__ import annotations

import subprocess
import sys

import pytest

from worker.config import ConfigError
from worker.research.errors import MarketError
from worker.research.markets import Market, load_market
from worker.research.sources.catalogue import sources_of

SEED = """
domain: SaaS
market: Germany
language: de
vertical: Proptech
target_audience: German SMBs
seed_keywords: [PropTech, Smart Building]
competitor_urls: [https://www.propstack.de]
rss_feeds: [https://www.immobilienmanager.de/rss/news.xml]
collectors:
  rss_enabled: true
  reddit_enabled: true
  reddit_subreddits: [de]
  trends_enabled: true
  autocomplete_enabled: true
  custom_feeds: [https://t3n.de/rss.xml, https://www.immobilienmanager.de/rss/news.xml]
reranker: {enable_voyage: true, stage1_threshold: 0.0}
synthesizer: {strategy: bm25_llm, max_article_words: 2000}
scheduling: {collection_time: "02:00", notion_sync_day: monday, lookback_days: 7}
brand_tone: []
enable_image_generation: true
image_quality: hd
image_style_preferences: {}
"""
LEAST = "domain: a\nmarket: b\nlanguage: de\nvertical: c\nseed_keywords: [d]\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "markets").mkdir()
    return tmp_path


def write(folder, text, name="one"):
    (folder / "markets" / f"{name}.yaml").write_text(text)


def test_the_original_projects_file_loads(folder):
    write(folder, SEED)
    market = load_market(folder, "one")
    assert market.name == "one"
    assert market.enabled
    assert market.feeds == ("https://www.immobilienmanager.de/rss/news.xml", "https://t3n.de/rss.xml")
    assert {source.kind for source in sources_of(market).values()} == {
        "feed",
        "reddit",
        "trends",
        "suggestions",
    }


@pytest.mark.parametrize("name", ["proptech_de", "demo"])
def test_the_shipped_markets_load(config_dir, name):
    market = load_market(config_dir, name)
    assert market.name == name
    assert all((market.folder / feed).is_file() for feed in market.bundled)


def test_the_shipped_seed_names_nine_feeds_and_seven_are_collected(config_dir):
    market = load_market(config_dir, "proptech_de")
    assert len(market.rss_feeds) + len(market.collectors.custom_feeds) == 9
    assert len(market.feeds) == 7


def test_a_feed_spelt_twice_is_collected_once(folder):
    feeds = [
        "https://www.a.example/feed/",
        "http://A.example:80/feed",
        "https://a.example/feed#top",
        "https://a.example/f",
    ]
    write(folder, LEAST + f"rss_feeds: {feeds}\n")
    assert load_market(folder, "one").feeds == (feeds[0], feeds[3])


def test_disabled_feeds_are_no_feeds(folder):
    write(
        folder,
        LEAST
        + "rss_feeds: [https://a.example/f]\nbundled_feeds: [a.xml]\ncollectors: {rss_enabled: false}\n",
    )
    market = load_market(folder, "one")
    assert (market.feeds, market.bundled) == ((), ())


def test_a_path_is_as_good_as_a_name(folder, monkeypatch):
    write(folder, LEAST)
    monkeypatch.chdir(folder.parent)
    named = [
        "one",
        "markets/one.yaml",
        "config/markets/one.yaml",
        str(folder / "markets" / "one.yaml"),
        f"{folder.name}/markets/one.yaml",
    ]
    assert {load_market(folder, name).name for name in named} == {"one"}


@pytest.mark.parametrize("name", ["onee", "../one", "", "none.yaml", "a\0b.yaml", "one.yaml/"])
def test_an_unknown_market_names_the_known(folder, name):
    write(folder, LEAST)
    with pytest.raises(MarketError, match=r"there is no market .*known in .*: one"):
        load_market(folder, name)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("rss_feeds: [foo]", "rss_feeds.0: expected a URL that begins with http:// or https://, found 'foo'"),
        ("rss_feeds: ['http://']", "rss_feeds.0: expected a complete URL"),
        ("rss_feeds: ['http://[x/']", "rss_feeds.0: expected a complete URL"),
        ("discovery_schedule_cron: '61 * * * *'", "discovery_schedule_cron: expected a cron expression"),
        ("bundled_feeds: [../secret]", "bundled_feeds.0: expected a path inside the folder"),
        ("allow_private: ['http://x']", "allow_private.0: expected a host name, an address or a network"),
        ("allow_private: ['10.0.0']", "allow_private.0: expected a host name, an address or a network"),
        ("bundled_feeds: [/etc/passwd]", "bundled_feeds.0: expected a path inside the folder"),
        ("scheduling: {collection_time: '25:00'}", "scheduling.collection_time: expected a time of day"),
        ("scheduling: {notion_sync_day: funday}", "scheduling.notion_sync_day: expected one of 'monday'"),
        (
            "research_depth: deeper",
            "research_depth: expected one of 'quick', 'balanced' or 'deep', found 'deeper'",
        ),
        ("colectors: {}", "colectors: unknown key; did you mean collectors?"),
    ],
)
def test_faults_name_key_and_line(folder, lines, words):
    write(folder, LEAST + lines + "\n")
    with pytest.raises(ConfigError) as caught:
        load_market(folder, "one")
    assert f"one.yaml:6: {words}" in str(caught.value)


def test_a_bare_time_is_read_as_meant(folder):
    write(folder, LEAST + "scheduling: {collection_time: 12:30}\n")  # YAML 1.1: the number 750
    assert load_market(folder, "one").scheduling.collection_time == "12:30"


def test_reading_markets_stays_light():
    heavy = "aiohttp feedparser selectolax notion_client httpx huey textual"
    code = (
        "import sys, worker.research.markets as m; "
        f"print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert issubclass(Market, object)
