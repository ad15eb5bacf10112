"""What an operator does: each act one journaled transaction, and taken back to the very rows."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from worker.queue import DurableHuey, Operator
from worker.queue.arguments import HIDDEN
from worker.queue.errors import MessageError, RefusedError
from worker.queue.retries import settle

NAME = "tests.job"


@pytest.fixture
def desk(home):
    made = Operator(home / "tasks.db", home / "dlq.db", actor="ann@here")
    yield made
    made.close()


@pytest.fixture
def huey(home):
    """A worker in this process, whose task fails while the list is empty."""
    made = DurableHuey("topics", filename=home / "tasks.db", dlq_filename=home / "dlq.db")
    made.allowed = []

    @made.task(name="job")
    def job(value):
        if value not in made.allowed:
            raise ValueError(f"not yet: {value}")
        return value

    made.job = job
    yield made
    made.storage.close()


def rows(desk, table, order="id"):
    return desk.storage.sql(f"SELECT * FROM {table} ORDER BY {order}", results=True)


def letters(desk):
    return desk.storage.letters.connection().execute("SELECT * FROM letter ORDER BY id").fetchall()


def journal(desk):
    mine = rows(desk, "journal", "id DESC")
    return [(action, target, count) for _, _, _, action, target, count, _, _ in mine]


def run_all(huey):
    """Runs what is ready until nothing is."""
    while (task := huey.dequeue()) is not None:
        huey.execute(task)


def test_a_task_is_enqueued_now_later_and_by_priority(desk):
    desk.enqueue(NAME, ["now"], subject="demo")
    desk.enqueue(NAME, ["later"], delay=60)
    desk.enqueue(NAME, ["then"], at=dt.datetime(2030, 1, 1, tzinfo=dt.UTC), priority=7)
    query = "SELECT name, subject, priority FROM {}"
    assert desk.storage.sql(query.format("task"), results=True) == [(NAME, "demo", 0)]
    assert desk.storage.sql(query.format("schedule ORDER BY due_at"), results=True)[1] == (NAME, None, 7)
    assert len(rows(desk, "schedule")) == 2
    assert journal(desk) == [("enqueue", "queue", 1)] * 3


def test_what_cannot_be_stored_leaves_no_trace(desk):
    with pytest.raises(MessageError):
        desk.enqueue(NAME, [object()])
    assert rows(desk, "task") == []
    assert journal(desk) == []


@pytest.mark.parametrize("delay", [None, 60])
def test_a_cancelled_task_comes_back_as_the_very_row(desk, delay):
    desk.enqueue(NAME, ["before"])
    task_id = desk.enqueue(NAME, ["this"], delay=delay, priority=3, subject="demo")
    before = rows(desk, "task"), rows(desk, "schedule")
    done = desk.cancel([task_id, "never-was"])
    assert (done.asked, done.done) == (2, 1)
    assert done.refused[0][0] == "never-was"
    assert (rows(desk, "task"), rows(desk, "schedule")) != before
    assert desk.undo().done == 1
    assert (rows(desk, "task"), rows(desk, "schedule")) == before
    assert rows(desk, "removed_task", "entry") == []


def test_a_clear_takes_what_was_there_at_its_mark(desk):
    for number in range(5):
        desk.enqueue(NAME, [number], delay=60 if number % 2 else None)
    before = rows(desk, "task"), rows(desk, "schedule")
    mark = desk.queue_mark()
    late = desk.enqueue(NAME, ["late"])
    done = desk.clear_queue(mark)
    assert (mark.pending, mark.scheduled, done.done) == (3, 2, 5)
    (left,) = rows(desk, "task")
    assert late in left
    desk.undo(done.entry)
    assert rows(desk, "task")[:-1] == before[0]
    assert rows(desk, "schedule") == before[1]


def test_run_now_makes_a_scheduled_task_ready_and_undo_gives_it_its_time_back(desk):
    task_id = desk.enqueue(NAME, [1], delay=3600)
    (before,) = rows(desk, "schedule")
    ready = desk.enqueue(NAME, [2])
    done = desk.run_now([task_id, ready])
    assert (done.done, done.refused) == (1, ((ready, "is ready already"),))
    assert rows(desk, "schedule") == []
    desk.undo(done.entry)
    (after,) = rows(desk, "schedule")
    assert after[1:] == before[1:]


def test_a_running_task_is_asked_to_stop_and_undo_takes_the_question_back(desk, huey):
    task_id = desk.enqueue("tests.queue.test_operator.job", ["x"])
    huey.dequeue()
    wish = "SELECT cancel FROM claim"
    done = desk.cancel([task_id])
    assert (done.done, desk.storage.sql(wish, results=True)) == (1, [(1,)])
    desk.undo(done.entry)
    assert desk.storage.sql(wish, results=True) == [(0,)]


def test_a_dead_letter_is_retried_and_its_success_resolves_it(desk, huey):
    huey.job("x")
    run_all(huey)
    (letter,) = letters(desk)
    done = desk.retry([letter[0]])
    assert (done.asked, done.done) == (1, 1)
    assert desk.retry([letter[0]]).refused  # it is being retried already
    huey.allowed.append("x")
    run_all(huey)
    assert letters(desk) == []
    assert huey.storage.letters.count() == 0


def test_a_retry_that_fails_again_is_one_letter_not_two(desk, huey):
    huey.job("x")
    run_all(huey)
    desk.retry([letters(desk)[0][0]])
    run_all(huey)
    assert len(letters(desk)) == 1
    assert huey.storage.letters.count() == 1


@pytest.fixture
def cut_short(desk, huey, monkeypatch):
    """A letter whose console was killed once the task was stored: it looks dead while its retry waits."""
    huey.job("x")
    run_all(huey)
    (letter,) = letters(desk)
    with monkeypatch.context() as killed:
        killed.setattr(desk.storage.letters, "retried", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            desk.retry([letter[0]])
    assert huey.storage.letters.count("dead") == 1
    assert len(rows(desk, "task")) == 1
    return letter[0]


def test_a_retry_that_was_cut_short_resolves_its_letter_all_the_same(desk, huey, cut_short):
    huey.allowed.append("x")
    run_all(huey)
    assert letters(desk) == []


def test_a_retry_that_was_cut_short_and_fails_is_one_letter_not_two(desk, huey, cut_short):
    run_all(huey)
    assert len(letters(desk)) == 1
    assert huey.storage.letters.count("dead") == 1
    huey.allowed.append("x")
    assert desk.retry([letters(desk)[0][0]]).done == 1
    run_all(huey)
    assert letters(desk) == []


@pytest.mark.parametrize("who", ["the next worker", "the next retry"])
def test_a_retry_that_was_cut_short_is_finished_by(who, desk, huey, cut_short):
    if who == "the next worker":
        settle(huey.storage)
    else:
        assert desk.retry([cut_short]).done == 0
    assert huey.storage.letters.count("retrying") == 1
    assert len(rows(desk, "task")) == 1


def test_a_worker_leaves_letters_alone_whose_retry_was_cancelled(desk, huey):
    huey.job("x")
    run_all(huey)
    done = desk.retry([letters(desk)[0][0]])
    assert desk.cancel(list(done.task_ids)).done == 1
    before = letters(desk)
    settle(huey.storage)
    assert letters(desk) == before
    assert huey.storage.letters.count("dead") == 1


def test_an_undone_retry_never_runs_and_the_letter_is_dead_again(desk, huey):
    huey.job("x")
    run_all(huey)
    before = letters(desk)
    done = desk.retry([before[0][0]])
    assert desk.undo(done.entry).done == 1
    assert rows(desk, "task") == []
    assert letters(desk) == before


def test_an_undone_retry_that_has_run_says_so(desk, huey):
    huey.job("x")
    run_all(huey)
    done = desk.retry([letters(desk)[0][0]])
    huey.allowed.append("x")
    run_all(huey)
    undone = desk.undo(done.entry)
    assert undone.done == 0
    assert undone.refused


@pytest.mark.parametrize("act", ["delete", "clear"])
def test_letters_that_were_taken_away_come_back_as_the_very_rows(desk, huey, act):
    for value in "abc":
        huey.job(value)
    run_all(huey)
    before = letters(desk)
    cause = desk.storage.letters.connection().execute("SELECT * FROM cause").fetchall()
    last, count = desk.letters_mark()
    assert count == 3
    huey.job("later")
    run_all(huey)
    done = desk.clear_letters(last) if act == "clear" else desk.delete_letters([row[0] for row in before])
    assert done.done == 3
    assert len(letters(desk)) == 1
    assert desk.undo(done.entry).done == 3
    assert letters(desk)[:3] == before
    assert cause
    assert huey.storage.letters.count() == 4


def test_a_schedule_is_paused_and_resumed_and_both_are_taken_back(desk, huey):
    from worker.queue.cron import Cron

    huey.periodic_task(Cron("0 2 * * *", "Europe/Berlin"), name="nightly")(lambda: None)
    from worker.queue.schedules import Schedules

    Schedules(huey, huey.storage).register()
    until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    paused = desk.pause_schedule("nightly", until=until, note="holiday")
    row = desk.schedules.row("nightly")
    assert (row["paused_until"], row["pause_note"], row["paused_by"]) == (
        until.timestamp(),
        "holiday",
        "ann@here",
    )
    resumed = desk.resume_schedule("nightly")
    assert desk.schedules.row("nightly")["paused_at"] is None
    desk.undo(resumed.entry)
    assert desk.schedules.row("nightly")["pause_note"] == "holiday"
    desk.undo(paused.entry)
    assert desk.schedules.row("nightly")["paused_at"] is None
    for wish in (lambda: desk.resume_schedule("nightly"), lambda: desk.pause_schedule("nothing"),
                 lambda: desk.run_schedule("nothing"),
                 lambda: desk.pause_schedule("nightly", until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))):  # fmt: skip
        with pytest.raises(RefusedError):
            wish()


def test_an_act_is_undone_once(desk):
    done = desk.cancel([desk.enqueue(NAME)])
    desk.undo(done.entry)
    with pytest.raises(RefusedError, match="undone already"):
        desk.undo(done.entry)
    with pytest.raises(RefusedError):
        desk.undo("nothing")


def test_the_latest_act_is_undone_first(desk):
    first, second = desk.enqueue(NAME, [1]), desk.enqueue(NAME, [2])
    desk.cancel([first])
    desk.cancel([second])
    desk.undo()
    assert [second in row for row in rows(desk, "task")] == [True]
    desk.undo()
    assert len(rows(desk, "task")) == 2


def test_the_journal_says_who_what_and_how_many(desk):
    done = desk.cancel([desk.enqueue(NAME), desk.enqueue(NAME)])
    entry = next(row for row in rows(desk, "journal") if row[0] == done.entry)
    assert (entry[2], entry[3], entry[4], entry[5]) == ("ann@here", "cancel", "queue", 2)
    assert len(json.loads(entry[6])["task_ids"]) == 2


def test_nothing_done_is_nothing_journaled(desk):
    assert desk.cancel(["never-was"]).entry is None
    assert desk.clear_queue(desk.queue_mark()).entry is None
    assert desk.delete_letters([99]).entry is None
    assert journal(desk) == []


def test_a_paused_queue_gives_nothing_until_it_goes_on(desk, huey):
    huey.allowed.append("x")
    huey.job("x")
    paused = desk.pause_queue(note="database moves house")
    assert huey.dequeue() is None
    desk.resume_queue()
    with pytest.raises(RefusedError, match="not paused"):
        desk.resume_queue()
    desk.undo()  # of the resume
    assert huey.dequeue() is None
    desk.undo(paused.entry)
    run_all(huey)
    assert rows(desk, "task") == rows(desk, "claim") == []


def test_a_pause_ends_by_itself(desk, huey):
    huey.allowed.append("x")
    huey.job("x")
    desk.pause_queue(until=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    assert huey.dequeue() is None
    huey.storage.now = lambda: dt.datetime.now().timestamp() + 3601
    assert huey.dequeue() is not None
    with pytest.raises(RefusedError, match="has passed"):
        desk.pause_queue(until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))


def only_run(desk):
    ((number,),) = desk.storage.sql("SELECT max(id) FROM run", results=True)
    return number


def test_what_ran_runs_again_as_a_new_task_with_the_same_arguments(desk, huey):
    moment = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    huey.allowed = [(1, moment)]
    first = huey.job((1, moment)).id
    run_all(huey)
    change = desk.run_again(only_run(desk))
    (again,) = change.task_ids
    assert again != first
    run_all(huey)
    found = desk.storage.sql("SELECT task_id, state, args FROM run ORDER BY id", results=True)
    assert [(task_id, state) for task_id, state, _ in found] == [(first, "completed"), (again, "completed")]
    assert found[0][2] == found[1][2]
    assert journal(desk) == [("enqueue", "queue", 1)]


def test_undo_takes_a_repeated_run_away_before_it_begins(desk, huey):
    huey.allowed = [1]
    huey.job(1)
    run_all(huey)
    desk.run_again(only_run(desk))
    assert desk.undo().done == 1
    assert rows(desk, "task") == []


def test_what_has_not_come_to_its_end_is_not_run_beside_itself(desk, huey):
    huey.job("dies")
    run_all(huey)
    with pytest.raises(RefusedError, match="is dead letter 1: retry that instead"):
        desk.run_again(only_run(desk))
    desk.retry([1])
    with pytest.raises(RefusedError, match="not in the history"):
        desk.run_again(99)
    assert len(rows(desk, "task")) == 1

    @huey.task(name="again", retries=1, retry_delay=60)
    def again():
        raise ValueError

    again()
    run_all(huey)
    with pytest.raises(RefusedError, match="will be tried again"):
        desk.run_again(only_run(desk))


def test_a_secret_is_never_sent_as_the_dots_that_hide_it(home, desk):
    huey = DurableHuey(
        "topics", filename=home / "tasks.db", redact=lambda text: text.replace("geheim", HIDDEN)
    )
    huey.task(name="job")(lambda token: None)("geheim")
    run_all(huey)
    huey.storage.close()
    before = len(journal(desk))
    with pytest.raises(RefusedError, match="holds a secret"):
        desk.run_again(only_run(desk))
    assert len(journal(desk)) == before
    assert rows(desk, "task") == []
