"""What an operator switches off stays off, says why, and can be taken back."""

from __future__ import annotations

import pytest

from worker.queue.errors import RefusedError
from worker.queue.operator import Operator
from worker.queue.switches import switched_off


@pytest.fixture
def operator(home):
    one = Operator(home / "tasks.db", home / "dlq.db", actor="me@here")
    yield one
    one.close()


def test_off_and_on_again(operator):
    done = operator.disable("sources:demo", ["a", "b", "a"], note="too loud")
    assert (done.asked, done.done, done.refused) == (3, 2, ())
    assert switched_off(operator.storage, "sources:demo") == {"a": "too loud", "b": "too loud"}
    assert switched_off(operator.storage, "sources:other") == {}
    assert operator.enable("sources:demo", ["a"]).done == 1
    assert list(switched_off(operator.storage, "sources:demo")) == ["b"]


def test_what_is_so_already_is_refused_and_not_journaled(operator):
    operator.disable("s", ["a"])
    again = operator.disable("s", ["a"], note="another reason")
    assert (again.entry, again.refused) == (None, (("a", "is disabled already"),))
    assert switched_off(operator.storage, "s") == {"a": ""}
    assert operator.enable("s", ["b"]).refused == (("b", "is not disabled"),)
    assert operator.storage.sql("SELECT count(*) FROM journal", results=True)[0][0] == 1


def test_each_act_is_undone_to_the_last_word(operator):
    operator.disable("s", ["a"], note="first")
    operator.disable("s", ["a", "b"], note="second")
    operator.enable("s", ["a", "b"])
    operator.undo()
    assert switched_off(operator.storage, "s") == {"a": "first", "b": "second"}
    operator.undo()
    assert switched_off(operator.storage, "s") == {"a": "first"}
    operator.undo()
    assert switched_off(operator.storage, "s") == {}
    with pytest.raises(RefusedError):
        operator.undo()
