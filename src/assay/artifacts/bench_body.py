"""What stands in bench.json: a scorer's figures on a published suite, and what they are held against."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from assay.artifacts.body import Body
from assay.artifacts.finding_body import IntervalBody


class StandingBody(BaseModel):
    """One figure. value null: unknown, for `reason`; interval null beside a value: none, for `reason`.

    unscored: items without a reward; if_wrong, if_right: the figure with those counted as wrong, or as right.
    others: what longest, shortest and chance get; null where there is no such figure. rule: the best of them; ahead:
    the value minus it; p_holm: adjusted over all parts of the suite.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["part", "formula", "described"]
    value: float | None
    interval: IntervalBody | None
    reason: str | None
    n: int
    unscored: int
    if_wrong: float | None
    if_right: float | None
    others: dict[str, float | None]
    rule: str | None
    ahead: float | None
    p: float | None
    p_holm: float | None
    verdict: Literal["ahead", "behind", "not_told_apart"] | None
    also: str


class UnscoredBody(BaseModel):
    """An item that could not be scored whole, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    part: str
    why: str


class BenchBody(Body):
    """inputs: hashes of the suite's files and the scorer's fingerprint. notes: where the files are not as published."""

    SCHEMA: ClassVar[str] = "bench/1"

    suite: str
    title: str
    source: str
    rule: str
    over_long: str
    scorer: str
    items: int
    level: float
    standings: tuple[StandingBody, ...]
    unscored: tuple[UnscoredBody, ...]
    notes: tuple[str, ...]
    inputs: dict[str, str]
    assay_version: str
    versions: dict[str, str]
    command: str
