"""The console, whose thread that reads the keys waits for ever unless something comes."""

from __future__ import annotations

import selectors
import sys

from console import cli


class Patient(selectors.SelectSelector):
    def select(self, timeout=None):
        return super().select(timeout and None)


if __name__ == "__main__":
    selectors.SelectSelector = Patient
    sys.exit(cli.main())
