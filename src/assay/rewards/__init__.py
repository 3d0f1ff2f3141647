"""Reward models: made new, run, saved and loaded, checked."""

from typing import TYPE_CHECKING

from assay.lazy_names import door

if TYPE_CHECKING:
    from assay.rewards.padded_forward import rewards_padded
    from assay.rewards.reward_model import RewardModel

__all__ = ["RewardModel", "rewards_padded"]
__getattr__ = door(
    __name__, {"RewardModel": "assay.rewards.reward_model", "rewards_padded": "assay.rewards.padded_forward"}
)
