"""The console with a fault of its own: `t` raises."""

from __future__ import annotations

import sys

from console import cli
from console.app import TopicConsole


def _raise(_self):
    raise RuntimeError("[/foo] \x1b]52;c;eA==\x07 a fault of ours")


if __name__ == "__main__":
    TopicConsole.action_toggle_utc = _raise
    sys.exit(cli.main())
