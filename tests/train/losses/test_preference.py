"""Losses by hand, against TRL and scipy, as properties, by finite differences, and refused."""

from __future__ import annotations

import math
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, log_expit
from torch import Tensor, tensor

from assay.errors import ConfigError, EmptyBatchError
from assay.train.losses.preference import (
    bradley_terry_loss,
    bradley_terry_losses,
    centring_penalties,
    rao_kupper_log_probabilities,
    rao_kupper_loss,
    rao_kupper_losses,
    smooth,
    subtract_margin,
)

margins = st.lists(st.floats(-60, 60, width=32), min_size=1, max_size=6)
shares = st.floats(0, 1, width=32)
THREE = tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.2, 0.5, 0.3]])


# by hand ------------------------------------------------------------------------------------------------------------


def test_bradley_terry_by_hand() -> None:
    # sigmoid(ln 3) = 3/4, so -ln(3/4) = 0.28768; at margin 0: ln 2 = 0.69315; mean 0.49041
    loss = bradley_terry_loss(tensor([math.log(3), 0.0]))
    assert loss.shape == ()
    assert loss.item() == pytest.approx((0.2876821 + 0.6931472) / 2, abs=1e-6)


def test_soft_labels_by_hand() -> None:
    # two of three votes: -(2/3) ln(3/4) - (1/3) ln(1/4) = 0.19179 + 0.46210
    loss = bradley_terry_loss(tensor([math.log(3)]), target_B=tensor([2 / 3]))
    assert loss.item() == pytest.approx(2 / 3 * 0.2876821 + 1 / 3 * 1.3862944, abs=1e-6)


def test_rao_kupper_by_hand() -> None:
    # threshold ln 2, margin 0: win = loss = 1/(1+2) = 1/3, tie = 1 - 2/3 = 1/3
    p = rao_kupper_log_probabilities(tensor([0.0]), threshold=math.log(2)).exp()
    assert p[0].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3], abs=1e-6)
    # margin ln 2: win = sigmoid(0) = 1/2, loss = sigmoid(-ln 4) = 1/5, tie = 3/10
    p = rao_kupper_log_probabilities(tensor([math.log(2)]), threshold=math.log(2)).exp()
    assert p[0].tolist() == pytest.approx([0.5, 0.3, 0.2], abs=1e-6)


def test_margin_smoothing_and_centring_by_hand() -> None:
    assert subtract_margin(tensor([3.0, 1.0]), tensor([1.0, 0.0])).tolist() == [2.0, 1.0]
    assert smooth(tensor([1.0, 0.25]), 0.1).tolist() == pytest.approx([0.9, 0.9 * 0.25 + 0.1 * 0.75])
    assert smooth(tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), 0.1)[0].tolist() == pytest.approx([0.9, 0.0, 0.1])
    assert smooth(tensor([[0.0, 1.0, 0.0]]), 0.1)[0].tolist() == pytest.approx([0.0, 1.0, 0.0])
    assert centring_penalties(tensor([2.0]), tensor([-0.5])).tolist() == [2.25]  # 1.5 squared


# parity -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coefficient", [None, 0.05])
@pytest.mark.parametrize("stated", [None, [0.5, 0.0, 2.0]])
def test_parity_with_trl(coefficient: float | None, stated: list[float] | None) -> None:
    from trl import RewardTrainer

    chosen, rejected = tensor([1.2, -0.3, 0.4]), tensor([0.7, 0.9, -2.0])
    theirs = trl_loss(RewardTrainer, torch.cat([chosen, rejected]), stated, coefficient)
    margin = chosen - rejected
    ours = bradley_terry_loss(subtract_margin(margin, tensor(stated)) if stated else margin)
    if coefficient:
        ours = ours + coefficient * centring_penalties(chosen, rejected).mean()
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-6)


def trl_loss(trainer: Any, rewards: Tensor, stated: list[float] | None, coefficient: float | None) -> Tensor:
    """TRL's own compute_loss on a model that returns `rewards`."""
    inputs: dict[str, Any] = {"input_ids": torch.ones(len(rewards), 1), "attention_mask": torch.ones(len(rewards), 1)}
    if stated:
        inputs["margin"] = tensor(stated)

    class Model(torch.nn.Module):
        def forward(self, **_: Any) -> Any:
            return SimpleNamespace(logits=rewards[:, None])

    accelerator = SimpleNamespace(gather_for_metrics=lambda x: x, gather=lambda x: x)
    stand_in: Any = SimpleNamespace(
        args=SimpleNamespace(center_rewards_coefficient=coefficient),
        model=SimpleNamespace(training=False),
        accelerator=accelerator,
        _metrics={"train": defaultdict(list), "eval": defaultdict(list)},
        state=SimpleNamespace(num_input_tokens_seen=0),
        _total_train_tokens=0,
    )
    loss: Tensor = trainer.compute_loss(stand_in, Model(), inputs)
    return loss


@given(margins)
def test_parity_with_scipy(values: list[float]) -> None:
    ours = bradley_terry_losses(tensor(values))
    assert ours.tolist() == pytest.approx((-log_expit(values)).tolist(), rel=1e-5, abs=1e-7)


@given(margins, st.floats(0.05, 5))
def test_rao_kupper_parity_with_scipy(values: list[float], threshold: float) -> None:
    import numpy as np

    m = np.array(values)
    win, lose = expit(m - threshold), expit(-m - threshold)
    p = rao_kupper_log_probabilities(tensor(values), threshold=threshold).exp().numpy()
    assert p == pytest.approx(np.stack([win, 1 - win - lose, lose], axis=1), abs=2e-6)


# properties ---------------------------------------------------------------------------------------------------------


@given(margins, shares)
def test_swapping_the_sides_and_the_target_changes_nothing(values: list[float], share: float) -> None:
    margin, target = tensor(values), torch.full((len(values),), share)
    ours, swapped = bradley_terry_loss(margin, target_B=target), bradley_terry_loss(-margin, target_B=1 - target)
    assert ours.item() == pytest.approx(swapped.item(), rel=1e-5, abs=1e-6)


@given(margins, st.floats(0, 5))
def test_rao_kupper_swapped_mirrors(values: list[float], threshold: float) -> None:
    p = rao_kupper_log_probabilities(tensor(values), threshold=threshold)
    q = rao_kupper_log_probabilities(-tensor(values), threshold=threshold)
    assert torch.allclose(p, q.flip(1), rtol=1e-6, atol=1e-6)
    assert p.exp().sum(dim=1).tolist() == pytest.approx([1.0] * len(values), abs=1e-5)


@given(margins)
def test_rao_kupper_at_threshold_0_is_bradley_terry(values: list[float]) -> None:
    target = tensor([[0.7, 0.0, 0.3]] * len(values))
    ours = rao_kupper_losses(tensor(values), threshold=0.0, target_B3=target)
    theirs = bradley_terry_losses(tensor(values), target_B=target[:, 0])
    assert ours.tolist() == pytest.approx(theirs.tolist(), rel=1e-5, abs=1e-6)


@given(margins, st.floats(-8, 8, width=32))
def test_shifting_all_rewards_changes_only_the_centring(values: list[float], shift: float) -> None:
    chosen, rejected = tensor(values).double(), torch.zeros(len(values), dtype=torch.float64)
    moved = (chosen + shift) - (rejected + shift)
    assert bradley_terry_loss(moved).item() == pytest.approx(bradley_terry_loss(chosen).item(), rel=1e-4, abs=1e-5)
    if abs(shift) > 0.1 and abs(values[0] + shift) > 0.1:
        assert centring_penalties(chosen + shift, rejected + shift)[0] != centring_penalties(chosen, rejected)[0]


@pytest.mark.parametrize("threshold", [0.0, 1e-6, 0.5, 30.0, 1e4])
def test_gradients_are_finite_everywhere(threshold: float) -> None:
    margin = tensor([-1e30, -1e4, -90.0, 0.0, 1e-30, 90.0, 1e4, 1e30], requires_grad=True)
    target = tensor([[0.6, 0.1 if threshold else 0.0, 0.3 if threshold else 0.4]] * 8)
    loss = rao_kupper_losses(margin, threshold=threshold, target_B3=target)
    loss.sum().backward()
    assert margin.grad is not None
    assert loss.isfinite().all()
    assert margin.grad.isfinite().all()
    assert margin.grad.abs().max() <= 1.0 + 1e-5


def test_finite_differences() -> None:
    margin = tensor([-1.3, 0.2, 0.9, 4.0])
    for loss in (
        lambda m: bradley_terry_loss(m, target_B=tensor([1.0, 0.3, 0.0, 0.8])),
        lambda m: rao_kupper_loss(m, threshold=0.4, target_B3=THREE),
        lambda m: centring_penalties(m, tensor([0.1, -0.2, 0.0, 1.0])).mean(),
    ):
        leaf = margin.clone().requires_grad_()
        loss(leaf).backward()
        assert leaf.grad is not None
        for i in range(len(margin)):
            step = torch.zeros(4).index_fill(0, tensor([i]), 1e-2)
            slope = (loss(margin + step) - loss(margin - step)).item() / 2e-2
            assert leaf.grad[i].item() == pytest.approx(slope, abs=2e-3)


def test_losses_are_float32_whatever_comes_in() -> None:
    margin = tensor([0.1, 2.0], dtype=torch.bfloat16)
    assert bradley_terry_losses(margin).dtype == torch.float32
    assert rao_kupper_losses(margin, threshold=1.0, target_B3=THREE[:2]).dtype == torch.float32
    assert centring_penalties(margin, margin).dtype == torch.float32


# refusals -----------------------------------------------------------------------------------------------------------


def test_refusals() -> None:
    with pytest.raises(EmptyBatchError):
        bradley_terry_loss(tensor([]))
    with pytest.raises(EmptyBatchError):
        rao_kupper_loss(tensor([]), threshold=1.0, target_B3=torch.zeros(0, 3))
    with pytest.raises(ConfigError, match="tie_threshold"):
        rao_kupper_loss(tensor([1.0]), threshold=-0.1, target_B3=THREE[:1])
    with pytest.raises(ConfigError, match="ties cannot be"):
        rao_kupper_loss(tensor([1.0]), threshold=0.0, target_B3=THREE[1:2])
    with pytest.raises(ConfigError, match="label_smoothing"):
        smooth(tensor([1.0]), 0.5)
