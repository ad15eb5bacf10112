from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from worker.config import ConfigError, load_model

if TYPE_CHECKING:
    from pathlib import Path


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    level: int = Field(default=1, ge=1)
    secret: SecretStr | None = None


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    feeds: list[str] = []
    inner: Inner = Inner()
    by_name: dict[str, Inner] = {}
    either: Inner | None = None


def sentences(path: Path, text: str | bytes) -> list[str]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load_model(path, Outer)
    assert [str(fault) for fault in caught.value.faults] == str(caught.value).splitlines()
    assert all(fault.path == path for fault in caught.value.faults)
    return [str(fault).removeprefix(str(path)) for fault in caught.value.faults]


def test_a_good_file_becomes_the_model(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("name: Käse\nfeeds: [a, b]\nby_name:\n  x: {level: 3}\n")
    assert load_model(path, Outer) == Outer(name="Käse", feeds=["a", "b"], by_name={"x": Inner(level=3)})


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: x\n")
    assert load_model(path, Outer).name == "x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("feeds: []\n", [":1: name: expected a value, found no such key"]),
        ("name: no\n", [":1: name: expected text, found false (put it in quotes to make it text)"]),
        ("name:\n", [":1: name: expected text, found nothing"]),
        (
            "name: x\nfeeds:\n  - a\n  - 7\n",
            [":4: feeds.1: expected text, found 7 (put it in quotes to make it text)"],
        ),
        ("name: x\nfeeds: a\n", [":2: feeds: expected a list, found 'a'"]),
        ("name: x\ninner: [1]\n", [":2: inner: expected a group of keys, found a list of 1"]),
        ("name: x\ninner:\n  level: 0\n", [":3: inner.level: expected a number of at least 1, found 0"]),
        ("name: x\ninner:\n  level: many\n", [":3: inner.level: expected a whole number, found 'many'"]),
        ("name: x\nfeds: [a]\n", [":2: feds: unknown key; did you mean feeds?"]),
        ("name: x\ninner:\n  lvel: 2\n", [":3: inner.lvel: unknown key; did you mean level?"]),
        (
            "name: x\nby_name:\n  q:\n    levle: 2\n",
            [":4: by_name.q.levle: unknown key; did you mean level?"],
        ),
        ("name: x\neither:\n  levle: 2\n", [":3: either.levle: unknown key; did you mean level?"]),
        ("name: x\ninner: {zzzzz: 2}\n", [":2: inner.zzzzz: unknown key; known are level, secret"]),
        ("name: x\nname: y\n", [":2: name: expected each key once, found it again (first in line 1)"]),
        ("- a\n", [": expected keys with values at the top level, found a list"]),
        ("just text\n", [": expected keys with values at the top level, found 'just text'"]),
        ("", [": expected settings, found an empty file"]),
        ("# only a comment\n", [": expected settings, found an empty file"]),
        ("? [a, b]\n: 1\n", [":1: expected a key of plain text, found a list or a group of keys"]),
        ("name: !!python/object:os.system x\n", [":1: expected plain values, found a YAML tag, column 7"]),
        (b"name: x\nfeeds: [\xff]\n", [":2: expected UTF-8 text, found the byte 0xff"]),
        (b"name: x\nfeeds: [\x07]\n", [":2: expected text, found the control character U+0007"]),
    ],
)
def test_each_fault_is_one_sentence_with_its_line(tmp_path, text, expected):
    assert sentences(tmp_path / "a.yaml", text) == expected


def test_all_faults_are_named_in_the_order_of_the_file(tmp_path):
    found = sentences(tmp_path / "a.yaml", "inner:\n  level: 0\nname: 5\nfoo: 1\n")
    assert [line.split(":")[1] for line in found] == ["2", "3", "4"]


@pytest.mark.parametrize(
    "text", ["name: [a\n", "name: 'a\n", "a: b: c\n", "name: x\n\tfeeds: 1\n", "name: *nowhere\n"]
)
def test_malformed_yaml_names_line_and_column(tmp_path, text):
    (found,) = sentences(tmp_path / "a.yaml", text)
    assert "not valid YAML" in found
    assert ", column " in found


@pytest.mark.parametrize("text", ["name: 2026-13-45\n", "name: " + "9" * 5000, "a: " + "[" * 3000])
def test_what_python_cannot_hold_is_a_sentence_too(tmp_path, text):
    assert len(sentences(tmp_path / "a.yaml", text)) == 1


def test_an_alias_that_leads_back_to_itself_ends(tmp_path):
    assert sentences(tmp_path / "a.yaml", "name: x\nfeeds: &a [*a]\n")


def test_a_missing_file_and_a_folder_are_said(tmp_path):
    for path, words in ((tmp_path / "none.yaml", "found none"), (tmp_path, "found a folder")):
        with pytest.raises(ConfigError, match=words):
            load_model(path, Outer)


def test_a_bad_value_is_shown_cleaned_and_short(tmp_path):
    (found,) = sentences(tmp_path / "a.yaml", 'name: x\nfeeds: "\\e[31m' + "y" * 500 + '"\n')
    assert "\x1b" not in found
    assert r"\x1b[31m" in found
    assert len(found) < 130


def test_a_secret_is_never_shown(tmp_path):
    (found,) = sentences(tmp_path / "a.yaml", "name: x\ninner: {secret: [hunter2]}\n")
    assert "hunter2" not in found
    (found,) = sentences(tmp_path / "a.yaml", "name: x\ninner: {secret: 12345}\n")
    assert (
        found
        == ":2: inner.secret: expected text, found a value that is kept secret (put it in quotes to make it text)"
    )
