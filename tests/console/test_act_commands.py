"""Canary, other arguments, order, drift and the journal, from scripts."""

from __future__ import annotations

import json

import pytest

from console.cli import main
from tests.console import homes


@pytest.fixture
def run(builder, capsys):
    """Carries out a command; gives its exit code and its one JSON document."""

    def call(*words):
        code = main(["--home", str(builder.home.root), *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def dead(builder):
    return [builder.letter(age=number, fingerprint=f"f{number % 2}") for number in range(6)]


def test_a_canary_of_each_cause_is_begun_stopped_and_undone(builder, run, dead):
    code, done = run("failures", "retry", "--all", "--canary", "--yes")
    assert (code, done["asked"], done["done"]) == (0, 6, 6)
    assert builder.tasks.execute("SELECT count(*) FROM task").fetchone() == (2,)
    _, causes = run("failures", "list", "--causes")
    assert {cause["canary"]["state"] for cause in causes} == {"waiting"}
    assert run("failures", "stop-canary", "f1")[0] == 0
    assert run("failures", "stop-canary", "f1")[0] == 1
    code, undone = run("undo", done["entry"])
    assert (code, undone["done"]) == (0, 2)
    assert builder.tasks.execute("SELECT count(*) FROM task").fetchone() == (0,)


def test_a_filter_or_a_cause_says_which_are_retried_and_deleted(builder, run, dead):
    assert run("failures", "retry", "--cause", "f0", "--yes")[1]["done"] == 3
    assert run("failures", "delete", "--filter", "collected is:dead", "--yes")[1]["done"] == 3
    assert run("failures", "retry", "--all", "--filter", "x", "--yes")[0] == 2
    assert run("failures", "delete", "--yes")[0] == 2


def test_arguments_are_edited_or_refused_with_the_place_of_the_fault(builder, run, dead):
    code, told = run("failures", "edit", str(dead[0]), '["demo', "--yes")
    assert code == 2
    assert "line 1, column" in told["error"]
    assert run("failures", "edit", str(dead[0]), '["proptech_de"]')[0] == 2  # nobody can be asked
    code, done = run("failures", "edit", str(dead[0]), '["proptech_de"]', "--yes")
    assert (code, len(done["task_ids"])) == (0, 1)
    task_id = done["task_ids"][0]
    assert run("queue", "edit", task_id, '{"config_path": "demo"}', "--yes")[0] == 0
    code, task = run("queue", "show", task_id)
    assert task["args"] == {"args": [], "kwargs": {"config_path": "demo"}}
    assert run("failures", "edit", "999", "[]", "--yes")[0] == 1


def test_order_drift_and_a_filtered_cancel(builder, run):
    builder._insert(builder.tasks, "handler", queue=homes.QUEUE, name=homes.COLLECT, seen_at=builder.now)
    for market in ("demo", "proptech_de"):
        builder.pending(market)
    builder.pending(name="worker.tasks.gone")
    _, tasks = run("queue", "list")
    assert [task["known"] for task in tasks] == [True, True, False]
    assert run("queue", "priority", tasks[1]["task_id"], "5")[1]["done"] == 1
    assert run("queue", "list")[1][0]["task_id"] == tasks[1]["task_id"]
    assert run("queue", "priority", "never-was", "5")[0] == 1
    code, done = run("queue", "quarantine", "--yes")
    assert (code, done["done"]) == (0, 1)
    assert run("failures", "list")[1][0]["reason"] == "unknown_task"
    assert run("queue", "quarantine")[0] == 2
    assert run("queue", "cancel", "--filter", "market:demo", "--yes")[1]["done"] == 1
    assert run("queue", "cancel", "--yes")[0] == 2


def test_the_journal_is_listed_filtered_and_shown(builder, run, dead):
    run("failures", "delete", str(dead[0]), "--yes")
    run("undo")
    _, entries = run("journal", "list")
    assert [entry["action"] for entry in entries] == ["undo", "delete"]
    assert entries[1]["undone_by"] == entries[0]["id"]
    assert len(run("journal", "list", "--filter", "is:undone is:delete")[1]) == 1
    code, entry = run("journal", "show", entries[1]["id"])
    assert code == 0
    assert "It was undone by" in entry["undo"]
    assert run("journal", "show", "nothing")[0] == 1


def test_a_short_name_is_the_right_task_or_refused_before_any_worker_has_started(builder, run):
    assert run("enqueue", "collect_all_sources", '["demo"]')[0] == 0
    assert run("enqueue", "elsewhere.tasks.of_mine")[0] == 0
    named = "SELECT name FROM task ORDER BY id"
    stored = [("worker.tasks.collect_all_sources",), ("elsewhere.tasks.of_mine",)]
    assert builder.tasks.execute(named).fetchall() == stored
    code, told = run("enqueue", "colect")
    assert code == 2
    assert "no worker has started yet" in told["error"]
    assert builder.tasks.execute(named).fetchall() == stored


def test_a_secret_among_arguments_is_neither_shown_nor_journaled_and_is_kept_by_an_edit(builder, run):
    (builder.home.root / ".env").write_text("NOTION_TOKEN=ntn_very_secret\n")
    task = "00000001-aaaa"
    builder.pending("ntn_very_secret", task_id=task)
    builder.tasks.execute("UPDATE task SET subject = 'demo'")
    _, shown = run("queue", "show", task)
    assert shown["args"]["args"] != ["ntn_very_secret"]
    changed = {"args": shown["args"]["args"], "kwargs": {"source": "x"}}
    assert run("queue", "edit", task, json.dumps(changed), "--yes")[0] == 0
    assert "ntn_very_secret" not in str(run("journal", "list"))
    assert "ntn_very_secret" not in str(builder.tasks.execute("SELECT detail FROM journal").fetchall())
    stored = json.loads(builder.tasks.execute("SELECT data FROM task").fetchone()[0])
    assert (stored["args"], stored["kwargs"]) == (["ntn_very_secret"], {"source": "x"})


def test_scheduled_tasks_run_at_once_and_wait_again_when_that_is_undone(builder, run):
    for subject in ("demo", "other"):
        builder.scheduled(subject, task_id=f"{subject}-task", due=3600)
    assert run("queue", "run")[0] == 2
    code, done = run("queue", "run", "--filter", "market:demo")
    assert (code, done["done"]) == (0, 1)
    assert builder.tasks.execute("SELECT task_id FROM task").fetchall() == [("demo-task",)]
    assert run("queue", "run", "other-task", "gone")[1]["done"] == 1
    assert (run("undo")[0], run("undo")[0]) == (0, 0)
    assert builder.tasks.execute("SELECT count(*) FROM schedule").fetchone() == (2,)
