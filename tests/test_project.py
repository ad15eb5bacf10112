"""The house itself: who imports whom, what loads what, and what the README promises."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Who may import whom (design: the rooms). The reverse arrows are what this test is for.
FORBIDDEN = {
    "worker": ("console", "textual"),
    "worker/queue": ("worker.research", "worker.settings", "worker.jobs", "worker.tasks", "textual", "aiohttp", "httpx"),
    "worker/research": ("worker.queue", "worker.settings", "worker.jobs", "worker.tasks", "huey"),
    "console": ("worker.research", "worker.jobs", "worker.tasks"),
    "console/readings": ("textual", "console.screens", "console.widgets", "console.actions", "console.rows"),
    "console/rows": ("textual", "sqlite_utils", "console.screens", "console.widgets", "console.actions"),
    "console/commands": ("textual", "console.screens", "console.widgets", "console.app"),
    "console/widgets": ("sqlite3", "sqlite_utils", "worker", "console.actions", "console.screens"),
    "console/screens": ("sqlite3", "sqlite_utils"),
}  # fmt: skip


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", FORBIDDEN)
def test_the_arrows_point_one_way(room):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for name in imports(path)
        for banned in FORBIDDEN[room]
        if name == banned or name.startswith(f"{banned}.")
    ]
    assert wrong == []


def loaded(*arguments, home):
    """The modules that a command loads, its exit code, and its output."""
    code = f"import sys; from console.cli import main; sys.argv[1:] = {list(arguments)!r}\ntry:\n    code = main()\nexcept SystemExit as end:\n    code = end.code\nprint('MODULES', *sorted(sys.modules), file=sys.stderr); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT,
        env={"TOPIC_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home)}, check=False,
    )  # fmt: skip
    modules = next(line for line in done.stderr.splitlines() if line.startswith("MODULES ")).split()[1:]
    return set(modules), done


@pytest.mark.parametrize(
    ("arguments", "banned"),
    [
        (["--version"], {"textual", "sqlite_utils", "pydantic", "rich"}),
        (["--help"], {"textual", "sqlite_utils", "pydantic", "rich"}),
        (["status", "--json"], {"textual", "pydantic", "rich", "aiohttp"}),
        (["queue", "list", "--json"], {"textual", "pydantic", "rich", "aiohttp"}),
        (["failures", "list", "--json"], {"textual", "pydantic", "rich", "aiohttp"}),
        (["schedules", "list", "--json"], {"textual", "pydantic", "rich", "aiohttp"}),
        (["collect", "demo", "--json"], {"textual", "aiohttp", "feedparser"}),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments, banned, tmp_path):
    modules, done = loaded(*arguments, home=tmp_path / "home")
    assert done.returncode in {0, 1}, done.stderr
    assert modules & banned == set()


def test_the_queue_stands_alone():
    code = "import sys, worker.queue; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"textual", "aiohttp", "pydantic", "worker.research", "notion_client"} & set(
        done.stdout.split()
    ) == set()


def test_nothing_unpickles():
    for path in [*(ROOT / "worker").rglob("*.py"), *(ROOT / "console").rglob("*.py")]:
        assert not {"pickle", "marshal", "shelve", "dill"} & set(imports(path)), path


def test_modules_stay_small():
    long = {
        str(path.relative_to(ROOT)): lines
        for room in ("worker", "console")
        for path in (ROOT / room).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_every_setting_is_commented():
    for path in (ROOT / "config").rglob("*.yaml"):
        commented = False
        for line in path.read_text().splitlines():
            commented = bool(line) and (commented or line.startswith("#"))
            if line and not line.startswith((" ", "#", "-")):
                assert commented or "#" in line or line.endswith(":"), f"{path.name}: {line}"


def test_the_picture_and_the_files_of_the_readme_are_there():
    import re
    from urllib.parse import unquote

    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text):
        assert (ROOT / unquote(target)).exists(), target
    for name in re.findall(r"`((?:worker|console|config|tests)(?:/[\w.]+)+)`", text):
        assert (ROOT / name).exists(), name
