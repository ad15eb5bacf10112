"""The console's acts and lists as commands for scripts; each module a subject."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.commands.output import Context, Exit


@dataclass(frozen=True)
class Command:
    """A command, whose module is loaded when it is carried out.

    Attributes:
        subject: the module's name.
        name: the function's.
    """

    subject: str
    name: str

    @property
    def function(self) -> Callable[[Context], Exit]:
        """What carries it out."""
        found: Callable[[Context], Exit] = getattr(import_module(f"{__name__}.{self.subject}"), self.name)
        return found

    def __call__(self, context: Context) -> Exit:
        """Carries it out; returns the exit code."""
        return self.function(context)


class Subject:
    """The commands of a module, by the names of their functions.

    Args:
        name: the module's.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Command:
        """One of them."""
        return Command(self._name, name)
