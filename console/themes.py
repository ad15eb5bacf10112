"""Colours: dark, light and high contrast. One accent; green, amber and red only where they mean something."""

from __future__ import annotations

import os

from textual.theme import Theme

DARK = Theme(
    name="dark",
    primary="#7aa2c8", secondary="#8ea4b8", accent="#7aa2c8", foreground="#d7dde3", background="#14181d",
    surface="#191e24", panel="#232a32", success="#8fbf8f", warning="#e0b36a", error="#e5847c", dark=True,
    variables={"text-muted": "#9aa3ac", "text-disabled": "#6d6f72"},
)  # fmt: skip
LIGHT = Theme(
    name="light",
    primary="#2f5f8f", secondary="#52677a", accent="#2f5f8f", foreground="#1f262d", background="#f7f8f9",
    surface="#f1f3f5", panel="#e2e6ea", success="#2e6b34", warning="#875400", error="#a8261c", dark=False,
    variables={"text-muted": "#5a6570", "text-disabled": "#99999a"},
)  # fmt: skip
HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#5fd7ff", secondary="#ffffff", accent="#5fd7ff", foreground="#ffffff", background="#000000",
    surface="#000000", panel="#303030", success="#5fff5f", warning="#ffff00", error="#ff8787", dark=True,
    variables={"text-muted": "#d0d0d0", "text-disabled": "#606060"},
)  # fmt: skip
THEMES = (DARK, LIGHT, HIGH_CONTRAST)

# Textual turns NO_COLOR into greys, which are colours too; only an ANSI theme emits none at all.
NO_COLOR_THEME = "ansi-dark"


def no_colour() -> bool:
    """Whether the terminal's user wants no colour (https://no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))


def chosen(name: str | None) -> str:
    """The theme to start with.

    Args:
        name: of `--theme`, or remembered; `NO_COLOR` wins over it, and one that is none of ours counts as none.
    """
    known = {theme.name for theme in THEMES}
    return NO_COLOR_THEME if no_colour() else name if name in known else DARK.name
