"""What Huey offers beside plain tasks, with real workers: the order, the limits, the hooks and what belongs together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from tests.queue.site import ROOT


def call(site, code):
    """Runs the code as another program that has the application's module would; returns what it printed."""
    env = os.environ | {"APP_FOLDER": str(site.folder), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", f"from huey import chord; from tests.queue.app import *; {code}"],
        env=env, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60,
    ).stdout.split()  # fmt: skip


def lines(site):
    file = site.folder / "marks"
    return file.read_text().splitlines() if file.exists() else []


def starting(site, words):
    return [line for line in lines(site) if line.startswith(words)]


def test_the_higher_priority_comes_first_and_equals_in_their_order(site):
    call(site, "[work(n, priority=p) for n, p in [('a', None), ('b', 1), ('c', 9), ('d', 1), ('e', -3)]]")
    site.start("-w", "1")
    site.wait(lambda: len(starting(site, "end")) == 5, "all five")
    assert starting(site, "begin") == [f"begin {name}" for name in "cbdae"]


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_a_rate_limit_holds_across_workers_and_loses_nothing(site, kind):
    call(site, "[limited(n) for n in range(7)]")
    site.start("-w", "3", "-k", kind)
    site.wait(lambda: len(starting(site, "in")) == 7, "all seven")
    windows = Counter(line.split()[1] for line in starting(site, "in"))
    assert max(windows.values()) <= 3
    assert {line.split()[2] for line in starting(site, "in")} == set("0123456")
    assert site.rows("SELECT count(*) FROM task")[0][0] == 0


def test_a_lock_lets_one_in_at_a_time_and_loses_nothing(site):
    call(site, "[exclusive(n) for n in range(4)]")
    site.start("-w", "2")
    site.start("-w", "2")
    site.wait(lambda: len(starting(site, "leave")) == 4, "all four")
    walked = [line for line in lines(site) if line.startswith(("enter", "leave"))]
    assert [line.split()[0] for line in walked] == ["enter", "leave"] * 4


def test_hooks_and_signals_are_called_around_each_task(site):
    worker = site.start("-w", "1")
    unwanted, _ = call(site, "print(work('unwanted').id, work('observed').id)")
    site.wait_for_mark("signal complete")
    worker.send_signal(signal.SIGINT)
    assert worker.wait(20) == 0
    assert lines(site)[0] == "hook started"
    assert lines(site)[-1] == "hook stopped"
    assert site.marks()["hook after observed None"] == 1
    assert not site.marks()["begin unwanted"]
    assert site.states(unwanted) == ["cancelled"]


def test_what_is_revoked_or_expired_does_not_run(site):
    revoked, expired, restored = call(
        site,
        "a, b, c = work('a'), work('b', expires=0.01), work('c');"
        "a.revoke(); c.revoke(); c.restore(); time.sleep(0.05); print(a.id, b.id, c.id)",
    )
    site.start("-w", "1")
    site.wait(lambda: site.states(restored), "an outcome")
    assert [line for line in lines(site) if "hook" not in line] == ["begin c", "end c"]
    reasons = [site.rows("SELECT error FROM run WHERE task_id = ?", one)[0][0] for one in (revoked, expired)]
    assert ["revoked" in reasons[0], "expired" in reasons[1]] == [True, True]
    assert [site.states(task_id) for task_id in (revoked, expired, restored)] == [
        ["cancelled"],
        ["cancelled"],
        ["completed"],
    ]


def test_a_pipeline_a_group_and_a_chord_go_from_worker_to_worker(site):
    call(
        site,
        "huey.enqueue(work.s('first').then(follow));"
        "huey.enqueue(chord([work.s('x'), work.s('y'), work.s('z')], total.s()))",
    )
    site.start("-w", "1")
    site.start("-w", "1")
    site.wait(lambda: starting(site, "begin total"), "the callback")
    site.wait_for_mark("begin first/2")
    assert sorted(starting(site, "begin total")[0].removeprefix("begin total ").split("+")) == ["x", "y", "z"]
    assert len(starting(site, "begin total")) == 1


def test_a_result_is_handed_to_who_waits_for_it(site):
    site.start("-w", "1")
    assert call(site, "print(work('asked').get(blocking=True, timeout=20))") == ["asked"]
