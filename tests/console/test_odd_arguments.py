"""Whatever is typed: every command answers with an exit code and at the most a sentence, never with a traceback."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from console import cli
from tests.console import homes
from worker import cli as worker_cli

ROOT = Path(__file__).parents[2]
ODD = (
    "", "-1", "99999999999999999999999", "1e400", "\x1b]52;c;eA==\x07", "\udcff", "[/foo] %s ' OR 1=1", "NEAR(",
    "0001-01-01T00:00:00+23:59", "999999999999h", "age>1e999d", "is:x", "[" * 20_000, '{"kwargs": {"": [1e999]}}',
)  # fmt: skip
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# What would go on for ever, or write where the test stands.
NOT_HERE = {
    "serve",
    "--home",
    "--config",
    "--wait",
    "--follow",
    "-f",
    "-o",
    "--output",
    "--folder",
    "--help",
    "-h",
    "--version",
}


def leaves(parser, path=()):
    """Every command with its own parser."""
    deeper = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in deeper:
        for name, one in action.choices.items():
            if name not in NOT_HERE:
                yield from leaves(one, (*path, name))
    if path and not deeper:
        yield path, parser


def calls():
    """Every command with an odd word in each place that takes one, and plain ones in the others."""
    for path, parser in leaves(cli.parser()):
        plain = ["1" for one in parser._actions if not one.option_strings and one.nargs != 0]
        for at in range(len(plain)):
            yield path, [*plain[:at], None, *plain[at + 1 :]]
        for option in parser._actions:
            names = option.option_strings
            if names and option.nargs != 0 and not NOT_HERE.intersection(names):
                yield path, [*plain, f"{names[0]}="]


def filled(arguments, odd):
    """The arguments with an odd word where it belongs."""
    return [odd if one is None else one + odd if one.endswith("=") else one for one in arguments]


CALLS = [
    pytest.param(path, arguments, id=" ".join((*path, *filled(arguments, "?"))))
    for path, arguments in calls()
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    builder = homes.Builder(tmp_path_factory.mktemp("odd") / "home")
    homes.hostile(builder)
    yield builder.home
    builder.close()


@pytest.mark.parametrize(("path", "arguments"), CALLS)
def test_odd_words_are_answered_in_a_sentence(home, capsys, monkeypatch, tmp_path, path, arguments):
    monkeypatch.chdir(tmp_path)
    for at, odd in enumerate(ODD):
        answer = ["--json"] if at % 2 else []
        given = ["--home", str(home.root), *path, *filled(arguments, odd), *answer]
        try:
            code = cli.main(given)
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        assert code in {0, 1, 2}, (odd[:50], said.err[-500:])
        assert "unexpected" not in said.err, (odd[:50], said.err[-500:])
        # argparse repeats what was typed; whoever typed it knows it.
        if "unrecognized arguments" not in said.err:
            assert not STEERING.search(said.err), (odd[:50], said.err[-500:])
        assert not STEERING.search(said.out), (odd[:50], said.out[-500:])
        assert code != 2 or said.err, odd[:50]
        if answer and said.out:
            json.loads(said.out)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--home", "--config"])
@pytest.mark.parametrize(
    ("odd", "why"), [("x" * 300, "too long"), ("~nobody-of-that-name/x", "no user of this name")]
)
def test_a_place_that_cannot_be_is_named(capsys, option, odd, why):
    assert cli.main([option, odd, "status"]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert len(said.splitlines()) == 1


def test_a_terminal_of_few_letters_gets_what_it_can_show(home):
    done = subprocess.run(
        [sys.executable, "-m", "console.cli", "--home", str(home.root), "failures", "list"], capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


def test_the_version_is_said(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("topic-console 0.")


HOSTILE = "\x1b]52;c;eA==\x07\x9b2J\u202e"


@pytest.mark.parametrize("program", [cli.main, worker_cli.main], ids=["console", "worker"])
@pytest.mark.parametrize(
    "words", [[HOSTILE], [f"--{HOSTILE}"], ["check", HOSTILE], ["status", HOSTILE, "--x"]]
)
def test_what_is_refused_is_repeated_without_what_steers_a_terminal(program, words, capsys):
    with pytest.raises(SystemExit) as ended:
        program(words)
    assert ended.value.code == 2
    assert not STEERING.search(capsys.readouterr().err)
