"""What an examination has found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        code: what it is, for programs.
        text: what it is, why it matters and what helps, in a sentence.
        mend: what can be done about it here, as a question without its sign; None: nothing.
        unusable: the file cannot be used as it is.
        hint: worth knowing, but nothing is wrong.
    """

    code: str
    text: str
    mend: str | None = None
    unusable: bool = False
    hint: bool = False
