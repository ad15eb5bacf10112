"""`E` and `y`: what a screen shows, as a file or in the clipboard."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from console.export import ExportError, Format, Report, file_name, lines, write
from console.faults import record
from console.incident import look, write_up
from console.messages import ActionRefused, Answered, Faulted
from console.readings import ReadingError, Readings
from console.screens.export import Choice, ExportScreen
from console.screens.listing import ListScreen
from console.text import clean, number, plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.content import Content

    from console.app import TopicConsole

INCIDENT = "incident"
TITLES = {Format.CSV: "CSV", Format.JSON: "JSON", Format.MARKDOWN: "Markdown"}
# A terminal may drop what is longer (tmux, and OSC 52 itself); the file has no such limit.
MAX_COPIED = 70_000


class Exporting:
    """Takes what is shown out of the console.

    Args:
        console: whose screen; also tells what came of it.
    """

    def __init__(self, console: TopicConsole) -> None:
        self._console = console

    # -- files ----------------------------------------------------------------------------------

    def ask(self) -> None:
        """Asks for format and name, then writes."""
        console, screen = self._console, self._console.screen_stack[0]
        name = console.current_mode
        choices = []
        if isinstance(screen, ListScreen):
            filtered = ", what the filter shows" if screen.filter_text else ""
            choices = [
                Choice(
                    form, name, f"{TITLES[form]}: this list{filtered}", file_name(name, console.clock(), form)
                )
                for form in Format
            ]
        report = file_name(INCIDENT, console.clock(), Format.MARKDOWN)
        choices.append(Choice(Format.MARKDOWN, INCIDENT, "Incident write-up in Markdown", report))
        if name in {"overview", "failures"}:
            choices.insert(0, choices.pop())
        console.push_screen(ExportScreen(choices, Path.cwd(), ascii_only=console.ascii_only), self._chosen)

    def _chosen(self, answer: tuple[Choice, Path] | None) -> None:
        if answer is None:
            return
        choice, path = answer
        if choice.what == INCIDENT:
            self._in_background(lambda readings: self._write_incident(readings, path))
            return
        screen = self._console.screen_stack[0]
        if isinstance(screen, ListScreen):
            report = screen.report(self._console.current_mode)
            self._in_background(lambda readings: self._write_list(readings, report, choice.form, path))

    def _write_list(self, readings: Readings, report: Report, form: Format, path: Path) -> str:
        size = write(path, lines(report, form, readings, self._console.clock()))
        return f"Wrote {clean(path, 200)}, {plural(size, 'byte')}."

    def _write_incident(self, readings: Readings, path: Path) -> str:
        console = self._console
        parts = write_up(look(readings), console.clock(), place=console.place, utc=console.utc)
        write(path, parts)
        return f"Wrote {clean(path, 200)}."

    def _in_background(self, work: Callable[[Readings], str]) -> None:
        """A long list takes its time; neither the reader nor the operator waits for it."""
        console = self._console

        def run() -> None:
            readings = Readings(console.home, now=console.clock)
            try:
                console.tell(Answered("", 0, self._told, work(readings)))
            except (ExportError, ReadingError) as error:
                console.tell(ActionRefused(str(error)))
            except Exception as error:  # noqa: BLE001 - logged whole, shown short
                record("an export", error)
                console.tell(Faulted(clean(f"{type(error).__name__}: {error}")))
            finally:
                readings.close()

        threading.Thread(target=run, name="export", daemon=True).start()

    def _told(self, text: str) -> None:
        self._console.notify(clean(text, 600), markup=False)

    # -- the clipboard --------------------------------------------------------------------------

    def copy(self) -> None:
        """Copies the row under the cursor in full; on the Overview, the incident."""
        console, screen = self._console, self._console.screen_stack[0]
        if not isinstance(screen, ListScreen):
            console.ask("copy", look, lambda found: self._copied("".join(
                write_up(found, console.clock(), place=console.place, utc=console.utc)
            ), "the incident write-up"))  # fmt: skip
            return
        row = screen.table.highlighted
        if row is None:
            console.notify("There is nothing to copy.", markup=False)
            return
        console.ask("copy", lambda readings: screen.to_copy(readings, row), self._copy_content)

    def _copy_content(self, content: Content | None) -> None:
        if content is None:
            self._console.notify("It is gone: it ended or was taken away.", markup=False)
        else:
            self._copied(str(content.plain), "the row in full")

    def _copied(self, text: str, what: str) -> None:
        shown = text if len(text) <= MAX_COPIED else text[:MAX_COPIED]
        cut = "" if shown is text else f", cut to {number(MAX_COPIED)} characters"
        self._console.copy_to_clipboard(shown)
        self._console.notify(
            f"Copied {clean(what)}{cut}. Where the terminal has no clipboard for us (OSC 52), E writes a file.",
            markup=False,
        )
