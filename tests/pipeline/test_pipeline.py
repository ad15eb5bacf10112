"""The main job end to end: real workers, real HTTP, real kills."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from console.readings import Readings
from console.readings.verdict import worker_in_words
from tests.pipeline.conftest import until
from worker.places import Home
from worker.sqlite import sqlite3

BAD = ("hang", "missing", "page", "huge", "loop")


def documents(installation):
    with sqlite3.connect(installation.home / "topics.db") as conn:
        return conn.execute("SELECT count(*), count(DISTINCT title) FROM document").fetchone()


def ended(installation):
    answer = json.loads(installation.console("runs", "list", "--json").stdout)
    return [(run["state"], run["attempt"]) for run in reversed(answer)]


def snapshot(installation):
    readings = Readings(Home(installation.home))
    try:
        return readings.snapshot()
    finally:
        readings.close()


def test_forty_feeds_of_which_five_are_bad(installation, feeds):
    port = feeds()
    urls = [f"http://127.0.0.1:{port}/feed{number}" for number in range(35)]
    installation.market("forty", urls + [f"http://127.0.0.1:{port}/{name}" for name in BAD])
    installation.worker(TOPIC_COLLECT__HOST_CONCURRENCY="8", TOPIC_COLLECT__TIMEOUT="3")
    done = installation.console("collect", "forty", "--wait", "--json")
    result = json.loads(done.stdout)["result"]
    assert (done.returncode, result["documents"], result["sources"], result["errors"]) == (0, 175, 40, 5)
    assert {source.rpartition("/")[2] for source in result["failed"]} == set(BAD)
    assert documents(installation) == (175, 175)
    again = json.loads(installation.console("collect", "forty", "--wait", "--json").stdout)["result"]
    assert again["documents"] == 0
    assert documents(installation) == (175, 175)


def test_a_worker_killed_in_mid_collection_loses_and_doubles_nothing(installation, feeds):
    port = feeds(delay=0.4)
    installation.market("slow", [f"http://127.0.0.1:{port}/feed{number}" for number in range(20)])
    first = installation.worker(TOPIC_COLLECT__HOST_CONCURRENCY="2")
    installation.console("collect", "slow")
    until(
        lambda: any((task.done or 0) >= 4 for task in snapshot(installation).running), "a few sources are in"
    )
    first.send_signal(signal.SIGKILL)
    first.wait()
    # The lock is free the moment the process is gone: no heartbeat has to be missed.
    seen = snapshot(installation)
    assert worker_in_words(seen) == ("bad", "worker down")
    assert seen.depth.running == 1
    stored, _ = documents(installation)
    assert 0 < stored < 100
    assert stored % 5 == 0  # whole sources
    installation.worker(TOPIC_COLLECT__HOST_CONCURRENCY="8")
    until(
        lambda: ended(installation) == [("interrupted", 1), ("completed", 1)], "the next worker finishes it"
    )
    assert documents(installation) == (100, 100)


def test_no_source_is_asked_twice_at_once_unless_it_alone_is_asked_for(installation, feeds):
    port = feeds(delay=0.4)
    urls = [f"http://127.0.0.1:{port}/feed{number}" for number in range(6)]
    installation.market("slow", urls)
    installation.worker(TOPIC_COLLECT__HOST_CONCURRENCY="2", TOPIC_WORKERS="3")
    installation.console("collect", "slow")
    until(lambda: snapshot(installation).running, "it is being collected")
    second = json.loads(installation.console("collect", "slow", "--wait", "--json").stdout)
    alone = ("collect", "slow", "--source", f"127.0.0.1:{port}/feed5", "--wait", "--json")
    assert json.loads(installation.console(*alone).stdout)["result"]["sources"] == 1
    until(lambda: not snapshot(installation).running, "all have ended")
    runs = json.loads(installation.console("runs", "list", "--json").stdout)
    assert sorted(run["state"] for run in runs) == ["completed", "completed", "skipped"]
    assert second["result"] == {**second["result"], "market": "slow", "sources": 0, "documents": 0}
    assert documents(installation) == (30, 30)


def test_a_market_whose_sources_are_down_dies_and_is_brought_back(installation, feeds):
    port = feeds()
    dead_port = port + 1 if port < 65_000 else port - 1
    installation.market("down", [f"http://127.0.0.1:{dead_port}/feed{number}" for number in range(3)])
    installation.worker()
    done = installation.console("collect", "down", "--wait", "--json")
    assert done.returncode == 1
    assert ended(installation) == [("retrying", 1), ("retrying", 2), ("retrying", 3), ("dead", 4)]
    with sqlite3.connect(installation.home / "tasks.db") as conn:
        waits = [
            row[0] for row in conn.execute("SELECT retry_at - finished_at FROM run WHERE state = 'retrying'")
        ]
    for wait, promised in zip(waits, (0.2, 0.4, 0.8), strict=True):
        assert 0.75 * promised <= wait <= 1.25 * promised
    (letter,) = json.loads(installation.console("failures", "list", "--json").stdout)
    shown = json.loads(installation.console("failures", "show", str(letter["id"]), "--json").stdout)
    assert "NothingCollectedError" in shown["traceback"]
    assert [attempt["attempt"] for attempt in shown["history"]] == [1, 2, 3, 4]
    assert installation.console("status", "--json").returncode == 1
    feeds(dead_port)
    assert installation.console("failures", "retry", str(letter["id"])).returncode == 0
    until(lambda: ended(installation)[-1] == ("completed", 1), "it collects")
    until(
        lambda: not json.loads(installation.console("failures", "list", "--json").stdout),
        "the letter is resolved",
    )
    assert documents(installation) == (15, 15)


def test_who_retries_the_letter_of_a_scheduled_run_has_the_sources_asked_that_were_put_off(
    installation, feeds
):
    port = feeds()
    dead_port = port + 1 if port < 65_000 else port - 1
    installation.market("down", [f"http://127.0.0.1:{dead_port}/feed{number}" for number in range(3)])
    installation.worker()

    def letters():
        return json.loads(installation.console("failures", "list", "--json").stdout)

    for dead in (1, 2):
        installation.console(
            "enqueue", "worker.tasks.collect_all_sources", '{"config_path": "down", "due_only": true}'
        )
        until(lambda dead=dead: len(letters()) == dead, "it dies")
    newest = max(letters(), key=lambda letter: letter["id"])
    assert "in a row, asked again after" in newest["error"]
    feeds(dead_port, delay=0.3)
    # Of two retries at once one waits for the other: a skipped one would leave its letter dead.
    assert installation.console("failures", "retry", "--all", "--yes").returncode == 0
    until(lambda: ended(installation)[-2:] == [("completed", 1)] * 2, "both collect")
    until(lambda: not letters(), "both letters are resolved")
    assert documents(installation) == (15, 15)


def test_the_delays_are_those_of_the_seed():
    from worker.tasks import collect_all_sources

    task = collect_all_sources.s("demo")
    assert (task.retries, task.retry_delay) == (3, 60)
    assert task.retry_backoff == 2  # 60, 120, 240 s; that it doubles is seen above, with a shorter base


def test_hueys_own_consumer_runs_the_queue(installation):
    consumer = Path(sys.executable).with_name("huey_consumer")
    command = [str(consumer)] if consumer.exists() else [sys.executable, "-m", "huey.bin.huey_consumer"]
    process = installation.worker(*command, "worker.tasks.huey", "-w", "2", "-k", "thread")
    done = installation.console("collect", "demo", "--wait", "--json")
    assert json.loads(done.stdout)["result"]["documents"] == 118
    status = json.loads(installation.console("status", "--json").stdout)
    assert (status["healthy"], len(status["workers"]), len(status["schedules"])) == (True, 1, 3)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def test_without_a_token_the_sync_is_skipped_and_says_why(installation):
    installation.worker(NOTION_TOKEN="")
    until(lambda: snapshot(installation).schedules, "the schedules are known")
    installation.console("schedules", "run", "weekly_notion_sync")
    until(lambda: ended(installation) == [("skipped", 1)], "it is skipped")
    (run,) = json.loads(installation.console("runs", "list", "--json").stdout)
    assert "NOTION_TOKEN" in run["error"]


def test_sigterm_finishes_what_runs_and_gives_back_the_rest(installation, feeds):
    port = feeds(delay=0.5)
    installation.market("slow", [f"http://127.0.0.1:{port}/feed{number}" for number in range(6)])
    # Both wait before the worker comes: on a busy machine the first would else be through when the second is stored.
    installation.console("collect", "slow")
    installation.console("collect", "slow")
    worker = installation.worker(TOPIC_WORKERS="1")
    until(lambda: snapshot(installation).depth.running == 1, "one runs")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    seen = snapshot(installation)
    assert (seen.depth.running, seen.depth.pending) == (0, 1)
    assert ended(installation) == [("completed", 1)]


def test_a_burst_works_until_nothing_is_left_and_ends(installation, feeds):
    port = feeds()
    for number in range(3):
        installation.market(f"small{number}", [f"http://127.0.0.1:{port}/feed{number}"])
        installation.console("collect", f"small{number}")
    installation.console("collect", "small0", "--delay", "3600")
    worker = installation.worker(sys.executable, "-m", "worker.cli", "--burst")
    assert worker.wait(30) == 0
    assert [state for state, _ in ended(installation)] == ["completed"] * 3
    assert snapshot(installation).depth.scheduled == 1


def test_an_empty_burst_ends_at_once(installation):
    assert installation.worker(sys.executable, "-m", "worker.cli", "--burst").wait(15) == 0


def health(installation):
    command = [sys.executable, "-m", "worker.cli", "health"]
    done = subprocess.run(
        command, env=installation.env, capture_output=True, text=True, timeout=20, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_health_is_0_while_a_worker_lives_and_1_when_it_does_not(installation):
    code, said = health(installation)
    assert (code, "has run here yet" in said) == (1, True)
    assert not installation.home.exists()
    worker = installation.worker()
    until(lambda: health(installation)[0] == 0, "it is alive")
    worker.send_signal(signal.SIGSTOP)
    until(lambda: "has been silent" in health(installation)[1], "it is stopped")
    worker.send_signal(signal.SIGCONT)
    until(lambda: health(installation)[0] == 0, "it goes on")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert health(installation) == (1, "topic-worker: no worker is running\n")


def test_a_paused_queue_waits_and_a_resumed_one_goes_on(installation):
    installation.worker()
    until(lambda: snapshot(installation).workers, "a worker")
    installation.console("queue", "pause", "--wait")
    installation.console("collect", "demo")
    time.sleep(1.5)  # long enough for a worker that would take it
    assert snapshot(installation).depth.pending == 1
    installation.console("queue", "resume")
    until(lambda: ended(installation) == [("completed", 1)], "it is collected")


def library_of(installation):
    """What a library holds, whatever the order in which its sources came."""
    with sqlite3.connect(installation.home / "topics.db") as conn:
        documents = conn.execute("SELECT source, title, url, content FROM document ORDER BY 1, 2").fetchall()
        sources = conn.execute(
            "SELECT key, items, documents, errors_in_row FROM source ORDER BY 1"
        ).fetchall()
        tally = conn.execute("SELECT name, n FROM tally ORDER BY 1").fetchall()
        found = conn.execute("SELECT count(*) FROM document_fts WHERE document_fts MATCH 'story'").fetchone()
        links = conn.execute("SELECT count(*) FROM duplicate").fetchone()
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return documents, sources, tally, found, links


def test_two_kills_and_a_clean_run_leave_what_one_undisturbed_run_does(installation, feeds, tmp_path):
    from tests.pipeline.conftest import Installation

    port = feeds(delay=0.3)
    urls = [f"http://127.0.0.1:{port}/feed{number}" for number in range(16)]
    undisturbed = Installation(tmp_path / "other")
    undisturbed.market("slow", urls)
    undisturbed.console("collect", "slow")
    burst = (sys.executable, "-m", "worker.cli", "--burst")
    assert undisturbed.worker(*burst, TOPIC_COLLECT__HOST_CONCURRENCY="8").wait(40) == 0

    installation.market("slow", urls)
    installation.console("collect", "slow")
    for least in (2, 7):
        worker = installation.worker(TOPIC_COLLECT__HOST_CONCURRENCY="2")
        until(
            lambda least=least: any((task.done or 0) >= least for task in snapshot(installation).running),
            "it is in the middle",
        )
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert installation.worker(*burst, TOPIC_COLLECT__HOST_CONCURRENCY="8").wait(40) == 0
    assert [state for state, _ in ended(installation)] == ["interrupted", "interrupted", "completed"]
    assert library_of(installation) == library_of(undisturbed)
