"""Parameter groups and schedules, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.rewards.reward_model import RewardModel
from assay.train.config import TrainConfig
from assay.train.optimiser import adamw, schedule_factor
from assay.train.reward_checks import head_parameters
from tests.support import tiny_bases as tiny


@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_head_learning_rate_and_weight_decay_make_groups(kind: str, tmp_path: Path) -> None:
    model = RewardModel.from_base(tiny.quick(tiny.base(tmp_path, kind))["model"]).model
    head = head_parameters(model)
    found = adamw(model, TrainConfig(learning_rate=1e-5, head_learning_rate=1e-3, weight_decay=0.1), head=head)
    groups = {(g["lr"], g["weight_decay"]): len(g["params"]) for g in found.param_groups}
    assert groups[(1e-3, 0.1)] == sum(p.ndim == 2 for p in head.values())
    assert sum(groups.values()) == sum(1 for _ in model.parameters())
    assert all(p.ndim >= 2 for g in found.param_groups if g["weight_decay"] for p in g["params"])


def test_schedules_by_hand() -> None:
    linear = schedule_factor(TrainConfig(warmup=0.2), 10)  # two steps of warm-up, eight down
    assert [round(linear(s), 4) for s in range(10)] == [
        0.3333,
        0.6667,
        1.0,
        0.875,
        0.75,
        0.625,
        0.5,
        0.375,
        0.25,
        0.125,
    ]
    constant = schedule_factor(TrainConfig(warmup=0.0, schedule="constant"), 10)
    assert [constant(s) for s in range(10)] == [1.0] * 10
    cosine = schedule_factor(TrainConfig(warmup=0.0, schedule="cosine"), 4)
    assert [round(cosine(s), 4) for s in range(4)] == [1.0, 0.8536, 0.5, 0.1464]
    assert schedule_factor(TrainConfig(warmup=0.06), 1)(0) == 1.0  # one step alone is a step
