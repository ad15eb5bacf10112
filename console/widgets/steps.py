"""The keys that move a cursor by steps; where to, the widget knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.geometry import Size


class Steps:
    """Moves the cursor of a list by rows and pages."""

    _cursor: int
    size: Size

    def _move(self, index: int) -> None:
        """Puts the cursor on a row, or on the nearest there is."""
        raise NotImplementedError

    def action_cursor_down(self) -> None:
        """One row down."""
        self._move(self._cursor + 1)

    def action_cursor_up(self) -> None:
        """One row up."""
        self._move(self._cursor - 1)

    def action_page_down(self) -> None:
        """A page down."""
        self._move(self._cursor + max(self.size.height - 2, 1))

    def action_page_up(self) -> None:
        """A page up."""
        self._move(self._cursor - max(self.size.height - 2, 1))

    def action_half_page_down(self) -> None:
        """Half a page down."""
        self._move(self._cursor + max(self.size.height // 2, 1))

    def action_half_page_up(self) -> None:
        """Half a page up."""
        self._move(self._cursor - max(self.size.height // 2, 1))
