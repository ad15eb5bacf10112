"""Alerts through apprise: a real worker, a real server, no secret anywhere."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from worker.alerts import AlertError, faults, send
from worker.queue import Operator

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0


@pytest.fixture
def server():
    """A service that takes alerts; `code` is what it answers."""
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, json.loads(body)))
            self.send_response(made.code)
            self.end_headers()

        def log_message(self, *_):
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.got, made.code = got, 200
    made.url = f"json://user:very-secret@127.0.0.1:{made.server_port}/token-abcdef"
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def environment(home, url):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOPIC_")}
    return clean | {"ALERT_URLS": url, "TOPIC_HOME": str(home), "TOPIC_CONFIG": str(ROOT / "config")}


def until(fact):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := fact()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def run(home, url, *arguments, **env):
    return subprocess.run(
        [sys.executable, "-m", "worker.cli", *arguments], capture_output=True, text=True, cwd=ROOT, timeout=60,
        env=environment(home, url) | env, check=False,
    )  # fmt: skip


def dead_letter(home):
    home.mkdir(exist_ok=True)
    operator = Operator(home / "tasks.db", home / "dlq.db")
    operator.enqueue("no.such.task")
    operator.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_tell_a_new_cause_once_and_never_show_the_address(server, tmp_path, workers):
    home = tmp_path / "home"
    dead_letter(home)
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "worker.cli"],
            env=environment(home, server.url),
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(workers)
    ]
    until(lambda: server.got)
    time.sleep(6)  # one more look of each, which finds nothing new
    for worker in running:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_S) == 0
    assert len(server.got) == 1
    path, message = server.got[0]
    assert (path, message["title"].partition(":")[0]) == ("/token-abcdef", "home")
    assert "New cause of failure" in message["title"]
    for file in home.rglob("*"):
        if file.is_file():
            assert b"very-secret" not in file.read_bytes(), file
            assert b"token-abcdef" not in file.read_bytes(), file


def test_a_service_that_is_gone_harms_no_worker(tmp_path):
    home = tmp_path / "home"
    dead_letter(home)
    worker = subprocess.Popen(
        [sys.executable, "-m", "worker.cli"], env=environment(home, "json://127.0.0.1:9/x-token-x"), cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    log = home / "logs" / "worker.jsonl"
    until(lambda: log.exists() and "are not told yet" in log.read_text())
    asked = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    assert time.monotonic() - asked < 10
    assert "x-token-x" not in log.read_text()


def test_one_look_tells_that_the_worker_is_silent_and_the_next_that_nothing_is_new(server, tmp_path):
    home = tmp_path / "home"
    worker = subprocess.Popen(
        [sys.executable, "-m", "worker.cli"], env=environment(home, "") | {"TOPIC_ALERTS__WORKER_SILENT": "1"},
        cwd=ROOT, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: (home / "tasks.db").exists() and run(home, server.url, "health").returncode == 0)
    worker.kill()
    worker.wait()
    time.sleep(1.5)
    first, second = (run(home, server.url, "alerts", TOPIC_ALERTS__WORKER_SILENT="1") for _ in range(2))
    assert (first.returncode, first.stdout) == (0, "1 alerts told.\n"), first.stderr
    assert "silent" in server.got[0][1]["message"]
    assert (second.returncode, second.stdout) == (0, "Nothing new.\n")


def test_a_test_is_told_or_said_to_fail(server, tmp_path):
    assert run(tmp_path / "home", server.url, "alerts", "--test").returncode == 0
    assert "arrive here" in server.got[0][1]["message"]
    server.code = 500
    done = run(tmp_path / "home", server.url, "alerts", "--test")
    assert (done.returncode, done.stderr) == (1, "topic-worker: a service did not take the alert\n")
    done = run(tmp_path / "home", "", "alerts", "--test")
    assert (done.returncode, "ALERT_URLS" in done.stderr) == (2, True)


def test_check_names_an_address_that_is_none_without_showing_it(tmp_path):
    done = run(tmp_path / "home", "json://127.0.0.1/a nonsense://very-secret", "check")
    assert done.returncode == 2
    assert "ALERT_URLS: address 2 (nonsense://...) is none that apprise understands" in done.stderr
    assert "very-secret" not in done.stderr + done.stdout
    assert not (tmp_path / "home").exists()


def test_faults_and_sending_agree():
    assert faults([]) == []
    assert faults(["json://127.0.0.1/x"]) == []
    with pytest.raises(AlertError, match="none that apprise understands"):
        send(["nonsense://x"], "a", "b")
