"""Who reads what is fetched: threads for a few answers, a process beside this one for many.

Python runs one thread at a time, so reading in threads takes its time from fetching and storing. Starting a process
takes a third of a second, so a market of some feeds does without.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, Final

import orjson

from worker.research.errors import FeedError
from worker.research.reading import Reading, packed, reading_of, unpacked
from worker.research.sources import Kind
from worker.research.sources.apart import LIMIT_S, is_heavy, limit_memory
from worker.research.sources.catalogue import READERS, read, read_if_quick

if TYPE_CHECKING:
    from worker.research.http import Fetched
    from worker.research.sources import Source

_THREADS: Final = 2
# So many answers of a run are read here if they are quick to read, before there is a process for all others.
FEW: Final = 24
_SIZE: Final = 8  # bytes of a length, before what it is the length of


class _EndedError(Exception):
    """The process had ended before it came to this answer."""


class Readers:
    """Reads answers off the event loop.

    Args:
        language: of entries that do not tell theirs.
        compared: whether the process works out how texts are compared, too.
    """

    def __init__(self, language: str, *, compared: bool = True) -> None:
        self._language, self._compared = language, compared
        # Not asyncio's own threads: a dead name server can keep all of those in lookups.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="research")
        self._beside: _Beside | None = None
        self._read = 0

    def close(self) -> None:
        """Ends the reading; what a thread reads is read to its end."""
        if self._beside is not None:
            self._beside.end()
        self._threads.shutdown(cancel_futures=True)

    async def read(self, source: Source, fetched: Fetched, now: datetime) -> Reading:
        """What an answer holds.

        Raises:
            FeedError: it is not what this kind of source gives, or takes too long to read.
        """
        self._read += 1
        if self._read <= FEW or is_heavy(fetched.body):
            # With this task's context, so that what is logged there is known to be its own.
            here = contextvars.copy_context().run
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._threads, here, self._read_here, source, fetched, now)
            if found is not None:
                return found
        request = {
            "kind": str(source.kind),
            "address": source.url if source.bundled else fetched.url,
            "content_type": fetched.content_type,
            "now": now.isoformat(),
            "source": source.key,
            "language": self._language,
            "compared": self._compared,
        }
        head = orjson.dumps(request)
        while True:  # each process that ends has one answer to blame, which is not asked again
            if self._beside is not None and self._beside.has_ended:
                self._threads.submit(self._beside.end)
                self._beside = None
            if self._beside is None:
                self._beside = _Beside()
            with contextlib.suppress(_EndedError):
                return await self._beside.read(head, fetched.body)

    def _read_here(self, source: Source, fetched: Fetched, now: datetime) -> Reading | None:
        """What it holds if it is quick to read, or so large that it is given a process of its own; else None."""
        reads = read if is_heavy(fetched.body) else read_if_quick
        feed = reads(source, fetched.body, fetched.url, now=now, content_type=fetched.content_type)
        if feed is None:
            return None
        return reading_of(feed, source=source.key, language=self._language, now=now, compared=False)


class _Beside:
    """The process. It reads one answer after the other; the next waits in its pipe already."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "worker.research.readers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        # One thread each, so that answers come in the order of the questions.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="research-to")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="research-from")
        self.has_ended = False

    async def read(self, head: bytes, body: bytes) -> Reading:
        loop = asyncio.get_running_loop()
        sent = loop.run_in_executor(self._writer, self._send, head, body)
        answer = loop.run_in_executor(self._reader, self._receive)
        # Whoever gives up waiting must not take a question or an answer out of the row.
        _, reading = await asyncio.shield(asyncio.gather(sent, answer))
        return reading

    def end(self) -> None:
        """Ends the process; whoever waits for an answer is told so."""
        self.has_ended = True
        self._process.kill()
        self._writer.shutdown()
        self._reader.shutdown()
        for pipe in (self._to, self._from):
            with contextlib.suppress(OSError):  # what the other end never took
                pipe.close()
        self._process.wait()

    def _send(self, head: bytes, body: bytes) -> None:
        with contextlib.suppress(OSError, ValueError):  # it has ended, which `_receive` sees, too
            _put(self._to, head)
            _put(self._to, body)

    def _receive(self) -> Reading:
        if self.has_ended:
            raise _EndedError
        late = threading.Timer(LIMIT_S, self._process.kill)
        late.daemon = True
        late.start()
        try:
            answer = _taken(self._from)
        finally:
            late.cancel()
        if answer is None:
            self.has_ended = True
            self._process.kill()
            self._process.wait()
            raise FeedError(f"expected a feed, found one that cannot be read in {LIMIT_S:g} s, or not at all")
        given: dict[str, Any] = orjson.loads(answer)
        if "error" in given:
            raise FeedError(str(given["error"]))
        return unpacked(given)


def _put(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(len(data).to_bytes(_SIZE, "big"))
    pipe.write(data)
    pipe.flush()


def _taken(pipe: IO[bytes]) -> bytes | None:
    """What the other end put; None where it has ended."""
    size = int.from_bytes(pipe.read(_SIZE), "big")
    data = pipe.read(size)
    return data if size and len(data) == size else None


def _answer(head: bytes, body: bytes) -> bytes:
    asked: dict[str, Any] = orjson.loads(head)
    now = datetime.fromisoformat(asked["now"])
    try:
        feed = READERS[Kind(asked["kind"])](
            body, asked["address"], now=now, content_type=asked["content_type"]
        )
        return packed(
            reading_of(
                feed, source=asked["source"], language=asked["language"], now=now, compared=asked["compared"]
            )
        )
    except FeedError as error:
        return orjson.dumps({"error": str(error)})
    except Exception as error:  # noqa: BLE001 - whatever one answer does, the next is read
        return orjson.dumps({"error": f"unexpected {type(error).__name__}: {error}"[:300]})


def main() -> None:
    """Reads answers until there are no more."""
    # Whoever started this process ends it; a Ctrl+C in the terminal is for that one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    limit_memory()
    while (head := _taken(sys.stdin.buffer)) is not None and (body := _taken(sys.stdin.buffer)) is not None:
        _put(sys.stdout.buffer, _answer(head, body))


if __name__ == "__main__":
    main()
