"""Rates, percentiles, the last day, forecasts and news: from real files, as of a frozen moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.readings import Readings
from console.readings.forecast import Outlook, forecast
from console.readings.model import Outcome
from console.readings.stats import Period
from console.readings.verdict import brief
from console.rows import schedules
from console.rows.pulse import news_lines
from tests.console.homes import COLLECT, NOW, SYNC
from worker.queue import DurableHuey
from worker.queue.rollups import Rollups


@pytest.fixture
def readings(builder):
    reader = Readings(builder.home, now=lambda: NOW)
    yield reader
    reader.close()


def roll_up(builder):
    huey = DurableHuey("topics", filename=builder.home.tasks_db, dlq_filename=builder.home.dlq_db)
    Rollups(huey.storage).step()
    huey.storage.close()


@pytest.mark.parametrize("rolled", [True, False])
def test_the_same_numbers_before_and_after_a_worker_has_added_them_up(builder, readings, rolled):
    for number in range(100):
        builder.run(age=120 + 30 * number, took=1.0 + number / 100)
    for _ in range(3):
        builder.run(age=600, state="dead", took=9.0)
    builder.run(age=600, state="retrying", took=1.5)
    builder.run(name=SYNC, age=3600 * 5, took=30)
    if rolled:
        roll_up(builder)
    collect, sync = readings.stats(Period.DAY)
    assert (collect.name, collect.runs, collect.completed, collect.failed, collect.retried) == (
        COLLECT,
        104,
        100,
        3,
        1,
    )
    assert collect.failing == pytest.approx(3 / 103)
    assert (collect.took.p50, collect.took.p95, collect.took.p99) == pytest.approx((1.5, 1.97, 9.0), rel=0.03)
    assert collect.waited.p50 == pytest.approx(1.0, rel=0.03)
    assert sync.took.p50 == pytest.approx(30, rel=0.03)
    assert len(sync.trend) == 24
    assert [point.took is not None for point in sync.trend].index(True) == 23 - 5
    assert [one.name for one in readings.stats(Period.HOUR)] == [COLLECT]


def test_what_never_ran_to_an_end_takes_no_time(builder, readings):
    builder.run(state="skipped")
    (one,) = readings.stats(Period.HOUR)
    assert (one.runs, one.other, one.took, one.waited) == (1, 1, None, None)


def test_an_empty_home_has_no_numbers(tmp_path):
    from worker.places import Home

    reader = Readings(Home(tmp_path / "nothing"), now=lambda: NOW)
    assert reader.stats(Period.WEEK) == ()
    assert not reader.news(NOW - timedelta(days=1))
    assert len(reader.day()) == 288
    reader.close()


def test_the_day_shows_depth_and_the_gap_where_no_worker_was(builder, readings):
    minute = int(builder.now // 60)
    for ago in (0, 3, 5, 60):
        builder.tasks.execute(
            "INSERT INTO depth_minute VALUES ('topics', ?, ?, 0, 0)", (minute - ago, 10 + ago)
        )
    builder.minute(3, completed=4, dead=1)
    day = readings.day()
    assert [one.depth for one in day[-2:]] == [15, 10]
    assert day[-13].depth == 70
    assert day[-5].depth is None
    assert (day[-2].completed, day[-2].failed) == (4, 1)
    hour = readings.snapshot().minutes
    assert (hour[-1].depth, hour[-4].depth, hour[-2].depth) == (10, 13, None)


# -- when will it be empty ---------------------------------------------------------------------


def pulse(builder, minutes, **events):
    for ago in range(minutes):
        builder.minute(ago, **events)


def test_nothing_waits(builder, readings):
    assert forecast(readings.snapshot()).outlook is Outlook.EMPTY


def test_it_drains_at_the_difference_of_the_rates(builder, readings):
    builder.worker()
    for _ in range(60):
        builder.pending()
    pulse(builder, 20, completed=60, enqueued=30)
    found = forecast(readings.snapshot())
    assert found.outlook is Outlook.DRAINING
    # Three minutes, the current one not yet begun: rates over 120 s.
    assert (found.ending, found.arriving) == pytest.approx((1.5, 0.75))
    assert found.empty_in == pytest.approx(80)


@pytest.mark.parametrize(("came", "outlook"), [(60, Outlook.LEVEL), (90, Outlook.GROWING)])
def test_it_does_not_drain(builder, readings, came, outlook):
    builder.worker()
    builder.pending()
    pulse(builder, 20, completed=60, enqueued=came)
    assert forecast(readings.snapshot()).outlook is outlook


def test_it_stands_still_and_says_why(builder, readings):
    builder.pending()
    pulse(builder, 20, enqueued=3)
    assert forecast(readings.snapshot()).cause == "no worker"
    builder.worker()
    assert forecast(readings.snapshot()).cause == "nothing has ended yet"
    builder.running()
    assert forecast(readings.snapshot()).cause == "1 running, none has ended yet"
    assert forecast(replace(readings.snapshot(), paused=True)).cause == "the queue is paused"
    builder.kill_workers()
    assert forecast(readings.snapshot()).cause == "no worker"


def test_a_slow_queue_is_judged_by_the_whole_hour(builder, readings):
    builder.worker()
    for _ in range(4):
        builder.pending()
    builder.minute(50, completed=2)
    builder.minute(20, completed=2)
    found = forecast(readings.snapshot())
    assert found.outlook is Outlook.DRAINING
    assert found.ending == pytest.approx(4 / 3540)


def test_a_worker_that_has_just_started_has_not_been_slow(builder, readings):
    number = builder.worker()
    builder.tasks.execute("UPDATE worker SET started_at = ? WHERE id = ?", (builder.now - 30, number))
    for _ in range(100):
        builder.pending()
    builder.minute(0, completed=60)
    assert forecast(readings.snapshot()).ending == pytest.approx(2.0)


# -- what has changed --------------------------------------------------------------------------


def test_news_since_a_moment(builder, readings):
    hour = timedelta(hours=1)
    builder.letter(fingerprint="old", age=7200)
    for age in (100, 200, 7200):
        builder.letter(fingerprint="older, but again", age=age)
    for age in (100, 200):
        builder.letter("demo", error_type="NewError", error="never seen", fingerprint="new", age=age - 50)
    builder.letters.execute("UPDATE cause SET first_seen = ? WHERE fingerprint = 'new'", (builder.now - 200,))
    builder.minute(10, dead=4)
    builder.minute(90, dead=9)
    builder.run(age=300)
    builder.run(age=9000)
    roll_up(builder)
    builder.schedule("daily_collection", "0 2 * * *")
    for at, noticed in ((300, 300), (9000, 9000)):
        builder.tasks.execute(
            "INSERT INTO tick (queue, schedule, tick_at, state, noticed_at) VALUES ('topics', 'daily_collection', ?, 'missed', ?)",
            (builder.now - at, builder.now - noticed),
        )  # fmt: skip
    from worker.queue.journal import new_id

    for ago, actor in ((60, "ann@ops"), (7200, "bob@ops")):
        builder.tasks.execute(
            "INSERT INTO journal VALUES (?, ?, ?, 'cancel', 'queue', 1, '{}', NULL)",
            (new_id(builder.now - ago), builder.now - ago, actor),
        )
    news = readings.news(NOW - hour)
    assert news
    assert [cause.error for cause in news.new_causes] == ["never seen"]
    assert (news.causes, news.failed, news.missed, news.collections, news.acts, news.actors) == (1, 4, 1, 1, 1, ("ann@ops",))  # fmt: skip
    assert not readings.news(NOW - timedelta(seconds=5))
    assert readings.news(NOW - timedelta(days=30)).since == NOW - timedelta(days=7)


def test_a_run_that_found_nothing_to_do_is_not_shown_as_one_that_did_it(builder, readings):
    builder.schedule("weekly_notion_sync", "0 9 * * 1")
    for days, ended in enumerate(["completed", "skipped", "dead", None]):
        builder.tick("weekly_notion_sync", ago=86400 * (9 - days), ended=ended)
    (schedule,) = readings.snapshot().schedules
    assert schedule.strip == (Outcome.OK, Outcome.SKIPPED, Outcome.FAILED, Outcome.WAITING)
    assert schedules.legend(schedule.strip) == "● ok  » skipped  ✗ failed  ▸ not ended"


def test_feeds_that_are_proposed_are_news_until_somebody_answers(builder, readings):
    for key, ago, declined in (("a", 60, None), ("b", 60, 30), ("c", 7200, None), ("taken", 60, None)):
        builder.library.execute(
            "INSERT INTO proposal (market, key, url, title, site, why, entries, found_at, declined_at) "
            "VALUES ('demo', ?, 'u', 't', 's', 'w', 1, ?, ?)",
            (key, builder.now - ago, declined and builder.now - declined),
        )
    builder.library.execute(
        "INSERT INTO source (market, key, name, url, last_attempt) VALUES ('demo', 'taken', 'n', 'u', 0)"
    )
    news = readings.news(NOW - timedelta(hours=1))
    assert (bool(news), news.proposals) == (True, 1)
    (said,) = news_lines(news, 80)
    assert said[0].text == "1 feed proposed: topic-worker proposals"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (None, "20 topics in 1 report"),
        ("the day's budget of 9 tokens is used up", "20 topics in 1 report; the model named not all: the day's budget of 9 tokens is used up"),
    ],
)  # fmt: skip
def test_a_report_says_why_its_topics_have_no_better_names(builder, readings, reason, words):
    result = {
        "reports": {"demo": "/x"},
        "topics_reported": 20,
        "faulty": {},
        "llm": {"model": "m", "reason": reason},
    }
    builder.run(name="worker.tasks.write_reports", result=result)
    (run,) = readings.snapshot().last_runs
    assert brief(run) == words


@pytest.mark.parametrize(
    ("proposed", "words"), [(2, "2 feeds proposed: topic-worker proposals"), (0, "no feed proposed")]
)
def test_what_a_search_for_feeds_brought(builder, readings, proposed, words):
    result = {"markets": {}, "proposed": proposed, "faulty": {}}
    builder.run(name="worker.tasks.feed_discovery", result=result)
    (run,) = readings.snapshot().last_runs
    assert brief(run) == words


@pytest.mark.parametrize(
    ("well", "words"), [(2, "2 sources had answered already"), (0, "0 new documents from 0 of 0 sources")]
)
def test_a_collection_that_asked_nobody_says_why(builder, readings, well, words):
    builder.run(result={"documents": 0, "sources": 0, "errors": 0, "well": well})
    (run,) = readings.snapshot().last_runs
    assert brief(run) == words
