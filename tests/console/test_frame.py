from __future__ import annotations

import pytest

from console.keys import Action, Scope
from console.readings import Readings
from console.rows.frame import Corner, facts, tabs
from tests.console.homes import NOW

NINE = tuple(
    Action(f"go_{name.lower()}", (str(at),), name, "", Scope.EVERYWHERE)
    for at, name in enumerate(
        ["Overview", "Queue", "Failures", "Schedules", "Runs", "Sources", "Topics", "Logs", "Journal"], 1
    )
)
CORNER = Corner("~/.local/share/topic-console", ("production", ""), "19:00 CET")


def words(form):
    return " ".join("".join(part.text for part in tab.cells) for tab in form)


@pytest.mark.parametrize(
    ("width", "beside", "said"),
    [
        (160, True, "1 Overview 2 Queue 3 Failures 4 Schedules 5 Runs 6 Sources 7 Topics 8 Logs 9 Journal"),
        (120, True, "1Overview 2Queue 3Failures 4Schedules 5Runs 6Sources 7Topics 8Logs 9Journal"),
        (80, False, "1Overview 2Queue 3Failures 4Schedules 5Runs 6Sources 7Topics 8Logs 9Journal"),
        (60, True, "1 2 3 Failures 4 5 6 7 8 9"),
    ],
)
def test_nine_names_are_shown_in_the_best_form_there_is_room_for(width, beside, said):
    form, fits = tabs(NINE, "go_failures", width, CORNER.width)
    assert (words(form), fits) == (said, beside)
    # In the smallest terminal the home gives way; the badge and the clock never do.
    needed = CORNER.width if width > 60 else Corner("", CORNER.marks, CORNER.clock).width
    assert sum(tab.width + 1 for tab in form) + 1 + (needed if beside else 0) <= width


def test_without_a_badge_120_columns_have_room_for_spaces():
    form, fits = tabs(NINE, "go_overview", 120, Corner("~/home", (), "19:00 UTC").width)
    assert fits
    assert words(form).startswith("1 Overview 2 Queue")


@pytest.mark.parametrize("room", range(60))
def test_the_end_of_a_home_is_kept_and_never_more_than_there_is_room_for(room):
    shown = CORNER.shortened(room)
    assert shown == "" or shown.endswith("-console")
    assert not shown or len(shown) + CORNER.width - 10 <= room


def test_that_nothing_waits_and_nothing_is_dead_is_said_in_little_room_too(builder):
    builder.worker()
    builder.schedule("daily_collection", "0 2 * * *", next_in=16 * 3600)
    readings = Readings(builder.home, now=lambda: NOW)
    line = "".join(cell.text for cell in facts(readings.snapshot(), NOW, 55))
    readings.close()
    assert line.split("  ") == [" ● worker running", "0 waiting", "0 dead", "next in 16h"]


def test_what_waits_and_what_is_dead_is_said_while_something_runs_too(builder):
    builder.running(worker=builder.worker())
    builder.schedule("daily_collection", "0 2 * * *", next_in=16 * 3600)
    readings = Readings(builder.home, now=lambda: NOW)
    line = "".join(cell.text for cell in facts(readings.snapshot(), NOW, 56))
    readings.close()
    assert line.split("  ") == [" ● worker", "0 waiting", "1 running", "0 dead", "next in 16h"]
