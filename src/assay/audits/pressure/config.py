"""The options of a reward under pressure."""

from __future__ import annotations

from pydantic import Field, NonNegativeInt, PositiveInt

from assay.config import StageConfig


class PressureConfig(StageConfig):
    """How candidates are put under pressure and how that is judged."""

    level: float = Field(0.95, gt=0.5, lt=1, description="confidence level of every interval")
    resamples: PositiveInt = 2000
    seed: int = 0
    largest: int = Field(256, ge=2, description="largest n of best of n; the curve has 1, 2, 4, ... up to it")
    least_share: float = Field(
        0.9, gt=0, le=1, description="share of prompts that must have n candidates for n to be in the curve"
    )
    margin: float = Field(
        0.1, gt=0, description="a fall of gold, in its spreads within prompts, below which it is said not to turn"
    )
    examples: NonNegativeInt = Field(20, description="worst picks kept for reading")
    phrases: PositiveInt = Field(400, description="most frequent phrases that are looked at")
