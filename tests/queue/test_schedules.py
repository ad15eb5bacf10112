"""Ticks: each once, in its own time zone, and a missed one is not forgotten."""

from __future__ import annotations

import datetime as dt
import threading
from zoneinfo import ZoneInfo

import pytest

from worker.queue import DurableHuey, schema
from worker.queue.catch_up import CatchUp, ScheduleSpec
from worker.queue.cron import Cron
from worker.queue.errors import ScheduleError
from worker.queue.schedules import Schedules
from worker.queue.watch import Watch
from worker.sqlite import sqlite3

BERLIN = ZoneInfo("Europe/Berlin")


def ticks(expression, start, count):
    found = Cron(expression, "Europe/Berlin").after(dt.datetime(*start, tzinfo=BERLIN))
    return [f"{next(found).astimezone(BERLIN):%m-%d %H:%M %Z}" for _ in range(count)]


def test_a_tick_in_the_hour_that_is_skipped_runs_right_after_it():
    assert ticks("30 2 * * *", (2026, 3, 28, 12), 2) == ["03-29 03:00 CEST", "03-30 02:30 CEST"]


def test_a_tick_in_the_hour_that_comes_twice_runs_once():
    assert ticks("30 2 * * *", (2026, 10, 24, 12), 2) == ["10-25 02:30 CEST", "10-26 02:30 CET"]


def test_the_clock_on_the_wall_decides_not_the_hours_between():
    assert ticks("0 2 * * *", (2026, 10, 24, 12), 2) == ["10-25 02:00 CEST", "10-26 02:00 CET"]
    assert ticks("0 9 * * 1", (2026, 3, 23, 10), 2) == ["03-30 09:00 CEST", "04-06 09:00 CEST"]


@pytest.mark.parametrize("expression", ["", "* * * *", "61 * * * *", "0 25 * * *", "soon", "0 2 * * * * * *"])
def test_what_is_no_cron_is_refused_in_words(expression):
    with pytest.raises(ScheduleError, match="expected a cron expression"):
        Cron(expression)


@pytest.mark.parametrize("zone", ["Europe/Berln", "", "../etc/passwd", "/etc/localtime"])
def test_what_is_no_time_zone_is_refused_in_words(zone):
    with pytest.raises(ScheduleError, match="expected a time zone"):
        Cron("0 2 * * *", zone)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, text):
        self.at = dt.datetime.fromisoformat(text).timestamp()

    def __call__(self):
        return self.at

    def move(self, **span):
        self.at += dt.timedelta(**span).total_seconds()


class Site:
    """A schedule at two o'clock UTC, and as many workers as are wanted."""

    def __init__(self, home, clock, spec=None):
        self.home, self.clock, self.spec, self.hueys = home, clock, spec, []
        self.awake = None  # a clock of its own, where the machine is to sleep

    def worker(self):
        specs = {"nightly": self.spec} if self.spec else {}
        huey = DurableHuey("app", filename=self.home / "tasks.db", now=self.clock, schedules=lambda: specs)
        huey.periodic_task(Cron("0 2 * * *"), name="nightly")(lambda: None)
        self.hueys.append(huey)
        schedules = Schedules(huey, huey.storage, Watch(self.clock, self.awake or self.clock, self.clock))
        schedules.register()
        huey.schedules_here = schedules
        return schedules

    def state(self):
        query = "SELECT missed, last_at, next_at, paused_at FROM periodic"
        return self.hueys[0].storage.sql(query, results=True)[0]

    def ticks(self):
        query = "SELECT tick_at, state, why FROM tick ORDER BY tick_at"
        rows = self.hueys[0].storage.sql(query, results=True)
        return [
            (f"{dt.datetime.fromtimestamp(at, dt.UTC):%m-%d %H:%M}", state, why) for at, state, why in rows
        ]

    def waiting(self):
        return self.hueys[0].storage.queue_size()


@pytest.fixture
def site(home):
    made = []

    def make(at, spec=None):
        made.append(Site(home, Clock(at), spec))
        return made[-1]

    yield make
    for one in made:
        for huey in one.hueys:
            huey.storage.close()


def test_a_tick_fires_once_however_often_it_is_looked_at(site):
    here = site("2026-01-01T01:59:59+00:00")
    worker = here.worker()
    assert worker.fire() == 0
    here.clock.move(seconds=2)
    assert [worker.fire() for _ in range(5)] == [1, 0, 0, 0, 0]
    assert here.waiting() == 1


def test_a_tick_at_which_there_is_nothing_to_do_passes_without_a_run(site):
    asked = []

    def wanted():
        asked.append(here.clock())
        return len(asked) == 3

    here = site("2026-01-01T01:59:59+00:00", ScheduleSpec(wanted=wanted))
    worker = here.worker()
    fired = []
    for _ in range(3):
        here.clock.move(seconds=2)
        fired += [worker.fire(), worker.fire()]
        here.clock.move(days=1, seconds=-2)
    assert fired == [0, 0, 0, 0, 1, 0]
    assert len(asked) == 3, "it is asked when a tick has come, not every second"
    assert [state for _, state, _ in here.ticks()] == ["fired"], "what was not wanted was not missed"
    assert here.state()[0] == 0


def test_a_tick_fires_once_however_many_workers_look(site):
    here = site("2026-01-01T01:59:59+00:00")
    workers = [here.worker() for _ in range(8)]
    here.clock.move(seconds=2)
    start, fired = threading.Barrier(8), []

    def look(worker):
        start.wait()
        fired.append(worker.fire())

    threads = [threading.Thread(target=look, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fired) == [0] * 7 + [1]
    assert here.waiting() == 1


def test_a_clock_that_is_set_back_fires_nothing_twice(site):
    here = site("2026-01-01T01:59:59+00:00")
    worker = here.worker()
    here.clock.move(seconds=2)
    assert worker.fire() == 1
    here.clock.move(minutes=-30)
    assert worker.fire() == 0
    here.clock.move(minutes=31)
    assert worker.fire() == 0
    here.clock.move(days=1)
    assert worker.fire() == 1


@pytest.mark.parametrize(
    ("policy", "window_days", "fired", "missed"),
    [
        (CatchUp.ONCE, 30, 1, 2), (CatchUp.ALL, 30, 3, 0), (CatchUp.NONE, 30, 0, 3), (CatchUp.ALL, 2, 2, 1),
        (CatchUp.ONCE, 0.1, 0, 3),
    ],
)  # fmt: skip
def test_ticks_that_passed_while_nothing_ran(site, policy, window_days, fired, missed):
    here = site(
        "2026-01-01T01:00:00+00:00", ScheduleSpec(catch_up=policy, catch_up_window=window_days * 86_400)
    )
    here.worker()
    here.clock.move(days=2, hours=9)  # three ticks: 2:00 on the first, the second, the third
    assert here.worker().fire() == fired
    assert here.waiting() == fired
    assert here.state()[0] == missed


def test_a_pause_fires_nothing_misses_nothing_and_ends_by_itself(site):
    from worker.queue import Operator

    here = site("2026-01-01T01:00:00+00:00")
    worker = here.worker()
    operator = Operator(
        here.home / "tasks.db", here.home / "dlq.db", queue="app",
        now=lambda: dt.datetime.fromtimestamp(here.clock(), dt.UTC),
    )  # fmt: skip
    operator.pause_schedule("nightly", until=dt.datetime(2026, 1, 3, 12, tzinfo=dt.UTC))
    for _ in range(2):
        here.clock.move(days=1, hours=1)
        assert worker.fire() == 0
    here.clock.move(days=1)
    assert worker.fire() == 1  # the tick of the fourth
    missed, _, _, paused = here.state()
    assert (missed, paused) == (0, None)
    operator.close()


def test_a_schedule_that_is_off_never_fires_and_makes_up_nothing_when_it_is_on_again(site):
    here = site("2026-01-01T01:00:00+00:00", ScheduleSpec(enabled=False))
    worker = here.worker()
    here.clock.move(days=2)
    assert worker.fire() == 0
    here.spec = ScheduleSpec()
    assert here.worker().fire() == 0
    assert here.ticks() == []


def test_a_changed_cron_begins_anew_and_names_what_passed_under_the_old_one(site):
    here = site("2026-01-01T03:00:00+00:00")
    here.worker()
    here.clock.move(days=2)
    here.spec = ScheduleSpec(cron=Cron("0 12 * * *"))
    assert here.worker().fire() == 0
    assert [(at, state) for at, state, _ in here.ticks()] == [
        ("01-02 02:00", "missed"),
        ("01-03 02:00", "missed"),
    ]
    assert "the rule was changed" in here.ticks()[0][2]
    assert here.state()[0] == 2
    here.clock.move(hours=9)  # noon
    assert here.hueys[-1].schedules_here.fire() == 1


def test_a_rule_that_raises_is_named_and_stops_no_other(home):
    clock = Clock("2026-01-01T01:59:00+00:00")
    huey = DurableHuey("app", filename=home / "tasks.db", now=clock)

    def broken(_moment):
        raise ZeroDivisionError("oh")

    huey.periodic_task(broken, name="broken")(lambda: None)
    huey.periodic_task(Cron("0 2 * * *"), name="nightly")(lambda: None)
    schedules = Schedules(huey, huey.storage)
    schedules.register()
    clock.move(minutes=2)
    assert schedules.fire() == 1
    errors = dict(huey.storage.sql("SELECT name, error FROM periodic", results=True))
    assert errors == {"broken": "ZeroDivisionError: oh", "nightly": None}
    huey.storage.close()


def test_a_file_of_version_1_keeps_what_it_knew_of_its_ticks(home):
    path = home / "tasks.db"
    conn = sqlite3.connect(path, isolation_level=None)
    schema.make_current(conn, path, schema.TASKS_APPLICATION_ID, schema.TASKS_MIGRATIONS[:1])
    conn.execute(
        "INSERT INTO periodic (queue, name, task_name, cron, timezone, catch_up_window, seen_at, last_at, last_task_id, missed) "
        "VALUES ('app', 'nightly', 'm.nightly', '0 2 * * *', 'UTC', 86400, 1000, 900, 't', 7)"
    )
    conn.close()
    huey = DurableHuey("app", filename=path)
    rows = huey.storage.sql("SELECT tick_at, n, state, task_id FROM tick ORDER BY tick_at", results=True)
    assert rows == [(900.0, 1, "fired", "t"), (1000.0, 7, "missed", None)]
    assert huey.storage.sql("SELECT missed, enabled FROM periodic", results=True) == [(7, 1)]
    huey.storage.close()


def test_a_broken_rule_is_said_once_and_its_ticks_are_missed_for_that_reason(home, caplog):
    clock, broken = Clock("2026-01-01T01:59:00+00:00"), [True]
    huey = DurableHuey("app", filename=home / "tasks.db", now=clock)

    def rule(moment):
        if broken[0]:
            raise ZeroDivisionError("oh")
        return moment.minute == 0

    huey.periodic_task(rule, name="moody")(lambda: None)
    schedules = Schedules(huey, huey.storage, Watch(clock, clock, clock))
    schedules.register()
    for _ in range(300):
        clock.move(seconds=1)
        assert schedules.fire() == 0
    assert caplog.text.count("cannot be evaluated") == 1
    broken[0] = False
    assert schedules.fire() == 1
    ((why, error),) = huey.storage.sql("SELECT why, error FROM tick, periodic", results=True)
    assert why == "ZeroDivisionError: oh; caught up 4m late"
    assert error is None
    huey.storage.close()


def test_a_locked_file_is_no_fault_of_a_rule_and_the_tick_fires_when_it_is_free(home, caplog):
    clock = Clock("2026-01-01T01:59:00+00:00")
    huey = DurableHuey("app", filename=home / "tasks.db", now=clock, timeout=0.1)
    huey.periodic_task(Cron("0 2 * * *"), name="nightly")(lambda: None)
    schedules = Schedules(huey, huey.storage, Watch(clock, clock, clock))
    schedules.register()
    clock.move(minutes=2)
    blocker = sqlite3.connect(home / "tasks.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    assert [schedules.fire(), schedules.fire()] == [0, 0]
    blocker.execute("ROLLBACK")
    blocker.close()
    assert caplog.text.count("another process has kept the database locked") == 1
    assert "cannot be evaluated" not in caplog.text
    assert schedules.fire() == 1
    assert huey.storage.sql("SELECT error FROM periodic", results=True) == [(None,)]
    huey.storage.close()
