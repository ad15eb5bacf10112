"""Reading a large odd feed in a process of its own, which can be ended.

feedparser reads ordinary feeds in milliseconds, but some markup takes it minutes (time grows with the square of
how deep tags are nested), and a thread cannot be stopped. So what is large and not plain is read apart, with a
limit of time and of memory. The two processes talk in JSON.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from worker.research.errors import FeedError
from worker.research.sources.entry import Feed, entry_of

SMALL: Final = 16 * 1024
LARGE: Final = 512 * 1024
MANY_UNCLOSED: Final = 2_000
LIMIT_S: Final = 20.0
LIMIT_BYTES: Final = 1_000_000_000


def is_heavy(body: bytes) -> bool:
    """Whether reading it may take long: it is large, or many of its tags are never closed."""
    if len(body) > LARGE:
        return True
    closed = body.count(b"</") + body.count(b"/>") + body.count(b"<!") + body.count(b"<br")
    return body.count(b"<") - 2 * closed > MANY_UNCLOSED


def read_apart(
    kind: str,
    body: bytes,
    address: str,
    *,
    now: datetime,
    content_type: str | None,
    limit_s: float | None = None,
) -> Feed:
    """What an answer holds.

    Args:
        kind: of the source.
        body: as fetched, unpacked.
        address: what links are relative to.
        now: dates after it become it.
        content_type: the HTTP header.
        limit_s: seconds after which it is given up; None: LIMIT_S.

    Raises:
        FeedError: it is not what this kind of source gives, or takes too long to read.
    """
    limit_s = LIMIT_S if limit_s is None else limit_s
    head = {"kind": str(kind), "address": address, "now": now.isoformat(), "content_type": content_type}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "worker.research.sources.apart"],
            input=json.dumps(head).encode() + b"\n" + body,
            capture_output=True,
            timeout=limit_s,
            check=False,
        )
        answer: Any = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise FeedError(f"expected a feed, found one that cannot be read in {limit_s:g} s") from error
    except (OSError, ValueError) as error:
        raise FeedError("expected a feed, found one that cannot be read within the limits") from error
    if "error" in answer:
        raise FeedError(str(answer["error"]))
    return Feed(**answer | {"entries": tuple(map(entry_of, answer["entries"]))})


def limit_memory() -> None:
    """A process of its own for reading may not take the machine's memory."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every system can
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))


def main() -> None:
    """Reads a line of JSON and a body, answers with the feed or with why there is none."""
    from worker.research.sources import Kind  # noqa: PLC0415 - for this process only
    from worker.research.sources.catalogue import READERS  # noqa: PLC0415

    limit_memory()
    head = json.loads(sys.stdin.buffer.readline())
    body = sys.stdin.buffer.read()
    try:
        feed = READERS[Kind(head["kind"])](
            body,
            head["address"],
            now=datetime.fromisoformat(head["now"]),
            content_type=head["content_type"],
        )
    except FeedError as error:
        answer: dict[str, Any] = {"error": str(error)}
    else:
        answer = asdict(feed)
    json.dump(answer, sys.stdout, default=datetime.isoformat)


if __name__ == "__main__":
    main()
