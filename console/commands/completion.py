"""`completion`: what a shell runs so that tab completes our commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.commands.output import Exit

if TYPE_CHECKING:
    from console.commands.output import Context


def completion(context: Context) -> Exit:
    """Prints the script of a shell."""
    import shtab  # noqa: PLC0415 - 100 ms, for this command only

    from console.cli import parser  # noqa: PLC0415 - it imports this module

    print(shtab.complete(parser(), shell=context.options.shell))
    return Exit.DONE
