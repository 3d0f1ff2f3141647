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


class ProbeConfig(StageConfig):
    """Which answers are scored anew, changed or under other prompts, and how many. None by default: it costs."""

    names: str = Field("none", description="all, none, or names of probes with commas between")
    pairs: PositiveInt = Field(200, description="pairs that each probe is tried on, drawn by seed")
    swapped: PositiveInt = Field(2000, description="pairs whose prompts are exchanged, drawn by seed")
    seed: int = 0
