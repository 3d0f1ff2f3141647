"""What a pair asks of its margin, and the loss of a batch of pairs under every LossConfig."""

from __future__ import annotations

import math
from typing import Any

import pytest
from torch import tensor

from assay.errors import InputError
from assay.records import Choice, Pair, Vote
from assay.train.config import LossConfig
from assay.train.losses.targets import Target, pair_losses, target_of


def pair(*votes: Choice, **more: Any) -> Pair:
    return Pair(id="p", prompt="q", chosen="a", rejected="b", votes=tuple(Vote(choice=v) for v in votes), **more)


def test_targets() -> None:
    votes = LossConfig(targets="votes")
    assert target_of(pair(), LossConfig()) == Target(win=1, tie=0, loss=0)
    assert target_of(pair(label="tie"), LossConfig()) == Target(win=0, tie=1, loss=0)
    assert target_of(pair("chosen", "chosen", "rejected"), LossConfig()) == Target(win=1, tie=0, loss=0)
    mixed = pair("chosen", "tie", "rejected", "chosen", "abstain")
    assert target_of(mixed, votes) == Target(win=0.5, tie=0.25, loss=0.25)
    assert target_of(pair(), votes) == Target(win=1, tie=0, loss=0)  # no votes: the label


def test_a_stated_margin_is_subtracted_only_when_asked_for_and_not_from_ties() -> None:
    assert target_of(pair(margin=2.0), LossConfig()).margin == 0
    assert target_of(pair(margin=2.0), LossConfig(margin="subtract")).margin == 2.0
    assert target_of(pair(), LossConfig(margin="subtract")).margin == 0
    assert target_of(pair(margin=2.0, label="tie"), LossConfig(margin="subtract")).margin == 0


def test_refusals() -> None:
    with pytest.raises(InputError, match="abstentions"):
        target_of(pair("abstain", "abstain"), LossConfig(targets="votes"))
    with pytest.raises(InputError, match="tie_threshold"):
        target_of(pair(label="tie"), LossConfig(kind="rao_kupper", tie_threshold=0))


WIN = Target(win=1, tie=0, loss=0)


def one(config: LossConfig, target: Target = WIN) -> float:
    """The loss of one pair with rewards 1 and 0."""
    return pair_losses(tensor([1.0]), tensor([0.0]), [target], config).item()


def test_losses_by_hand() -> None:
    plain, swapped = math.log1p(math.exp(-1)), math.log1p(math.exp(1))  # -ln sigmoid(1), -ln sigmoid(-1)
    assert one(LossConfig(centring=0)) == pytest.approx(plain)
    assert one(LossConfig(centring=0.1)) == pytest.approx(plain + 0.1)  # (1 + 0) squared
    assert one(LossConfig(centring=0, label_smoothing=0.2)) == pytest.approx(0.8 * plain + 0.2 * swapped)
    subtracted = one(LossConfig(centring=0, margin="subtract"), Target(win=1, tie=0, loss=0, margin=2.0))
    assert subtracted == pytest.approx(swapped)  # 1 - 2 = -1
    # Bradley-Terry takes a tie as half a win
    assert one(LossConfig(centring=0), Target(win=0, tie=1, loss=0)) == pytest.approx((plain + swapped) / 2)
    # Rao-Kupper at threshold 1: win = sigmoid(0) = 1/2
    assert one(LossConfig(centring=0, kind="rao_kupper", tie_threshold=1)) == pytest.approx(math.log(2))


def test_a_tie_pulls_the_margin_to_0_under_rao_kupper() -> None:
    config, tie = LossConfig(centring=0, kind="rao_kupper"), [Target(win=0, tie=1, loss=0)]
    at = {m: pair_losses(tensor([m]), tensor([0.0]), tie, config).item() for m in (-1.0, 0.0, 1.0)}
    assert at[0.0] < at[1.0] == pytest.approx(at[-1.0])
