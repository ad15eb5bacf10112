"""Lists and reports as files, in the console and as commands."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import threading

import pytest

from console import keys
from console.cli import main
from console.export import ExportError, guarded, write
from console.incident import look, write_up
from console.readings import Readings
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import press, until

STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def run(builder, capsys):
    def call(*arguments):
        code = main(["--home", str(builder.home.root), *arguments])
        found = capsys.readouterr()
        return code, found.out, found.err

    return call


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+2", "'=1+2"), ("+49", "'+49"), ("-x", "'-x"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'    =1"), (-5, "-5"),
        (2.5, "2.5"), (None, ""), (True, "True"), ('a,b\n"c"', 'a,b\n"c"'), ("\x1b[31mred", "red"), (["=1"], '["=1"]'),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula_and_numbers_stay_numbers(value, cell):
    assert guarded(value) == cell


@pytest.mark.parametrize(
    "name", ["queue", "failures", "causes", "schedules", "runs", "sources", "topics", "documents", "journal"]
)
def test_each_list_is_a_csv_a_json_and_a_markdown(run, builder, name):
    (homes.broken if name == "journal" else homes.busy)(builder)
    code, out, _ = run("export", name)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert (code, bool(rows)) == (0, True)
    code, out, _ = run("export", name, "--format", "json")
    assert len(json.loads(out)) == len(rows)
    code, out, _ = run("export", name, "--format", "md")
    assert out.count("\n| ") + out.startswith("| ") == len(rows) + 1


@pytest.mark.parametrize("form", ["csv", "json", "md"])
def test_a_hostile_home_steers_no_terminal_and_no_spreadsheet(run, builder, form):
    homes.hostile(builder)
    for name in ("queue", "failures", "runs", "schedules"):
        code, out, _ = run("export", name, "--format", form)
        assert code == 0
        assert not STEERING.search(out)
        if form == "csv":
            for row in csv.reader(io.StringIO(out)):
                assert not [cell for cell in row if cell[:1] in {"=", "+", "@"}]
    code, out, _ = run("incident")
    assert code == 0
    assert not STEERING.search(out)
    assert "<script" not in out.replace("\\<script", "")


def test_an_empty_list_is_an_empty_list(run):
    assert run("export", "queue") == (0, "", "")
    assert json.loads(run("export", "queue", "--format", "json")[1]) == []
    assert json.loads(run("export", "queue", "--json")[1]) == []
    assert json.loads(run("incident", "--json")[1])["markdown"].startswith("# Incident")


def test_the_name_says_the_format_and_no_file_is_written_over(run, builder, tmp_path):
    homes.busy(builder)
    path = tmp_path / "tasks.json"
    code, out, _ = run("export", "queue", "--filter", "is:scheduled", "-o", str(path), "--json")
    assert (code, json.loads(out)["bytes"]) == (0, path.stat().st_size)
    assert {row["state"] for row in json.loads(path.read_text())} == {"scheduled"}
    code, _, err = run("export", "queue", "-o", str(path))
    assert (code, "is there already; nothing was written" in err) == (1, True)
    assert run("export", "queue", "-o", str(path), "--force")[0] == 0
    assert len(json.loads(path.read_text())) > 3
    code, _, err = run("export", "queue", "-o", str(tmp_path / "tasks.xls"))
    assert (code, "expected a name that ends in .csv, .json or .md" in err) == (2, True)
    code, _, err = run("export", "queue", "--filter", "foo:bar")
    assert (code, "foo:bar" in err) == (2, True)
    assert [one.name for one in tmp_path.iterdir() if one.name != "home"] == ["tasks.json"]


def test_of_two_that_write_one_file_at_once_one_is_refused(tmp_path):
    both, ended = threading.Barrier(2), []

    def one(text):
        def parts():
            both.wait()
            yield text

        try:
            write(tmp_path / "x.csv", parts())
            ended.append("written")
        except ExportError:
            ended.append("refused")

    threads = [threading.Thread(target=one, args=(text,)) for text in ("a", "b")]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(ended) == ["refused", "written"]
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_what_breaks_on_the_way_leaves_nothing(tmp_path):
    def parts():
        yield "half"
        raise ValueError

    with pytest.raises(ValueError):
        write(tmp_path / "x.csv", parts())
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ExportError, match="cannot be written"):
        write(tmp_path / "nowhere" / "x.csv", ["a"])


def test_a_file_is_readable_as_the_user_wants(tmp_path):
    old = os.umask(0o022)
    try:
        write(tmp_path / "x.csv", ["a"])
    finally:
        os.umask(old)
    assert (tmp_path / "x.csv").stat().st_mode & 0o777 == 0o644


def test_the_incident_tells_what_since_when_why_and_who(builder):
    homes.broken(builder)
    readings = Readings(builder.home, now=lambda: homes.NOW)
    text = "".join(write_up(look(readings), homes.NOW, place="production", utc=True))
    readings.close()
    for words in (
        "# Incident in production", "Worker is not running", "(`worker_down`)", "**dead**", "## Since when", "## Causes",
        "| 40 | NothingCollectedError |", "Traceback", "## Affected markets", "- demo: ", "## Timeline",
    ):  # fmt: skip
        assert words in text, words


async def test_e_writes_what_the_filter_shows_and_says_where(builder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    homes.busy(builder)
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "2", "slash", *"is:scheduled", "enter")
        await pilot.press("E")
        await until(pilot, lambda: app.screen.query("#file"))
        assert app.screen.query_one("#file").value == "topic-queue-20261123-190000.csv"
        await pilot.press("down", "enter")
        path = tmp_path / "topic-queue-20261123-190000.json"
        await until(pilot, lambda: any("Wrote" in one.message for one in app._notifications))
        assert {row["state"] for row in json.loads(path.read_text())} == {"scheduled"}
        await pilot.press("E")
        await until(pilot, lambda: app.screen.query("#file"))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "is there already" in str(app.screen.query_one("#where").content))
        await pilot.press("tab", "home", *"again-", "enter")
        await until(pilot, (tmp_path / f"again-{path.name}").exists)


@pytest.mark.parametrize(
    "screen", ["queue", "failures", "schedules", "runs", "sources", "topics", "logs", "journal"]
)
async def test_e_works_on_every_list(builder, tmp_path, monkeypatch, screen):
    monkeypatch.chdir(tmp_path)
    homes.broken(builder)
    app = console(builder)
    keys_to = {action.screen: action.keys[0] for action in keys.to_screens()}
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, keys_to[screen])
        await pilot.press("E")
        await until(pilot, lambda: app.screen.query("#file"))
        options = [str(option.prompt) for option in app.screen.options.options]
        app.screen.options.highlighted = next(
            at for at, text in enumerate(options) if text.startswith("JSON")
        )
        await pilot.press("enter")
        await until(pilot, lambda: any("Wrote" in one.message for one in app._notifications))
        assert json.loads((tmp_path / f"topic-{screen}-20261123-190000.json").read_text())


async def test_y_copies_the_row_in_full_and_the_incident_on_the_overview(builder):
    homes.broken(builder)
    app = console(builder, read_only=True)
    async with app.run_test() as pilot:
        await press(pilot, "3", "enter")
        await until(pilot, lambda: app.screen.table.id == "letters-table" and app.screen.table.highlighted)
        await pilot.press("y")
        await until(pilot, lambda: "Traceback" in app.clipboard)
        await press(pilot, "1")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard.startswith("# Incident in"))
