"""The options of a reward's fit to a policy."""

from __future__ import annotations

from pydantic import Field, NonNegativeInt, PositiveInt

from assay.config import StageConfig


class FitConfig(StageConfig):
    """How many answers are looked at, what they are held against, and how often a false alarm may be raised."""

    level: float = Field(0.95, gt=0.5, lt=1, description="confidence level of every interval")
    resamples: PositiveInt = 2000
    seed: int = 0
    rate: float = Field(0.05, gt=0, lt=0.5, description="false alarms: share of held-out answers that count as outside")
    trained_on: str | None = Field(None, description="pairs the reward was trained on; none: those of its run")
    held_out: str | None = Field(None, description="pairs like them that it was not trained on; none: those of its run")
    training: PositiveInt = Field(2000, description="most training answers that the cloud is fitted to")
    calibration: PositiveInt = Field(1000, description="most held-out answers that the threshold is found on")
    answers: NonNegativeInt = Field(16, description="most samples a prompt whose distance is measured; 0: none")
    directions: PositiveInt = Field(256, description="directions in which the cloud's own width is kept")
    per_category: PositiveInt = Field(50, description="training answers from which on a category has its own centre")
