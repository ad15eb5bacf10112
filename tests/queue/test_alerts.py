"""Alerts: one breach, one alert, whoever notices it, however often."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from worker.queue import DurableHuey
from worker.queue.alerts import QUIET_S, TELL_WITHIN_S, TRIES, Alerts, Limits
from worker.queue.dead_letters import DeadLetters

LIMITS = Limits(worker_silent=60, oldest_age=900, schedule_overdue=300)


class Clock:
    at = 1_800_000_000.0

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def open_queue(home, clock):
    opened = []

    def make():
        huey = DurableHuey("topics", filename=home / "tasks.db", dlq_filename=home / "dlq.db", now=clock)
        opened.append(huey)
        return huey.storage

    yield make
    for huey in opened:
        huey.storage.close()


@pytest.fixture
def storage(open_queue):
    return open_queue()


def wait_in_queue(storage, since):
    storage.sql(
        "INSERT INTO task (id, ready_at, queue, data, task_id, name, enqueued_at) VALUES (1, ?, 'topics', '', 'a', 'job', 1)",
        (since,), commit=True,
    )  # fmt: skip


def codes(alerts):
    alerts.look(at_once=True)
    return [(one.code, one.subject) for one in alerts.unsent()]


def test_a_value_that_swings_around_its_limit_is_one_alert(storage, clock):
    alerts = Alerts(storage, LIMITS)
    wait_in_queue(storage, clock.at)
    assert codes(alerts) == []
    told = []
    for seconds in (901, 880, 905, 600, 950, 899, 1000):
        clock.at = 1_800_000_000.0 + seconds
        alerts.look(at_once=True)
        told += alerts.unsent()
        alerts.told(told)
    assert [one.code for one in told] == ["oldest_age"]
    assert "has waited for 901 s" in told[0].text


def test_over_and_back_at_once_is_the_same_breach_and_later_a_new_one(storage, clock):
    alerts = Alerts(storage, LIMITS)
    wait_in_queue(storage, clock.at - 1_000)
    alerts.look(at_once=True)
    alerts.told(alerts.unsent())
    storage.sql("UPDATE task SET ready_at = ?", (clock.at,), commit=True)
    assert codes(alerts) == []
    storage.sql("UPDATE task SET ready_at = ?", (clock.at - 1_000,), commit=True)
    assert codes(alerts) == []
    storage.sql("UPDATE task SET ready_at = ?", (clock.at,), commit=True)
    assert codes(alerts) == []
    clock.at += QUIET_S + 901
    assert codes(alerts) == [("oldest_age", "")]


def test_two_workers_and_a_restart_tell_once(open_queue, clock):
    first, second = open_queue(), open_queue()
    wait_in_queue(first, clock.at - 1_000)
    one, other = Alerts(first, LIMITS), Alerts(second, LIMITS)
    one.look(at_once=True)
    other.look(at_once=True)
    told = [*one.unsent(), *other.unsent()]
    assert len(told) == 1
    one.told(told)
    restarted = Alerts(open_queue(), LIMITS)
    assert codes(restarted) == []
    clock.at += 10 * TELL_WITHIN_S
    assert codes(restarted) == []


def test_a_process_that_dies_while_it_tells_leaves_the_alert_to_another(open_queue, clock):
    wait_in_queue(storage := open_queue(), clock.at - 1_000)
    assert codes(Alerts(storage, LIMITS)) == [("oldest_age", "")]
    other = Alerts(open_queue(), LIMITS)
    clock.at += TELL_WITHIN_S - 1
    assert codes(other) == []
    clock.at += 2
    assert codes(other) == [("oldest_age", "")]


def test_what_cannot_be_told_is_tried_later_and_later_and_given_up(storage, clock):
    wait_in_queue(storage, clock.at - 1_000)
    alerts = Alerts(storage, LIMITS)
    tried = []
    for _ in range(10_000):
        alerts.look(at_once=True)
        if found := alerts.unsent():
            tried.append(clock.at)
            alerts.told(found, "a service did not take the alert")
        clock.at += 5
    assert len(tried) == TRIES
    gaps = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 4 * gaps[0]
    assert storage.sql("SELECT error FROM alert", results=True) == [("a service did not take the alert",)]


def test_what_only_one_look_sees_is_no_breach(storage, clock):
    alerts = Alerts(storage, LIMITS)
    wait_in_queue(storage, clock.at - 1_000)
    alerts.look()
    assert alerts.unsent() == []
    alerts.look()
    assert len(alerts.unsent()) == 1


def test_each_limit_is_measured_and_zero_means_never(storage, clock):
    storage.sql(
        "INSERT INTO worker (queue, host, pid, kind, threads, started_at, heartbeat_at, heartbeat_s) "
        "VALUES ('topics', 'h', 7, 'thread', 1, 1, ?, 1)", (clock.at - 61,), commit=True,
    )  # fmt: skip
    for name, paused, enabled in (("late", None, 1), ("paused", 1.0, 1), ("off", None, 0)):
        storage.sql(
            "INSERT INTO periodic (queue, name, task_name, timezone, catch_up_window, seen_at, next_at, paused_at, enabled) "
            "VALUES ('topics', ?, 't', 'UTC', 1, 1, ?, ?, ?)", (name, clock.at - 301, paused, enabled), commit=True,
        )  # fmt: skip
    wait_in_queue(storage, clock.at - 901)
    none = Limits(0, 0, 0, new_cause=False)
    assert codes(Alerts(storage, none)) == []
    assert {code for code, _ in codes(Alerts(storage, replace(LIMITS, new_cause=False)))} == {
        "worker_silent", "schedule_overdue", "oldest_age",
    }  # fmt: skip
    subjects = storage.sql("SELECT subject FROM alert WHERE code = 'schedule_overdue'", results=True)
    assert subjects == [("late",)]


def test_a_new_cause_is_told_once_and_an_old_one_never(storage, clock):
    def letter(number, fingerprint, at):
        assert isinstance(storage.letters, DeadLetters)
        with storage.letters.transaction() as conn:
            conn.execute(
                "INSERT INTO letter (death, state, queue, task_id, name, reason, data, first_seen, last_seen, error_type, "
                "error, fingerprint) VALUES (?, 'dead', 'topics', ?, 'job', 'failed', '', ?, ?, 'ValueError', 'x', ?)",
                (f"d{number}", f"t{number}", at, at, fingerprint),
            )

    letter(1, "old", clock.at - 7_200)
    alerts = Alerts(storage, LIMITS)
    assert codes(alerts) == []
    letter(2, "new", clock.at)
    letter(3, "new", clock.at)
    alerts.look()
    (found,) = alerts.unsent()
    assert (found.code, found.subject, "ValueError: x (job)" in found.text) == ("new_cause", "new", True)
    alerts.told([found])
    letter(4, "new", clock.at)
    clock.at += 3 * 3_600
    assert codes(alerts) == []
    with storage.letters.transaction() as conn:
        conn.execute("DELETE FROM letter")
    assert codes(alerts) == []
    clock.at += QUIET_S + 1
    letter(5, "new", clock.at)
    assert codes(alerts) == [("new_cause", "new")]


def test_looking_at_what_has_not_changed_writes_nothing(storage, clock):
    wait_in_queue(storage, clock.at - 1_000)
    alerts = Alerts(storage, LIMITS)
    alerts.look(at_once=True)
    alerts.told(alerts.unsent())
    before = storage.conn.total_changes
    for _ in range(10):
        alerts.look(at_once=True)
        assert alerts.unsent() == []
    assert storage.conn.total_changes == before
