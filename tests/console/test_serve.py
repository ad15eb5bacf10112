"""The console in a browser, and completion in a shell: the real server, a real shell."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import aiohttp
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 40.0


@pytest.fixture
def served(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "console.cli", "--home", str(tmp_path / "home"), "serve", "--port", str(port)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env=os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")},
    )  # fmt: skip
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            asked(port)
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    yield port
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0


def asked(port, path="/", **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


async def test_a_tab_shows_the_console_and_other_sites_are_refused(served):
    assert asked(served) == 200
    assert asked(served, Host="evil.example") == 403
    assert asked(served, "/ws", Origin="http://evil.example") == 403
    said = b""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{served}/ws?width=100&height=30") as tab,
    ):
        deadline = time.monotonic() + PATIENCE_S
        while b"Worker is not running" not in said:
            assert time.monotonic() < deadline, said[-500:]
            message = await tab.receive(timeout=PATIENCE_S)
            said += message.data if isinstance(message.data, bytes) else str(message.data).encode()
    assert re.search(rb"\x1b\[", said)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org"])
def test_other_addresses_need_a_flag(tmp_path, host):
    done = subprocess.run(
        [sys.executable, "-m", "console.cli", "--home", str(tmp_path / "home"), "serve", "--host", host],
        capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, "--expose" in done.stderr) == (2, True)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["fai"], "failures"), (["failures", "ret"], "retry"), (["export", "que"], "queue"), (["--the"], "--theme")],
)  # fmt: skip
def test_tab_completes_in_bash(words, expected):
    script = f"""
        source <({shutil.which("env")} {sys.executable} -m console.cli completion bash)
        COMP_WORDS=(topic-console {" ".join(words)}); COMP_CWORD={len(words)}; COMPREPLY=()
        $(complete -p topic-console | sed 's/.*-F \\([^ ]*\\).*/\\1/') topic-console {words[-1]}
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE_S, check=False
    )
    assert done.stdout.split() == [expected], done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_have_a_script_too(shell, capsys):
    from console.cli import main

    assert main(["completion", shell]) == 0
    assert "topic-console" in capsys.readouterr().out
