"""What can go wrong in a collection or a sync.

ResearchError
├── MarketError               no such market
├── SourceError               a market has no such source
├── OpmlError                 a list of feeds cannot be read or written
├── FetchError                one source could not be fetched
├── FeedError                 what was fetched is no feed
├── NothingCollectedError     every source of a market failed
├── LibraryError              the library cannot be read or written
│   ├── LibraryBusyError          another process kept it locked for too long
│   └── LibraryFileError          the file is not ours, or of a newer version
├── LlmError                  a language model refused, could not be reached, or costs too much
│   └── LlmRefusedError       its endpoint answered, and with no completion: that cost nothing
├── ReportError               a report cannot be written
└── NotionError               Notion refused, or could not be reached

Faults in a file are `worker.config.ConfigError`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMED_FAILURES = 5


class ResearchError(Exception):
    """Base of all errors of the research; the message is one sentence for the operator."""


class MarketError(ResearchError):
    """There is no such market."""


class SourceError(ResearchError):
    """A market has no such source."""


class OpmlError(ResearchError):
    """A list of feeds cannot be read or written."""


class FetchError(ResearchError):
    """One source could not be fetched.

    Attributes:
        status: the HTTP status, where there was an answer.
        retry_after_s: seconds that the server asked to wait.
    """

    def __init__(
        self, sentence: str, status: int | None = None, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.status, self.retry_after_s = status, retry_after_s


class FeedError(ResearchError):
    """What was fetched is no feed."""


class NothingCollectedError(ResearchError):
    """Every source of a market failed.

    Attributes:
        failed: source to sentence, all of them; the message names the first few.
        alike: what is the same in each run of one outage: of several sources each is down in its own way, and
            not each is asked every time, so the most frequent sentence speaks for all.
    """

    def __init__(self, market: str, failed: Mapping[str, str]) -> None:
        named = [f"{source}: {sentence}" for source, sentence in list(failed.items())[:NAMED_FAILURES]]
        more = [f"and {len(failed) - len(named)} more"] if len(failed) > len(named) else []
        count = "the only source" if len(failed) == 1 else f"all {len(failed)} sources"
        super().__init__(
            f"nothing could be collected for {market}: {count} failed ({'; '.join(named + more)})"
        )
        self.failed = dict(failed)
        most = min(Counter(failed.values()).items(), key=lambda one: (-one[1], one[0]))[0]
        self.alike = f"nothing could be collected for {market}: {most}"


class LibraryError(ResearchError):
    """The library cannot be read or written."""


class LibraryBusyError(LibraryError):
    """Another process kept the library locked for too long."""


class LibraryFileError(LibraryError):
    """The file is not a library, or belongs to a newer version of this program."""


class LlmError(ResearchError):
    """A language model refused, could not be reached, or would cost more than it may."""


class LlmRefusedError(LlmError):
    """The endpoint answered, and with no completion."""


class ReportError(ResearchError):
    """A report cannot be written."""


class NotionError(ResearchError):
    """Notion refused, or could not be reached."""
