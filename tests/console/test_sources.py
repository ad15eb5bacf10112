"""The sources, as an operator deals with them: on the screen and in scripts."""

from __future__ import annotations

import json

import pytest

from console.cli import main
from console.readings import Readings
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import press, until


@pytest.fixture
def run(builder, capsys):
    def run(*arguments):
        code = main(["--home", str(builder.home.root), *arguments])
        said = capsys.readouterr()
        return code, json.loads(said.out) if "--json" in arguments else said.out, said.err

    return run


def disabled(builder):
    return builder.tasks.execute("SELECT scope, name, note FROM switched_off").fetchall()


async def test_a_source_is_disabled_enabled_and_the_last_act_undone(builder):
    builder.source("a.example/f", market="demo")
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "6", "p")
        await until(pilot, lambda: app.screen.table.highlighted.state == "disabled")
        assert disabled(builder) == [("sources:demo", "a.example/f", None)]
        await press(pilot, "p")
        await until(pilot, lambda: app.screen.table.highlighted.state == "ok")
        await press(pilot, "u")
        await until(pilot, lambda: app.screen.table.highlighted.state == "disabled")
    journal = builder.tasks.execute("SELECT action, target, count FROM journal ORDER BY id").fetchall()
    assert journal == [("disable", "sources", 1), ("enable", "sources", 1), ("undo", "sources", 1)]


async def test_just_one_source_is_collected(builder):
    builder.source("bautakt.example/demo/bautakt.xml", market="demo")
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "6", "r")
        await until(pilot, lambda: builder.tasks.execute("SELECT count(*) FROM task").fetchone()[0])
    subject, data = builder.tasks.execute("SELECT subject, data FROM task").fetchone()
    assert subject == "demo"
    assert b"bautakt.example/demo/bautakt.xml" in bytes(data)


async def test_a_source_that_the_market_has_no_more_cannot_be_collected(builder):
    builder.source("elsewhere.example/f", market="demo", unlisted_at=builder.now)
    app = console(builder)
    async with app.run_test(notifications=True) as pilot:
        await press(pilot, "6", "r")
        await until(pilot, lambda: app._notifications)
        assert "has no source 'elsewhere.example/f'" in next(iter(app._notifications)).message


@pytest.mark.parametrize("sort", ["worst", "market", "kept", "slow", "quiet"])
def test_every_order_has_every_source_once_page_by_page(builder, sort):
    builder.tasks.execute("BEGIN")
    for number in range(70):
        builder.source(
            f"o{number:02}.example/f", market=f"m{number % 3}", failing=(number % 5) * 30, age=number % 7,
            latency=None if number % 4 == 0 else number / 100, documents=number % 6,
        )  # fmt: skip
    builder.tasks.execute("COMMIT")
    readings = Readings(builder.home, now=lambda: homes.NOW)
    listing = readings.sources("", sort)
    window, seen = listing.first(20), []
    while True:
        seen += [(one.market, one.key) for one in window.rows]
        if window.at_end:
            break
        window = listing.after(window.places[-1], 20)
    assert len(seen) == len(set(seen)) == 70
    assert window.total == 70
    assert [(one.market, one.key) for one in listing.last(20).rows] == seen[-20:]
    readings.close()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", 5),
        ("is:disabled", 1),
        ("is:failing", 1),
        ("is:waiting", 1),
        ("is:gone", 1),
        ("!is:ok", 4),
        ("market:other", 1),
        ("err:resolved", 1),
        ("beta", 1),
        ("id:beta", 1),
        ("age>2h", 1),
    ],
)
def test_the_list_is_filtered(builder, text, found):
    builder.source("alpha.example/f", market="other", age=60)
    builder.source("beta.example/f", failing=3, error="name not resolved", age=60)
    builder.source("gamma.example/f", failing=1, status=429, age=60, last_success=builder.now - 90)
    builder.source(
        "delta.example/f", failing=1, status=410, gone_at=builder.now, age=60, last_success=builder.now - 90
    )
    builder.source("epsilon.example/f", age=60)
    builder.disabled("epsilon.example/f")
    readings = Readings(builder.home, now=lambda: homes.NOW)
    assert len(readings.sources(text).first(10).rows) == found
    readings.close()


def test_scripts_list_show_disable_and_enable(builder, run):
    homes.busy(builder)
    code, listed, _ = run("sources", "list", "--json")
    assert code == 0
    assert [one["state"] for one in listed[:2]] == ["failing", "waiting"]
    assert len(run("sources", "list", "--json", "--market", "demo")[1]) == 3
    code, shown, _ = run("sources", "show", "golem.de", "--json")
    assert (shown["key"], shown["errors_in_row"], shown["last_error"]) == (
        "golem.de/rss.php?feed=RSS2.0", 7, "500 Internal Server Error",
    )  # fmt: skip
    assert "7 failures in a row" in run("sources", "show", "golem.de")[1]
    assert run("sources", "disable", "golem.de", "--note", "always down")[0] == 0
    assert run("sources", "show", "golem.de", "--json")[1]["note"] == "always down"
    code, again, _ = run("sources", "disable", "golem.de", "--json")
    assert (code, again["refused"][0]["why"]) == (1, "is disabled already")
    assert run("sources", "enable", "golem.de")[0] == 0
    assert run("undo")[0] == 0
    assert run("sources", "show", "golem.de", "--json")[1]["state"] == "disabled"


def test_a_name_that_means_none_or_several_is_refused(builder, run):
    builder.source("a.example/f", market="one")
    builder.source("a.example/f", market="two")
    code, _, said = run("sources", "disable", "a.example")
    assert (code, "means 2 sources" in said) == (1, True)
    assert run("sources", "disable", "a.example", "--market", "two")[0] == 0
    assert disabled(builder) == [("sources:two", "a.example/f", None)]
    assert "no source is named" in run("sources", "show", "nowhere")[2]


def test_an_empty_home_says_what_to_do(run):
    assert "topic-console collect MARKET" in run("sources", "list")[1]


def test_only_a_source_that_the_market_names_is_collected(run, builder):
    code, _, said = run("collect", "demo", "--source", "bautakt")
    assert code == 2
    assert "did you mean bautakt.example/demo/bautakt.xml?" in said
    assert run("collect", "demo", "--source", "bautakt.example")[0] == 0
