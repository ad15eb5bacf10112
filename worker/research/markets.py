"""What a market is: where to look, in which language, for what.

A market is one file, `config/markets/NAME.yaml`. Some keys are for content generation; they are accepted so that
a file written for it loads.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
)

from worker.config import ConfigError, Fault, load_model, shown
from worker.places import market_names
from worker.research.errors import MarketError, OpmlError
from worker.research.opml import Outline, read_opml
from worker.research.urls import canonical_url, comparison_key


def _http_url(value: str) -> str:
    if not value.strip().lower().startswith(("http://", "https://")):
        raise ValueError("expected a URL that begins with http:// or https://")
    if canonical_url(value) is None:
        raise ValueError("expected a complete URL, with a host and no spaces")
    return value.strip()


def _clock_time(value: Any) -> Any:
    # YAML 1.1 reads a bare 12:30 as the base-60 number 750: https://yaml.org/type/int.html
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return f"{value // 60:02d}:{value % 60:02d}"
    if not isinstance(value, str) or not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", value):
        raise ValueError('expected a time of day such as "02:00"')
    return value.zfill(5)


def _cron(value: str) -> str:
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - only files that name a schedule need it

    try:
        CronSim(value, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"expected a cron expression of five fields such as 0 6 * * * ({error})") from error
    return value


def _inner_path(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or "\\" in value or ".." in path.parts or not path.name:
        raise ValueError("expected a path inside the folder of the market's file")
    return str(path)


def _private_place(value: str) -> str:
    value = value.strip()
    try:
        ipaddress.ip_network(value.strip("[]"), strict=False)
    except ValueError:
        # Addresses of any other spelling, and whole URLs, would never match anything.
        if not re.fullmatch(r"(?=.*[a-z])[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", value, re.IGNORECASE):
            raise ValueError(
                "expected a host name, an address or a network, such as 127.0.0.1 or 10.0.0.0/8"
            ) from None
    return value


def _subreddit(value: str) -> str:
    name = value.strip().removeprefix("/").removeprefix("r/").strip("/")
    if not re.fullmatch(r"[A-Za-z0-9_]{2,21}", name):
        raise ValueError("expected the name of a subreddit, 2 to 21 letters, digits or _")
    return name


Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
ClockTime = Annotated[str, BeforeValidator(_clock_time)]
Cron = Annotated[str, AfterValidator(_cron)]
InnerPath = Annotated[str, AfterValidator(_inner_path)]
PrivatePlace = Annotated[str, AfterValidator(_private_place)]
Subreddit = Annotated[str, AfterValidator(_subreddit)]
# The country that most readers of a language's news are in, where the market does not name one.
REGIONS = {
    "cs": "CZ", "da": "DK", "de": "DE", "en": "US", "es": "ES", "fi": "FI", "fr": "FR", "it": "IT", "ja": "JP",
    "nb": "NO", "nl": "NL", "no": "NO", "pl": "PL", "pt": "PT", "sv": "SE", "tr": "TR",
}  # fmt: skip
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Collectors(_Section):
    """Which kinds of sources are used.

    Attributes:
        rss_enabled: the feeds, also those of the OPML file and those that ship.
        search_enabled: news searches for each keyword.
        autocomplete_enabled: what search engines complete each keyword to.
        full_text: fetch the page of an entry whose feed gives only a few words of it.
    """

    rss_enabled: bool = True
    search_enabled: bool = False
    reddit_enabled: bool = False
    trends_enabled: bool = False
    autocomplete_enabled: bool = False
    full_text: bool = False
    custom_feeds: tuple[HttpUrl, ...] = ()
    reddit_subreddits: tuple[Subreddit, ...] = ()


class Scheduling(_Section):
    """When things happen for this market, and over how many days topics are ranked."""

    collection_time: ClockTime = "02:00"
    notion_sync_day: Weekday = "monday"
    lookback_days: int = Field(default=7, ge=1, le=365)


class Market(_Section):
    """One market, as its file describes it.

    Attributes:
        bundled_feeds: feed files beside the market's file, served over loopback HTTP while it is collected.
        region: the country's two letters, for services that differ by country; None: as the language suggests.
        opml_file: a list of feeds beside the market's file.
        allow_private: hosts, addresses and networks that may be asked though they are not public.
        discovery_schedule_cron: when new feeds are searched for, at the next `feed_discovery`; unnamed: never.
        reranker, synthesizer, image_style_preferences, …: for content generation; accepted, not read here.
    """

    enabled: bool = True
    domain: Text
    market: Text
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    vertical: Text
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    seed_keywords: tuple[Text, ...] = Field(min_length=1)
    excluded_keywords: tuple[Text, ...] = ()
    target_audience: str | None = None
    competitor_urls: tuple[HttpUrl, ...] = ()
    rss_feeds: tuple[HttpUrl, ...] = ()
    bundled_feeds: tuple[InnerPath, ...] = ()
    allow_private: tuple[PrivatePlace, ...] = ()
    opml_file: InnerPath | None = None
    reddit_subreddits: tuple[Subreddit, ...] = ()
    discovery_schedule_cron: Cron = "0 6 * * *"
    research_max_sources: int = Field(default=8, ge=3, le=20)
    research_depth: Literal["quick", "balanced", "deep"] = "balanced"
    collectors: Collectors = Collectors()
    scheduling: Scheduling = Scheduling()
    brand_tone: tuple[str, ...] = ()
    enable_image_generation: bool = False
    image_quality: str | None = None
    image_style_preferences: dict[str, Any] = Field(default_factory=dict)
    reranker: dict[str, Any] = Field(default_factory=dict)
    synthesizer: dict[str, Any] = Field(default_factory=dict)

    _path: Path = PrivateAttr(default=Path("unnamed.yaml"))
    _listed: tuple[Outline, ...] = PrivateAttr(default=())

    @property
    def name(self) -> str:
        """The market's short name: its file's, without the ending."""
        return self._path.stem

    @property
    def path(self) -> Path:
        """The market's file."""
        return self._path

    @property
    def folder(self) -> Path:
        """Where the market's file lies, and its bundled feeds beside it."""
        return self._path.parent

    @property
    def feeds(self) -> tuple[str, ...]:
        """The addresses of its feeds, each once however often and however spelt it is named."""
        if not self.collectors.rss_enabled:
            return ()
        named = (*self.rss_feeds, *self.collectors.custom_feeds, *(one.url for one in self._listed))
        unique: dict[str, str] = {}
        for url in named:
            unique.setdefault(comparison_key(canonical_url(url) or url), url)
        return tuple(unique.values())

    @property
    def bundled(self) -> tuple[str, ...]:
        """Its bundled feeds, each once."""
        return tuple(dict.fromkeys(self.bundled_feeds)) if self.collectors.rss_enabled else ()

    @property
    def region_code(self) -> str:
        """The country, as services that differ by country want it: its `region`, or what the language suggests."""
        tag = self.language.partition("-")[2].upper()
        return self.region or (tag if re.fullmatch("[A-Z]{2}", tag) else REGIONS.get(self.language[:2], "US"))

    @property
    def listed(self) -> tuple[Outline, ...]:
        """The feeds of its OPML file."""
        return self._listed


def load_market(config_dir: Path, name_or_path: str) -> Market:
    """The market of this name, or of this file.

    Args:
        config_dir: the folder that holds `markets/`.
        name_or_path: "proptech_de", or "config/markets/proptech_de.yaml"; a relative path is tried
            from the current folder, then from the configuration's.

    Raises:
        MarketError: there is no such market; names those there are.
        worker.config.ConfigError: its file has faults.
    """
    path = _find(config_dir, name_or_path)
    market = load_model(path, Market)
    market._path = path  # noqa: SLF001 - its own module: the name is the file's, not a key in it
    if market.opml_file is not None:
        try:
            market._listed = read_opml(market.folder / market.opml_file)  # noqa: SLF001
        except OpmlError as error:
            raise ConfigError(Fault(path, None, "opml_file", str(error))) from error
    return market


def _find(config_dir: Path, name_or_path: str) -> Path:
    known = market_names(config_dir)
    if name_or_path in known:
        return config_dir / "markets" / f"{name_or_path}.yaml"
    if "\0" not in name_or_path and name_or_path.endswith((".yaml", ".yml")):
        given = Path(name_or_path).expanduser()
        tried = [given, config_dir / given]
        if given.parts[:-1] == ("config", "markets"):  # as in the checkout, wherever the folder is now
            tried.append(config_dir / "markets" / given.name)
        for path in tried:
            if path.is_file():
                return path
    near = difflib.get_close_matches(Path(name_or_path.replace("\0", "")).stem, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    names = ", ".join(known) or "none"
    raise MarketError(f"there is no market {shown(name_or_path)}{hint} (known in {config_dir}: {names})")
