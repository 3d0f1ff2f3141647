"""The options of an audit on labelled pairs."""

from __future__ import annotations

from pydantic import (
    Field,
    PositiveInt,
)

from assay.config import StageConfig


class AuditConfig(StageConfig):
    """The audit of any scorer on labelled pairs."""

    level: float = Field(0.95, gt=0.5, lt=1, description="confidence level of every interval")
    resamples: PositiveInt = 2000
    length_tolerance: float = Field(0.1, ge=0, lt=1, description="length-matched: within this share of each other")
    mistakes: PositiveInt = 20
    seed: int = 0
