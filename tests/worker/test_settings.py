from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from worker.config import ConfigError
from worker.places import Home, PlaceError, find_config, find_home, shipped_config
from worker.queue.arguments import HIDDEN
from worker.redaction import NAMES, redactor
from worker.settings import Secrets, load_secrets, load_settings


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """No variable of this machine, and a working folder without a configuration."""
    import os

    for name in list(os.environ):
        if name.startswith("TOPIC_") or name in {"NOTION_TOKEN", "LLM_API_KEY", "REDDIT_CLIENT_SECRET"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def settings(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "settings.yaml").write_text(text)
    return load_settings(folder)


def test_what_ships_is_valid_and_says_what_the_seed_said():
    shipped = load_settings(shipped_config())
    assert (shipped.retry.attempts, shipped.retry.delay, shipped.retry.backoff) == (3, 60, 2)
    specs = shipped.schedule_specs()
    assert (specs["daily_collection"].cron.expression, specs["daily_collection"].cron.timezone) == (
        "0 2 * * *",
        "Europe/Berlin",
    )
    assert specs["weekly_notion_sync"].cron.expression == "0 9 * * 1"


def test_a_folder_without_settings_has_the_defaults(tmp_path):
    assert load_settings(tmp_path).workers == 2


def test_an_empty_file_is_said_to_be_one(tmp_path):
    with pytest.raises(ConfigError, match="found an empty file"):
        settings(tmp_path, "# nothing yet\n")


def test_a_variable_wins_over_the_file_one_key_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setenv("TOPIC_RETRY__DELAY", "5")
    monkeypatch.setenv("TOPIC_WORKERS", "7")
    read = settings(tmp_path, "workers: 3\nretry:\n  attempts: 9\n")
    assert (read.workers, read.retry.attempts, read.retry.delay) == (7, 9, 5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("worker: 2\n", "settings.yaml:1: worker: unknown key; did you mean workers?"),
        ("\nworkers: many\n", "settings.yaml:2: workers: expected a whole number, found 'many'"),
        ("workers: 0\n", "settings.yaml:1: workers"),
        ("retry:\n  attempts: 3\n  delay: soon\n", "settings.yaml:3: retry.delay"),
        ("worker_type: fibre\n", "settings.yaml:1: worker_type"),
        ("timezone: Europe/Berln\n", "settings.yaml:1: timezone"),
        ("schedules:\n  daily_collection:\n    cron: 0 25 * * *\n", "settings.yaml:"),
        ("schedules:\n  hourly: {cron: 0 * * * *}\n", "settings.yaml:2: schedules.hourly: unknown key"),
        ("workers: [1\n", "settings.yaml:"),
        ("- a list\n", "settings.yaml"),
        ("workers: 2\nworkers: 3\n", "workers"),
        ("workers: !!python/object/apply:os.system ['true']\n", "settings.yaml"),
    ],
)
def test_each_fault_is_named_with_its_line(tmp_path, text, words):
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text)
    assert words in str(caught.value)


def test_every_fault_is_named_at_once(tmp_path):
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, "workers: many\nlog_level: loud\n")
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    ("name", "value"), [("TOPIC_WORKERS", "many"), ("TOPIC_WORKRS", "2"), ("TOPIC_RETRY__DELAY", "-1")]
)
def test_a_fault_in_a_variable_names_the_variable(tmp_path, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        load_settings(tmp_path)


def test_secrets_are_shown_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("NOTION_TOKEN", "ntn_very_secret_value")
    (tmp_path / ".env").write_text("LLM_API_KEY=sk-also-secret\nUNRELATED=1\n")
    secrets = load_secrets()
    assert secrets.notion_token.get_secret_value() == "ntn_very_secret_value"
    assert secrets.llm_api_key.get_secret_value() == "sk-also-secret"
    for shown in (repr(secrets), str(secrets), secrets.model_dump_json()):
        assert "secret_value" not in shown
        assert "also-secret" not in shown
    assert "secret" not in secrets.redact("Bearer ntn_very_secret_value, sk-also-secret!")


def test_a_secret_is_hidden_however_it_is_written(monkeypatch):
    secret = 'pa"ss\\wörd'
    monkeypatch.setenv("LLM_API_KEY", secret)
    written = f"{secret} {json.dumps(secret)} {json.dumps(secret, ensure_ascii=False)} {secret!r} {json.dumps(repr(secret))} {quote(secret)}"
    shown = load_secrets().redact(written)
    assert (shown.count(HIDDEN), "ss" in shown, "rd" in shown) == (6, False, False)


def test_whoever_loads_no_settings_hides_the_same_secrets(tmp_path, monkeypatch):
    assert {
        name.upper() for name, one in Secrets.model_fields.items() if "SecretStr" in str(one.annotation)
    } == NAMES
    monkeypatch.chdir(tmp_path)
    home = find_home(tmp_path).prepare()
    assert redactor(home)("a sk-also-secret!") == "a sk-also-secret!"
    (tmp_path / ".env").write_text("LLM_API_KEY=sk-also-secret\n")
    assert redactor(home)("a sk-also-secret!") == f"a {HIDDEN}!"


def test_where_things_are(tmp_path, monkeypatch):
    assert find_home(tmp_path / "a").root == tmp_path / "a"
    monkeypatch.setenv("TOPIC_HOME", str(tmp_path / "b"))
    assert find_home().root == tmp_path / "b"
    assert find_home(tmp_path / "a").root == tmp_path / "a"
    assert find_config() == shipped_config()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.yaml").touch()
    assert find_config() == tmp_path / "config"
    monkeypatch.setenv("TOPIC_CONFIG", str(tmp_path / "nowhere"))
    with pytest.raises(PlaceError, match="nowhere"):
        find_config()


def test_a_home_is_made_for_its_owner_alone(tmp_path):
    home = Home(tmp_path / "a" / "b").prepare()
    assert home.root.stat().st_mode & 0o777 == 0o700
