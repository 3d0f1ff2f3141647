"""What is recorded of looks: a line of a ledger, and what a gate.json says of its own look."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Spending = Literal["equal", "late"]


class LookLine(BaseModel):
    """One line of a ledger: a look that was taken.

    key: hash of evidence and criteria; the same key is the same look. planned: looks planned then, null for none.
    share: of the error rate, which this look could spend.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    look: int
    key: str
    planned: int | None
    spending: Spending | None
    share: float
    verdict: Literal["pass", "fail", "undecided"]
    run: str
    taken: str


class LooksBody(BaseModel):
    """The look a verdict is from: the how-manieth, of how many planned (null: of none), what share of the error rate
    it may spend (0: none is left), and the ledger that counts it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    planned: int | None
    spending: Spending | None
    share: float
    ledger: str
