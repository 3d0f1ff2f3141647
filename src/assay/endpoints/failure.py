"""How a request can end without an answer: a Failure with its reason, or an ImpossibleError where none can succeed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["silent", "failed", "this row", "refused", "unreadable", "unsent"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without an answer, and why.

    kind: `silent`, no whole answer came; `failed`, the server's fault; `this row`, it does not want what was sent;
    `refused`, it wants no such request; `unreadable`, it answered with something else; `unsent`, nothing was sent: the
    budget is spent, the server given up or asking for a longer wait than is granted.
    """

    reason: str
    kind: Kind


class AnswerError(Exception):
    """An answer that holds not what was asked for; its text says what it holds instead."""


class ImpossibleError(Exception):
    """No request to this server can succeed. status: its answer; None: it answered, and can never say what is needed.

    said: what it says of its error, with `: ` before, without the credential.
    """

    def __init__(self, reason: str, status: int | None = None, said: str = "") -> None:
        super().__init__(reason)
        self.status, self.said = status, said
