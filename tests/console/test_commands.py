"""The same things for scripts: one JSON document on stdout, words on stderr, exit codes 0, 1 and 2."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from console.cli import main
from tests.console import homes
from worker.sqlite import sqlite3

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(builder, capsys, monkeypatch):
    """Runs a command over the home; returns exit code, its document or text, and what it said on stderr."""
    monkeypatch.chdir(ROOT)

    def command(*arguments, home=None):
        try:
            code = main(["--home", str(home or builder.home.root), *arguments])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        document = json.loads(said.out) if "--json" in arguments and said.out else said.out
        return code, document, said.err

    return command


STATUS = {
    "at": str, "healthy": bool, "problems": list, "workers": list, "queue": dict, "dead_letters": int, "schedules": list,
    "topics": dict, "last_hour": dict,
}  # fmt: skip


def test_status_has_the_promised_keys(run, builder):
    now = datetime.now(homes.UTC)
    lively = homes.Builder(builder.home.root, now)
    homes.busy(lively)
    code, status, _ = run("status", "--json")
    lively.close()
    assert code == 1
    assert {name: type(value) for name, value in status.items()} == STATUS
    assert [problem["code"] for problem in status["problems"]] == ["dead_letters"]
    assert status["queue"].keys() == {"pending", "scheduled", "running", "oldest_pending_age_s", "paused"}
    assert (status["queue"]["pending"], status["queue"]["running"], status["queue"]["scheduled"]) == (
        30,
        2,
        3,
    )
    assert status["workers"][0].keys() == {"id", "host", "pid", "state", "heartbeat_age_s", "threads"}
    assert status["workers"][0]["state"] == "running"
    assert status["schedules"][0].keys() == {"name", "cron", "timezone", "next", "last", "missed", "paused"}
    assert status["last_hour"].keys() == {"completed", "failed", "retried"}
    assert datetime.fromisoformat(status["at"]).tzinfo is not None


def test_all_well_is_exit_code_0(run, builder):
    lively = homes.Builder(builder.home.root, datetime.now(homes.UTC))
    lively.worker()
    assert run("status", "--json")[0] == 0
    assert run("status")[1].startswith("All well.")
    lively.close()


def test_looking_at_a_home_that_is_not_there_creates_nothing(run, tmp_path):
    home = tmp_path / "nowhere"
    for arguments in (
        ["status"],
        ["queue", "list"],
        ["failures", "list"],
        ["schedules", "list"],
        ["runs", "list"],
    ):
        code, document, _ = run(*arguments, "--json", home=home)
        assert code == (1 if arguments == ["status"] else 0)
        assert document is not None
    assert not home.exists()


def test_a_collection_is_enqueued_now_later_and_by_priority(run, builder):
    assert run("collect", "demo", "--json")[0] == 0
    assert run("collect", "demo", "--delay", "60", "--priority", "5", "--json")[0] == 0
    assert run("collect", "demo", "--at", "2030-01-01T02:00", "--json")[0] == 0
    assert builder.tasks.execute("SELECT count(*) FROM task").fetchone() == (1,)
    assert builder.tasks.execute("SELECT priority FROM schedule ORDER BY due_at").fetchall() == [
        (5.0,),
        (0.0,),
    ]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["collect", "nowhere"], "no market 'nowhere'"),
        (["collect", "demo", "--at", "soon"], "found 'soon'"),
        (["queue", "list", "--filter", "foo:bar"], "foo:bar"),
        (["schedules", "pause", "x", "--for", "2 weeks"], "2 weeks"),
        (["failures", "retry"], "say which"),
        (["enqueue", "x", "{"], "expected JSON"),
        (["queue", "clear"], "--yes"),
        (["failures", "clear"], "--yes"),
        (["nonsense"], "invalid choice"),
        (["queue", "cancle"], "did you mean cancel?"),
        (["runs", "show", "x"], "expected a number, found 'x'"),
        (["collect", "demo", "--delay", "nan"], "expected a number, found 'nan'"),
        (["collect", "demo", "--delay", "-5"], "expected seconds"),
        (["queue", "priority", "x", "soon"], "expected a number, found 'soon'"),
        (["export", "queue", "--json", "--format", "csv"], "leave --format away"),
        (["queue", "list", "--limit", "0"], "above 0"),
        ([], "needs a terminal"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_code_2(run, builder, arguments, word):
    builder.pending()
    builder.letter()
    code, _, said = run(*arguments)
    assert code == 2
    assert word in said
    assert "Traceback" not in said
    assert builder.tasks.execute("SELECT count(*) FROM task").fetchone() == (1,)


@pytest.mark.parametrize(
    ("group", "arguments"),
    [
        ("queue", ()),
        ("failures", ("--causes",)),
        ("runs", ("--filter", "is:failed")),
        ("schedules", ("--json",)),
    ],
)
def test_a_group_without_a_command_is_its_list(run, builder, group, arguments):
    homes.busy(builder)
    assert run(group, *arguments) == run(group, "list", *arguments)


def test_a_home_that_is_not_there_is_said(run, tmp_path):
    _, shown, said = run("queue", home=tmp_path / "hoem")
    assert "empty" in shown
    assert f"nothing is in {tmp_path / 'hoem'} yet" in said


def _stock(path):
    from huey import SqliteHuey

    huey = SqliteHuey(filename=str(path))
    huey.storage.enqueue(b"\x80\x04pickled")
    huey.storage.close()


def _newer(path):
    from worker.queue import schema

    conn = sqlite3.connect(path, isolation_level=None)
    schema.make_current(conn, path, schema.TASKS_APPLICATION_ID, schema.TASKS_MIGRATIONS)
    conn.execute("PRAGMA user_version = 99")
    conn.close()


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda path: path.write_bytes(b"no database" * 100), "expected a SQLite database"),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE t (a)").connection.close(), "another program"),
        (lambda path: path.mkdir(), "tasks.db"),
        (_stock, "Huey"),
        (_newer, "version 99"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("arguments", [["status"], ["queue", "list"], ["collect", "demo"]])
def test_a_file_that_cannot_be_used_is_named_and_left_alone(run, tmp_path, make, word, arguments):
    home = tmp_path / "other"
    home.mkdir()
    make(home / "tasks.db")
    before = (home / "tasks.db").read_bytes() if (home / "tasks.db").is_file() else b""
    code, document, said = run(*arguments, "--json", home=home)
    assert code == 2
    assert "tasks.db" in document["error"]
    assert word in said
    assert "Traceback" not in said
    assert before == ((home / "tasks.db").read_bytes() if before else b"")


def test_a_home_that_is_a_file_is_refused(run, tmp_path):
    (tmp_path / "file").write_text("x")
    code, _, said = run("collect", "demo", home=tmp_path / "file")
    assert (code, "found a file" in said) == (2, True)


def test_failures_are_listed_shown_retried_deleted_and_brought_back(run, builder):
    one, two, three = builder.letter(age=1), builder.letter(age=2), builder.letter(age=3)
    code, letters, _ = run("failures", "list", "--json")
    assert (code, [letter["id"] for letter in letters]) == (0, [one, two, three])
    assert {"task_id", "name", "error", "first_seen", "last_seen"} <= letters[0].keys()
    assert "jobs.collect_market" in run("failures", "show", str(one), "--json")[1]["traceback"]
    assert run("failures", "show", "999")[0] == 1
    assert run("failures", "retry", str(one), "--json")[1]["done"] == 1
    assert run("failures", "retry", str(one), "--json")[0] == 1  # it is being retried already
    assert run("failures", "delete", str(two), "--yes", "--json")[1]["done"] == 1
    assert run("failures", "clear", "--yes", "--json")[1]["done"] == 1
    assert run("undo", "--json")[1]["done"] == 1
    assert [letter["id"] for letter in run("failures", "list", "--filter", "is:dead", "--json")[1]] == [three]


def test_the_queue_is_listed_shown_cancelled_and_cleared(run, builder):
    for _ in range(3):
        builder.pending()
    code, tasks, _ = run("queue", "list", "--json")
    assert (code, len(tasks)) == (0, 3)
    shown = run("queue", "show", tasks[0]["task_id"], "--json")[1]
    assert shown["args"] == {"args": ["demo"], "kwargs": {}}
    assert run("queue", "cancel", tasks[0]["task_id"], "--yes", "--json")[1]["done"] == 1
    assert run("queue", "clear", "--yes", "--json")[1]["done"] == 2
    assert [entry["action"] for entry in run("journal", "list", "--json")[1]] == ["clear", "cancel"]


def test_the_whole_queue_is_paused_and_goes_on(run, builder):
    builder.pending()
    assert run("queue", "pause", "--for", "2h", "--note", "moving", "--wait", "--json")[0] == 0
    status = run("status", "--json")[1]
    assert status["queue"]["paused"] is True
    assert "queue_paused" in [problem["code"] for problem in status["problems"]]
    assert run("queue", "resume", "--json")[0] == 0
    assert run("queue", "resume", "--json")[0] == 1
    assert run("status", "--json")[1]["queue"]["paused"] is False


def test_schedules_are_paused_for_a_while_and_resumed(run, builder):
    builder.schedule("daily_collection", "0 2 * * *")
    assert run("schedules", "pause", "daily_collection", "--for", "2h", "--note", "holiday", "--json")[0] == 0
    assert run("schedules", "list", "--json")[1][0]["pause_note"] == "holiday"
    assert run("schedules", "resume", "daily_collection", "--json")[0] == 0
    assert run("schedules", "run", "daily_collection", "--json")[0] == 0
    assert run("schedules", "run", "nothing", "--json")[0] == 1


def test_a_schedule_pauses_until_a_time(run, builder):
    builder.schedule("daily_collection", "0 2 * * *")
    assert (
        run("schedules", "pause", "daily_collection", "--until", "2099-01-01T02:00+01:00", "--json")[0] == 0
    )
    assert (
        run("schedules", "show", "daily_collection", "--json")[1]["paused_until"]
        == "2099-01-01T01:00:00+00:00"
    )
    assert run("schedules", "pause", "daily_collection", "--until", "2001-01-01", "--json")[0] == 1
    assert run("schedules", "pause", "daily_collection", "--until", "soon")[0] == 2


def test_a_schedule_is_shown_with_its_next_times_and_its_ticks(run, builder):
    homes.broken(builder)
    code, shown, _ = run("schedules", "show", "daily_collection", "--json")
    assert code == 0
    assert shown["in_words"] == "At 02:00, Europe/Berlin"
    assert len(shown["coming"]) == 5
    assert [tick["state"] for tick in shown["unanswered"]] == ["missed", "missed"]
    assert [tick["outcome"] for tick in shown["recent"]][:4] == ["missed", "missed", "ok", "failed"]
    text = run("schedules", "show", "daily_collection", "--ascii")[1]
    assert "***x*oo" in text
    assert text.isascii()
    assert run("schedules", "show", "nothing")[0] == 1


@pytest.mark.parametrize(
    ("how", "waiting", "scheduled"), [(["--once"], 1, 0), (["--all"], 2, 0), (["--spread", "2h"], 1, 1)]
)
def test_missed_ticks_are_listed_replayed_and_missed_again(run, builder, how, waiting, scheduled):
    homes.broken(builder)
    for table in ("task", "schedule"):
        builder.tasks.execute(f"DELETE FROM {table}")
    ticks = run("schedules", "missed", "--json")[1]
    assert [(tick["schedule"], tick["state"]) for tick in ticks] == [("daily_collection", "missed")] * 2
    assert "no worker was running" in run("schedules", "missed", "daily_collection")[1]
    code, done, _ = run("schedules", "replay", "daily_collection", *how, "--json")
    assert (code, done["done"], len(done["task_ids"])) == (0, 2, waiting + scheduled)
    queue = run("status", "--json")[1]["queue"]
    assert (queue["pending"], queue["scheduled"]) == (waiting, scheduled)
    assert run("schedules", "missed", "--json")[1] == []
    assert [tick["state"] for tick in run("schedules", "missed", "--all", "--json")[1]] == ["replayed"] * 2
    assert run("schedules", "replay", "daily_collection", *how)[0] == 1
    assert run("undo", done["entry"], "--json")[1]["done"] == 2
    assert len(run("schedules", "missed", "--json")[1]) == 2


def test_missed_ticks_are_acknowledged(run, builder):
    homes.broken(builder)
    codes = lambda: [problem["code"] for problem in run("status", "--json")[1]["problems"]]  # noqa: E731
    assert {"schedule_missed", "schedule_overdue"} <= set(codes())
    assert run("schedules", "acknowledge", "daily_collection", "--note", "holiday", "--json")[1]["done"] == 2
    assert "schedule_missed" not in codes()
    assert run("schedules", "acknowledge", "daily_collection")[0] == 1


def test_a_run_and_a_task_are_told_with_their_tick(run, builder):
    homes.busy(builder)
    query = "SELECT run.id FROM tick JOIN run USING (task_id) WHERE tick.state = 'caught_up'"
    (number,) = builder.tasks.execute(query).fetchone()
    assert run("runs", "show", str(number), "--json")[1]["tick"] == "2026-11-19T01:00:00+00:00"
    assert "for tick   2026-11-19 01:00: the machine slept for 7h 55m" in run("runs", "show", str(number))[1]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["daily_collection", "weekly_notion_sync"]), ("weekly", ["weekly_notion_sync"]),
        ("is:paused", ["weekly_notion_sync"]), ("is:overdue", ["daily_collection"]), ("!is:paused", ["daily_collection"]),
        ("moves", ["weekly_notion_sync"]), ("err:x", []), ("age>1d", ["daily_collection"]),
    ],
)  # fmt: skip
def test_schedules_are_filtered(run, builder, text, names):
    homes.broken(builder)
    assert [one["name"] for one in run("schedules", "list", "--filter", text, "--json")[1]] == names


def test_many_runs_are_asked_about(run, builder):
    builder.schedule("hourly", "0 * * * *")
    for hours in range(12):
        builder.tick("hourly", ago=hours * 3600, state="missed", ended=None)
    code, _, said = run("schedules", "replay", "hourly", "--all")
    assert (code, "Start 12 runs of hourly?" in said) == (2, True)
    assert run("schedules", "replay", "hourly", "--all", "--yes", "--json")[1]["done"] == 12


@pytest.mark.parametrize("arguments", [[], ["--once", "--all"], ["--spread", "soon"], ["--spread", "0m"]])
def test_how_to_replay_has_to_be_said(run, builder, arguments):
    homes.broken(builder)
    try:
        code = run("schedules", "replay", "daily_collection", *arguments)[0]
    except SystemExit as refused:
        code = refused.code
    assert code == 2
    assert builder.tasks.execute("SELECT count(*) FROM tick WHERE state = 'missed'").fetchone() == (2,)


def test_read_only_refuses_and_changes_nothing(run, builder):
    builder.pending()
    code, _, said = run("queue", "clear", "--yes", "--read-only")
    assert (code, "read-only" in said) == (1, True)
    assert builder.tasks.execute("SELECT count(*) FROM task").fetchone() == (1,)


def test_hostile_text_reaches_no_terminal(run, builder, capsys):
    homes.hostile(builder)
    for arguments in (["queue", "list"], ["failures", "list"], ["failures", "list", "--causes"], ["runs", "list"],
                      ["schedules", "list"], ["schedules", "missed"], ["schedules", "show", homes.HOSTILE[2]], ["search", "red"], ["failures", "show", "3"], ["status"]):  # fmt: skip
        _, text, said = run(*arguments)
        steering = set("\x1b\x9b\x07\x00\u202e\u2066\u200b")
        assert not steering & set(text + said), arguments
        main(["--home", str(builder.home.root), *arguments, "--json"])
        said = capsys.readouterr()
        assert not steering & set(said.out + said.err), arguments
        json.loads(said.out)


def test_a_reader_that_has_seen_enough_is_no_error(builder):
    for _ in range(50):
        builder.pending()
    done = subprocess.run(
        f"{sys.executable} -m console.cli --home {builder.home.root} queue list --limit 50 | head -1; echo ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] in {"0", "141"}


def test_collect_waits_for_a_real_worker(run, builder):
    worker = subprocess.Popen(
        [sys.executable, "-m", "worker.cli", "--home", str(builder.home.root), "--config", str(ROOT / "config")],
        cwd=ROOT, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        code, done, _ = run("collect", "demo", "--wait", "--json")
        assert (code, done["state"], done["result"]["documents"]) == (0, "completed", 118)
        code, done, _ = run("collect", "demo", "--wait", "--json")
        assert (code, done["result"]["documents"], done["result"]["not_modified"]) == (0, 0, 12)
        assert len(run("search", "Wärmepumpe", "--json")[1]) > 0
    finally:
        worker.terminate()
        assert worker.wait(20) == 0
        worker.stderr.close()


def test_every_command_has_its_function():
    from console.cli import parser
    from console.commands import Command
    from console.commands.export import LISTS
    from console.parser import LISTS as OFFERED

    def leaves(one):
        if one.get_default("run") is not None:
            yield one.get_default("run")
        for action in one._actions:
            if isinstance(action.choices, dict):
                for below in action.choices.values():
                    yield from leaves(below)

    commands = list(leaves(parser()))
    assert len(commands) > 40
    for command in commands:
        assert isinstance(command, Command)
        assert callable(command.function)
    assert tuple(LISTS) == OFFERED
