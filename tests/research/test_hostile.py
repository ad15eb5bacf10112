"""A run over everything a server can do wrong ends in bounded time and memory, and names what each did."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from tests.research.hostile import Hostile, paths
from worker.research.library import Library

# What the run must say of each; what is not named here must be read.
SENTENCES = {
    "hang": "no answer for 3 s",
    "hang_in_body": "no answer for 3 s",
    "drip": "timed out after 10 s",
    "drip_headers": "timed out after 10 s",
    "reset": "connection reset",
    "reset_in_body": "the body broke off or could not be unpacked",
    "too_short": "the body broke off or could not be unpacked",
    "too_long": "not a valid HTTP answer",
    "endless": "body larger than 15 MB",
    "bad_chunks": "not a valid HTTP answer",
    "long_header": "not a valid HTTP answer",
    "babble": "not a valid HTTP answer",
    "loop_": "more than 5 redirects",
    "chain": "more than 5 redirects",
    "to_file": "expected an http or https URL, found another kind of link",
    "to_metadata": "refused: 169.254.169.254, which is not public (a market may name it in allow_private)",
    "not_asked": "304 Not Modified",
    "title_50_mb": "body larger than 15 MB",
    "empty": "expected a feed, found an empty body",
    "page": "expected a feed, found an HTML page",
    "binary": "expected a feed, found text that is no XML",
    "other_json": "expected a feed, found other JSON",
    "deep_json": "expected a feed, found JSON that cannot be read",
    "deep": "expected a feed, found one that cannot be read in 4 s",
    "unclosed": "expected a feed, found one that cannot be read in 4 s",
    "angles": "expected a feed, found one that cannot be read in 4 s",
    "gzip_bomb": "body larger than 15 MB",
    "br_bomb": "body larger than 15 MB",
    "zstd_bomb": "body larger than 15 MB",
    "nested_bomb": "expected a feed, found text that is no XML",
    "not_packed": "the body broke off or could not be unpacked",
    "packed_twice": "expected a feed, found text that is no XML",
    "to_v6": "refused: ::ffff:a00:1, which is not public (a market may name it in allow_private)",
    "to_nowhere": "not a valid URL",
    "to_long_name": "not a valid URL",
    "header_flood": "not a valid HTTP answer",
    "http_09": "not a valid HTTP answer",
}
# Measured: 180 MB. Each of the bombs would take half a gigabyte if bodies had no limit, and sixteen are fetched at once.
OWN_MB = 300
CHILD_MB = 1_000
CHILD = """
import json, resource, sys, time
from pathlib import Path
from worker.research.collect import collect
from worker.research.http import FetchOptions
from worker.research.library import Library
from worker.research.markets import Market
from worker.research.sources import apart

apart.LIMIT_S = 4
market = Market.model_validate(dict(
    domain="a", market="b", language="de", vertical="c", seed_keywords=["d"], rss_feeds=sys.argv[2:],
    allow_private=["127.0.0.1"]))
market._path = Path("test.yaml")
options = FetchOptions(timeout_s=10, read_timeout_s=3, per_host=16)
started = time.monotonic()
with Library(Path(sys.argv[1]) / "topics.db") as library:
    stats = collect(market, library, options=options).as_dict()
took = time.monotonic() - started
# Not ru_maxrss of itself: a new program inherits that of the process that started it.
status = Path("/proc/self/status")
own = status.read_text().partition("VmHWM:")[2].split()[0] if status.exists() else 0
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps(stats | {"took": took, "own_mb": int(own) / 1024, "child_mb": children / 1024}))
"""


@pytest.fixture(scope="module")
def server():
    one = Hostile().start()
    yield one
    one.stop()


def collected(server, home, *names):
    urls = [f"http://127.0.0.1:{server.port}/{name}" for name in names]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CHILD), str(home), *urls],
        capture_output=True, text=True, timeout=180, check=True,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    answer["failed"] = {key.rpartition("/")[2]: why for key, why in answer["failed"].items()}
    return answer


SLOW_TO_READ = {"deep", "unclosed", "angles"}


def test_a_run_over_all_of_it_ends_and_names_each(server, home):
    every = list(paths())
    answer = collected(server, home, *every)
    assert answer["took"] < 120
    assert answer["own_mb"] < OWN_MB, "a body is kept once, unpacked, and read in pieces"
    assert answer["child_mb"] < CHILD_MB, "what is read apart may take a gigabyte and no more"
    stored = {
        key.rpartition("/")[2] for key, one in answer["per_source"].items() if one["outcome"] == "stored"
    }
    # A fast machine is through with them before their time is over.
    in_time = stored & SLOW_TO_READ
    assert (answer["sources"], set(every) - set(SENTENCES) | in_time) == (len(every), stored)
    assert answer["failed"] == {key: said for key, said in SENTENCES.items() if key not in in_time}
    with Library(home / "topics.db") as library:
        titles = [row[0] for row in library.rows("SELECT title FROM document")]
        assert not any("root:" in title or "\x1b" in title or "\x07" in title for title in titles)
        assert max(map(len, titles)) <= 500
        urls = [row[0] or "" for row in library.rows("SELECT url FROM document")]
        assert all(url == "" or url.startswith(("http://", "https://")) for url in urls)
        counts = dict(
            library.rows("SELECT substr(source, instr(source, '/') + 1), count(*) FROM document GROUP BY 1")
        )
        assert (counts["entries_10000"], counts["duplicate_guids"]) == (10_000, 20)
        future = library.rows(
            "SELECT published_at, fetched_at FROM document WHERE url LIKE '%future.example%'"
        )[0]
        assert future[0] <= future[1]
        assert [
            row[0]
            for row in library.rows("SELECT published_at FROM document WHERE url LIKE '%absurd.example%'")
        ] == [None, None]


def test_guids_that_change_with_each_answer_double_nothing(server, home):
    for _ in range(3):
        answer = collected(server, home, "changing_guids")
    assert answer["documents"] == 0
    with Library(home / "topics.db") as library:
        assert library.tally("documents") == 20
