"""Whole days on an injected clock: what should have fired, computed without cron, against what fired, tick by tick."""

from __future__ import annotations

import datetime as dt
import os
import random
from zoneinfo import ZoneInfo

import pytest

from worker.queue import DurableHuey
from worker.queue.catch_up import CatchUp, ScheduleSpec
from worker.queue.cron import Cron
from worker.queue.schedules import Schedules
from worker.queue.watch import Watch

BERLIN = ZoneInfo("Europe/Berlin")
LONG = os.environ.get("SOAK") == "long"
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
# name, cron, and what that means: the wall clock's times of a day, or so many real seconds apart.
RULES = {
    "at_two": ("0 2 * * *", [dt.time(2, 0)]),
    "half_past_two": ("30 2 * * *", [dt.time(2, 30)]),
    "at_three": ("0 3 * * *", [dt.time(3, 0)]),
    "twice": ("15 1,2 * * *", [dt.time(1, 15), dt.time(2, 15)]),
    "quarterly": ("*/15 * * * *", 15 * MINUTE),
    "monday": ("0 9 * * 1", [dt.time(9, 0)]),
}


def berlin(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def shown(at):
    return f"{dt.datetime.fromtimestamp(at, BERLIN):%a %m-%d %H:%M:%S %Z}"


def exists(moment):
    return moment.astimezone(dt.UTC).astimezone(BERLIN).replace(tzinfo=None) == moment.replace(tzinfo=None)


def expected(name, start, end):
    """The ticks of (start, end] as Unix seconds, from the wall clock alone, as cron(8) tells them."""
    meant = RULES[name][1]
    if isinstance(meant, float):
        first = (start // meant + 1) * meant
        return [first + number * meant for number in range(int((end - first) // meant) + 1)]
    found = set()
    day = dt.datetime.fromtimestamp(start, BERLIN).date()
    while day <= dt.datetime.fromtimestamp(end, BERLIN).date():
        for time in meant if name != "monday" or day.weekday() == 0 else ():
            moment = dt.datetime.combine(day, time, BERLIN)
            while not exists(moment):
                moment += dt.timedelta(minutes=1)
            if start < moment.timestamp() <= end:
                found.add(moment.timestamp())
        day += dt.timedelta(days=1)
    return sorted(found)


class Machine:
    """A machine with three clocks and workers that look at them."""

    def __init__(self, home, at, *, workers=1, specs=None, rules=RULES):
        self.home, self.wall, self.awake, self.passed = home, at, 100.0, 100.0
        self.specs, self.rules, self.hueys, self.workers = specs or {}, rules, [], []
        self.chance = random.Random(7)
        for _ in range(workers):
            self.start()

    def start(self):
        huey = DurableHuey(
            "app", filename=self.home / "tasks.db", now=lambda: self.wall, schedules=lambda: self.specs
        )
        for name in self.rules:
            huey.periodic_task(Cron(self.rules[name][0], "Europe/Berlin"), name=name)(lambda: None)
        watch = Watch(lambda: self.wall, lambda: self.awake, lambda: self.passed)
        schedules = Schedules(huey, huey.storage, watch)
        schedules.register()
        self.hueys.append(huey)
        self.workers.append(schedules)

    def stop(self):
        for huey in self.hueys:
            huey.storage.close()
        self.hueys, self.workers = [], []

    def sit(self, seconds):
        """Time passes while nobody looks."""
        self.wall, self.awake, self.passed = self.wall + seconds, self.awake + seconds, self.passed + seconds

    def sleep(self, seconds):
        self.wall, self.passed = self.wall + seconds, self.passed + seconds

    def set_clock(self, seconds):
        self.wall += seconds

    def look(self):
        for worker in self.chance.sample(self.workers, len(self.workers)):
            worker.fire()

    def run_until(self, end):
        """Looks again and again, at no round times; a soak looks every second as a real worker does."""
        while self.wall < end:
            self.sit(min(1.0 if LONG else self.chance.uniform(0.5, 45.0), end - self.wall))
            self.look()

    def sql(self, query, *params):
        return self.hueys[0].storage.sql(query, params, results=True)

    def ticks(self, name, *states):
        marks = ",".join("?" * len(states))
        query = f"SELECT tick_at FROM tick WHERE schedule = ? AND state IN ({marks}) ORDER BY tick_at"
        return [row[0] for row in self.sql(query, name, *states)]

    def stored(self, name):
        return self.sql("SELECT count(*) FROM task WHERE name LIKE ?", f"%.{name}")[0][0]


@pytest.fixture
def machine(home):
    made = []

    def make(at, after=0.0, **options):
        made.append(Machine(home, berlin(at) + after, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-28 12:00", "2026-03-30 12:00", 47),  # spring: the hour from two to three is skipped
        ("2026-10-24 12:00", "2026-10-26 12:00", 49),  # autumn: it comes twice
        ("2026-06-01 00:00", "2026-06-01 12:00", 12),
    ],
)
def test_each_tick_of_a_day_fires_once_on_time_whoever_looks(machine, start, end, hours):
    here = machine(start, workers=2)
    begin, over = here.wall, berlin(end)
    assert over - begin == hours * HOUR
    here.run_until(over)
    for name in RULES:
        wanted = expected(name, begin, over)
        assert [*map(shown, here.ticks(name, "fired"))] == [*map(shown, wanted)], name
        assert here.stored(name) == len(wanted)
    assert here.sql("SELECT count(*) FROM tick WHERE state <> 'fired'") == [(0,)]


def test_what_the_edges_of_summer_time_mean_in_berlin(machine):
    here = machine("2026-03-28 12:00")
    here.run_until(berlin("2026-03-29 12:00"))
    assert [*map(shown, here.ticks("half_past_two", "fired"))] == ["Sun 03-29 03:00:00 CEST"]
    assert [*map(shown, here.ticks("twice", "fired"))] == [
        "Sun 03-29 01:15:00 CET",
        "Sun 03-29 03:00:00 CEST",
    ]
    here.stop()
    (here.home / "tasks.db").unlink()
    here = machine("2026-10-24 12:00")
    here.run_until(berlin("2026-10-25 12:00"))
    assert [*map(shown, here.ticks("half_past_two", "fired"))] == ["Sun 10-25 02:30:00 CEST"]


def test_a_schedule_that_begins_in_the_second_of_two_equal_hours_fires_nothing_of_the_first(machine):
    here = machine("2026-10-25 02:10", after=HOUR)  # ten past two for the second time
    begin = here.wall
    assert shown(begin) == "Sun 10-25 02:10:00 CET"
    here.run_until(berlin("2026-10-26 12:00"))
    for name in ("half_past_two", "twice", "quarterly"):
        assert [*map(shown, here.ticks(name, "fired"))] == [*map(shown, expected(name, begin, here.wall))], (
            name
        )
    assert here.sql("SELECT count(*) FROM tick WHERE state <> 'fired'") == [(0,)]


def test_asleep_from_ten_past_eleven_to_five_past_seven(machine):
    here = machine("2026-11-24 22:00", workers=2)
    here.run_until(berlin("2026-11-24 23:10"))
    here.sleep(berlin("2026-11-25 07:05") - here.wall)
    here.sit(1.0)
    here.look()
    woke = here.wall
    assert [*map(shown, here.ticks("at_two", "caught_up"))] == ["Wed 11-25 02:00:00 CET"]
    ((noticed, why),) = here.sql("SELECT noticed_at, why FROM tick WHERE schedule = 'at_two'")
    assert noticed == woke
    assert why == "the machine slept for 7h 55m; caught up 5h 5m late"
    # Every quarter of an hour: the newest ran, the others are known to be missed.
    quarters = expected("quarterly", berlin("2026-11-24 23:10"), woke)
    assert here.ticks("quarterly", "caught_up") == quarters[-1:]
    assert here.ticks("quarterly", "missed") == quarters[:-1]
    assert here.sql("SELECT missed FROM periodic WHERE name = 'quarterly'") == [(len(quarters) - 1,)]
    here.run_until(berlin("2026-11-25 12:00"))
    assert here.stored("at_two") == 1
    assert here.stored("quarterly") == len(here.ticks("quarterly", "fired", "caught_up"))


@pytest.mark.parametrize("back", [2.0, 90.0, 20 * MINUTE, 2 * HOUR])
def test_a_clock_that_is_set_back_fires_nothing_twice_and_misses_nothing(machine, back):
    here = machine("2026-11-24 01:30", workers=2)
    begin, over = here.wall, berlin("2026-11-24 06:00")
    here.run_until(berlin("2026-11-24 02:00") + 30)
    here.set_clock(-back)
    here.run_until(over)
    for name in ("at_two", "half_past_two", "at_three", "quarterly"):
        wanted = expected(name, begin, over)
        assert [*map(shown, here.ticks(name, "fired"))] == [*map(shown, wanted)], name
        assert here.stored(name) == len(wanted)
    assert here.sql("SELECT count(*) FROM tick WHERE state <> 'fired'") == [(0,)]


def test_a_clock_that_was_a_year_ahead_stops_no_schedule_for_a_year(machine):
    here = machine("2026-11-24 01:30")
    here.set_clock(365 * DAY)
    here.run_until(here.wall + HOUR / 2)
    here.set_clock(-365 * DAY)
    begin, over = here.wall, here.wall + DAY
    here.run_until(over)
    now_fired = [at for at in here.ticks("at_two", "fired") if at <= over]
    assert now_fired == expected("at_two", begin, over)


def test_a_clock_set_back_by_more_than_cron_bears_fires_no_tick_a_second_time(machine):
    here = machine("2026-11-24 01:30")
    here.run_until(berlin("2026-11-24 08:00"))
    here.set_clock(-7 * HOUR)
    here.run_until(berlin("2026-11-24 12:00"))
    for name in ("at_two", "quarterly"):
        assert here.stored(name) == len(here.ticks(name, "fired")), name
    assert here.stored("at_two") == 1


def test_a_clock_that_is_set_forward_is_said_to_be_the_reason(machine):
    here = machine("2026-11-24 01:30")
    here.look()
    here.set_clock(2 * HOUR)
    here.look()
    ((state, why),) = here.sql("SELECT state, why FROM tick WHERE schedule = 'at_two'")
    assert (state, why) == ("caught_up", "the clock was set forward by 2h; caught up 1h 30m late")


def test_a_stall_over_the_edge_of_a_minute_skips_none_and_doubles_none(machine):
    here = machine("2026-11-24 10:00", rules={"minutely": ("* * * * *", MINUTE)})
    begin = here.wall
    for _ in range(60):
        here.sit(here.chance.choice([1.0, 61.0, 75.0]))
        here.look()
    fired = here.ticks("minutely", "fired")
    assert fired == [begin + number * MINUTE for number in range(1, len(fired) + 1)]
    assert len(fired) == (here.wall - begin) // MINUTE
    assert here.stored("minutely") == len(fired)
    here.sit(3 * MINUTE)
    here.look()
    missed = here.sql("SELECT why FROM tick WHERE state = 'missed'")
    assert missed == [("the worker stood still for 3m; catch_up is once, and a newer tick had its run",)]


def test_restarts_within_the_minute_fire_once(machine):
    here = machine("2026-11-24 01:59")
    here.run_until(berlin("2026-11-24 02:00") + 1)
    for _ in range(3):
        here.stop()
        here.sit(5.0)
        here.start()
        here.look()
    assert here.stored("at_two") == 1


def test_two_weeks_of_downtime_are_bounded_and_the_newest_still_runs(machine):
    rules = {"minutely": ("* * * * *", MINUTE)}
    here = machine("2026-01-01 00:00", rules=rules)
    here.stop()
    here.sit(14 * DAY + 59)
    here.start()
    here.look()
    rows = here.sql("SELECT state, count(*), sum(n) FROM tick GROUP BY state ORDER BY state")
    # The tick of this minute is on time, so nothing is caught up.
    assert rows == [("fired", 1, 1), ("missed", 201, 14 * 1440 - 1)]
    ((n, why),) = here.sql("SELECT n, why FROM tick WHERE n > 1")
    assert n == 14 * 1440 - 201
    assert "no worker was running" in why
    assert here.sql("SELECT missed FROM periodic") == [(14 * 1440 - 1,)]
    # Night after night it stays bounded.
    for _ in range(3):
        here.sit(HOUR)
        here.look()
    assert here.sql("SELECT count(*) FROM tick WHERE state = 'missed'") == [(201,)]
    assert here.sql("SELECT missed FROM periodic") == here.sql(
        "SELECT sum(n) FROM tick WHERE state = 'missed'"
    )


def test_ten_years_of_downtime_are_not_counted_to_the_last_minute(machine):
    here = machine("2016-01-01 00:00", rules={"minutely": ("* * * * *", MINUTE)})
    here.stop()
    here.sit(10 * 365 * DAY + 100)
    here.specs = {"minutely": ScheduleSpec(catch_up=CatchUp.ALL, catch_up_window=HOUR)}
    here.start()
    here.look()
    assert here.stored("minutely") == 60
    ((why,),) = here.sql("SELECT why FROM tick WHERE n > 1")
    assert "there are more, which were not counted" in why
