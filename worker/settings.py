"""Settings: how the system runs, from `settings.yaml` and `TOPIC_*` variables; and the secrets.

What a variable says wins over the file: `TOPIC_WORKERS=4`, `TOPIC_RETRY__DELAY=1`.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from worker.config import ConfigError, Fault, load_model
from worker.queue.alerts import Limits
from worker.queue.arguments import HIDDEN
from worker.queue.catch_up import DEFAULT_WINDOW_S, CatchUp, ScheduleSpec
from worker.queue.cron import Cron
from worker.queue.retention import DAY_S, Retention
from worker.redaction import env_files

if TYPE_CHECKING:
    from worker.places import Home

SETTINGS_FILE = "settings.yaml"
PREFIX = "TOPIC_"
# Variables that say where things are; they are no settings.
PLACES = frozenset({"TOPIC_HOME", "TOPIC_CONFIG"})


def _known_zone(name: str) -> str:
    _ = Cron("0 0 * * *", name).zone
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]
Positive = Annotated[float, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Retry(_Strict):
    """How a failed collection is tried again."""

    attempts: Annotated[int, Field(ge=0, le=20)] = 3
    """Retries after the first attempt."""
    delay: Annotated[float, Field(ge=0)] = 60.0
    """Seconds before the first retry."""
    backoff: Annotated[float, Field(ge=1)] = 2.0
    """Each further retry waits this many times longer."""


class ScheduleSettings(_Strict):
    """One schedule."""

    cron: str
    timezone: TimeZone | None = None
    """None: the installation's time zone."""
    catch_up: CatchUp = CatchUp.ONCE
    catch_up_window: Positive = DEFAULT_WINDOW_S
    """Seconds; a tick missed by more is not caught up."""
    enabled: bool = True

    @model_validator(mode="after")
    def _valid_cron(self) -> ScheduleSettings:
        Cron(self.cron)
        return self


class Schedules(_Strict):
    """When the periodic tasks run."""

    daily_collection: ScheduleSettings = ScheduleSettings(cron="0 2 * * *")
    weekly_notion_sync: ScheduleSettings = ScheduleSettings(cron="0 9 * * 1")
    feed_discovery: ScheduleSettings = ScheduleSettings(cron="0 6 * * *")


class Collect(_Strict):
    """Limits of collecting."""

    timeout: Positive = 20.0
    """Seconds for one source, redirects included."""
    max_body_mb: Positive = 15.0
    """A larger answer is refused."""
    concurrency: Annotated[int, Field(ge=1, le=256)] = 64
    """Sources fetched at once."""
    host_concurrency: Annotated[int, Field(ge=1, le=16)] = 2
    """Requests to one host at once."""
    host_delay: Annotated[float, Field(ge=0)] = 0.25
    """Seconds between two requests to one host."""
    services: dict[
        Literal["reddit", "reddit_api", "trends", "suggestions", "google_news", "bing_news"], str
    ] = Field(default_factory=dict)
    """Other addresses than the usual ones, for a gateway or a mirror of one's own."""


class RetentionSettings(_Strict):
    """How long history is kept; dead letters and the journal are kept until somebody deals with them."""

    successes_days: Positive = 30.0
    failures_days: Positive = 180.0
    undo_days: Positive = 30.0
    """How long what an operator took away can be brought back."""

    def as_seconds(self) -> Retention:
        """As the queue wants it."""
        return Retention(self.successes_days * DAY_S, self.failures_days * DAY_S, self.undo_days * DAY_S)


class AlertSettings(_Strict):
    """What is told without being asked; where to is a secret, `ALERT_URLS`. 0 seconds: never."""

    worker_silent: Annotated[float, Field(ge=0)] = 60.0
    """Seconds without a heartbeat."""
    oldest_age: Annotated[float, Field(ge=0)] = 900.0
    """Seconds that the oldest ready task has waited."""
    schedule_overdue: Annotated[float, Field(ge=0)] = 300.0
    """Seconds that a tick has not fired."""
    new_cause: bool = True
    """Failures of a kind that was not there before."""
    console: Literal["off", "bell", "notify"] = "off"
    """What an open console does: nothing, ring the bell, or a notification of the terminal."""

    def as_limits(self) -> Limits:
        """As the queue wants it."""
        return Limits(self.worker_silent, self.oldest_age, self.schedule_overdue, self.new_cause)


class Notion(_Strict):
    """Where topics are synced to; the token is a secret, `NOTION_TOKEN`."""

    database_id: str = ""
    base_url: str | None = None
    """None: Notion itself."""
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    """Topics a week and market."""


class Llm(_Strict):
    """The model that names topics; it is asked where it has a key or an address. The key is a secret, `LLM_API_KEY`."""

    base_url: str | None = None
    """Of any OpenAI-compatible endpoint; `LLM_BASE_URL` wins. None: Alibaba's, where qwen-turbo is at home."""
    model: str = "qwen-turbo"
    """`LLM_MODEL` wins."""
    topics: Annotated[int, Field(ge=1, le=100)] = 30
    """So many of the best of a ranking are named."""
    run_tokens: Annotated[int, Field(ge=0)] = 20_000
    """Question and answer together, for one ranking."""
    day_tokens: Annotated[int, Field(ge=0)] = 100_000
    """For one day (UTC), over all rankings."""
    timeout: Positive = 30.0
    """Seconds for one request."""


class Reports(_Strict):
    """The weekly report as files."""

    enabled: bool = True
    folder: str = ""
    """Empty: `reports` in the data folder."""
    topics: Annotated[int, Field(ge=1, le=100)] = 25
    """Topics in a report."""


class Settings(BaseSettings):
    """How the system runs."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    environment: Annotated[str, Field(max_length=24)] = ""
    """Shown as a badge in the console, so that production looks different; for example `production`."""
    environment_colour: Annotated[str, Field(pattern=r"^(#[0-9a-fA-F]{6})?$")] = ""
    """Of that badge, `#rrggbb`; empty: the console's own."""
    workers: Annotated[int, Field(ge=1, le=128)] = 2
    worker_type: Literal["thread", "process"] = "thread"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    shutdown_timeout: Annotated[float, Field(ge=0)] = 30.0
    """Seconds that running tasks get to finish after the first signal."""
    timezone: TimeZone = "UTC"
    """Of schedules that name none."""
    retry: Retry = Retry()
    schedules: Schedules = Schedules()
    retention: RetentionSettings = RetentionSettings()
    collect: Collect = Collect()
    notion: Notion = Notion()
    llm: Llm = Llm()
    reports: Reports = Reports()
    alerts: AlertSettings = AlertSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables first, then what was read from the file."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    def schedule_specs(self) -> dict[str, ScheduleSpec]:
        """The schedules as the queue wants them, by the name of their task."""
        return {
            name: ScheduleSpec(
                Cron(schedule.cron, schedule.timezone or self.timezone),
                schedule.catch_up,
                schedule.catch_up_window,
                schedule.enabled,
            )
            for name, schedule in self.schedules
        }


class _FileSettings(Settings):
    """The file alone: a fault in a variable must not be told as one of the file."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was read, and nothing else."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


class Variables(BaseSettings):
    """What the environment or `.env` says of the model beside its key, by the names other programs use, too."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    llm_base_url: str | None = None
    llm_model: str | None = None


class Secrets(BaseSettings):
    """What must appear in no log, run, argument, dead letter or screen."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    notion_token: SecretStr | None = None
    alert_urls: SecretStr | None = None
    """Where alerts go: apprise URLs, with spaces or new lines between them."""
    llm_api_key: SecretStr | None = None
    reddit_client_id: str | None = None
    reddit_client_secret: SecretStr | None = None
    reddit_feed_user: str | None = None
    reddit_feed_token: SecretStr | None = None

    def redact(self, text: str) -> str:
        """The text with every secret's value hidden."""
        for name, secret in self:
            value = secret.get_secret_value() if isinstance(secret, SecretStr) else ""
            # Each address is a secret of its own: it carries a token, or a password.
            for one in value.split() if name == "alert_urls" else [value]:
                # A very short value would hide half of every text, and is no secret.
                if len(one) >= 6:
                    for written in _ways_to_write(one):
                        text = text.replace(written, HIDDEN)
        return text


@functools.cache
def _ways_to_write(secret: str) -> frozenset[str]:
    """As it is, in a repr, either of them in JSON, and in an address."""
    plain = {secret, repr(secret)[1:-1]}
    in_json = {
        json.dumps(one, ensure_ascii=ascii_only)[1:-1] for one in plain for ascii_only in (True, False)
    }
    return frozenset(plain | in_json | {quote(secret, safe="")})


def load_settings(config: Path) -> Settings:
    """The settings of a configuration folder; what the file leaves out has its default.

    Raises:
        ConfigError: a fault in the file or in a variable; each is named.
    """
    path = config / SETTINGS_FILE
    # A folder that holds only markets is fine.
    from_file = load_model(path, _FileSettings) if path.exists() else None
    given: dict[str, Any] = from_file.model_dump(exclude_unset=True) if from_file else {}
    _refuse_unknown_variables()
    try:
        return Settings(**given)
    except ValidationError as error:
        raise ConfigError(*(_variable_fault(fault) for fault in error.errors())) from error


def _refuse_unknown_variables() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = [
        name
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name not in PLACES and name.partition("__")[0] not in known
    ]
    if unknown:
        names = ", ".join(sorted(known))
        raise ConfigError(Fault(Path(unknown[0]), None, "", f"no setting of this name; known are {names}"))


def _variable_fault(fault: Any) -> Fault:
    name = PREFIX + "__".join(str(part) for part in fault["loc"]).upper()
    return Fault(Path(name), None, "", f"{fault['msg']}, found {fault['input']!r:.60}")


def load_variables(home: Home | None = None) -> Variables:
    """What the environment, or `.env` in the working directory or the home, says beside settings and secrets."""
    return Variables(_env_file=env_files(home))  # type: ignore[call-arg]  # a parameter of the base class's __init__


def load_secrets(home: Home | None = None) -> Secrets:
    """The secrets from the environment, or from `.env` in the working directory or the home."""
    return Secrets(_env_file=env_files(home))  # type: ignore[call-arg]  # a parameter of the base class's __init__


def check_market(config: Path, name: str, source: str | None = None) -> None:
    """Whether a market's file is valid, and names a source.

    Args:
        config: the configuration folder.
        name: the market's name, or a path to its file.
        source: the key of a source that it must have; None: none in particular.

    Raises:
        ConfigError: it is missing or faulty; each fault is named with its line.
    """
    from worker.research.errors import (  # noqa: PLC0415 - a console that only looks needs no market
        MarketError,
        SourceError,
    )
    from worker.research.markets import load_market  # noqa: PLC0415

    try:
        market = load_market(config, name)
        if source is not None:
            from worker.research.choice import find  # noqa: PLC0415
            from worker.research.sources.catalogue import sources_of  # noqa: PLC0415

            find(market.name, sources_of(market), source)
    except (MarketError, SourceError) as error:
        raise ConfigError(Fault(config / "markets", None, "", str(error))) from error
