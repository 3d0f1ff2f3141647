"""A finding and its interval as they stand in artifacts: audit.json, analysis.json. Primitive fields only."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class IntervalBody(BaseModel):
    """A confidence interval, and how it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float
    level: float
    method: str


class FindingBody(BaseModel):
    """One figure. slice: "overall" or "category=NAME". value null: unknown, for `reason`.

    interval null beside a value: there is none, for `reason`; without one the figure describes and estimates nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    slice: str = "overall"
    value: float | None
    unit: str
    n: int
    interval: IntervalBody | None
    why: str
    reason: str | None = None
    verdict: Literal["ok", "warning", "problem", "too_few"] | None = None
    seed: int | None = None
    detail: dict[str, JsonValue] = Field(default_factory=dict)
