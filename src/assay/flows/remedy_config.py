"""The options of `assay remedies`: those of `assay reward`, and how each remedy is put under pressure."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from assay.audits.pressure.config import PressureConfig
from assay.config import StageConfig
from assay.train.reward_config import RewardConfig

BEST_OF = 64


class PressConfig(StageConfig):
    """How a policy searches for each remedy's reward on a simulated world; every remedy gets the same search."""

    world: Literal["support"] | None = Field(None, description="the simulated world that is searched in; null: none")
    prompts: PositiveInt = Field(40, description="fresh prompts, the same for every remedy")
    start: str = Field("plain", description="agents who answer first: see assay simulate candidates")
    population: int = Field(16, ge=2, description="answers kept a prompt, and scored a round")
    rounds: NonNegativeInt = Field(8, description="rounds of changed answers after the first")
    words: PositiveInt = Field(200, description="longest answer that is tried")
    seed: NonNegativeInt = Field(0, description="of prompts and search; the search of two remedies differs by rewards")


class BasesConfig(StageConfig):
    """Other bases than the run's own."""

    second: str | None = Field(
        None, min_length=1, description="another base, trained alike, for the remedies of two bases; null: without them"
    )


class RemediesConfig(RewardConfig):
    """What `assay remedies` reads."""

    pressure: PressureConfig = PressureConfig(largest=BEST_OF)
    press: PressConfig = PressConfig()
    bases: BasesConfig = BasesConfig()

    @property
    def of_a_run(self) -> RewardConfig:
        """The options of one remedy's run."""
        return RewardConfig.build({name: getattr(self, name) for name in RewardConfig.model_fields})
