from __future__ import annotations

import shutil

import pytest

from tests.research import planted
from tests.research.fake_notion import TOKEN, FakeNotion
from tests.research.notion_runner import market
from worker.research.library import Library
from worker.research.sinks.notion import sync_topics
from worker.research.sinks.notion_schema import MORE_PROPERTIES, PROPERTIES
from worker.research.topics import rank_topics
from worker.research.topics_store import save_ranking


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    path = tmp_path_factory.mktemp("news") / "topics.db"
    with Library(path) as library:
        for day in planted.Corpus(seed=5, everyday=0.2, spam=0).days(weeks=3):
            planted.store(library, day)
        save_ranking(library, rank_topics(market(), library, now=planted.NOW))
    return path


@pytest.fixture
def library(news, home):
    shutil.copy(news, home / "topics.db")
    with Library(home / "topics.db") as library:
        yield library


@pytest.fixture
def topics(library):
    return rank_topics(market(), library, now=planted.NOW, limit=5).topics


@pytest.fixture
def notion():
    fake = FakeNotion()
    fake.url = fake.start()
    fake.main = fake.database({name: {kind: {}} for name, kind in (PROPERTIES | MORE_PROPERTIES).items()})
    yield fake
    fake.stop()


@pytest.fixture
def sync(notion, library):
    waited = []

    def sync(topics, **more):
        options = {"token": TOKEN, "database_id": notion.main, "base_url": notion.url, "timeout_s": 0.4,
                   "requests_per_second": 1000, "pause": waited.append}  # fmt: skip
        return sync_topics(topics, library, **(options | more)).as_dict()

    sync.waited = waited
    return sync
