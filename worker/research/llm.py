"""Asking a language model behind any OpenAI-compatible endpoint: bounded, patient, and clear about what went wrong.

The protocol is that of https://platform.openai.com/docs/api-reference/chat/create, as far as all who speak it
agree. Not all can hold an answer to a schema: what an endpoint refuses is asked for more simply.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from worker.research.errors import LlmError, LlmRefusedError
from worker.research.http import user_agent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Self

# Alibaba's international endpoint, where qwen-turbo is at home; any other is a setting.
DEFAULT_BASE_URL: Final = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
DEFAULT_MODEL: Final = "qwen-turbo"
ATTEMPTS: Final = 3
LONGEST_WAIT_S: Final = 30.0
MAX_ANSWER_BYTES: Final = 1_000_000
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
# How the form of the answer is asked for, the strictest first.
_FORMS: Final = ("json_schema", "json_object", "none")


@dataclass(frozen=True, slots=True)
class LlmOptions:
    """Which model is asked, and how much it may cost.

    Attributes:
        base_url: up to and without `/chat/completions`.
        api_key: stands in no error and no log; None where the endpoint wants none.
        timeout_s: for one request.
        run_tokens: for one ranking, question and answer together.
        day_tokens: for one day (UTC), over all rankings.
        topics: how many of the best are named.
    """

    base_url: str = DEFAULT_BASE_URL
    model: str = DEFAULT_MODEL
    api_key: str | None = None
    timeout_s: float = 30.0
    run_tokens: int = 20_000
    day_tokens: int = 100_000
    topics: int = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said, and what it cost; tokens are None where the endpoint does not say."""

    text: str
    tokens: int | None


class ChatEndpoint:
    """The endpoint; use it as an async context manager.

    Args:
        options: which, and with what key.
        pause: how to wait, in seconds.
    """

    def __init__(
        self, options: LlmOptions, *, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._options, self._pause = options, pause
        self._form = 0
        self.requests = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._options.timeout_s),
            headers={"User-Agent": user_agent()},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=True,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def ask(self, system: str, user: str, schema: Mapping[str, Any], *, max_tokens: int) -> Answer:
        """One question; what passes is tried again, what the endpoint does not know is left out.

        Args:
            system: the rules.
            user: the data.
            schema: JSON schema of the answer.
            max_tokens: of the answer.

        Raises:
            LlmRefusedError: the endpoint answered with no completion.
            LlmError: it did not answer, or with something else.
        """
        attempt = 1
        while True:
            status, headers, body = await self._post(self._payload(system, user, schema, max_tokens))
            if status == HTTPStatus.OK:
                return _answer(body)
            sentence = self._words(status, body)
            if status == HTTPStatus.BAD_REQUEST and self._form < len(_FORMS) - 1:
                self._form += 1  # it may not know this form of answer
                continue
            if status not in _PASSING and status != 0:
                raise LlmRefusedError(sentence)
            if attempt == ATTEMPTS:
                raise (LlmRefusedError if status else LlmError)(f"{sentence} ({ATTEMPTS} attempts)")
            await self._pause(_wait(attempt, headers.get("Retry-After", "")))
            attempt += 1

    def _payload(self, system: str, user: str, schema: Mapping[str, Any], max_tokens: int) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "model": self._options.model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "temperature": 0,
            "max_tokens": max_tokens,
        }
        match _FORMS[self._form]:
            case "json_schema":
                form = {"name": "answer", "strict": True, "schema": schema}
                payload["response_format"] = {"type": "json_schema", "json_schema": form}
            case "json_object":
                payload["response_format"] = {"type": "json_object"}
        return payload

    async def _post(self, payload: Mapping[str, Any]) -> tuple[int, Mapping[str, str], str]:
        """Status, headers and body; status 0 where there was no answer, with why as the body."""
        key = self._options.api_key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        url = f"{self._options.base_url.rstrip('/')}/chat/completions"
        self.requests += 1
        try:
            # A redirect could carry the key elsewhere.
            async with self._session.post(
                url, json=payload, headers=headers, allow_redirects=False
            ) as response:
                raw = await response.content.read(MAX_ANSWER_BYTES)
                return response.status, response.headers, raw.decode("utf-8", "replace")
        except TimeoutError:
            return 0, {}, f"no answer for {self._options.timeout_s:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return 0, {}, f"could not be reached ({type(error).__name__})"

    def _words(self, status: int, body: str) -> str:
        if status == 0:
            return f"the model's endpoint: {body}"
        try:
            said = json.loads(body)
            message = (
                said["error"]["message"] if isinstance(said.get("error"), dict) else said.get("message", "")
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            message = ""
        text = " ".join(str(message).split())[:200]
        if self._options.api_key:
            text = text.replace(self._options.api_key, "…")
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return f"the model's endpoint refused the key ({status})"
        return f"the model's endpoint answered {status}{f': {text}' if text else ''}"


def _wait(attempt: int, asked: str) -> float:
    own = 2.0 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
    return min(LONGEST_WAIT_S, float(asked) if asked.isdecimal() else own)


def _answer(body: str) -> Answer:
    try:
        said = json.loads(body)
        text = said["choices"][0]["message"]["content"]
        usage = said.get("usage") or {}
        tokens = usage.get("total_tokens")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise LlmError("the model's endpoint sent something else than a chat completion") from error
    if not isinstance(text, str):
        raise LlmError("the model gave no text")
    return Answer(text, tokens if isinstance(tokens, int) and tokens >= 0 else None)


def json_in(text: str) -> str:
    """The JSON object in an answer: alone, in a fence, or between words."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text
