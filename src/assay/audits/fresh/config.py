"""Options of fresh pairs: how they are drawn for people. Knows the options; knows not what they do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from assay.config import StageConfig


class FreshConfig(StageConfig):
    """How pairs of fresh answers are formed and chosen, and when people count as having decided."""

    votes: PositiveInt = Field(100, description="pairs drawn at random for the estimate; every editor judges each")
    unsure: NonNegativeInt = Field(
        25, description="pairs beside them of which the reward is least sure; in no estimate"
    )
    seed: int = Field(0, ge=0, description="of which two answers make a pair, and which pairs people see")
    level: float = Field(0.95, gt=0.5, lt=1, description="of every interval")
    tolerated: float = Field(0.05, ge=0, lt=1, description="a drop up to which the reward holds")
    attention_pass: float = Field(0.6, ge=0, le=1, description="share of attention items a person must judge right")
    failed_attention: Literal["keep", "exclude"] = Field(
        "exclude", description="votes of people below it; how many they are is said either way"
    )
