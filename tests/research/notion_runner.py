"""A sync in a process of its own, to be killed: `python -m tests.research.notion_runner FILE URL DATABASE`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.research import planted
from tests.research.fake_notion import TOKEN
from worker.research.library import Library
from worker.research.markets import Market
from worker.research.sinks.notion import sync_topics
from worker.research.topics import rank_topics


def market() -> Market:
    """As the tests' own."""
    made = Market.model_validate(
        {
            "domain": "SaaS",
            "market": "Germany",
            "language": "de",
            "vertical": "Proptech",
            "seed_keywords": ["Wärmepumpe"],
        }
    )
    made._path = Path("test.yaml")
    return made


def main() -> None:
    """Syncs the best topics; waits pass twenty times as fast."""
    path, url, database, count = sys.argv[1:]
    with Library(Path(path)) as library:
        ranking = rank_topics(market(), library, now=planted.NOW)
        stats = sync_topics(
            ranking.topics[: int(count)], library, token=TOKEN, database_id=database, base_url=url,
            requests_per_second=1000, pause=lambda seconds: time.sleep(seconds / 20),
        )  # fmt: skip
    print(stats.as_dict())


if __name__ == "__main__":
    main()
