"""What a judge is asked and what comes back: a question, its reply, or why there is none. Knows no server, no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from assay.records import Message


class Asked(NamedTuple):
    """A chat up to the judge's turn. seed: of the draw, where the judge draws."""

    chat: tuple[Message, ...]
    seed: int = 0


@dataclass(frozen=True, slots=True)
class NoReply:
    """No reply, and why, in words that finish the sentence "the judge gave no verdict, because"."""

    why: str


class Judge(Protocol):
    """Whoever replies in words. fingerprint: changes whenever replies may."""

    @property
    def fingerprint(self) -> str: ...

    def replies(self, asked: Sequence[Asked]) -> list[str | NoReply]:
        """A reply to each, in the order given."""
        ...


def excerpt(text: str, most: int = 100) -> str:
    """The beginning of a text in one line, quoted.

    >>> excerpt("I cannot  say.\\nSorry", 12)
    "'I cannot sa...'"
    """
    line = " ".join(text.split())
    return repr(line if len(line) <= most else line[: most - 1] + "...")
