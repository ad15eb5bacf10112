"""Acts on many dead letters, canary retries, and other arguments: done in chunks, taken back in chunks."""

from __future__ import annotations

import json

import pytest

from worker.queue import DurableHuey, Operator, canary, queue_desk, retries, undo
from worker.queue.canary import Canaries, CanaryState
from worker.queue.errors import MessageError, RefusedError


@pytest.fixture
def desk(home):
    made = Operator(home / "tasks.db", home / "dlq.db", actor="ann@here")
    yield made
    made.close()


@pytest.fixture
def huey(home):
    """A worker in this process; what its task does is set by the test."""
    made = DurableHuey("topics", filename=home / "tasks.db", dlq_filename=home / "dlq.db")
    made.fails_with = lambda value: ValueError("the site is down")

    @made.task(name="job")
    def job(value, **more):
        if error := made.fails_with(value):
            raise error
        return [value, more]

    made.job = job
    yield made
    made.storage.close()


@pytest.fixture
def dead(desk, huey):
    """Twenty-five dead letters of one cause."""
    for number in range(25):
        huey.job(number)
    run_all(huey)
    return [row[0] for row in letters(desk)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    for module in (retries, queue_desk, undo, canary):
        monkeypatch.setattr(module, "CHUNK", 10)
    monkeypatch.setattr("worker.queue.letters_desk.CHUNK", 10)


def run_all(huey):
    while (task := huey.dequeue()) is not None:
        huey.execute(task)


def letters(desk):
    return desk.storage.letters.connection().execute("SELECT * FROM letter ORDER BY id").fetchall()


def canaries(desk):
    query = "SELECT state, count, released, why FROM canary ORDER BY id"
    return desk.storage.letters.connection().execute(query).fetchall()


def tasks(desk):
    return desk.storage.sql("SELECT task_id, name, data FROM task ORDER BY id", results=True)


def args(desk):
    return [json.loads(bytes(data)).get("args") for _, _, data in tasks(desk)]


@pytest.mark.parametrize("act", ["delete", "clear"])
def test_many_letters_are_taken_away_and_brought_back_in_chunks(desk, dead, act):
    before = letters(desk)
    done = (
        desk.delete_letters(dead, about={"filter": "down"})
        if act == "delete"
        else desk.clear_letters(dead[-1])
    )
    assert (done.done, letters(desk)) == (25, [])
    entry = desk.storage.letters.connection().execute("SELECT count, detail FROM journal").fetchall()
    assert [row[0] for row in entry] == [25]
    assert ("filter" in json.loads(entry[0][1])) == (act == "delete")
    undone = desk.undo(done.entry)
    assert (undone.asked, undone.done, letters(desk)) == (25, 25, before)
    assert desk.storage.letters.count() == 25


def test_many_are_retried_and_the_retry_undone_in_chunks(desk, huey, dead):
    before = letters(desk)
    done = desk.retry(dead)
    assert (done.done, len(tasks(desk))) == (25, 25)
    huey.fails_with = lambda value: None
    for _ in range(3):
        huey.execute(huey.dequeue())
    undone = desk.undo(done.entry)
    assert (undone.asked, undone.done, len(undone.refused)) == (25, 22, 3)
    assert tasks(desk) == []
    assert letters(desk) == before[3:]


def test_a_retry_that_is_cancelled_leaves_its_letter_dead_and_undo_links_them_again(desk, huey, dead):
    desk.retry(dead[:2])
    task_id = tasks(desk)[0][0]
    done = desk.cancel([task_id])
    assert desk.storage.letters.count("retrying") == 1
    desk.undo(done.entry)
    assert desk.storage.letters.count("retrying") == 2
    huey.fails_with = lambda value: None
    run_all(huey)
    assert len(letters(desk)) == 23


def test_a_retry_that_is_stopped_while_it_runs_leaves_its_letter_dead(desk, huey, dead):
    from worker.queue.cancelled import TaskCancelledError

    desk.retry(dead[:1])
    huey.fails_with = lambda value: TaskCancelledError()
    run_all(huey)
    assert desk.storage.letters.count("retrying") == 0
    assert len(letters(desk)) == 25


def test_a_canary_that_succeeds_lets_the_rest_follow_in_growing_waves(desk, huey, dead):
    done = desk.canary(dead)
    assert (done.done, canaries(desk)) == (25, [("waiting", 25, 1, None)])
    assert args(desk) == [[24]]  # the newest goes first
    going = Canaries(huey.storage)
    going.step()
    assert len(tasks(desk)) == 1  # it has not ended yet
    huey.fails_with = lambda value: None
    run_all(huey)
    going.step()
    going.step()
    assert canaries(desk) == [("releasing", 25, 11, None)]
    assert len(tasks(desk)) == 10
    for _ in range(4):
        run_all(huey)
        going.step()
    run_all(huey)
    assert canaries(desk) == [("released", 25, 25, None)]
    assert letters(desk) == []
    assert desk.storage.letters.connection().execute("SELECT * FROM canary_letter").fetchall() == []


def test_a_canary_stops_when_the_same_cause_comes_back_at_once(desk, huey, dead):
    desk.canary(dead)
    run_all(huey)
    Canaries(huey.storage).step()
    assert canaries(desk) == [("stopped", 25, 1, "the same cause came back")]
    assert len(letters(desk)) == 25
    assert tasks(desk) == []


def test_a_canary_stops_before_its_retries_are_used_up(desk, huey, dead):
    """The first attempt has failed of the same cause: nobody waits minutes for the next ones."""
    desk.canary(dead)
    task = huey.dequeue()
    task.retries, task.retry_delay = 3, 60
    huey.execute(task)
    Canaries(huey.storage).step()
    assert canaries(desk)[0][0] == "stopped"


def test_a_canary_stops_in_the_middle_when_the_cause_comes_back(desk, huey, dead):
    desk.canary(dead)
    huey.fails_with = lambda value: None
    run_all(huey)
    going = Canaries(huey.storage)
    going.step()
    going.step()
    huey.fails_with = lambda value: ValueError("the site is down") if value == 5 else None
    run_all(huey)
    going.step()
    assert canaries(desk) == [("stopped", 25, 11, "the same cause came back")]
    assert len(letters(desk)) == 15  # fourteen never sent, one that died again


def test_another_cause_is_told_and_stops_too(desk, huey, dead):
    desk.canary(dead)
    huey.fails_with = lambda value: KeyError("something else")
    run_all(huey)
    Canaries(huey.storage).step()
    ((state, _, _, why),) = canaries(desk)
    assert state == CanaryState.STOPPED
    assert "another cause: 'something else'" in why


def test_a_canary_that_was_taken_away_stops(desk, huey, dead):
    desk.canary(dead)
    desk.cancel([tasks(desk)[0][0]])
    Canaries(huey.storage).step()
    assert canaries(desk)[0][3] == "the first one was taken away"


def test_each_cause_has_its_own_canary(desk, huey, dead):
    huey.fails_with = lambda value: KeyError("other")
    huey.job("x")
    run_all(huey)
    done = desk.canary([row[0] for row in letters(desk)])
    assert done.done == 26
    assert sorted(row[1] for row in canaries(desk)) == [1, 25]
    assert len(tasks(desk)) == 2


def test_a_canary_is_cancelled_and_goes_on_when_that_is_undone(desk, huey, dead):
    desk.canary(dead)
    cause = desk.storage.letters.connection().execute("SELECT fingerprint FROM canary").fetchone()[0]
    stopped = desk.cancel_canaries(cause)
    huey.fails_with = lambda value: None
    run_all(huey)
    Canaries(huey.storage).step()
    assert canaries(desk) == [("cancelled", 25, 1, "cancelled by ann@here")]
    assert tasks(desk) == []
    with pytest.raises(RefusedError, match="no canary"):
        desk.cancel_canaries(cause)
    desk.undo(stopped.entry)
    for _ in range(5):
        Canaries(huey.storage).step()
        run_all(huey)
    assert canaries(desk)[0][:3] == ("released", 25, 25)


def test_an_undone_canary_takes_back_what_has_not_begun(desk, huey, dead):
    before = letters(desk)
    done = desk.canary(dead)
    undone = desk.undo(done.entry)
    assert (undone.done, undone.refused) == (1, ())
    assert (tasks(desk), letters(desk), canaries(desk)[0][0]) == ([], before, "cancelled")
    with pytest.raises(RefusedError, match="undone already"):
        desk.undo(done.entry)


def test_a_canary_of_nothing_is_refused(desk, dead):
    desk.retry(dead)
    with pytest.raises(RefusedError, match="none of these"):
        desk.canary(dead)


def test_a_cause_has_one_canary_at_a_time(desk, dead):
    desk.canary(dead[:5])
    with pytest.raises(RefusedError, match="goes on already"):
        desk.canary(dead[5:])


def test_two_workers_release_nothing_twice(desk, huey, dead):
    desk.canary(dead)
    huey.fails_with = lambda value: None
    run_all(huey)
    one, two = Canaries(huey.storage), Canaries(desk.storage)
    ran = 1
    for _ in range(6):
        one.step()
        two.step()
        while (task := huey.dequeue()) is not None:
            huey.execute(task)
            ran += 1
    assert ran == 25
    assert letters(desk) == []


def test_a_letter_is_retried_with_other_arguments_and_that_is_undone(desk, huey, dead):
    before = letters(desk)
    done, change = desk.edit_letter(dead[0], '{"args": ["new"], "kwargs": {"limit": 3}}')
    assert json.loads(change.before) == {"args": [0], "kwargs": {}}
    assert json.loads(change.after) == {"args": ["new"], "kwargs": {"limit": 3}}
    assert args(desk) == [["new"]]
    (detail,) = desk.storage.sql("SELECT detail FROM journal WHERE action = 'edit'", results=True)[0]
    assert json.loads(detail)["letter"] == dead[0]
    desk.undo(done.entry)
    assert (tasks(desk), letters(desk)) == ([], before)
    desk.edit_letter(dead[0], '["newer"]')
    huey.fails_with = lambda value: None if value == "newer" else ValueError("the old arguments")
    run_all(huey)
    assert len(letters(desk)) == 24  # resolved


@pytest.mark.parametrize(
    ("text", "why"),
    [("[1", "line 1, column 3"), ('"x"', "expected a list or an object"), ('{"args": 1}', "args: expected a list"),
     ('{"kwargs": []}', "kwargs: expected an object"), ('[{"$datetime": "soon"}]', "cannot be read")],
)  # fmt: skip
def test_arguments_that_cannot_be_understood_change_nothing(desk, dead, text, why):
    before = letters(desk)
    with pytest.raises(MessageError, match=why):
        desk.edit_letter(dead[0], text)
    assert (letters(desk), tasks(desk)) == (before, [])


def test_a_secret_that_was_left_alone_is_sent_as_it_was(home):
    from worker.queue.arguments import edited
    from worker.queue.message import encode_call

    data = encode_call("1", "job", ["demo", {"token": "s3cret"}], {"n": 1})

    def shown(raw):
        return json.dumps({key: json.loads(bytes(raw))[key] for key in ("args", "kwargs")}).replace(
            "s3cret", "***"
        )

    change = edited(data, '{"args": ["other", {"token": "***"}], "kwargs": {"n": 2}}', shown)
    assert change.call == {"args": ["other", {"token": "s3cret"}], "kwargs": {"n": 2}}
    assert "s3cret" not in change.before + change.after
    assert change.subject("demo") == "other"
    assert change.subject("else") == "else"


@pytest.mark.parametrize("act", ["retry", "edit"])
def test_of_two_who_retry_one_letter_at_once_the_second_claims_nothing(desk, home, dead, act):
    """As between the first one's two files: its task is stored, the letter not marked yet."""
    first = desk.retry(dead[:1])
    with desk.storage.letters.transaction() as conn:
        conn.execute("UPDATE letter SET state = 'dead', retries = 0, retried_as = NULL, retried_at = NULL")
    other = Operator(home / "tasks.db", home / "dlq.db", actor="bob@there")
    if act == "edit":
        with pytest.raises(RefusedError, match="is being retried already"):
            other.edit_letter(dead[0], '["mine"]')
    else:
        second = other.retry(dead[:2])
        assert (second.done, second.refused) == (1, ((str(dead[0]), "is being retried already"),))
        assert other.undo(second.entry).done == 1
    other.close()
    assert (len(tasks(desk)), args(desk)) == (1, [[0]])
    assert desk.undo(first.entry).done == 1
    assert tasks(desk) == []
