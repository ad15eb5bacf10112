"""What tones, titles and cursors look like: Textual's words for a style, with the colours of the theme.

Not component classes of the stylesheet: Textual makes a node of 8 KB for each of them on every widget.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from textual.style import Style as VisualStyle

from console.rows.base import Tone

if TYPE_CHECKING:
    from rich.style import Style
    from textual.widget import Widget

TONES = {
    Tone.PLAIN: "", Tone.QUIET: "$text-muted", Tone.GOOD: "$text-success", Tone.WARN: "$text-warning",
    Tone.BAD: "$text-error", Tone.ACCENT: "$text-accent", Tone.MARK: "reverse",
}  # fmt: skip
# What is good is not known to be so any more when the facts are old; what was bad is still told aloud.
DIMMED, STALE = frozenset({Tone.PLAIN, Tone.GOOD, Tone.ACCENT}), "$text-disabled"
STALE_CLASS = "-stale"
TITLE = "bold $text-accent"
BADGE = "bold $background on $warning"
KEY, KEY_SAYS = "bold $footer-key-foreground", "$footer-description-foreground"
# A place that is lit; in a list that has not the keys, a quieter one.
HERE, HERE_BLURRED = "bold $background on $accent", "$foreground on $panel"
# Where there are no colours, or not ours.
HERE_ANSI = "reverse $background on $accent"


def look(widget: Widget, style: str) -> Style:
    """A style as it is on the ground of a widget.

    Args:
        widget: whose ground.
        style: as here, or as `Textual has them <https://textual.textualize.io/guide/content/#markup>`_.
    """
    return _drawn(widget.visual_style, style, widget.app.theme)


def lit(widget: Widget, *, focused: bool = True) -> Style:
    """Where the cursor is, and which screen this is."""
    if widget.app.native_ansi_color:
        return look(widget, HERE_ANSI if focused else HERE_BLURRED)
    return look(widget, HERE if focused else HERE_BLURRED)


def toned(widget: Widget, tone: Tone, *, ages: bool = True) -> Style:
    """What a tone looks like on the ground of a widget.

    Args:
        widget: on its screen.
        tone: which one.
        ages: whether it is dimmed on a screen whose facts are old.
    """
    old = ages and tone in DIMMED and widget.screen.has_class(STALE_CLASS)
    return look(widget, STALE if old else TONES[tone])


@lru_cache(maxsize=256)
def _drawn(ground: VisualStyle, style: str, theme: str) -> Style:
    del theme  # says what the names of the colours mean
    return (ground + VisualStyle.parse(style)).rich_style
