"""A head that would stay random is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import TrainingError
from assay.rewards.reward_model import RewardModel
from assay.train.reward_checks import head_parameters
from tests.support import tiny_bases as tiny


@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_the_head_is_trained_and_a_frozen_one_is_refused(kind: str, tmp_path: Path) -> None:
    model = RewardModel.from_base(tiny.quick(tiny.base(tmp_path, kind))["model"]).model
    names = head_parameters(model)
    assert names
    assert all("classifier" in name or "score" in name for name in names)
    for parameter in names.values():
        parameter.requires_grad_(False)
    with pytest.raises(TrainingError, match="would stay random"):
        head_parameters(model)
