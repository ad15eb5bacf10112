"""A whole week on an injected clock: seven nights, feeds that change, a missed night, and a Monday's report."""

from __future__ import annotations

import csv
import datetime as dt
import http.server
import io
import json
import random
import threading
from email.utils import format_datetime

import pytest

from tests.pipeline.conftest import ROOT
from tests.research import planted
from tests.research.fake_notion import TOKEN, FakeNotion
from worker import jobs, topic_jobs
from worker.queue import DurableHuey
from worker.queue.catch_up import CatchUp, ScheduleSpec
from worker.queue.cron import Cron
from worker.queue.schedules import Schedules
from worker.queue.watch import Watch
from worker.research.sinks.notion_schema import MORE_PROPERTIES, PROPERTIES
from worker.sqlite import sqlite3

START = dt.datetime(2026, 11, 16, 12, 0, tzinfo=dt.UTC)  # a Monday
OUTLETS = 9
HISTORY_DAYS = 21
EVERYDAY = (
    "Fassade in {n}. Lage saniert",
    "Aufzug {n} steht still",
    "Mietspiegel Nummer {n} umstritten",
    "Balkon {n} gesperrt",
)
STORY = ("Solarspeicherpflicht kommt", "Streit um Solarspeicherpflicht", "Was die Solarspeicherpflicht kostet",
         "Solarspeicherpflicht: Verwalter warnen")  # fmt: skip
# The day of the week, counted from 0, on which an outlet begins to tell the story.
TELLS = {1: 3, 2: 4, 4: 4, 5: 5, 6: 5, 7: 6, 8: 6}


def prose(seed):
    """A text that no other story has."""
    return " ".join(random.Random(seed).choices(planted.PROSE, k=45))


class Press:
    """Nine feeds as of a moment: each keeps its last three weeks; one is new on Thursday, one is gone on Friday."""

    def __init__(self, clock):
        self.clock, self.requests = clock, 0

    def feed(self, outlet):
        self.requests += 1
        today = (self.clock() - START).days
        if (outlet == 8 and today < 3) or (outlet == 3 and today >= 4):
            return None
        entries = [
            entry
            for day in range(max(today - HISTORY_DAYS, -HISTORY_DAYS), today + 1)
            for entry in self.entries(outlet, day)
        ]
        items = "".join(
            f"<item><title>{title}</title><link>https://outlet{outlet}.example/{day}-{n}</link><description>"
            f"{prose(f'{outlet} {day} {n}')}</description>"
            f"<pubDate>{format_datetime(START + dt.timedelta(days=day, hours=n))}</pubDate></item>"
            for day, n, title in entries
        )
        return f'<rss version="2.0"><channel><title>Outlet {outlet}</title>{items}</channel></rss>'.encode()

    def entries(self, outlet, day):
        yield day, 0, EVERYDAY[(outlet + day) % len(EVERYDAY)].format(n=(day + 30) * 10 + outlet)
        if (outlet + day) % 2:
            yield day, 1, "Wärmepumpe im Bestand" if outlet % 3 else "Die Wärmepumpe in der Praxis"
        if day >= TELLS.get(outlet, 99) and day % 2 == outlet % 2:
            yield day, 2, STORY[outlet % len(STORY)]


class Site:
    """The installation under a clock that is moved by hand."""

    def __init__(self, home, config, monkeypatch):
        self.at = START.timestamp()
        self.press = Press(self.now)
        self.server = self.serve()
        self.home, self.config = home, config
        (config / "markets").mkdir(parents=True)
        demo = (ROOT / "config/markets/demo.yaml").read_text()
        before, after = demo[: demo.index("bundled_feeds:")], demo[demo.index("collectors:") :]
        urls = "".join(f"  - http://127.0.0.1:{self.server.server_port}/{one}\n" for one in range(OUTLETS))
        (config / "markets/week.yaml").write_text(
            f"{before}rss_feeds:\n{urls}allow_private:\n  - 127.0.0.1\n{after}"
        )
        for name, value in {
            "TOPIC_HOME": home, "TOPIC_CONFIG": config, "NOTION_TOKEN": TOKEN, "LLM_API_KEY": "", "LLM_BASE_URL": "",
            "TOPIC_COLLECT__HOST_CONCURRENCY": "8", "TOPIC_COLLECT__HOST_DELAY": "0",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, str(value))
        monkeypatch.delenv("LLM_API_KEY")
        monkeypatch.delenv("LLM_BASE_URL")
        jobs.secrets.cache_clear()
        self.huey = self.worker()

    def now(self):
        return dt.datetime.fromtimestamp(self.at, dt.UTC)

    def serve(self):
        press = self.press

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                """Quiet."""

            def do_GET(self):
                body = press.feed(int(self.path.strip("/")))
                self.send_response(200 if body else 410)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    def worker(self):
        daily, weekly = Cron("0 2 * * *"), Cron("0 9 * * 1")
        specs = {
            "daily_collection": ScheduleSpec(daily, CatchUp.ONCE, 86_400.0, True),
            "weekly_notion_sync": ScheduleSpec(weekly, CatchUp.ONCE, 259_200.0, True),
        }
        huey = DurableHuey("topics", filename=jobs.tasks_db(), dlq_filename=jobs.dlq_db(), now=lambda: self.at, schedules=lambda: specs)  # fmt: skip
        collect = huey.task(name="collect_all_sources")(
            lambda name, **options: jobs.collect_market(huey, name, **options, now=self.now)
        )
        huey.periodic_task(daily, name="daily_collection")(lambda: jobs.collect_every_market(collect))
        huey.periodic_task(weekly, name="weekly_notion_sync")(lambda: topic_jobs.sync_topics(now=self.now))
        self.schedules = Schedules(
            huey, huey.storage, Watch(lambda: self.at, lambda: self.at, lambda: self.at)
        )
        self.schedules.register()
        return huey

    def run_until(self, end):
        """A worker looks every half hour, and does what there is to do."""
        while self.now() < end:
            self.at += 1_800
            self.schedules.fire()
            while task := self.huey.dequeue():
                self.huey.execute(task)

    def off_until(self, end):
        """The machine is off."""
        self.at = end.timestamp()

    def sql(self, file, query):
        with sqlite3.connect(self.home / file) as conn:
            return conn.execute(query).fetchall()


@pytest.fixture
def notion(monkeypatch):
    fake = FakeNotion()
    url = fake.start()
    database = fake.database({name: {kind: {}} for name, kind in (PROPERTIES | MORE_PROPERTIES).items()})
    monkeypatch.setenv("TOPIC_NOTION__BASE_URL", url)
    monkeypatch.setenv("TOPIC_NOTION__DATABASE_ID", database)
    monkeypatch.setattr("worker.research.sinks.notion.REQUESTS_PER_SECOND", 1000.0)
    yield fake
    fake.stop()


@pytest.fixture
def week(tmp_path, monkeypatch, notion):
    made = Site(tmp_path / "home", tmp_path / "config", monkeypatch)
    yield made
    made.huey.storage.close()
    made.server.shutdown()
    made.server.server_close()
    jobs.secrets.cache_clear()


def test_after_a_week_the_report_has_the_planted_story_at_the_top(week, notion):
    friday = START + dt.timedelta(days=3, hours=22)
    week.run_until(START + dt.timedelta(days=3, hours=11))
    week.off_until(friday)  # the tick of Friday, 02:00, passes
    week.run_until(START + dt.timedelta(days=6, hours=22))
    collections = week.sql(
        "tasks.db", "SELECT state, count(*) FROM run WHERE name LIKE '%collect_all_sources' GROUP BY state"
    )
    assert collections == [("completed", 7)], "one of them caught up"
    ticks = dict(
        week.sql(
            "tasks.db", "SELECT state, count(*) FROM tick WHERE schedule = 'daily_collection' GROUP BY state"
        )
    )
    assert sum(ticks.values()) >= 7
    assert week.sql("tasks.db", "SELECT state FROM run WHERE name LIKE '%weekly_notion_sync'") == [
        ("completed",)
    ]
    assert week.sql("dlq.db", "SELECT count(*) FROM letter") == [(0,)]
    folder = week.home / "reports" / "week" / "2026-W48"
    report = json.loads((folder / "topics.json").read_text())
    assert "Solarspeicherpflicht" in report["topics"][0]["title"]
    assert report["topics"][0]["trend"] in {"new", "rising"}
    assert report["history"] >= 2, "the feeds' own dates tell of the weeks before"
    steady = next(one for one in report["topics"] if one["title"] == "Wärmepumpe")
    assert (steady["trend"], steady["place"] > 1) == ("steady", True)
    assert "1. Solarspeicherpflicht" in (folder / "topics.md").read_text()
    assert (
        next(csv.DictReader(io.StringIO((folder / "topics.csv").read_text())))["title"]
        == report["topics"][0]["title"]
    )
    assert notion.keys()[0].startswith("week:")
    page = max(notion.pages.values(), key=lambda page: page["properties"]["Trending Score"]["number"])
    assert "Solarspeicherpflicht" in notion.text(page, "Title")
    assert len(notion.keys()) == len(set(notion.keys()))
