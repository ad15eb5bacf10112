"""Notion carries out what it was asked for later than anybody waits: the second page is found and put right."""

from __future__ import annotations

import shutil
import signal
import time
from datetime import timedelta

import pytest

from tests.research.fake_notion import BOT, PERSON
from tests.research.notion.helpers import counts, run_and_kill
from worker.research.clock import utc_now
from worker.research.sinks.notion_doubles import SETTLED_S

STATUS = {"Status": {"select": {"name": "drafted"}}}


def live(notion):
    return [page for page in notion.pages.values() if not page["in_trash"]]


def until(true):
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def doubled(sync, topics, notion, library):
    """One topic with two pages: the first was made after its asker had waited, looked and asked again."""
    notion.slow_s = 0.5
    notion.faults.extend([None, None, None, "slow"])
    assert sync(topics[:1], timeout_s=0.2) == counts(created=1)
    until(lambda: len(notion.pages) == 2)
    kept = library.rows("SELECT notion_page_id FROM topic WHERE notion_page_id IS NOT NULL")[0][0]
    return kept, next(number for number in notion.pages if number != kept)


def test_a_page_made_late_is_put_away_by_the_next_sync(doubled, sync, topics, notion):
    kept, other = doubled
    assert sync(topics[:1]) == counts(unchanged=1, trashed=1)
    assert notion.pages[other]["in_trash"]
    assert not notion.pages[kept]["in_trash"]
    assert sync(topics[:1]) == counts(unchanged=1)


def test_a_page_made_while_other_topics_were_synced_is_put_away_at_once(sync, topics, notion):
    def let_it_come(number, moment):
        if notion.asked("POST", "/v1/pages") == 3 and moment == "before":  # the second topic's page
            until(lambda: len(notion.pages) >= 2)

    notion.slow_s, notion.hook = 0.4, let_it_come
    notion.faults.extend([None, None, None, "slow"])
    assert sync(topics[:3], timeout_s=0.2)["doubles_trashed"] == 1
    assert notion.keys() == sorted(f"test:{topic.key}" for topic in topics[:3])


def test_a_topic_that_is_not_among_the_best_any_more_is_put_right_as_well(doubled, sync, topics, notion):
    assert sync(topics[1:2])["doubles_trashed"] == 1
    assert notion.keys() == sorted(f"test:{topic.key}" for topic in topics[:2])


@pytest.mark.parametrize(
    "later", [timedelta(0), timedelta(days=1)], ids=["in the same minute", "a day later"]
)
def test_what_a_person_has_edited_stays_and_is_told(doubled, sync, topics, notion, later):
    notion.clock = lambda: utc_now() + later
    _, other = doubled
    notion.edit_page(other, STATUS, by=PERSON)
    stats = sync(topics[:1])
    assert stats["doubles_trashed"] == 0
    assert stats["doubles_left"] == [
        f'two pages tell of "{topics[0].title}"; one was edited, so it stays: {notion.pages[other]["url"]}'
    ]
    assert len(live(notion)) == 2


def test_what_the_integration_itself_has_edited_stays_too(doubled, sync, topics, notion):
    notion.clock = lambda: utc_now() + timedelta(minutes=2)
    notion.edit_page(doubled[1], STATUS, by=BOT)
    assert len(sync(topics[:1])["doubles_left"]) == 1


def test_a_copy_that_a_person_has_made_is_the_persons(doubled, sync, topics, notion):
    page = notion.pages[doubled[0]]
    copy = notion.add_page(page["parent"]["data_source_id"], dict(page["properties"]), by=PERSON)
    assert sync(topics[:1]) == counts(unchanged=1, trashed=1)
    assert {one["id"] for one in live(notion)} == {page["id"], copy["id"]}


def test_nothing_is_put_away_where_the_page_that_is_kept_is_not_there(doubled, sync, topics, notion):
    notion.pages[doubled[0]]["in_trash"] = True
    assert sync(topics[:1]) == counts(unchanged=1)
    assert [one["id"] for one in live(notion)] == [doubled[1]]


def test_after_an_hour_it_is_looked_for_once_more_and_then_no_longer(doubled, sync, topics, notion):
    assert sync(topics[:1]) == counts(unchanged=1, trashed=1)
    later = {"now": lambda: utc_now() + timedelta(seconds=SETTLED_S + 60)}
    for queries in (1, 0):
        asked = notion.asked("POST", "query")
        assert sync(topics[:1], **later) == counts(unchanged=1)
        assert notion.asked("POST", "query") - asked == queries


def test_a_page_whose_making_is_not_in_doubt_costs_no_look(sync, topics, notion):
    sync(topics)
    asked = notion.asked("POST", "query")
    assert sync(topics) == counts(unchanged=5)
    assert notion.asked("POST", "query") == asked


def test_an_update_does_not_forget_the_doubt(doubled, sync, topics, notion, library):
    from dataclasses import replace

    changed = [replace(topics[0], score=topics[0].score + 1)]
    assert sync(changed) == counts(updated=1, trashed=1)
    assert len(live(notion)) == 1


def test_whoever_puts_it_away_first_is_not_counted(doubled, sync, topics, notion):
    def faster(number, moment):
        if notion.log[number][1] == "PATCH" and moment == "before":
            notion.pages[doubled[1]]["in_trash"] = True

    notion.hook = faster
    assert sync(topics[:1]) == counts(unchanged=1)


@pytest.mark.soak
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_the_pages_and_again_while_one_is_put_away(notion, news, home, moment):
    shutil.copy(news, home / "topics.db")
    notion.lag_s = 1.0  # longer than the runner waits, whose seconds are twentieths
    notion.faults.extend([None, None, None, "done, then 500"])
    code, _ = run_and_kill(notion, home / "topics.db", 9, "after", count=1)  # the second page is just made
    assert (code, len(live(notion))) == (-signal.SIGKILL, 2)
    time.sleep(notion.lag_s)
    code, said = run_and_kill(
        notion, home / "topics.db", 5, moment, count=1
    )  # while it is put into the trash
    assert (code, notion.log[-1][3]) == (-signal.SIGKILL, {"in_trash": True}), said
    code, said = run_and_kill(notion, home / "topics.db", None, "", count=1)
    assert code == 0, said
    assert len(notion.keys()) == 1
