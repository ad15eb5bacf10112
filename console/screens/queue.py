"""What runs, what is ready, what is scheduled: one list."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from console import keys
from console.readings import Frozen, Marks
from console.readings.queue import SORTS
from console.rows import details, queue
from console.rows.base import short_name
from console.rows.runs import in_full, log_lines
from console.screens.listing import ListScreen
from console.screens.pausing import PauseScreen
from console.text import ago, clean, number, plural
from console.widgets.lines import as_content
from console.widgets.window_table import WindowTable
from worker.queue.change import Chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.content import Content

    from console.readings import Listing, Readings
    from console.readings.model import QueueTask, QueueTaskDetail
    from console.rows.base import Cell
    from console.screens.pausing import Pause
    from worker.queue import QueueMark

    Act = Callable[[Chosen, dict[str, Any]], None]
    Line = tuple[Cell, ...]


UNKNOWN = "is:unknown"


class QueueScreen(ListScreen):
    """The list of tasks."""

    here = "go_queue"
    scope = keys.Scope.QUEUE
    heading = "Queue"
    filter_hint = "words  task:  market:  id:  is:running pending retry unknown  age>5m  !inverts"
    can_mark = True
    BINDINGS = keys.bindings(keys.Scope.QUEUE)

    def tables(self) -> Iterable[WindowTable[Any]]:
        """One."""
        plain = self.console.ascii_only
        yield WindowTable(
            queue.COLUMNS, partial(queue.cells, ascii_only=plain), queue.key, same=queue.same, sorts=SORTS, since=queue.since,
            empty="The queue is empty.\nPress c to collect a market.", ascii_only=plain, id="tasks",
        )  # fmt: skip

    def listing(self, readings: Readings) -> Listing[QueueTask]:
        """The queue, filtered."""
        return readings.queue(self.filter_text, self.sort_id)

    def describe(self, readings: Readings, row: QueueTask) -> Content | None:
        """A task with its arguments; one that has ended since it was opened, as the run that it became."""
        key = row.key if (detail := readings.task(row.key)) else readings.task_key(row.task_id)
        detail = detail or (readings.task(key) if key else None)
        lines = self._told(readings, detail) if detail else self._ended(readings, row)
        return as_content(lines, ascii_only=self.console.ascii_only) if lines else None

    def _told(self, readings: Readings, detail: QueueTaskDetail) -> list[Line]:
        task, utc, plain = detail.task, self.console.utc, self.console.ascii_only
        lines = details.of_task(detail, self.console.clock(), utc=utc, ascii_only=plain)
        if task.state == "running":
            lines += log_lines(readings.log_of_task(task.task_id, task.since, None), utc=utc)
        elif task.attempt > 1:
            # What its earlier attempts said is why it waits.
            lines += log_lines(readings.log_of_task(task.task_id, task.enqueued_at, None), utc=utc)
        return lines

    def _ended(self, readings: Readings, row: QueueTask) -> list[Line]:
        run = readings.last_run(row.task_id)
        if run is None:
            return []
        log = readings.log_of_task(row.task_id, run.run.started_at, run.run.finished_at)
        return in_full(run, log, self.console.clock(), utc=self.console.utc)

    def action_run_now(self) -> None:
        """Makes the scheduled tasks that are chosen ready."""
        task: QueueTask | None = self.table.highlighted
        if not len(self.table.marks) and task is not None and task.state != "scheduled":
            self.console.refuse(f"The task is {task.state}: only a scheduled one can be made to run now.")
            return
        self._on_tasks(
            "Run now", lambda tasks, about: self.console.act(lambda actions: actions.run_now(tasks, about))
        )

    def action_cancel(self) -> None:
        """Takes the tasks that are chosen away, or asks them to stop."""
        self._on_tasks("Cancel", self._cancel)

    def _cancel(self, tasks: Chosen, about: dict[str, Any]) -> None:
        self.console.act(lambda actions: actions.cancel(tasks, about))

    def action_raise_priority(self) -> None:
        """Lets the tasks that are chosen run sooner."""
        self._prioritise(1)

    def action_lower_priority(self) -> None:
        """Lets the tasks that are chosen run later."""
        self._prioritise(-1)

    def _prioritise(self, by: float) -> None:
        self._on_tasks(
            "Raise the priority of" if by > 0 else "Lower the priority of",
            lambda tasks, about: self.console.act(
                lambda actions: actions.set_priority(tasks, by=by, about=about)
            ),
        )

    def action_quarantine(self) -> None:
        """Makes dead letters of the tasks whose name no worker knows: those marked, else all that are shown."""
        if len(self.table.marks):
            self._on_tasks("Put aside", self._put_aside)
            return
        text = f"{self.filter_text} {UNKNOWN}".strip()
        self.freeze(
            lambda readings: [readings.queue(text, self.sort_id)],
            lambda frozen: self._confirm("Put aside", frozen, self._put_aside, " whose name no worker knows"),
        )

    def _put_aside(self, tasks: Chosen, about: dict[str, Any]) -> None:
        self.console.act(lambda actions: actions.quarantine(tasks, about))

    def action_edit(self) -> None:
        """Gives the task under the cursor other arguments."""
        task: QueueTask | None = self.table.highlighted
        if task is None:
            return
        if task.state == "running":
            self.console.refuse("The task runs already: its arguments cannot be changed any more.")
            return
        self.console.ask(self.named("args"), lambda readings: readings.task(task.key), self._edit)

    def _edit(self, detail: QueueTaskDetail | None) -> None:
        from console.screens.edit import EditScreen  # noqa: PLC0415 - an editor is heavy, and rarely needed

        if detail is None or detail.args is None:
            self.console.refuse("Its arguments cannot be read, or it has begun.")
            return
        task = detail.task
        self.console.push_screen(
            EditScreen(
                f"Run {clean(short_name(task.name), 60)} with which arguments?",
                place=self.console.place, args=detail.args, ascii_only=self.console.ascii_only,
            ),
            lambda text: self.console.act(lambda actions: actions.edit_task(task.task_id, text)) if text is not None else None,
        )  # fmt: skip

    def _on_tasks(self, verb: str, act: Act) -> None:
        if len(chosen := self.table.chosen):
            self._confirm(verb, chosen, act, " marked" if len(self.table.marks) else "")

    def _confirm(self, verb: str, chosen: Marks[Any] | Frozen[Any], act: Act, what: str) -> None:
        numbers = chosen.numbers() if isinstance(chosen, Marks) else chosen.numbers
        tasks = Chosen(*(numbers.get(prefix, ()) for prefix in "rps"))
        self.on_chosen(
            lambda count: f"{verb} {plural(count, 'task')}{what}?", chosen, _in_a_line,
            lambda about: act(tasks, about),
        )  # fmt: skip

    def action_pause(self) -> None:
        """Asks how the whole queue is to pause, or lets it go on."""
        console = self.console
        if console.snapshot is not None and console.snapshot.paused:
            console.act(lambda actions: actions.resume_queue())
            return
        dialog = PauseScreen("the queue", place=console.place, now=console.clock(), utc=console.utc)
        console.push_screen(dialog, self._pause)

    def _pause(self, pause: Pause | None) -> None:
        if pause is not None:
            self.console.act(lambda actions: actions.pause_queue(span=pause.span, note=pause.note))

    def action_clear(self) -> None:
        """Takes away what waits now, or what the filter shows now."""
        if self.filter_text:
            text = f"{self.filter_text} !is:running"
            self.freeze(
                lambda readings: [readings.queue(text, self.sort_id)],
                lambda frozen: self._confirm(
                    "Clear", frozen, self._cancel, " that wait and match the filter"
                ),
            )
        else:
            self.console.mark(lambda actions: actions.queue_mark(), self._confirm_all)

    def _oldest(self) -> str:
        snapshot = self.console.snapshot
        since = snapshot.depth.oldest_pending_at if snapshot else None
        return ago(since, self.console.clock())

    def _confirm_all(self, mark: QueueMark) -> None:
        count = mark.pending + mark.scheduled
        self.console.asking.confirm(
            f"Clear {plural(count, 'waiting task')}?",
            count=count,
            sample=[
                f"{number(mark.pending)} ready, {number(mark.scheduled)} scheduled; what runs goes on",
                f"the oldest is {self._oldest()} old",
            ],
            agreed=lambda: self.console.act(lambda actions: actions.clear_queue(mark)),
        )


def _in_a_line(task: QueueTask) -> str:
    return f"{task.state}  {short_name(task.name)}  {task.subject or ''}"
