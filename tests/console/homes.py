"""Homes for tests: real SQLite files in our own schema, filled as of a frozen moment."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from worker.places import Home
from worker.queue import schema
from worker.queue.identity import workers_folder
from worker.queue.message import encode_call
from worker.research import schema as library_schema
from worker.sqlite import sqlite3

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
COLLECT = "worker.tasks.collect_all_sources"
SYNC = "worker.tasks.weekly_notion_sync"
QUEUE = "topics"

# What a stranger may send: markup that ends Textual, escape codes, right-to-left overrides, wide and invisible signs.
HOSTILE = (
    "[/foo] KeyError: '[/bar]' [link=",
    "x[/] [b]bold[/b] a [b] c \\[",
    "\x1b]52;c;cHduZWQ=\x07\x1b]0;pwned\x07\x1b[2J\x9b31mred\x1b[0m",
    "left\u202eright\u2066 zero\u200bwidth\ufeff \U000e0041tag",
    "日本語のとても長い見出し 🏳️\u200d🌈 👩\u200d👩\u200d👧 Z̸̢̛̙̬͖̀a͟l̷g̶o̵",
    "tab\there\r\nsecond line\x00null\x7f",
    "A" * 5000,
    "",
)


class Builder:
    """Fills a home.

    Args:
        root: its folder.
        now: the frozen moment.
    """

    def __init__(self, root: Path, now: datetime = NOW) -> None:
        self.home, self.now = Home(root).prepare(), now.timestamp()
        self.tasks = _opened(self.home.tasks_db)
        schema.make_current(
            self.tasks, self.home.tasks_db, schema.TASKS_APPLICATION_ID, schema.TASKS_MIGRATIONS
        )
        self.letters = _opened(self.home.dlq_db)
        schema.make_current(
            self.letters, self.home.dlq_db, schema.LETTERS_APPLICATION_ID, schema.LETTERS_MIGRATIONS
        )
        self.library = _opened(self.home.topics_db)
        library_schema.make_current(self.library, self.home.topics_db)
        self._ids = itertools.count(1)
        self._locks: list[int] = []

    def close(self) -> None:
        """Closes the files; the workers die."""
        for conn in (self.tasks, self.letters, self.library):
            conn.close()
        self.kill_workers()

    def kill_workers(self) -> None:
        """Their locks become free, as when their processes end."""
        for descriptor in self._locks:
            os.close(descriptor)
        self._locks.clear()

    def _insert(self, conn: sqlite3.Connection, table: str, **values) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        return conn.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())
        ).lastrowid

    def _envelope(self, name: str, subject: str | None, age: float, args: tuple, **more) -> dict:
        task_id = more.pop("task_id", None) or f"{next(self._ids):08x}-aaaa-bbbb-cccc-000000000000"
        return {
            "queue": QUEUE, "data": encode_call(task_id, name, args), "task_id": task_id, "name": name,
            "subject": subject, "enqueued_at": self.now - age, **more,
        }  # fmt: skip

    def worker(self, *, alive: bool = True, beat: float = 1.0, pid: int = 4242) -> int:
        """A worker whose lock is held here, or is free."""
        number = self._insert(
            self.tasks, "worker", queue=QUEUE, host=socket.gethostname(), pid=pid, kind="thread", threads=2,
            started_at=self.now - 7200, heartbeat_at=self.now - beat, heartbeat_s=2.0,
        )  # fmt: skip
        folder = workers_folder(self.home.tasks_db)
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder / f"{number}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        if alive:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._locks.append(descriptor)
        else:
            os.close(descriptor)
        return number

    def pending(self, subject: str | None = "demo", *, name: str = COLLECT, age: float = 30, **more) -> int:
        return self._insert(
            self.tasks,
            "task",
            ready_at=self.now - age,
            **self._envelope(name, subject, age, (subject,), **more),
        )

    def scheduled(
        self,
        subject: str | None = "demo",
        *,
        name: str = COLLECT,
        due: float = 60,
        reason: str = "delay",
        **more,
    ) -> int:
        return self._insert(
            self.tasks, "schedule", due_at=self.now + due, reason=reason,
            **self._envelope(name, subject, 60, (subject,), **more),
        )  # fmt: skip

    def running(self, subject: str | None = "demo", *, name: str = COLLECT, worker: int = 1, done: int | None = 5,
                total: int | None = 12, note: str | None = "bautakt.example, 5 of 12", age: float = 4, **more) -> int:  # fmt: skip
        return self._insert(
            self.tasks, "claim", id=(worker << 32) | next(self._ids), seq=1, ready_at=self.now - age - 1,
            worker=worker, claimed_at=self.now - age, done=done, total=total, note=note, progress_at=self.now,
            **self._envelope(name, subject, age + 1, (subject,), **more),
        )  # fmt: skip

    def run(self, subject: str | None = "demo", *, name: str = COLLECT, state: str = "completed", age: float = 60,
            took: float = 2.4, result: object = None, error: str | None = None, attempt: int = 1, **more) -> int:  # fmt: skip
        finished = self.now - age
        return self._insert(
            self.tasks, "run", queue=QUEUE, task_id=f"{next(self._ids):08x}-run", name=name, subject=subject,
            state=state, attempt=attempt, worker=1, enqueued_at=finished - took - 1, ready_at=finished - took - 1,
            started_at=finished - took, finished_at=finished, args=json.dumps({"args": [subject], "kwargs": {}}),
            result=json.dumps(result) if result is not None else None, error=error, **more,
        )  # fmt: skip

    def logged(self, *lines: tuple[float, str, str, dict]) -> None:
        """Lines of the log: how old, level, event, what else."""
        with (self.home.prepare_logs() / self.home.log_file.name).open("a") as file:
            for age, level, event, more in lines:
                at = datetime.fromtimestamp(self.now - age, UTC).isoformat().replace("+00:00", "Z")
                line = {"event": event, "level": level, "logger": "worker.jobs", "timestamp": at, **more}
                file.write(json.dumps(line, ensure_ascii=False).encode(errors="replace").decode() + "\n")

    def depth(self, ago: int, pending: int) -> None:
        """How many tasks were ready so many minutes ago."""
        self._insert(
            self.tasks, "depth_minute", queue=QUEUE, minute=int(self.now // 60) - ago, pending=pending, running=2, scheduled=1
        )  # fmt: skip

    def minute(self, ago: int, **events: int) -> None:
        """What happened so many minutes ago."""
        for event, count in events.items():
            self._insert(
                self.tasks, "tally", queue=QUEUE, minute=int(self.now // 60) - ago, event=event, n=count
            )

    def schedule(
        self, name: str, cron: str, *, next_in: float = 3600, last_ago: float | None = None, **more
    ) -> None:
        self._insert(
            self.tasks, "periodic", queue=QUEUE, name=name, task_name=f"worker.tasks.{name}", cron=cron,
            timezone="Europe/Berlin", catch_up_window=86400, seen_at=self.now, next_at=self.now + next_in,
            last_at=None if last_ago is None else self.now - last_ago, **more,
        )  # fmt: skip

    def tick(
        self, schedule: str, *, ago: float, state: str = "fired", ended: str | None = "completed", n: int = 1,
        why: str | None = None,
    ) -> int:  # fmt: skip
        """A tick in the register; with `ended`, also the run that answered it."""
        at = self.now - ago
        run = ended and self.run(None, name=f"worker.tasks.{schedule}", state=ended, age=ago - 5)
        task = run and self.tasks.execute("SELECT task_id FROM run WHERE id = ?", (run,)).fetchone()[0]
        tick = self._insert(
            self.tasks, "tick", queue=QUEUE, schedule=schedule, tick_at=at, state=state, noticed_at=at + 3600,
            n=n, last_at=at + 60 * n if n > 1 else None, why=why, task_id=task,
            settled_at=None if state == "missed" else at,
        )  # fmt: skip
        self.tasks.execute(
            "UPDATE periodic SET missed = missed + ? WHERE name = ?", (n * (state == "missed"), schedule)
        )
        return tick

    def letter(self, subject: str | None = "demo", *, name: str = COLLECT, error_type: str = "worker.research.errors.NothingCollectedError",
               error: str = "nothing could be collected for demo", fingerprint: str = "f1", age: float = 300, state: str = "dead",
               traceback: str | None = None, reason: str = "failed") -> int:  # fmt: skip
        number = next(self._ids)
        task_id = f"{number:08x}-dead"
        at = datetime.fromtimestamp(self.now - age, UTC).isoformat()
        trace = traceback if traceback is not None else TRACEBACK.format(kind=error_type, error=error)
        return self._insert(
            self.letters, "letter", state=state, death=f"{task_id}/4", queue=QUEUE, task_id=task_id, name=name,
            subject=subject, reason=reason, data=encode_call(task_id, name, (subject,)),
            args=json.dumps({"args": [subject], "kwargs": {}}),
            attempts=json.dumps([{"attempt": one, "at": at, "error": error} for one in (1, 2, 3, 4)]),
            worker="worker-1:4242", first_seen=self.now - age - 420, last_seen=self.now - age, error_type=error_type,
            error=error, traceback=trace, fingerprint=fingerprint,
        )  # fmt: skip

    def source(self, key: str, *, market: str = "proptech_de", name: str | None = None, failing: int = 0, error: str = "404 Not Found",
               status: int = 200, age: float = 3_600, **more) -> None:  # fmt: skip
        """A source that is well, or has been failing so many times."""
        good = None if failing > 100 else self.now - age - failing * 3_600
        values = {
            "market": market, "key": key, "name": name or key.partition("/")[0], "url": f"https://{key}",
            "last_attempt": self.now - age, "last_success": good, "errors_in_row": failing, "status": status,
            "last_error": error if failing else None, "last_error_at": self.now - age if failing else None,
            "items": 40, "documents": 318, "per_week": 42.0, "latency": 0.31, "bytes": 84_000,
            "next_due": self.now + 9_000, "etag": '"5f3a-61d"', "last_modified": "Mon, 23 Nov 2026 17:58:02 GMT",
        }  # fmt: skip
        self._insert(self.library, "source", **values | more)

    def disabled(
        self, key: str, *, market: str = "proptech_de", note: str | None = "sends press releases only"
    ) -> None:
        """An operator has disabled it."""
        self._insert(
            self.tasks, "switched_off", queue=QUEUE, scope=f"sources:{market}", name=key, off_at=self.now - 90_000,
            off_by="nina@desk", note=note,
        )  # fmt: skip

    def act(self, action: str, target: str, count: int = 1, *, age: float = 600, who: str = "ann@ops-1",
            undone_by: str | None = None, **detail: object) -> str:  # fmt: skip
        """An act of an operator in the journal of the file that it changed."""
        entry = f"{int((self.now - age) * 1_000_000):016x}{next(self._ids):04x}"
        self._insert(
            self.letters if target == "failures" and action != "retry" else self.tasks, "journal", id=entry,
            at=self.now - age, actor=who, action=action, target=target, count=count, detail=json.dumps(detail),
            undone_by=undone_by,
        )  # fmt: skip
        return entry

    def canary(
        self, fingerprint: str, state: str, *, count: int, released: int = 1, why: str | None = None
    ) -> None:
        """A canary retry of a cause."""
        self._insert(
            self.letters, "canary", queue=QUEUE, entry="none", fingerprint=fingerprint, state=state, count=count,
            released=released, why=why, actor="ann@ops-1", started_at=self.now - 240, changed_at=self.now - 180,
        )  # fmt: skip

    def document(self, title: str, *, source: str = "bautakt.example/feed", age: float = 600) -> None:
        number = next(self._ids)
        self._insert(
            self.library, "document", market="demo", source=source, title=title, url=f"https://bautakt.example/{number}",
            canonical_key=f"bautakt.example/{number}", content_hash=str(number), content=title, language="de",
            domain="PropTech", country="Germany", vertical="PropTech", reliability_score=0.5, fetched_at=self.now - age,
        )  # fmt: skip
        self.library.execute(
            "INSERT INTO document_fts (rowid, title, summary, content) SELECT id, title, summary, content "
            "FROM document WHERE content_hash = ?",
            (str(number),),
        )
        self.library.execute(
            "INSERT INTO tally (name, n) VALUES ('documents', 1) ON CONFLICT (name) DO UPDATE SET n = n + 1"
        )

    def topic(self, title: str, weeks: tuple[int, ...] = (0, 0, 0, 0, 0, 0, 0, 1, 9), *, place: int = 1, trend: str = "rising",
              usual: float | None = 0.4, headlines: tuple[str, ...] = (), market: str = "proptech_de", **more) -> None:  # fmt: skip
        """A ranked topic; `weeks`: its voices, the current week last."""
        now, history = weeks[-1], usual is not None
        points = {"rise": min(60.0, 6.0 * now) if history else 0.0, "sources": min(15.0, 1.5 * now), "fit": 12.0 / place,
                  "novelty": 7.0 if history else 0.0, "span": 3.6}  # fmt: skip
        samples = [
            {"title": one, "url": f"https://outlet{at}.example/{at}", "source": f"outlet{at}.example/feed",
             "at": datetime.fromtimestamp(self.now - 7200 * (at + 1), UTC).isoformat()}
            for at, one in enumerate(headlines or (f"{title}: was jetzt gilt", f"Streit um {title}", f"{title} im Test"))
        ]  # fmt: skip
        parts = {"points": points, "voices": float(now), "usual": usual, "keyword_fit": round(1 / place, 2), "span": 5,
                 "novelty": 0.88 if history else None, "cohesion": 0.82 if place > 1 else 1.0, "days": 7, "history": 8 if history else 0}  # fmt: skip
        self._insert(
            self.library, "topic", market=market, key=title.lower().replace(" ", "-"), title=title,
            score=round(sum(points.values()), 1), parts=json.dumps(parts), sources=now, documents=now + 2,
            samples=json.dumps(samples), first_seen=self.now - 86400 * 9, last_seen=self.now - 3600, place=place, trend=trend,
            velocity=round((now + 0.5) / (usual + 0.5), 2) if history else None, confidence=0.9,
            days=json.dumps([day for week in weeks for day in (week, 0, 0, 0, 0, 0, 0)]), phrases=json.dumps([title.lower()]),
            **more,
        )  # fmt: skip

    def ranking(
        self, market: str = "proptech_de", *, history: int = 8, llm: dict | None = None, age: float = 3600
    ) -> None:
        """A market's latest ranking."""
        self._insert(
            self.library, "ranking", market=market, at=self.now - age, stories=498, outlets=31, history=history,
            seconds=0.4, llm=json.dumps(llm) if llm else None,
        )  # fmt: skip

    def delivery(self, sink: str, *, age: float = 36_000, error: str | None = None) -> None:
        """The latest report, or sync."""
        self._insert(self.library, "delivery", sink=sink, at=self.now - age, error=error, stats="{}")


TRACEBACK = """Traceback (most recent call last):
  File "/srv/topic/lib/python3.11/site-packages/huey/api.py", line 379, in _execute
    task_value = task.execute()
  File "/srv/topic/worker/tasks.py", line 31, in collect_all_sources
    return jobs.collect_market(config_path)
  File "/srv/topic/worker/jobs.py", line 112, in collect_market
    stats = collect(market, library, report=current_run().progress, options=options).as_dict()
{kind}: {error}
"""


def _opened(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = wal")
    return conn


def empty(builder: Builder) -> None:
    """A home in which nothing has happened yet."""


def busy(builder: Builder) -> None:
    """A good day: work waits, runs and gets done."""
    builder.worker()
    builder.running("proptech_de", done=17, total=40, note="haufe.de, 17 of 40", age=8)
    builder.running("demo", done=5, total=12, note="bautakt.example, 5 of 12", age=2)
    for number in range(30):
        builder.pending(["demo", "proptech_de", "smart_city"][number % 3], age=240 - 8 * number)
    builder.scheduled("demo", due=95)
    builder.scheduled("proptech_de", due=118, reason="retry", attempt=2)
    builder.scheduled(None, name=SYNC, due=86_000)
    builder.schedule("daily_collection", "0 2 * * *", next_in=6 * 3600, last_ago=18 * 3600)
    builder.schedule("weekly_notion_sync", "0 9 * * 1", next_in=6 * 86400 + 13 * 3600, last_ago=11 * 3600)
    for days in range(12):
        builder.tick("daily_collection", ago=18 * 3600 + days * 86400, state="caught_up" if days == 4 else "fired",
                     why="the machine slept for 7h 55m; caught up 5h 5m late" if days == 4 else None)  # fmt: skip
    builder.tick("weekly_notion_sync", ago=11 * 3600, ended="dead")
    for minutes in range(60):
        builder.minute(
            minutes,
            completed=(minutes * 7) % 11,
            enqueued=(minutes * 5) % 9,
            **({"dead": 1} if minutes == 23 else {}),
        )
    runs = [(60 + 300 * number, ["demo", "proptech_de"][number % 2], COLLECT, 2.4 + number,
             {"documents": 118 - 9 * number, "sources": 40, "errors": 2}) for number in range(12)]  # fmt: skip
    runs += [(4_000 + 400 * number, "demo", COLLECT, 2 + (number * 7 % 23) / 2,
              {"documents": 3, "sources": 12, "errors": 0}) for number in range(200)]  # fmt: skip
    runs += [
        (5_000 + 9_000 * number, None, SYNC, 20.0 + number, {"topics_synced": 10}) for number in range(8)
    ]
    for age, subject, name, took, result in sorted(runs, key=lambda run: -run[0]):
        builder.run(subject, name=name, age=age, took=took, result=result)
    for ago in range(60):
        builder.depth(ago, max(0, 30 - (ago - 8) ** 2 // 20))
    for number in range(60):
        source = f"{['heise', 'haufe', 'bautakt'][number % 3]}.example"
        builder.logged(
            (900 - 15 * number, "warning" if number % 9 == 4 else "info", ["collected", "fetched", "not modified"][number % 3],
             {"task_id": f"019ab4c2-aaaa-7bbb-8ccc-0000{2_611_731_507 + number // 6 * 65_537:08x}", "market": "proptech_de", "source": source, "documents": number, "bytes": 5_000 + number}),
        )  # fmt: skip
    builder.logged(
        (
            3,
            "error",
            "one source failed",
            {
                "task_id": "019ab4c2-aaaa-7bbb-8ccc-00009babc123",
                "exception": 'Traceback (most recent call last):\n  File "x.py", line 3\nTimeoutError: heise.example did not answer within 20 s',
            },
        )
    )
    builder.letter("smart_city", error="nothing could be collected for smart_city: all 3 sources failed")
    for part in range(1, 25):
        builder.document(
            f"Wärmepumpen im Bestand, Teil {part}: was Verwalter wissen müssen", age=60 * (25 - part)
        )
    topics(builder)
    well = (
        "heise.de/rss/heise-atom.xml",
        "t3n.de/rss.xml",
        "haufe.de/xml/rss_129130.xml",
        "deutsche-startups.de/feed",
    )
    for number, key in enumerate(well):
        builder.source(key, age=3_600 + number, latency=0.12 * (number + 1), per_week=180.0 / (number + 1))
    builder.source(
        "reddit.com/r/PropTech+de/top/.rss?t=week", kind="reddit", failing=2, status=429,
        error="429 Too Many Requests, asks to wait 3600 s", held_until=builder.now + 2_700,
    )  # fmt: skip
    builder.source(
        "golem.de/rss.php?feed=RSS2.0",
        failing=7,
        status=500,
        error="500 Internal Server Error",
        next_due=builder.now + 14_000,
    )
    builder.source(
        "immobilienmanager.de/rss/news.xml", moved_to="https://www.immobilienmanager.de/feed/", moved_seen=4
    )
    builder.source("trends.google.com/trending/rss?geo=DE", kind="trends", documents=20, per_week=140.0)
    builder.source("firmenpresse.de/feed", failing=0)
    builder.disabled("firmenpresse.de/feed")
    for name in ("bautakt", "waermewende", "immo-kurier"):
        builder.source(f"{name}.example/demo/{name}.xml", market="demo", age=120, documents=11, per_week=12.0)


def topics(builder: Builder) -> None:
    """Some rise, some are always there, some fall."""
    builder.topic(
        "Heizungsgesetz-Novelle", (0, 0, 0, 0, 0, 1, 1, 3, 11), named_by="qwen-turbo", synced_at=builder.now - 36_000,
        summary="Das Kabinett hat die Novelle des Heizungsgesetzes beschlossen; die Koalition streitet über Fristen.",
        angle="Was Verwalter jetzt in laufenden Wartungsverträgen ändern müssen",
        headlines=("Heizungsgesetz: Novelle im Kabinett", "Novelle des Heizungsgesetzes spaltet Koalition"),
    )  # fmt: skip
    builder.topic("Digitaler Gebäudepass", (0, 0, 0, 0, 0, 0, 0, 2, 8), place=2)
    builder.topic("Quantenbatterie", (0, 0, 0, 0, 0, 0, 0, 0, 7), place=3, trend="new", usual=0.0)
    builder.topic("Wärmepumpe", (11, 12, 11, 10, 12, 11, 12, 11, 4), place=4, trend="steady", usual=11.0)
    builder.topic("Hochhausbrand", (0, 0, 0, 0, 0, 0, 16, 12, 3), place=5, trend="falling", usual=3.5)
    builder.ranking(llm={"day_tokens": 4_120, "day_budget": 100_000, "reason": None})
    builder.delivery("report")
    builder.delivery("notion")


def broken(builder: Builder) -> None:
    """A bad night: the worker is dead, letters pile up, a schedule is late."""
    builder.topic("Glasfaser", (0, 0, 0, 0, 0, 0, 0, 0, 6), trend="unknown", usual=None, market="demo")
    builder.ranking(
        "demo",
        history=0,
        llm={
            "day_tokens": 100_000,
            "day_budget": 100_000,
            "reason": "the day's budget of 100,000 tokens is used up",
        },
    )
    builder.delivery("notion", error="Notion refused the token")
    builder.worker(alive=False, beat=260)
    builder.running("proptech_de", done=17, total=40, note="haufe.de, 17 of 40", age=280)
    for number in range(12):
        builder.pending("demo", age=260 - number)
    builder.scheduled("demo", due=-30, reason="retry", attempt=3)
    builder.schedule("daily_collection", "0 2 * * *", next_in=-600, last_ago=3 * 86400 + 600)
    for days in range(8, 3, -1):
        builder.tick("daily_collection", ago=600 + days * 86400, ended="dead" if days == 5 else "completed")
    for days in (1, 2):
        builder.tick("daily_collection", ago=600 + days * 86400, state="missed", ended=None,
                     why="no worker was running; older than the catch_up_window of 1d")  # fmt: skip
    builder.schedule(
        "weekly_notion_sync", "0 9 * * 1", paused_at=builder.now - 60, pause_note="Notion moves house"
    )
    for minutes in range(5, 60, 4):
        builder.minute(minutes, completed=1, enqueued=2, dead=minutes % 3)
    for number in range(40):
        builder.letter("demo", age=300 + number)
    for number in range(7):
        builder.letter("proptech_de", error_type="ssl.SSLError", error="certificate has expired for haufe.de", fingerprint="f2", age=900 + number)  # fmt: skip
    builder.letter(None, name="worker.tasks.gone", error_type="", error="no task of this name is known", fingerprint="f3", reason="unknown_task", age=86400, traceback="")  # fmt: skip
    _acts(builder)
    _failed_runs(builder)


def _acts(builder: Builder) -> None:
    """What operators did in the bad night."""
    builder.canary("f1", "waiting", count=40)
    builder.canary("f2", "stopped", count=7, why="the same cause came back")
    builder.act("enqueue", "queue", age=1500, name=COLLECT, task_ids=["00000001"])
    builder.act("pause", "schedules", age=900, name="weekly_notion_sync", pause_note="Notion moves house")
    cleared = builder.act("clear", "failures", 212, age=700, undone_by="x")
    builder.act("undo", "failures", 212, age=660, of=cleared, undid="clear")
    sample = "collect_all_sources  demo  certificate has expired"
    builder.act("delete", "failures", 9, age=420, filter="err:certificate", sample=[sample])
    before, after = (f'{{\n  "args": ["{market}"]\n}}' for market in ("demo", "proptech_de"))
    builder.act("edit", "failures", age=300, letter=3, before=before, after=after)
    builder.act(
        "canary", "failures", 40, age=240, sample=["collect_all_sources  demo  nothing could be collected"]
    )


def _failed_runs(builder: Builder) -> None:
    """What ran in the bad night, and what it said."""
    for number in range(2, -1, -1):
        builder.run(
            "demo",
            state="retrying",
            age=500 + 60 * number,
            error="timed out",
            error_type="TimeoutError",
            attempt=3 - number,
        )
    for number in range(3, -1, -1):
        builder.run(
            "demo", state="dead", age=300 + number, error="nothing could be collected for demo", attempt=4,
            error_type="worker.research.errors.NothingCollectedError", fingerprint="f1",
            traceback=TRACEBACK.format(kind="worker.research.errors.NothingCollectedError", error="nothing could be collected for demo"),
        )  # fmt: skip
    builder.tasks.execute(
        "INSERT INTO handler VALUES (?, ?, 'Collects every source of one market.', 3, 60, 2, 0, NULL, 0)",
        (QUEUE, COLLECT),
    )
    for ago in range(5, 60):
        if not 30 < ago < 42:
            builder.depth(ago, 20 - ago // 4)
    mine = builder.tasks.execute("SELECT task_id FROM run ORDER BY id DESC LIMIT 1").fetchone()[0]
    builder.logged(
        (310, "info", "fetched", {"task_id": mine, "source": "haufe.example"}),
        (302, "warning", "one source failed", {"task_id": mine, "source": "heise.example", "error": "did not answer within 20 s"}),
        (301, "error", "Unhandled exception in task", {"task_id": mine, "exception": TRACEBACK.format(kind="NothingCollectedError", error="nothing could be collected for demo")}),
    )  # fmt: skip

    errors = (
        "no answer for 10 s",
        "name not resolved",
        "connection refused",
        "body larger than 15 MB",
        "expected a feed, found an HTML page",
    )
    for number, error in enumerate(errors):
        builder.source(
            f"outlet-{number}.example/feed", failing=number * 30 + 1, error=error, status=None, latency=None
        )
    builder.source(
        "gone.example/rss.xml",
        failing=200,
        status=410,
        error="410 Gone",
        gone_at=builder.now - 400_000,
        held_until=builder.now + 2_000_000,
    )


def hostile(builder: Builder) -> None:
    """Everything that comes from outside is as bad as it can be."""
    builder.worker()
    for at, text in enumerate(HOSTILE):
        builder.pending(text, name=f"evil.{text}", age=at)
        builder.running(text, name=f"evil.{text}", done=at, total=12, note=text)
        builder.scheduled(text, name=f"evil.{text}")
        builder.letter(
            text,
            name=f"evil.{text}",
            error_type=f"evil.{text}",
            error=text,
            fingerprint=f"f{at}",
            traceback=f"Traceback\n  {text}\n{text}",
        )
        builder.run(
            text,
            name=f"evil.{text}",
            state="dead",
            error=text,
            result={text: {text: text}},
            traceback=text,
            error_type=text,
        )
        builder.logged(
            (60 - at, text, text, {"task_id": text, text: text, "exception": text, "logger": text})
        )
        builder.document(text or "untitled", source=text or "nowhere")
        builder.source(
            text or "nowhere",
            name=text,
            market=text,
            failing=at % 2,
            error=text,
            url=text,
            warning=text,
            moved_to=text,
            etag=text,
        )
        builder.act(
            "delete", "failures", at + 1, who=text, filter=text, sample=[text, text], name=text, note=text
        )
        builder.topic(
            text or "untitled", place=at + 1, market=text or "nowhere", headlines=(text, f"javascript:{text}"), summary=text,
            angle=text, named_by=text,
        )  # fmt: skip
    builder.schedule(HOSTILE[0], HOSTILE[1], error=HOSTILE[2], pause_note=HOSTILE[3], paused_at=builder.now)
    builder.schedule(HOSTILE[2], HOSTILE[4])
    for at, text in enumerate(HOSTILE):
        builder.tick(HOSTILE[2], ago=60 * at, state="missed", ended=None, why=text)


SCENES = {"empty": empty, "busy": busy, "broken": broken, "hostile": hostile}
