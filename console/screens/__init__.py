"""What fills the terminal: each module a screen, or a dialog above one. No SQL, no I/O."""

from __future__ import annotations
