"""A site of feeds on loopback, a configuration that collects it, and real workers."""

from __future__ import annotations

import http.server
import os
import shutil
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_S = 40.0


class Feeds(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Feeds that are good, and five that are not: hang, missing, page, huge, loop."""

    daemon_threads = True
    allow_reuse_address = True
    delay = 0.0

    def handle_error(self, request, client_address):
        """A client that was killed hangs up."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            """Quiet."""

        def do_GET(self):
            name = self.path.strip("/")
            if name == "hang":
                self.server.stopped.wait(60)
            elif name == "missing":
                self.send_error(404)
            elif name == "page":
                self.answer(b"<html><p>no feed</p></html>", "text/html")
            elif name == "huge":
                self.send_response(200)
                self.send_header("Content-Length", "200000000")
                self.end_headers()
                for _ in range(200):
                    self.wfile.write(b"x" * 1_000_000)
            elif name.startswith("loop"):
                self.send_response(302)
                self.send_header("Location", f"/loop{int(name[4:] or 0) + 1}")
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                time.sleep(self.server.delay)
                self.answer(feed(name), "application/rss+xml")

        def answer(self, body, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


def feed(name):
    items = "".join(
        f"<item><title>Story {number} of {name}</title><link>https://{name}.example/{number}</link>"
        f"<description>Told by {name}, number {number}</description></item>"
        for number in range(5)
    )
    return f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'.encode()


@pytest.fixture
def feeds():
    servers = []

    def serve(port=0, delay=0.0):
        server = Feeds(("127.0.0.1", port), Feeds.Handler)
        server.delay, server.stopped = delay, threading.Event()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return server.server_address[1]

    yield serve
    for server in servers:
        server.stopped.set()
        server.shutdown()
        server.server_close()


class Installation:
    """A home, a configuration, and the workers on it."""

    def __init__(self, root):
        self.home, self.config = root / "home", root / "config"
        shutil.copytree(ROOT / "config", self.config)
        self.env = os.environ | {
            "TOPIC_HOME": str(self.home),
            "TOPIC_CONFIG": str(self.config),
            "TOPIC_RETRY__DELAY": "0.2",
        }
        self.workers = []

    def market(self, name, urls):
        text = (ROOT / "config/markets/demo.yaml").read_text()
        before, after = text[: text.index("bundled_feeds:")], text[text.index("collectors:") :]
        listed = "".join(f"  - {url}\n" for url in urls)
        (self.config / "markets" / f"{name}.yaml").write_text(
            f"{before}allow_private: [127.0.0.1]\nrss_feeds:\n{listed}{after}"
        )

    def worker(self, *command, **env):
        command = command or (sys.executable, "-m", "worker.cli")
        out = (self.home.parent / f"worker-{len(self.workers)}.out").open("wb")
        with out:
            process = subprocess.Popen(command, cwd=ROOT, env=self.env | env, stdout=out, stderr=out)
        self.workers.append(process)
        return process

    def console(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "console.cli", *arguments], cwd=ROOT, env=self.env, capture_output=True, text=True,
            timeout=LONGEST_S, check=False,
        )  # fmt: skip

    def close(self):
        for process in self.workers:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path)
    yield made
    made.close()


def until(fact, what):
    """Waits until it is so.

    Raises:
        AssertionError: it is not so in time.
    """
    deadline = time.monotonic() + LONGEST_S
    while not (found := fact()):
        assert time.monotonic() < deadline, f"never so: {what}"
        time.sleep(0.02)
    return found
