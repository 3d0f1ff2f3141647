"""What stands in compare.json: two scorers on the same pairs, the verdict between them, and the figures behind it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from assay.artifacts.body import Body
from assay.artifacts.finding_body import FindingBody
from assay.artifacts.rests_on_body import RestsOn

_PART = ConfigDict(frozen=True, extra="forbid")


class JudgeCostBody(BaseModel):
    """What the judges of a side took. calls: questions put; sent: requests that went out now, the others had been kept.

    read, written: tokens, of all calls but the `untold`. right, wrong, undecided: pairs with a label that both sides
    could read. flips: share of the votes on these that named a place; None where nobody was asked in both orders.
    """

    model_config = _PART

    calls: int
    sent: int
    read: int
    written: int
    untold: int
    right: int
    wrong: int
    undecided: int
    flips: float | None
    right_a_thousand_calls: float


class SideBody(BaseModel):
    """One side. fingerprints: of its scorers, by seed. template: named for a model published without one. cost: of
    judges; None for scorers that count no calls.
    """

    model_config = _PART

    name: str
    fingerprints: dict[int, str]
    template: str | None = None
    cost: JudgeCostBody | None = None


class CompareBody(Body):
    """pairs: that both sides could read; left_out: the others; ties: pairs of no definite label, which only
    differences.jsonl knows.

    shared: fingerprints that stand on both sides. more_pairs: beyond those at hand, for an 80% chance of a decision if
    the difference stays what it is. smallest_seen: the true difference that such pairs show in 80% of comparisons.
    assay_version, versions, command: what made it; empty in files of before these were noted.
    """

    SCHEMA: ClassVar[str] = "compare/1"

    verdict: Literal["A", "B", "undecided"]
    sentence: str
    reason: str
    more_pairs: int | None
    smallest_seen: float | None
    a: SideBody
    b: SideBody
    shared: list[str]
    inputs: dict[str, str]
    config: dict[str, JsonValue]
    pairs: int
    ties: int
    left_out: int
    findings: list[FindingBody]
    rests_on: RestsOn
    assay_version: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    command: str = ""
