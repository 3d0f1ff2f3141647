"""What is said of the time before training is what it takes, by steps counted and steps timed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from assay.train import time_estimate
from assay.train.config import LossConfig
from assay.train.time_estimate import seconds_to_train
from tests.support import tiny_bases as tiny


class Clock:
    """A clock that a step moves on by two seconds and a scored row by a quarter."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


def test_steps_and_scored_rows_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(time_estimate, "time", clock)
    step, score = torch.optim.AdamW.step, time_estimate.RewardModel.score

    def slow_step(self: torch.optim.AdamW) -> None:
        clock.now += 2.0
        step(self)

    def slow_score(self: object, rows: list[object], **options: object) -> object:
        clock.now += 0.25 * len(rows)
        return score(self, rows, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.optim.AdamW, "step", slow_step)
    monkeypatch.setattr(time_estimate.RewardModel, "score", slow_score)
    recipe = tiny.quick(tiny.base(tmp_path / "base"), epochs=2.5)  # batches of 8
    state = torch.random.get_rng_state()
    found = seconds_to_train(tiny.pairs(42), held_out=10, loss=LossConfig(), **recipe)
    assert torch.equal(torch.random.get_rng_state(), state)
    steps = math.ceil(2.5 * math.ceil(42 / 8))
    scored = 3 * 10 + 7 * 32  # pairs: an evaluation an epoch, and the self-checks' 64 rows seven times
    assert found == pytest.approx(2.0 * steps + 0.5 * scored)


def test_fewer_pairs_than_a_batch_are_enough(tmp_path: Path) -> None:
    recipe = tiny.quick(tiny.base(tmp_path / "base"))
    assert seconds_to_train(tiny.pairs(3), held_out=1, loss=LossConfig(), **recipe) > 0
