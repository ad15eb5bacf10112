"""What the threads tell the app: facts, in the past tense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.actions import Done
    from console.readings.model import Snapshot


class SnapshotTaken(Message):
    """The poller has looked at everything.

    Attributes:
        snapshot: what it saw.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Only the newest look matters."""
        return isinstance(message, SnapshotTaken)


class Answered(Message):
    """The poller has answered a question, or an act has been carried out.

    Attributes:
        slot: what was asked; a newer question of the same slot makes this answer void.
        number: which question of the slot this answers.
        tell: is given the answer, on the app's thread.
        answer: the answer.
    """

    def __init__(self, slot: str, number: int, tell: Callable[[Any], None], answer: Any) -> None:
        super().__init__()
        self.slot, self.number, self.tell, self.answer = slot, number, tell, answer


class ActionDone(Message):
    """An act of the operator has been carried out.

    Attributes:
        done: what came of it.
    """

    def __init__(self, done: Done) -> None:
        super().__init__()
        self.done = done


class ActionRefused(Message):
    """An act cannot be carried out, or a question cannot be answered.

    Attributes:
        text: why, in one sentence.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Faulted(Message):
    """Something unexpected happened on a thread; it is logged whole.

    Attributes:
        text: the short form.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
