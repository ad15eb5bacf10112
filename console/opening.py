"""Opening the console on this terminal, and leaving it."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from console.app import TopicConsole
from console.faults import log_to
from console.leaving import SIGNALLED, Leaving
from console.memory import Memory, state_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from console.local_worker import LocalWorker
    from worker.places import Home


def open_console(
    *,
    home: Home,
    config: Path,
    read_only: bool,
    with_worker: bool,
    ascii_only: bool,
    theme: str | None,
    own_keys: Mapping[str, str],
) -> int:
    """Opens the console until it is left; returns the exit code."""
    log_to(home)
    # Nothing of what was loaded will ever be garbage, and looking for garbage takes a tenth of the start.
    gc.freeze()
    gc.disable()
    leaving = Leaving()
    app = TopicConsole(
        home=home, config=config, read_only=read_only, with_worker=with_worker, ascii_only=ascii_only, theme=theme,
        memory=Memory(state_file()), own_keys=own_keys, leaving=leaving,
    )  # fmt: skip
    code = app.run() or app.return_code or 0
    leaving.ended()
    if with_worker and code >= SIGNALLED:
        # Whoever sent the signal may send the next one soon; the worker finishes what it does by itself.
        app.local_worker.ask_started_to_stop()
    elif with_worker:
        _stop_worker(app.local_worker)
    if leaving.hung_up:
        os._exit(code)  # Python would complain that what is still to be written has nowhere to go
    return code


def _stop_worker(worker: LocalWorker) -> None:
    say = sys.stderr.write
    say("topic-console: waiting for the worker to finish what it does… ")
    sys.stderr.flush()
    worker.stop_started()
    say("done\n")
