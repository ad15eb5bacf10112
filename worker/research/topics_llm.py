"""Names for topics by a language model: it says what a topic is and what to write; it never ranks.

Headlines are data. They are sent as JSON in a message of their own, and what comes back is held to what was
sent: a known id, words that several headlines use, no number and no address of its own. An answer that does
not hold is dropped, and the topic keeps its phrase. So a headline that gives orders wins nothing, even where
the model obeys it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import Counter
from dataclasses import asdict, dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from worker.research.clock import Clock, utc_now
from worker.research.errors import LlmError, LlmRefusedError
from worker.research.llm import ChatEndpoint, LlmOptions, json_in
from worker.research.llm_budget import Budget, estimate
from worker.research.phrases import stems
from worker.research.text import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from worker.research.library import Library
    from worker.research.markets import Market
    from worker.research.topics import Topic

BATCH: Final = 8
MAX_HEADLINE: Final = 160
TOKENS_OF_ANSWER: Final = 160
KEPT_DAYS: Final = 90
_ADDRESS: Final = re.compile(
    r"://|www\.|\b[\w-]+\.(?:com|net|org|io|de|info|xyz|ru|cn|top|biz)\b|[<>`\[\]{}]", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"\d+")
# This share of a title's words must stand in the headlines, and of a summary's.
_OF_TITLE, _OF_SUMMARY = 0.5, 0.25


class Named(BaseModel):
    """What a model says of one topic."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: int
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]
    summary: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    angle: Annotated[str, StringConstraints(strip_whitespace=True, max_length=400)] = ""


class Names(BaseModel):
    """What a model answers."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    topics: tuple[Named, ...]


@dataclass(slots=True)
class NamingReport:
    """What a model did for a ranking, and what it cost.

    Attributes:
        named: topics that have the model's name now, those remembered included.
        remembered: of them, how many had been named before by the same question.
        refused: answers that did not hold to what was asked.
        tokens: of this run; day_tokens: of this day over all runs, this one included.
        reason: why not all were named; None where they were.
    """

    model: str
    named: int = 0
    remembered: int = 0
    refused: int = 0
    requests: int = 0
    tokens: int = 0
    run_budget: int = 0
    day_tokens: int = 0
    day_budget: int = 0
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same in JSON's own types."""
        return asdict(self)


def name_topics(
    topics: Sequence[Topic],
    market: Market,
    library: Library,
    options: LlmOptions,
    *,
    report: Callable[[int, int, str], None] | None = None,
    now: Clock = utc_now,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> tuple[tuple[Topic, ...], NamingReport]:
    """The topics with the model's names where it gave good ones; the order and the scores stay.

    Whatever goes wrong with the model, the topics are returned, with the reason in the report.

    Args:
        topics: as ranked.
        market: for whom.
        library: remembers answers and what was spent.
        options: which model, and how much it may cost.
        report: called with (topics done, topics in all, a short note); what it raises ends the naming.
        now: the clock.
        pause: how to wait, in seconds.

    Raises:
        LibraryError: the library cannot be read or written.
    """
    naming = _Naming(market, library, options, now)
    naming.run(topics[: options.topics], report or (lambda *_: None), pause)
    return tuple(naming.applied(topic) for topic in topics), naming.report


class _Naming:
    """One run of naming."""

    def __init__(self, market: Market, library: Library, options: LlmOptions, now: Clock) -> None:
        self._market, self._library, self._options, self._now = market, library, options, now
        self._budget = Budget(library, options, now)
        self._names: dict[str, Named] = {}
        self._rules = (resources.files("worker.research") / "prompts" / "name_topics.md").read_text("utf-8")
        self.report = NamingReport(
            options.model, run_budget=options.run_tokens, day_budget=options.day_tokens
        )

    def run(
        self,
        topics: Sequence[Topic],
        tell: Callable[[int, int, str], None],
        pause: Callable[[float], Awaitable[object]],
    ) -> None:
        """Names what is not remembered, a batch at a time, until all are named or something is wrong."""
        hashes = {topic.key: self._hash(topic) for topic in topics}
        missing = [topic for topic in topics if not self._recall(topic, hashes[topic.key])]
        try:
            asyncio.run(self._ask_all(missing, hashes, tell, pause))
        except LlmError as error:
            self.report.reason = str(error)
        self.report.named = len(self._names)
        self.report.tokens = self._budget.spent
        self.report.day_tokens = self._budget.today()

    def applied(self, topic: Topic) -> Topic:
        """The topic with its name, where it has one."""
        named = self._names.get(topic.key)
        if named is None:
            return topic
        return replace(
            topic,
            title=named.title,
            summary=named.summary or None,
            angle=named.angle or None,
            named_by=self._options.model,
        )

    async def _ask_all(
        self,
        topics: Sequence[Topic],
        hashes: dict[str, str],
        tell: Callable[[int, int, str], None],
        pause: Callable[[float], Awaitable[object]],
    ) -> None:
        async with ChatEndpoint(self._options, pause=pause) as endpoint:
            try:
                for at in range(0, len(topics), BATCH):
                    tell(at, len(topics), f"naming topics, {at} of {len(topics)}")
                    await self._ask(endpoint, topics[at : at + BATCH], hashes)
            finally:
                self.report.requests = endpoint.requests

    async def _ask(self, endpoint: ChatEndpoint, batch: Sequence[Topic], hashes: dict[str, str]) -> None:
        question = self._question([self._payload(topic) for topic in batch])
        for last in (False, True):
            room = TOKENS_OF_ANSWER * len(batch) + 100
            reserved = estimate(self._rules) + estimate(question) + room
            self._budget.reserve(reserved)
            try:
                answer = await endpoint.ask(self._rules, question, _schema(), max_tokens=room)
            except LlmRefusedError:
                self._budget.settle(reserved, 0)
                raise
            self._budget.settle(reserved, answer.tokens)
            try:
                names = Names.model_validate_json(json_in(answer.text))
            except ValidationError as error:
                if last:
                    raise LlmError("the model's answers were not of the form that was asked for") from error
                continue
            self._take(names, batch, hashes)
            return

    def _take(self, names: Names, batch: Sequence[Topic], hashes: dict[str, str]) -> None:
        """Keeps the answers that hold to what was sent; the first for each topic."""
        good: dict[str, Named] = {}
        for named in names.topics:
            topic = batch[named.id - 1] if 1 <= named.id <= len(batch) else None
            if topic is None or topic.key in good or not (held := _held(named, topic, self._market)):
                self.report.refused += 1
            else:
                good[topic.key] = held
        self._names |= good
        at = self._now().timestamp()
        with self._library.transaction() as conn:
            conn.execute("DELETE FROM llm_answer WHERE at < ?", (at - KEPT_DAYS * 86_400,))
            conn.executemany(
                "INSERT OR REPLACE INTO llm_answer (hash, at, model, answer) VALUES (?, ?, ?, ?)",
                [
                    (hashes[key], at, self._options.model, named.model_dump_json())
                    for key, named in good.items()
                ],
            )

    def _recall(self, topic: Topic, question: str) -> bool:
        rows = self._library.rows("SELECT answer FROM llm_answer WHERE hash = ?", question)
        if not rows:
            return False
        self._names[topic.key] = Named.model_validate_json(rows[0][0])
        self.report.remembered += 1
        return True

    def _hash(self, topic: Topic) -> str:
        asked = [self._options.model, self._rules, self._question([self._payload(topic)])]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    def _question(self, topics: Sequence[dict[str, Any]]) -> str:
        market = self._market
        return json.dumps(
            {
                "market": {
                    "language": market.language, "country": market.market, "vertical": market.vertical,
                    "audience": market.target_audience, "keywords": market.seed_keywords,
                },
                "topics": [{"id": number} | topic for number, topic in enumerate(topics, 1)],
            },
            ensure_ascii=False,
        )  # fmt: skip

    def _payload(self, topic: Topic) -> dict[str, Any]:
        headlines = dict.fromkeys(clean(one.title, MAX_HEADLINE) for one in topic.samples)
        return {"phrase": topic.phrases[0] if topic.phrases else topic.title, "headlines": sorted(headlines)}


def _held(named: Named, topic: Topic, market: Market) -> Named | None:
    """The answer, if it says nothing that the headlines do not; a part that does is left out."""
    headlines = [one.title for one in topic.samples]
    own_words = {word for phrase in topic.phrases for word in phrase.split()}
    # What a single headline says is not yet what the topic says, unless there is but one.
    said_by = Counter(word for headline in headlines for word in set(stems(headline)))
    shared = {word for word, n in said_by.items() if n >= min(2, len(headlines))}
    known = own_words | shared | {word for keyword in market.seed_keywords for word in stems(keyword)}
    numbers = set(_NUMBER.findall(" ".join(headlines)))

    def holds(text: str, share: float) -> bool:
        said = stems(text)
        close = sum(_is_close(word, known) for word in said)
        own = any(_is_close(word, own_words) for word in said)
        return bool(
            said and own and close >= share * len(said)
            and not _ADDRESS.search(text) and numbers.issuperset(_NUMBER.findall(text))
        )  # fmt: skip

    title = clean(named.title, 100).rstrip(".")
    if not holds(title, _OF_TITLE):
        return None
    summary, angle = clean(named.summary, 500), clean(named.angle, 400)
    return Named(
        id=named.id,
        title=title,
        summary=summary if summary and holds(summary, _OF_SUMMARY) else "",
        angle=angle if angle and holds(angle, 0.0) else "",
    )


def _is_close(word: str, known: set[str]) -> bool:
    """Whether a word, or one it is made of or is part of, is among the known."""
    return word in known or (
        len(word) >= 5 and any(word in other or (len(other) >= 5 and other in word) for other in known)
    )


def _schema() -> dict[str, Any]:
    """The answer's form as strict JSON schema: every property required, none beside them."""
    text = {"type": "string"}
    item = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "title": text, "summary": text, "angle": text},
        "required": ["id", "title", "summary", "angle"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"topics": {"type": "array", "items": item}},
        "required": ["topics"],
        "additionalProperties": False,
    }
