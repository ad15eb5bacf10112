"""Every tone can be read on every ground, in each theme (WCAG 2: https://www.w3.org/TR/WCAG21/#contrast-minimum)."""

from __future__ import annotations

import pytest

from console.rows.base import Cell, Tone
from console.themes import HIGH_CONTRAST, THEMES
from console.widgets.lines import as_content
from console.widgets.looks import BADGE, KEY, KEY_SAYS, TITLE, lit, look, toned
from tests.console import homes
from tests.console.conftest import console
from tests.console.waiting import press, settled, until


def luminance(color):
    parts = [part / 255 for part in color]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(style):
    """Of a style as it is drawn, all translucent layers laid over each other."""
    both = (style.color.get_truecolor(), style.bgcolor.get_truecolor())
    light, dark = sorted(map(luminance, both), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
async def test_every_tone_can_be_read_on_its_ground(builder, theme):
    homes.broken(builder)
    app = console(builder, theme=theme.name)
    least = 7.0 if theme is HIGH_CONTRAST else 4.5
    found = {}
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        status, panel = app.screen.status, app.screen.query("Panel").first()
        for widget in (status, panel):
            for tone in Tone:
                found[f"{tone} in {type(widget).__name__}"] = toned(widget, tone)
        found["badge"], found["this screen"] = look(status, BADGE), lit(status)
        found["title"] = look(panel, TITLE)
        await press(pilot, "2")
        for focused in (True, False):
            found[f"cursor, focused: {focused}"] = lit(app.screen.table, focused=focused)
        found["banner"] = app.screen.banner.rich_style
        found["caption"] = app.screen.caption.rich_style
        found["detail"] = app.screen.detail_text.rich_style
        keys = app.screen.query("KeyLine").first()
        found["key"], found["what it does"] = look(keys, KEY), look(keys, KEY_SAYS)
        # Texts that wrap are Content, whose tones are named by themselves.
        app.screen.detail_text.update(as_content([(Cell("x", tone),) for tone in Tone]))
        await pilot.pause()
        for number, tone in enumerate(Tone):
            found[f"{tone} in a text"] = next(iter(app.screen.detail_text.render_line(number))).style
        await press(pilot, "question_mark")
        await until(pilot, lambda: app.screen.query("#dialog"))
        found["dialog"] = app.screen.query("#dialog Static").first().rich_style
    short = {name: round(contrast(style), 2) for name, style in found.items() if contrast(style) < least}
    assert short == {}
