"""The options of a comparison of two scorers."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from assay.config import StageConfig


class CompareConfig(StageConfig):
    """The comparison of two scorers on the same labelled pairs."""

    level: float = Field(0.95, gt=0.5, lt=1, description="confidence level of every interval, and of the verdict")
    smallest_slice: PositiveInt = Field(20, description="pairs of a category or source below which none is compared")
    differences: PositiveInt = Field(200, description="pairs listed in differences.jsonl, those that part most first")
    seed: int = 0
