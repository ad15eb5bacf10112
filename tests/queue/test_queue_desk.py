"""Acts on many waiting tasks: order, arguments, names that nobody knows; each taken back to the very row."""

from __future__ import annotations

import json

import pytest

from worker.queue import DurableHuey, Operator, queue_desk, undo
from worker.queue.change import Chosen
from worker.queue.errors import RefusedError

NAME = "tests.job"


@pytest.fixture
def desk(home):
    made = Operator(home / "tasks.db", home / "dlq.db", actor="ann@here")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    for module in (queue_desk, undo):
        monkeypatch.setattr(module, "CHUNK", 10)


def rows(desk, table):
    return desk.storage.sql(f"SELECT * FROM {table} ORDER BY id", results=True)


def chosen(desk):
    return Chosen(
        [row[0] for row in rows(desk, "claim")],
        [row[0] for row in rows(desk, "task")],
        [row[0] for row in rows(desk, "schedule")],
    )


def test_many_are_cancelled_and_brought_back_in_chunks(desk):
    for number in range(35):
        desk.enqueue(NAME, [number], delay=60 if number % 2 else None)
    before = rows(desk, "task"), rows(desk, "schedule")
    frozen = chosen(desk)
    late = desk.enqueue(NAME, ["late"])
    done = desk.cancel(frozen, about={"filter": "job"})
    assert (done.asked, done.done) == (35, 35)
    assert [late in row for row in rows(desk, "task")] == [True]
    undone = desk.undo(done.entry)
    assert (undone.asked, undone.done) == (35, 35)
    assert (rows(desk, "task")[:-1], rows(desk, "schedule")) == before
    assert [row[5] for row in rows(desk, "journal") if row[0] == done.entry] == [35]


def test_what_began_meanwhile_is_asked_to_stop_and_what_ended_is_said(desk, home):
    huey = DurableHuey("topics", filename=home / "tasks.db", dlq_filename=home / "dlq.db")
    huey.task(name="job")(lambda: None)
    for _ in range(3):
        desk.enqueue(f"{__name__}.job")
    frozen = chosen(desk)
    huey.execute(huey.dequeue())
    huey.dequeue()
    done = desk.cancel(frozen)
    assert (done.asked, done.done) == (3, 2)
    assert done.refused == (("1", "has begun, ended or moved on since"),)
    assert desk.storage.sql("SELECT cancel FROM claim", results=True) == [(1,)]
    huey.storage.close()


def test_priority_changes_the_order_and_the_message_and_is_taken_back(desk):
    first, second, third = (desk.enqueue(NAME, [number]) for number in range(3))
    later = desk.enqueue(NAME, ["later"], delay=60, priority=2)
    before = rows(desk, "task"), rows(desk, "schedule")
    done = desk.set_priority([third, later, "never-was"], to=5)
    assert (done.asked, done.done) == (3, 2)
    query = "SELECT task_id, priority, data FROM task ORDER BY priority DESC, id"
    order = desk.storage.sql(query, results=True)
    assert [row[0] for row in order] == [third, first, second]
    assert json.loads(bytes(order[0][2]))["priority"] == 5
    more = desk.set_priority([third], by=-1)
    assert desk.storage.sql(query, results=True)[0][1] == 4
    desk.undo(more.entry)
    desk.undo(done.entry)
    columns = [row[:2] + row[4:] for row in before[0]], [row[:4] + row[5:] for row in before[1]]
    now = (
        [row[:2] + row[4:] for row in rows(desk, "task")],
        [row[:4] + row[5:] for row in rows(desk, "schedule")],
    )
    assert now == columns


def test_a_waiting_task_gets_other_arguments_in_its_place(desk):
    task_id = desk.enqueue(NAME, ["demo"], subject="demo")
    desk.enqueue(NAME, ["after"])
    before = rows(desk, "task")
    done, _ = desk.edit_task(task_id, '["proptech_de"]')
    now = rows(desk, "task")[0]
    assert now[0] == before[0][0]
    assert "proptech_de" in now
    desk.undo(done.entry)
    assert rows(desk, "task") == before
    with pytest.raises(RefusedError, match="does not wait"):
        desk.edit_task("never-was", "[]")


@pytest.fixture
def drifted(desk):
    """Twelve tasks that nobody knows, and one that somebody does."""
    for number in range(12):
        desk.enqueue("gone.task", [number], delay=60 if number % 3 == 0 else None)
    desk.enqueue(NAME)
    desk.storage.sql(
        "INSERT INTO handler (queue, name, seen_at) VALUES ('topics', ?, 0)", (NAME,), commit=True
    )
    return desk


def letters(desk):
    return (
        desk.storage.letters.connection()
        .execute("SELECT name, reason, state, task_id FROM letter")
        .fetchall()
    )


def test_tasks_that_nobody_knows_become_dead_letters_and_come_back(drifted):
    before = rows(drifted, "task"), rows(drifted, "schedule")
    done = drifted.quarantine(chosen(drifted))
    assert (done.asked, done.done) == (13, 12)
    assert done.refused[0][1] == "a worker knows this task"
    assert {row[:3] for row in letters(drifted)} == {("gone.task", "unknown_task", "dead")}
    assert len(rows(drifted, "task")) == 1
    undone = drifted.undo(done.entry)
    assert (undone.done, letters(drifted)) == (12, [])
    assert (rows(drifted, "task"), rows(drifted, "schedule")) == before


def test_a_letter_that_was_dealt_with_keeps_its_task_from_coming_back(drifted):
    done = drifted.quarantine(chosen(drifted))
    (first,) = drifted.storage.letters.connection().execute("SELECT min(id) FROM letter").fetchone()
    drifted.delete_letters([first])
    undone = drifted.undo(done.entry)
    assert (undone.done, len(undone.refused)) == (11, 1)
    assert "dealt with since" in undone.refused[0][1]


def test_without_a_worker_nothing_is_unknown(desk):
    desk.enqueue("gone.task")
    with pytest.raises(RefusedError, match="start one first"):
        desk.quarantine(chosen(desk))


def test_an_undone_enqueue_takes_the_task_away_or_asks_it_to_stop(desk, home):
    desk.enqueue(NAME)
    assert desk.undo().done == 1
    assert rows(desk, "task") == []
    huey = DurableHuey("topics", filename=home / "tasks.db", dlq_filename=home / "dlq.db")
    huey.task(name="job")(lambda: None)
    desk.enqueue(f"{__name__}.job")
    huey.dequeue()
    undone = desk.undo()
    assert (undone.done, undone.refused[0][1]) == (0, "runs already: it was asked to stop")
    assert desk.storage.sql("SELECT cancel FROM claim", results=True) == [(1,)]
    huey.storage.close()


def test_an_undo_that_a_crash_has_cut_short_goes_on_under_its_own_name(desk, monkeypatch):
    for number in range(35):
        desk.enqueue(NAME, [number])
    before = rows(desk, "task")
    done = desk.cancel(chosen(desk))
    sign, calls = undo._sign, []

    def crash(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        sign(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(undo, "_sign", crash)
        with pytest.raises(KeyboardInterrupt):
            desk.undo(done.entry)
    assert len(rows(desk, "task")) == 20
    undone = desk.undo()
    assert (undone.asked, undone.done, undone.refused) == (35, 35, ())
    assert rows(desk, "task") == before
    assert [row[5] for row in rows(desk, "journal") if row[3] == "undo"] == [35]


def test_after_the_clock_went_back_the_latest_act_is_still_the_one_that_is_undone(desk, monkeypatch):
    first = desk.enqueue_call(NAME, ["first"])
    now = desk.storage.now()
    monkeypatch.setattr(desk.storage, "now", lambda: now - 3600)
    second = desk.enqueue_call(NAME, ["second"])
    assert second.entry > first.entry
    assert desk.undo().asked == 1
    assert [first.task_ids[0] in row for row in rows(desk, "task")] == [True]
    third = desk.pause_queue()
    assert third.entry > second.entry
