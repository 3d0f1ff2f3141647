"""Self-checks of a saved reward model, as train.json holds them. Knows which of them may not fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.engine.reward_model import RewardModel
from assay.train.trainer import Evaluation, Task


def self_check(folder: Path, reward_model: RewardModel, task: Task, evaluation: Evaluation) -> dict[str, Any]:
    """Stub."""
    return {}
