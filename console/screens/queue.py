"""What runs, what is ready, what is scheduled: one list."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from console import keys
from console.readings.queue import SORTS
from console.rows import details, queue
from console.rows.base import short_name
from console.rows.runs import log_lines
from console.screens.listing import ListScreen
from console.text import ago, number, plural
from console.widgets.lines import as_content
from console.widgets.window_table import WindowTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.content import Content

    from console.readings import Listing, Readings
    from console.readings.model import QueueTask
    from worker.queue import QueueMark


class QueueScreen(ListScreen):
    """The list of tasks."""

    here = "go_queue"
    scope = keys.Scope.QUEUE
    heading = "Queue"
    can_mark = True
    BINDINGS = keys.bindings(keys.Scope.QUEUE)

    def tables(self) -> Iterable[WindowTable[Any]]:
        """One."""
        plain = self.console.ascii_only
        yield WindowTable(
            queue.COLUMNS, partial(queue.cells, ascii_only=plain), queue.key, sorts=SORTS, since=queue.since,
            empty="The queue is empty.\nPress c to collect a market.", ascii_only=plain, id="tasks",
        )  # fmt: skip

    def listing(self, readings: Readings) -> Listing[QueueTask]:
        """The queue, filtered."""
        return readings.queue(self.filter_text, self.table.sort.id if self.table.sort else "order")

    def describe(self, readings: Readings, row: QueueTask) -> Content | None:
        """A task with its arguments."""
        detail = readings.task(row.key)
        if detail is None:
            return None
        plain = self.console.ascii_only
        lines = details.of_task(detail, self.console.clock(), utc=self.console.utc, ascii_only=plain)
        if row.state == "running":
            lines += log_lines(readings.log_of_task(row.task_id, row.since, None), utc=self.console.utc)
        elif row.attempt > 1:
            # What its earlier attempts said is why it waits.
            lines += log_lines(readings.log_of_task(row.task_id, row.enqueued_at, None), utc=self.console.utc)
        return as_content(lines, ascii_only=plain)

    def action_run_now(self) -> None:
        """Makes the task under the cursor ready."""
        task: QueueTask | None = self.table.highlighted
        if task is None:
            return
        if task.state != "scheduled":
            self.console.refuse(f"The task is {task.state}: only a scheduled one can be made to run now.")
            return
        self.console.act(lambda actions: actions.run_now([task.task_id]))

    def action_cancel(self) -> None:
        """Takes the task under the cursor away, or asks it to stop."""
        task: QueueTask | None = self.table.highlighted
        if task is not None:
            self.console.act(lambda actions: actions.cancel([task.task_id]))

    def action_pause(self) -> None:
        """Pauses the whole queue, or lets it go on."""
        paused = self.console.snapshot is not None and self.console.snapshot.paused
        self.console.act(lambda actions: actions.resume_queue() if paused else actions.pause_queue())

    def action_clear(self) -> None:
        """Takes away what waits now, or what the filter shows now."""
        if self.filter_text:
            self.console.ask(self.named("clear"), self._waiting, self._confirm_some)
        else:
            self.console.mark(lambda actions: actions.queue_mark(), self._confirm_all)

    def _waiting(self, readings: Readings) -> list[QueueTask]:
        return [task for task in self.listing(readings).all_rows() if task.state != "running"]

    def _confirm_some(self, tasks: list[QueueTask]) -> None:
        ids = [task.task_id for task in tasks]
        self.console.confirm(
            f"Clear {plural(len(ids), 'waiting task')} that match the filter?",
            count=len(ids),
            sample=[f"{task.state}  {short_name(task.name)}  {task.subject or ''}" for task in tasks],
            agreed=lambda: self.console.act(lambda actions: actions.cancel(ids)),
        )

    def _oldest(self) -> str:
        snapshot = self.console.snapshot
        since = snapshot.depth.oldest_pending_at if snapshot else None
        return ago(since, self.console.clock())

    def _confirm_all(self, mark: QueueMark) -> None:
        count = mark.pending + mark.scheduled
        self.console.confirm(
            f"Clear {plural(count, 'waiting task')}?",
            count=count,
            sample=[
                f"{number(mark.pending)} ready, {number(mark.scheduled)} scheduled; what runs goes on",
                f"the oldest is {self._oldest()} old",
            ],
            agreed=lambda: self.console.act(lambda actions: actions.clear_queue(mark)),
        )
