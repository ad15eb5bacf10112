from __future__ import annotations

import random
import re

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip

from console.differing import Shown
from console.rows.base import Cell
from console.widgets.panel import Panel

CONSOLE = Console(force_terminal=True, color_system="truecolor", legacy_windows=False)
STYLES = (Style(color="red"), Style(color="green", bold=True))
WIDTH = 24


class Grid:
    """A terminal's cells, as far as the sequences of an update change them."""

    def __init__(self):
        self.cells: dict[tuple[int, int], tuple[str, str]] = {}
        self.written = 0

    def write(self, sequences):
        self.written += len(sequences)
        x = y = 0
        style = ""
        for move_y, move_x, looks, text in re.findall(
            r"\x1b\[(\d+);(\d+)H|(\x1b\[[\d;]*m)|([^\x1b\n]+)", sequences
        ):
            if move_y:
                y, x = int(move_y) - 1, int(move_x) - 1
            elif looks:
                style = looks
            for sign in text:
                if cell_len(sign) == 0:  # it stands on the sign before it
                    before = max(at for at, line in self.cells if line == y and at < x)
                    old, looked = self.cells[before, y]
                    self.cells[before, y] = (old + sign, looked)
                    continue
                for at in range(cell_len(sign)):
                    self.cells[x + at, y] = (sign if at == 0 else "", style)
                x += cell_len(sign)


def line(words, widths):
    """The pieces of a line: each some text in two styles, in so many cells."""
    pieces, x = {}, 0
    for width in widths:
        text = "".join(words.choices(["a", "b", "7", "█", "░", "漢", "e\u0301", " "], k=words.randint(0, 9)))
        cut = words.randint(0, len(text))
        segments = [Segment(text[:cut], STYLES[0]), Segment(text[cut:], STYLES[words.randint(0, 1)])]
        pieces[x] = Strip(segments).crop(0, width).adjust_cell_length(width, STYLES[1])
        x += width
    return pieces


@pytest.mark.parametrize("seed", range(5))
def test_the_terminal_shows_what_textual_would_have_written(seed):
    words, shown, ours, theirs = random.Random(seed), Shown(), Grid(), Grid()
    for _ in range(300):
        widths = words.choice([(WIDTH,), (10, WIDTH - 10), (4, 6, WIDTH - 10)])
        pieces = line(words, widths)
        update = ChopsUpdate([pieces], [(0, 0, WIDTH)], [[*list(pieces)[1:], WIDTH]])
        ours.write(shown.differing(update).render_segments(CONSOLE))
        theirs.write(update.render_segments(CONSOLE))
        assert ours.cells == theirs.cells
    assert ours.written < theirs.written


def row(text):
    return ChopsUpdate([{0: Strip([Segment(text, STYLES[0])])}], [(0, 0, len(text))], [[len(text)]])


def test_only_the_cells_that_differ_are_written():
    shown, grid = Shown(), Grid()
    for text in ("collecting  4s  12/40", "collecting  5s  13/40"):
        last = shown.differing(row(text)).render_segments(CONSOLE)
        grid.write(last)
    assert re.sub(r"\x1b\[[\d;]*[mH]", "", last) == "5s  13"
    assert "".join(sign for sign, _ in grid.cells.values()) == "collecting  5s  13/40"
    assert shown.differing(row(text)).render_segments(CONSOLE) == ""


def test_after_the_whole_screen_nothing_is_taken_for_known():
    shown = Shown()
    shown.differing(row("one")).render_segments(CONSOLE)
    assert shown.differing(row("one")).render_segments(CONSOLE) == ""
    whole = LayoutUpdate([[Strip([Segment("two", STYLES[0])])]], Region(0, 0, 3, 1))
    assert shown.differing(whole) is whole
    assert "one" in shown.differing(row("one")).render_segments(CONSOLE)


def test_what_is_not_written_is_not_taken_for_known():
    shown = Shown()
    shown.differing(row("one"))  # as while updates are batched
    assert "one" in shown.differing(row("one")).render_segments(CONSOLE)


class Watched(Panel):
    """A panel that keeps what it has repainted."""

    def __init__(self):
        super().__init__("Title")
        self.repainted: list[Region] = []

    def refresh(self, *regions, **options):
        self.repainted += regions
        return super().refresh(*regions, **options)


async def test_a_panel_repaints_no_line_of_the_widget_below_it():
    class Few(App):
        CSS = "Watched { height: 4; }"

        def compose(self):
            yield Watched()

    app = Few()
    async with app.run_test() as pilot:
        panel = app.query_one(Watched)
        panel.show(lambda _: [(Cell(f"old {at}"),) for at in range(20)])
        await pilot.pause()
        panel.repainted.clear()
        panel.show(lambda _: [(Cell(f"new {at}"),) for at in range(20)])
        assert {region.y for region in panel.repainted} == {1, 2, 3}
