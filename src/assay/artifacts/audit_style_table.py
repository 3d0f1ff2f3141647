"""What stands in audit.json on style and on what a reward goes by further than people. Primitive fields only."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

STRICT = ConfigDict(extra="forbid")


@with_config(STRICT)
class StyleEffect(TypedDict):
    """One feature, all others held: what one of its sizes adds to the margin (in the margin's sizes) and to people's
    log odds. p: two-sided, of the effect on the margin, corrected by Holm over the features."""

    feature: str
    pairs: int
    margin: float
    margin_low: float
    margin_high: float
    p: float
    people: float | None
    people_low: float | None
    people_high: float | None


@with_config(STRICT)
class OveruseRow(TypedDict):
    """One attribute: how far people and the reward lean to the answer with more of it (-0.5 to 0.5, weighted by how
    much more), how much further the reward goes, and how surprising that is. p: corrected for every row of its family.
    power: chance that the size said to matter would have been found.
    """

    family: Literal["length", "style", "source"]
    attribute: str
    pairs: int
    people: float
    reward: float
    beyond: float
    beyond_low: float
    beyond_high: float
    p: float
    power: float


@with_config(STRICT)
class StyleTable(TypedDict):
    """level: of the intervals. effects: empty where style could not be fitted."""

    level: float
    effects: list[StyleEffect]
    overuse: list[OveruseRow]
