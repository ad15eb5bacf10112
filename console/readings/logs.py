"""The worker's log, from its end: `worker.jsonl` and the files that rotation has put behind it.

Only what is asked for is read, never a whole file: a log of a gigabyte opens as fast as an empty one. A file that is
rotated, truncated, taken away or not there yet is no fault.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from console.readings.filters import parse
from console.readings.log_lines import LONGEST, LogLine, LogQuery, matches, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from console.readings.filters import Term

# Read at once; and searched at the most for one answer, so that a filter that finds nothing still answers soon.
BLOCK, FARTHEST = 256 * 1024, 32 * 1024 * 1024
# A line may be written a little before its run began or after it ended, and clocks are set.
SLACK = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class LogPart:
    """Some lines of the log, oldest first.

    Attributes:
        lines: those that were wanted.
        complete: whether all that is before them has been searched.
        exists: whether there is a log.
    """

    lines: tuple[LogLine, ...] = ()
    complete: bool = True
    exists: bool = True


class LogFile:
    """The log. Holds no file open; remembers where the last look ended.

    Args:
        path: of the newest file.
        now: the clock, for ages.
    """

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path, self._now = path, now
        self._query: LogQuery | None = None
        self._held: deque[LogLine] = deque()
        self._end: tuple[int, int] = (0, 0)
        self._complete = True

    def state(self) -> tuple[int, int]:
        """Changes whenever something is written, and when the file is another one."""
        return _end(self._path)

    def tail(self, query: LogQuery, limit: int) -> LogPart:
        """The newest lines; asked again, it reads only what has been written since.

        Raises:
            ReadingError: the filter cannot be understood.
        """
        terms = parse(query.text)
        if query != self._query or self._held.maxlen != limit or not self._follow(query, terms):
            self._query, self._held = query, deque(maxlen=limit)
            self._end, self._complete = _whole(self._path), True
            found = self._backward(self._end, query, terms, limit)
            self._held.extend(reversed(found))
        return LogPart(tuple(self._held), self._complete, exists=self._exists())

    def _follow(self, query: LogQuery, terms: tuple[Term, ...]) -> bool:
        """Takes in what was written since; false where too much was, or the file is another one."""
        end = _end(self._path)
        file, start = self._end
        if end == self._end:
            return True
        if end[0] != file:
            # Rotated: the rest of the old file, then the new one from its beginning.
            behind = self._path.with_name(f"{self._path.name}.1")
            before = _end(behind)
            if before[0] != file or end[1] > FARTHEST:
                return False
            parts = [(behind, file, start, before[1]), (self._path, end[0], 0, end[1])]
        elif end[1] < start or end[1] - start > FARTHEST:
            return False
        else:
            parts = [(self._path, file, start, end[1])]
        for path, number, begins, ends in parts:
            whole = 0
            for line, place in _lines(_read(path, begins, ends), number, begins):
                whole = place
                if line is not None and matches(line, query, terms, self._now()):
                    self._held.append(line)
            self._end = (number, begins + whole)
        return True

    def _backward(
        self, end: tuple[int, int], query: LogQuery, terms: tuple[Term, ...], limit: int
    ) -> list[LogLine]:
        """The newest lines first."""
        found: list[LogLine] = []
        searched = 0
        for path in self._files():
            number, size = _end(path)
            stop = end[1] if number == end[0] else size
            for lines in _blocks(path, number, stop):
                for line in reversed(lines):
                    if matches(line, query, terms, self._now()):
                        found.append(line)
                        if len(found) >= limit:
                            self._complete = False
                            return found
                searched += BLOCK
                if searched >= FARTHEST:
                    self._complete = False
                    return found
        return found

    def _files(self) -> Iterator[Path]:
        """Newest first, as long as there are any; just after a rotation the newest is not there yet."""
        for number in itertools.count():
            path = self._path.with_name(f"{self._path.name}.{number}") if number else self._path
            if path.exists():
                yield path
            elif number:
                return

    def _exists(self) -> bool:
        return next(self._files(), None) is not None

    def of_task(self, task_id: str, since: datetime, until: datetime | None, limit: int) -> LogPart:
        """The newest lines of one task, written while it ran.

        Args:
            task_id: its whole id.
            since: when it began.
            until: when it ended; None: it runs.
            limit: lines at the most.
        """
        found: list[LogLine] = []
        mark, begin = task_id.encode(), since - SLACK
        end = datetime.max.replace(tzinfo=UTC) if until is None else until + SLACK
        searched = 0
        for path in self._files():
            number, size = _end(path)
            for lines in _blocks(path, number, _cut(path, size, end), mark):
                found += [
                    line
                    for line in reversed(lines)
                    if line.task_id == task_id and line.at is not None and begin <= line.at <= end
                ]
                searched += BLOCK
                if len(found) >= limit or searched >= FARTHEST:
                    return LogPart(tuple(reversed(found[:limit])), complete=False)
                if lines and lines[0].at is not None and lines[0].at < begin:
                    return LogPart(tuple(reversed(found)))
        return LogPart(tuple(reversed(found)), exists=self._exists())


# -- bytes -------------------------------------------------------------------------------------


def _end(path: Path) -> tuple[int, int]:
    """Which file has the name now, and how long it is; zeros where there is none."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_ino, status.st_size


def _whole(path: Path) -> tuple[int, int]:
    """The same up to the last line that is finished: one may be half written at this moment."""
    number, size = _end(path)
    last = _read(path, max(size - BLOCK, 0), size)
    return number, size - (len(last) - last.rfind(b"\n") - 1 if b"\n" in last else 0)


def _read(path: Path, start: int, end: int) -> bytes:
    """Some bytes; fewer where the file is shorter by now, or gone."""
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(start)
            parts = []
            while start < end and (part := file.read(end - start)):
                parts.append(part)
                start += len(part)
            return b"".join(parts)
    except OSError:
        return b""


def _blocks(path: Path, number: int, end: int, mark: bytes = b"") -> Iterator[list[LogLine]]:
    """The lines of a file that end before a place, block after block, the last block first.

    Args:
        path: of the file.
        number: its inode.
        end: where to begin, going backward.
        mark: a block without it gives its first line only, which tells how far back it is.
    """
    rest = b""
    while end > 0:
        start = max(end - BLOCK, 0)
        block = _read(path, start, end)
        if len(block) < end - start:
            return  # truncated meanwhile
        # What stands before the first line break belongs to a line that begins in an earlier block.
        head, broken, body = block.partition(b"\n") if start else (b"", b"\n", block)
        if broken:
            begins, data = start + len(head) + (1 if start else 0), body + rest
            if mark and mark not in data:
                data = data[: data.find(b"\n") + 1]
            yield [line for line, _ in _lines(data, number, begins, last=True) if line is not None]
            rest = head
        else:
            rest = (head + rest)[:LONGEST]
        end = start


def _lines(
    data: bytes, number: int, begins: int, *, last: bool = False
) -> Iterator[tuple[LogLine | None, int]]:
    """Lines, each with where it ends in `data`; an unfinished one is left out unless it is the `last` to be had."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", at)
        if end < 0:
            if not last:
                return
            end = len(data)
        text = data[at:end]
        yield (parsed(text, (number, begins + at)) if text.strip() else None), end + 1
        at = end + 1


def _cut(path: Path, size: int, end: datetime) -> int:
    """Up to where a file has to be searched for lines before a moment, by halving."""
    low, high = 0, size
    while high - low > BLOCK:
        middle = (low + high) // 2
        sample = _read(path, middle, min(middle + LONGEST, size)).partition(b"\n")[2].partition(b"\n")[0]
        at = parsed(sample, (0, 0)).at if sample else None
        if at is None or at <= end:
            low = middle
        else:
            high = middle
    return high
