"""`runs show`, `runs stats`, `logs`: what ran, how long it took, and what it said."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.cli import main
from tests.console import homes

ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC)


def logged(builder, *lines):
    path = builder.home.prepare_logs() / "worker.jsonl"
    with path.open("a") as file:
        for age, level, event, more in lines:
            at = (NOW - timedelta(seconds=age)).isoformat()
            file.write(
                json.dumps({"event": event, "level": level, "logger": "worker", "timestamp": at, **more})
                + "\n"
            )


@pytest.fixture
def run(tmp_path, capsys):
    builder = homes.Builder(tmp_path / "home", NOW)

    def command(*arguments):
        try:
            code = main(["--home", str(builder.home.root), *arguments])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return code, json.loads(said.out) if "--json" in arguments and said.out else said.out, said.err

    yield builder, command
    builder.close()


def test_a_run_in_full_with_its_attempts_and_its_log(run):
    builder, command = run
    first = builder.run(state="retrying", age=120, error="timed out", attempt=1)
    number = builder.run(age=60, took=10, result={"documents": 3, "sources": 2, "errors": 0}, attempt=2)
    builder.tasks.execute("UPDATE run SET task_id = 'mine'")
    builder.tasks.execute(
        "INSERT INTO handler VALUES ('topics', ?, '', 3, 60, 2, 0, NULL, 0)", (homes.COLLECT,)
    )
    logged(
        builder,
        (500, "info", "long ago", {"task_id": "mine"}),
        (65, "info", "collected", {"task_id": "mine", "documents": 3}),
        (65, "info", "another's", {"task_id": "other"}),
        (63, "warning", "one source failed", {"task_id": "mine"}),
    )
    code, document, _ = command("runs", "show", str(number), "--json")
    assert code == 0
    assert (document["waited_s"], document["took_s"], document["attempt"], document["attempts"]) == (
        1.0,
        10.0,
        2,
        4,
    )
    assert document["result"]["documents"] == 3
    assert [one["id"] for one in document["others"]] == [first]
    assert [line["event"] for line in document["log"]] == ["collected", "one source failed"]
    text = command("runs", "show", str(number))[1]
    for words in (
        "attempt    2 of 4",
        "waited     1.0s",
        "took       10s",
        "retrying",
        "timed out",
        "one source failed",
    ):
        assert words in text


def test_a_run_that_is_not_there(run):
    _, command = run
    assert command("runs", "show", "7")[0] == 1


def test_statistics_of_each_task(run):
    builder, command = run
    for number in range(10):
        builder.run(took=1.0 + number)
    builder.run(state="dead", took=2.0)
    code, (one,), _ = command("runs", "stats", "--json", "--period", "1h")
    assert code == 0
    assert (one["name"], one["runs"], one["completed"], one["failed"]) == (homes.COLLECT, 11, 10, 1)
    assert one["took"]["p50"] == pytest.approx(5.0, rel=0.03)
    assert "collect_all_sources" in command("runs", "stats")[1]
    assert command("runs", "stats", "--period", "2h")[0] == 2


def test_nothing_has_run(run):
    assert run[1]("runs", "stats")[1] == "Nothing has run in the last 24h.\n"


def test_the_log_filtered_by_level_task_and_words(run):
    builder, command = run
    logged(
        builder,
        (9, "info", "one", {"task_id": "aaaa-1"}),
        (8, "warning", "two heise", {"task_id": "bbbb-1"}),
        (7, "error", "three", {"exception": "Traceback\n  boom", "task_id": "bbbb-1"}),
    )

    def events(*arguments):
        return [line["event"] for line in command("logs", "--json", *arguments)[1]]

    assert events() == ["one", "two heise", "three"]
    assert events("--limit", "1") == ["three"]
    assert events("--level", "warning") == ["two heise", "three"]
    assert events("--task", "bbbb") == ["two heise", "three"]
    assert events("HEISE") == ["two heise"]
    assert events("id:bbbb", "!heise") == ["three"]
    assert command("logs", "three")[1].splitlines()[-1] == "  boom"
    assert command("logs", "nowhere")[1] == "No line of the log matches.\n"
    assert command("logs", "foo:bar")[0] == 2


def test_no_log_is_said(run):
    code, _, said = run[1]("logs")
    assert code == 1
    assert "no worker has logged anything here yet" in said


def test_a_hostile_line_is_harmless(run):
    builder, command = run
    logged(builder, *((1, "info", text, {"field": text, "task_id": text}) for text in homes.HOSTILE))
    text = command("logs")[1]
    assert not any(ord(sign) < 32 and sign != "\n" for sign in text)
    assert "\x9b" not in text
    assert "\u202e" not in text


def test_a_followed_log_goes_on_over_a_rotation(run):
    builder, _ = run
    logged(builder, (9, "info", "before", {}))
    process = subprocess.Popen(
        [sys.executable, "-m", "console.cli", "--home", str(builder.home.root), "logs", "--follow", "--json"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

    def event():
        return json.loads(process.stdout.readline())["event"]

    try:
        assert event() == "before"
        logged(builder, (8, "info", "while", {}))
        assert event() == "while"
        builder.home.log_file.rename(f"{builder.home.log_file}.1")
        logged(builder, (7, "info", "after", {}))
        assert event() == "after"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def test_a_run_is_enqueued_once_more(run):
    builder, command = run
    number = builder.run(age=60)
    code, document, _ = command("runs", "again", str(number), "--json")
    assert (code, document["done"]) == (0, 1)
    ((task_id, name, subject),) = builder.tasks.execute("SELECT task_id, name, subject FROM task")
    assert (document["task_ids"], name, subject) == ([task_id], homes.COLLECT, "demo")
    code, _, said = command("runs", "again", "99")
    assert (code, said) == (1, "topic-console: run 99 is not in the history any more\n")
