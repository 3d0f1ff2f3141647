"""The options of the whole reward flow: one group for each stage."""

from __future__ import annotations

from pydantic import (
    Field,
)

from assay.audits.config import AuditConfig, ProbeConfig
from assay.config import StageConfig
from assay.data.config import AugmentConfig, DataConfig, SelectConfig, SplitConfig
from assay.models.config import ModelConfig
from assay.train.config import LossConfig, RegulariseConfig, StoppingConfig, TrainConfig


class RewardConfig(StageConfig):
    """The whole reward flow."""

    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
    select: SelectConfig = SelectConfig()
    augment: AugmentConfig = AugmentConfig()
    model: ModelConfig = ModelConfig()
    loss: LossConfig = LossConfig()
    regularise: RegulariseConfig = RegulariseConfig()
    train: TrainConfig = TrainConfig()
    stopping: StoppingConfig = StoppingConfig()
    audit: AuditConfig = AuditConfig()
    probes: ProbeConfig = ProbeConfig()
    criteria: str | None = Field(None, description="YAML file of gate criteria; null: the built-in ones")
