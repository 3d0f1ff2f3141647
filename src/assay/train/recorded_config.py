"""The options of a run as run.json holds them, as the kind of flow that wrote them reads them."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from assay.train.dpo.config import DpoRunConfig
from assay.train.reward_config import RewardConfig

FlowConfig = RewardConfig | DpoRunConfig


def recorded_config(options: Mapping[str, JsonValue]) -> FlowConfig:
    """Raises ConfigError for options that this version of assay does not know."""
    return DpoRunConfig.build(options) if "dpo" in options else RewardConfig.build(options)
