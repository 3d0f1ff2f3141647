"""What stands in audit.json on a tuned policy: the pairs behind falling log-probabilities. Primitive fields only."""

from __future__ import annotations

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

STRICT = ConfigDict(extra="forbid")


@with_config(STRICT)
class ChesRow(TypedDict):
    """One training pair. ches: as defined, which grows with length; normalised: to compare pairs by."""

    pair_id: str
    ches: float
    normalised: float
    prompt: str
    chosen: str
    rejected: str


@with_config(STRICT)
class PolicyTable(TypedDict):
    """displaced: whether both sides fell, on average over held-out pairs. behind: training pairs with the highest CHES
    scores, highest first; empty where nothing was displaced."""

    displaced: bool
    behind: list[ChesRow]
