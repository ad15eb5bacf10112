from __future__ import annotations

import os
import shutil
import signal
import time
import uuid

import httpx
import pytest

from tests.research.fake_notion import TOKEN
from tests.research.notion.helpers import counts, run_and_kill
from worker.research.errors import NotionError
from worker.research.sinks import notion_api, notion_schema
from worker.research.sinks.notion_api import NOTION_VERSION, NotionApi
from worker.research.sinks.notion_schema import PROPERTIES


def test_each_topic_becomes_a_page_once(sync, topics, notion):
    assert sync(topics) == counts(created=5)
    assert notion.keys() == sorted(f"test:{topic.key}" for topic in topics)
    page = next(page for page in notion.pages.values() if notion.text(page, "Title") == topics[0].title)
    assert notion.text(page, "Trending Score") == topics[0].score
    assert notion.text(page, "Status") == "discovered"
    assert notion.text(page, "Trend") == topics[0].parts.trend
    assert "for rise" in notion.text(page, "Why")
    requests = len(notion.log)
    assert sync(topics) == counts(unchanged=5)
    assert len(notion.log) == requests + 2, "only the schema is read again"


def test_what_has_changed_is_updated_and_what_people_changed_stays(sync, topics, notion):
    from dataclasses import replace

    sync(topics)
    page = next(iter(notion.pages.values()))
    page["properties"]["Status"] = {"select": {"name": "published"}}
    changed = [replace(topic, score=topic.score + 1) for topic in topics]
    assert sync(changed) == counts(updated=5)
    assert notion.text(page, "Status") == "published"
    assert len(notion.pages) == 5


def test_a_library_that_knows_nothing_finds_the_pages_by_their_key(sync, topics, notion, library):
    sync(topics)
    library.rows("UPDATE topic SET notion_page_id = NULL, payload_hash = NULL, notion_source = NULL")
    assert sync(topics) == counts(updated=5)
    assert len(notion.pages) == 5


def test_another_database_gets_pages_of_its_own(sync, topics, notion):
    sync(topics)
    other = notion.database({name: {kind: {}} for name, kind in PROPERTIES.items()})
    assert sync(topics, database_id=other) == counts(created=5)
    assert len(notion.pages) == 10


def test_a_data_source_may_be_named_in_place_of_its_database(sync, topics, notion):
    source = notion.databases[notion.main]["data_sources"][0]["id"]
    assert sync(topics, database_id=source) == counts(created=5)


def test_a_page_put_away_stays_away_and_one_deleted_is_made_anew(sync, topics, notion, library):
    sync(topics)
    first, second, *_ = notion.pages
    notion.pages[first]["in_trash"] = True
    del notion.pages[second]
    library.rows("UPDATE topic SET payload_hash = 'other'")
    assert sync(topics) == counts(created=1, updated=3, unchanged=1)


@pytest.mark.parametrize("fault", [500, 529, 409, "drop", "invalid", "slow"])
@pytest.mark.parametrize("at", [0, 2, 3, 5])
def test_what_passes_is_tried_again_and_no_page_is_doubled(sync, topics, notion, fault, at):
    notion.slow_s = 0.8
    notion.faults.extend([None] * at + [fault])
    # What is slow is still carried out when its asker has gone: a second page would come in that time.
    waits = {"pause": lambda seconds: time.sleep(seconds / 10)} if fault == "slow" else {}
    assert sync(topics[:2], **waits)["topics_synced"] == 2
    time.sleep(0.5 if fault == "slow" else 0)
    assert notion.keys() == sorted(f"test:{topic.key}" for topic in topics[:2])


@pytest.mark.parametrize("fault", ["done, then 500", "done, then drop", "slow"])
@pytest.mark.parametrize("lag", [0.0, 0.3])
def test_a_page_that_was_made_though_the_answer_was_lost_is_found_again(sync, topics, notion, fault, lag):
    notion.lag_s, notion.slow_s = lag, 0.6
    notion.faults.extend([None, None, None, fault])
    assert sync(topics[:2], pause=lambda seconds: time.sleep(seconds / 10))["topics_synced"] == 2
    assert notion.keys() == sorted(f"test:{topic.key}" for topic in topics[:2])


def test_a_wait_that_is_asked_for_is_kept(sync, topics, notion):
    notion.retry_after = "7"
    notion.faults.extend([429, None, 529, None, 429])
    assert sync(topics[:2]) == counts(created=2)
    assert sync.waited.count(7.0) == 3


def test_a_wait_beyond_patience_ends_the_sync_with_the_reason(sync, topics, notion):
    notion.retry_after = "3600"
    notion.faults.append(429)
    with pytest.raises(NotionError, match="asks to wait 3600 s"):
        sync(topics)


def test_never_more_than_three_requests_a_second(sync, topics, notion):
    notion.rate = 3.0
    assert sync(topics[:4], requests_per_second=2.5, pause=time.sleep) == counts(created=4)
    times = [at for at, *_ in notion.log]
    for number, start in enumerate(times):
        assert sum(start <= at < start + 1 for at in times[number:]) <= 3


def test_over_the_rate_notion_says_so_and_is_obeyed(sync, topics, notion):
    notion.rate = 1.0
    assert sync(topics[:1], requests_per_second=1000, pause=time.sleep) == counts(created=1)
    assert len(notion.pages) == 1


def test_a_token_revoked_in_mid_sync_keeps_what_was_done(sync, topics, notion):
    def revoke(number, moment):
        if number == 6 and moment == "before":
            notion.token = "another"

    notion.hook = revoke
    with pytest.raises(NotionError, match="refused the token") as caught:
        sync(topics)
    assert TOKEN not in str(caught.value)
    done = len(notion.pages)
    assert 0 < done < 5
    notion.token, notion.hook = TOKEN, None
    assert sync(topics) == counts(created=5 - done, unchanged=done)
    assert notion.keys() == sorted(f"test:{topic.key}" for topic in topics)


def test_a_database_that_lacks_something_is_named_before_a_page_is_touched(sync, topics, notion):
    lacking = dict(PROPERTIES)
    del lacking["Description"]
    lacking["Market"] = "rich_text"
    other = notion.database({name: {kind: {}} for name, kind in lacking.items()})
    with pytest.raises(NotionError) as caught:
        sync(topics, database_id=other)
    assert '"Description" (rich_text) is missing' in str(caught.value)
    assert '"Market" is of type rich_text, expected select' in str(caught.value)
    assert not notion.pages


def test_properties_that_are_only_nice_to_have_may_be_missing(sync, topics, notion):
    other = notion.database({name: {kind: {}} for name, kind in PROPERTIES.items()})
    assert sync(topics, database_id=other) == counts(created=5)


@pytest.mark.parametrize("number", ["nowhere", ""])
def test_an_unknown_database_is_said(sync, topics, number):
    with pytest.raises(NotionError, match=r"knows no such database|could not"):
        sync(topics, database_id=number)


def test_long_and_strange_texts_fit_notions_limits(sync, topics, notion):
    from dataclasses import replace

    strange = replace(topics[0], title="𝄞" * 3000, country="a, b", angle="x" * 5000, domain="d" * 300)
    assert sync([strange]) == counts(created=1)


def test_two_syncs_at_once_are_one(sync, topics, notion):
    def other(number, moment):
        if number == 4 and moment == "before":
            notion.hook = None
            with pytest.raises(NotionError, match="another sync"):
                sync(topics)
            refused.append(number)

    refused = []
    notion.hook = other
    assert sync(topics, timeout_s=5) == counts(created=5)
    assert refused == [4]


# -- kill -9 --


STEP = 1 if os.environ.get("SOAK") == "long" else 3


@pytest.mark.soak
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", range(0, 8, STEP))
def test_killed_at_any_request_then_run_again_no_page_is_doubled_and_none_is_missing(
    notion, news, home, at, moment
):
    shutil.copy(news, home / "topics.db")
    notion.lag_s = 0.2
    code, _ = run_and_kill(notion, home / "topics.db", at, moment)
    assert code == -signal.SIGKILL
    code, said = run_and_kill(notion, home / "topics.db", None, "")
    assert code == 0, said
    keys = notion.keys()
    assert len(keys) == len(set(keys)) == 3


# -- the fake refuses what Notion refuses --

TITLE = {"Title": {"title": [{"text": {"content": "A topic"}}]}}


def asked(notion, method, path, body, **headers):
    sent = {"Authorization": f"Bearer {TOKEN}", "Notion-Version": NOTION_VERSION} | headers
    return httpx.request(method, f"{notion.url}/v1/{path}", json=body, headers=sent)


def a_page(notion, properties, **parent):
    source = notion.databases[notion.main]["data_sources"][0]["id"]
    return {"parent": parent or {"data_source_id": source}, "properties": properties}


@pytest.mark.parametrize(
    ("properties", "word"),
    [
        ({"Title": {"title": [{"text": {"content": "x" * 2001}}]}}, "2000"),
        ({"Title": {"title": [{"text": {"content": "x"}}] * 101}}, "at most 100"),
        ({"Title": {"title": [{"text": {"content": "x"}, "plain_text": "x"}]}}, "plain_text"),
        ({"Title": {"title": [{"text": "x"}]}}, "text"),
        ({"Title": {"title": []} | {"url": None}}, "one way"),
        ({"Title": {"title": [], "type": "url"}}, "one way"),
        ({"Market": {"select": {"name": "a, b"}}}, "commas"),
        ({"Market": {"select": {"name": ""}}}, "at least 1"),
        ({"Market": {"select": "a"}}, "select"),
        ({"Market": {"rich_text": []}}, "expected to be select"),
        ({"Velocity": {"number": "3"}}, "number"),
        ({"Source URL": {"url": ""}}, "at least 1"),
        ({"First Seen": {"date": "2026-11-23"}}, "date"),
        ({"First Seen": {"date": {"start": "23.11.2026"}}}, "start"),
        ({"Nowhere": {"url": None}}, "not a property that exists"),
    ],
)
def test_a_property_that_notion_does_not_take_is_refused(notion, properties, word):
    answer = asked(notion, "POST", "pages", a_page(notion, TITLE | properties))
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert word in answer.json()["message"]
    assert not notion.pages


def test_a_parent_is_a_data_source_or_a_database_that_has_only_one(notion):
    other = str(uuid.uuid4())
    for parent, status in [
        ({"database_id": notion.main}, 200),
        ({"type": "database_id", "database_id": notion.main}, 200),
        ({"type": "data_source_id", "database_id": notion.main}, 400),
        ({"data_source_id": notion.main}, 404),
        ({"database_id": other}, 404),
        ({"data_source_id": "nowhere"}, 400),
    ]:
        assert asked(notion, "POST", "pages", a_page(notion, TITLE, **parent)).status_code == status, parent
    notion.databases[notion.main]["data_sources"].append({"id": other, "name": "Second"})
    answer = asked(notion, "POST", "pages", a_page(notion, TITLE, database_id=notion.main))
    assert "multiple data sources" in answer.json()["message"]


def test_bodies_of_earlier_versions_and_unknown_members_are_refused(notion):
    source = notion.databases[notion.main]["data_sources"][0]["id"]
    page = asked(notion, "POST", "pages", a_page(notion, TITLE)).json()["id"]
    parent = {"type": "page_id", "page_id": notion.root_page}
    for method, path, body in [
        ("POST", "databases", {"parent": parent, "properties": {"Title": {"title": {}}}}),
        ("POST", "databases", {"parent": {"page_id": notion.root_page}, "initial_data_source": {"properties": {}}}),
        ("POST", f"databases/{notion.main}/query", {}),
        ("POST", f"data_sources/{source}/query", {"page_size": 101}),
        ("POST", f"data_sources/{source}/query", {"filter": {"property": "Topic Key", "equals": "x"}}),
        ("PATCH", f"data_sources/{source}", {"properties": {"New": {"number": {"format": "pounds and pence"}}}}),
        ("PATCH", f"data_sources/{source}", {"properties": {"New": {"status": {}}}}),
        ("PATCH", f"pages/{page}", {"properties": {}, "archived": True}),
        ("PATCH", "pages/nowhere", {"properties": {}}),
    ]:  # fmt: skip
        assert asked(notion, method, path, body).status_code == 400, (path, body)
    assert asked(notion, "PATCH", f"pages/{page}", TITLE, **{"Content-Type": "text/plain"}).status_code == 400


@pytest.mark.parametrize("version", ["2025-09-03", "2026-03-11"])
def test_either_version_with_data_sources_takes_what_is_sent(sync, topics, notion, monkeypatch, version):
    monkeypatch.setattr(notion_api, "NOTION_VERSION", version)
    assert sync(topics[:2]) == counts(created=2)
    assert notion.versions == {version}


# -- the schema --


@pytest.fixture
def api(notion):
    with NotionApi(TOKEN, base_url=notion.url, requests_per_second=1000) as api:
        yield api


def test_a_database_is_made_that_takes_topics(api, notion, sync, topics):
    made = notion_schema.create(api, notion.root_page)
    checked = notion_schema.check(api, made)
    assert (checked.faults, checked.missing) == ((), ())
    assert sync(topics, database_id=made) == counts(created=5)


def test_a_database_is_completed_and_what_is_there_stays(api, notion, sync, topics):
    made = notion.database({"Name": {"title": {}}, "Market": {"select": {}}, "My notes": {"rich_text": {}}})
    added = notion_schema.complete(api, made)
    assert {"Title", "Description", "Why"} <= set(added)
    assert "Market" not in added
    assert notion_schema.complete(api, made) == ()
    assert sync(topics, database_id=made) == counts(created=5)
    source = notion.databases[made]["data_sources"][0]["id"]
    assert "My notes" in notion.sources[source]["properties"]


def test_a_property_of_another_type_is_not_overwritten(api, notion):
    made = notion.database({"Title": {"title": {}}, "Market": {"rich_text": {}}})
    with pytest.raises(NotionError, match='"Market" is of type rich_text, expected select'):
        notion_schema.complete(api, made)
