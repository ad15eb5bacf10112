"""The week's topics as files, for those without Notion and beside it: Markdown, HTML, CSV, JSON, and a feed.

Every week has a folder of its own, `reports/MARKET/2026-W48`; the feed, `reports/MARKET/topics.xml`, stays at one
address. Each file is written aside and moved into its place, so that nobody reads half of one.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from worker.research.errors import ReportError
from worker.research.sinks import report_data, report_html, report_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from worker.research.markets import Market
    from worker.research.topics import Ranking

FEED: Final = "topics.xml"
_WRITERS: Final[dict[str, Callable[[Market, Ranking], str]]] = {
    "topics.md": report_text.markdown,
    "topics.html": report_html.page,
    "topics.csv": report_data.csv_table,
    "topics.json": report_data.json_document,
}


@dataclass(frozen=True, slots=True)
class Report:
    """A written report.

    Attributes:
        folder: of the week.
        files: all that were written, the feed last.
        topics: how many are in it.
    """

    folder: Path
    files: tuple[Path, ...]
    topics: int


def write_report(market: Market, ranking: Ranking, root: Path) -> Report:
    """Writes the report of a ranking; one of the same week is replaced.

    Args:
        market: whose topics.
        ranking: what was ranked; all of its topics are written.
        root: the folder of all reports; created where it is missing.

    Raises:
        ReportError: a file cannot be written; those that were there before are whole.
    """
    year, week, _ = ranking.at.isocalendar()
    folder = root / market.name / f"{year}-W{week:02d}"
    texts = {folder / name: write(market, ranking) for name, write in _WRITERS.items()}
    texts[root / market.name / FEED] = report_data.feed(market, ranking)
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, text)
        except OSError as error:
            raise ReportError(f"{path}: cannot be written: {error.strerror}") from error
    return Report(folder, tuple(texts), len(ranking.topics))


def _replace(path: Path, text: str) -> None:
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:  # noqa: PTH123 - a descriptor
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
        os.replace(draft, path)  # noqa: PTH105 - both are plain strings here
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)  # noqa: PTH108
        raise
