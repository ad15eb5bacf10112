"""An operator at the schedules: run, pause, answer missed ticks, and take each of it back."""

from __future__ import annotations

import datetime as dt

import pytest

from worker.queue import DurableHuey, Operator, current_run
from worker.queue.catch_up import CatchUp, ScheduleSpec
from worker.queue.cron import Cron
from worker.queue.errors import RefusedError
from worker.queue.schedules import Schedules
from worker.queue.schedules_desk import Replay
from worker.queue.watch import Watch

START = dt.datetime(2026, 1, 1, 1, 0, tzinfo=dt.UTC)


class Site:
    """An hourly schedule whose missed ticks nobody catches up, and an operator."""

    def __init__(self, home):
        self.at = START.timestamp()
        self.huey = DurableHuey(
            "app", filename=home / "tasks.db", now=lambda: self.at,
            schedules=lambda: {"hourly": ScheduleSpec(catch_up=CatchUp.NONE)},
        )  # fmt: skip
        self.huey.periodic_task(Cron("0 * * * *"), name="hourly")(lambda: None)
        self.storage = self.huey.storage
        self.start()
        self.desk = Operator(
            home / "tasks.db", home / "dlq.db", queue="app", actor="ann@here",
            now=lambda: dt.datetime.fromtimestamp(self.at, dt.UTC),
        )  # fmt: skip

    def start(self):
        clock = lambda: self.at  # noqa: E731
        self.schedules = Schedules(self.huey, self.storage, Watch(clock, clock, clock))
        self.schedules.register()

    def hours(self, count):
        self.at += count * 3600

    def miss(self, count):
        """The worker is down for so many ticks."""
        self.hours(count)
        self.at += 120
        self.start()
        assert self.schedules.fire() == 0
        self.at += 60

    def ticks(self):
        query = "SELECT tick_at, state, task_id FROM tick ORDER BY tick_at"
        rows = self.storage.sql(query, results=True)
        return [(dt.datetime.fromtimestamp(at, dt.UTC).hour, state, task) for at, state, task in rows]

    def states(self):
        return [state for _, state, _ in self.ticks()]

    def missed(self):
        return self.storage.sql("SELECT missed FROM periodic", results=True)[0][0]

    def waiting(self):
        return (self.storage.queue_size(), self.storage.schedule_size())

    def close(self):
        self.desk.close()
        self.storage.close()


@pytest.fixture
def site(home):
    made = Site(home)
    yield made
    made.close()


def test_run_now_is_journaled_and_taken_back_while_it_has_not_begun(site):
    done = site.desk.run_schedule("hourly")
    assert (done.action, done.done, site.waiting()) == ("run_now", 1, (1, 0))
    assert done.entry is not None
    assert site.desk.undo(done.entry).done == 1
    assert site.waiting() == (0, 0)
    again = site.desk.run_schedule("hourly")
    site.huey.execute(site.huey.dequeue())
    undone = site.desk.undo(again.entry)
    assert (undone.done, undone.refused[0][1]) == (0, "has begun or ended")


@pytest.mark.parametrize(
    ("how", "over", "waiting", "runs"),
    [(Replay.ONCE, None, (1, 0), 1), (Replay.ALL, None, (3, 0), 3), (Replay.SPREAD, 3600.0, (1, 2), 3)],
)
def test_missed_ticks_are_replayed_and_missed_again_when_that_is_taken_back(site, how, over, waiting, runs):
    site.miss(3)
    assert (site.states(), site.missed()) == (["missed"] * 3, 3)
    done = site.desk.replay_ticks("hourly", how, over=over)
    assert (done.done, len(done.task_ids), site.waiting()) == (3, runs, waiting)
    assert (site.states(), site.missed()) == (["replayed"] * 3, 0)
    assert {task for *_, task in site.ticks()} == set(done.task_ids)
    assert site.desk.undo(done.entry).done == 3
    assert (site.states(), site.missed(), site.waiting()) == (["missed"] * 3, 3, (0, 0))


def test_a_spread_replay_is_even(site):
    site.miss(4)
    site.desk.replay_ticks("hourly", Replay.SPREAD, over=7200.0)
    due = [
        row[0] - site.at for row in site.storage.sql("SELECT due_at FROM schedule ORDER BY 1", results=True)
    ]
    assert due == [1800.0, 3600.0, 5400.0]


def test_of_a_replay_that_has_begun_only_the_rest_is_taken_back(site):
    site.miss(3)
    done = site.desk.replay_ticks("hourly", Replay.ALL)
    site.huey.execute(site.huey.dequeue())
    undone = site.desk.undo(done.entry)
    assert (undone.done, len(undone.refused)) == (2, 1)
    assert (site.states(), site.missed()) == (["replayed", "missed", "missed"], 2)


def test_just_these_ticks_are_answered(site):
    site.miss(3)
    ids = [row[0] for row in site.storage.sql("SELECT id FROM tick ORDER BY tick_at", results=True)]
    assert site.desk.acknowledge_ticks("hourly", ticks=ids[:1]).done == 1
    done = site.desk.replay_ticks("hourly", Replay.ONCE, ticks=ids[:2])
    assert (done.asked, done.done, done.refused) == (2, 1, ((str(ids[0]), "is not missed any more"),))
    assert site.states() == ["acknowledged", "replayed", "missed"]


def test_an_acknowledgement_is_journaled_and_taken_back(site):
    site.miss(2)
    done = site.desk.acknowledge_ticks("hourly", note="holiday")
    assert (done.done, site.missed(), site.waiting()) == (2, 0, (0, 0))
    detail = site.storage.sql("SELECT action, target, detail FROM journal", results=True)[0]
    assert detail[:2] == ("acknowledge", "schedules")
    assert "holiday" in detail[2]
    assert site.desk.undo().done == 2
    assert (site.states(), site.missed()) == (["missed", "missed"], 2)


def test_ticks_of_a_pause_are_missed_by_nobody_and_can_be_replayed(site):
    site.desk.pause_schedule("hourly", note="moving house")
    site.hours(2)
    assert site.schedules.fire() == 0
    site.desk.resume_schedule("hourly")
    assert (site.states(), site.missed()) == (["paused", "paused"], 0)
    why = site.storage.sql("SELECT why FROM tick", results=True)[0][0]
    assert why == "the schedule was paused by ann@here: moving house"
    assert site.schedules.fire() == 0
    with pytest.raises(RefusedError, match="no missed tick"):
        site.desk.replay_ticks("hourly", Replay.ALL)
    done = site.desk.replay_ticks("hourly", Replay.ALL, paused=True)
    assert (done.done, site.waiting()) == (2, (2, 0))
    site.desk.undo(done.entry)
    assert (site.states(), site.missed()) == (["paused", "paused"], 0)


def test_a_pause_that_ends_by_itself_leaves_its_ticks_in_the_register(site):
    until = START + dt.timedelta(hours=1, minutes=30)
    site.desk.pause_schedule("hourly", until=until)
    site.hours(2)
    assert site.schedules.fire() == 1
    assert [(hour, state) for hour, state, _ in site.ticks()] == [(2, "paused"), (3, "fired")]


def test_what_was_missed_before_a_pause_stays_missed_after_it(site):
    site.hours(2)  # the worker is down
    site.at += 600
    site.desk.pause_schedule("hourly")
    assert site.missed() == 2
    site.hours(1)
    site.desk.resume_schedule("hourly")
    assert [(hour, state) for hour, state, _ in site.ticks()] == [(2, "missed"), (3, "missed"), (4, "paused")]
    site.start()
    assert site.schedules.fire() == 0


def test_a_resume_that_is_taken_back_pauses_again_and_loses_no_tick(site):
    site.desk.pause_schedule("hourly", note="n")
    site.hours(1)
    site.at -= 60
    resumed = site.desk.resume_schedule("hourly")
    site.at += 120
    assert site.schedules.fire() == 1
    site.desk.undo(resumed.entry)
    assert site.desk.schedules.row("hourly")["pause_note"] == "n"
    site.hours(1)
    assert site.schedules.fire() == 0


def test_a_pause_outlives_a_restart_a_changed_rule_and_being_switched_off(site):
    site.desk.pause_schedule("hourly", note="n")
    for spec in ({"cron": Cron("30 * * * *")}, {"enabled": False}, {}):
        site.hours(1)
        site.huey.configured_schedules = lambda spec=spec: {"hourly": ScheduleSpec(**spec)}
        site.start()
        assert site.schedules.fire() == 0
    assert site.desk.schedules.row("hourly")["pause_note"] == "n"
    assert site.missed() == 0


def test_a_changed_policy_or_zone_holds_from_the_next_start(site):
    site.miss(2)
    site.huey.configured_schedules = lambda: {
        "hourly": ScheduleSpec(Cron("0 3 * * *", "Europe/Berlin"), CatchUp.ALL, 7 * 86_400.0)
    }
    site.start()
    row = site.storage.sql(
        "SELECT cron, timezone, catch_up, catch_up_window, next_at FROM periodic", results=True
    )[0]
    assert row[:4] == ("0 3 * * *", "Europe/Berlin", "all", 7 * 86_400.0)
    assert dt.datetime.fromtimestamp(row[4], dt.UTC).isoformat() == "2026-01-02T02:00:00+00:00"
    site.hours(72)
    site.start()
    assert site.schedules.fire() == 3


def test_a_schedule_that_is_gone_leaves_nothing_to_answer(site):
    site.miss(2)
    site.huey._registry._periodic_tasks.clear()
    site.start()
    assert site.states() == ["acknowledged", "acknowledged"]


def test_a_folded_row_is_run_once_or_acknowledged_but_not_each(site):
    site.miss(300)
    assert site.missed() == 300
    done = site.desk.replay_ticks("hourly", Replay.ALL)
    assert done.done == 200
    assert "stands for 100 ticks" in done.refused[0][1]
    assert site.missed() == 100
    assert site.desk.replay_ticks("hourly", Replay.ONCE).done == 100
    assert (site.missed(), site.waiting()) == (0, (201, 0))


def test_a_run_knows_for_which_tick_it_runs(site):
    told = []
    site.huey.periodic_task(Cron("30 * * * *"), name="telling")(lambda: told.append(current_run().due_at))
    site.start()
    site.hours(1)
    site.schedules.fire()
    while (task := site.huey.dequeue()) is not None:
        site.huey.execute(task)
    assert told == [START + dt.timedelta(minutes=30)]
    assert current_run().due_at is None


def test_what_cannot_be_done_is_said(site):
    for wish, words in (
        (lambda: site.desk.replay_ticks("hourly", Replay.ALL), "hourly has no missed tick"),
        (lambda: site.desk.acknowledge_ticks("hourly"), "hourly has no missed tick"),
        (
            lambda: site.desk.replay_ticks("nothing", Replay.ALL),
            "no schedule is named 'nothing'; known are: hourly",
        ),
        (lambda: site.desk.replay_ticks("hourly", Replay.SPREAD), "over how long"),
        (lambda: site.desk.acknowledge_ticks("hourly", ticks=[99]), "of these any more"),
    ):
        with pytest.raises(RefusedError, match=words):
            wish()
    assert site.storage.sql("SELECT * FROM journal", results=True) == []
