"""A seed whose loss stayed at guessing is called untrained, and one that learned is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from assay.train.config import LossConfig
from assay.train.untrained import preference_loss, untrained

PLAIN = LossConfig(centring=0.0)


def curve(first: float, last: float, steps: int = 40) -> list[dict[str, float]]:
    """A loss that goes in a straight line."""
    return [{"step": n + 1, "loss": float(loss)} for n, loss in enumerate(np.linspace(first, last, steps))]


@pytest.mark.parametrize(
    ("rows", "learned"),
    [
        (curve(0.693, 0.692), False),
        (curve(0.9, 0.9), False),  # worse than guessing is no learning either
        (curve(0.693, 0.60), True),
        (curve(0.62, 0.62), True),
        (curve(0.69, 0.69, steps=1), False),
        ([{"step": 1, "eval_accuracy": 0.5}], True),  # no loss on record: nothing is known, nothing is said
        ([], True),
    ],
)
def test_loss_near_ln_2(rows: list[dict[str, float]], learned: bool) -> None:
    said = untrained(rows, PLAIN)
    assert (said is None) == learned
    if said is not None:
        assert "guessing loses 0.693 (ln 2)" in said
        assert "untrained" in said


def test_only_the_last_quarter_counts() -> None:
    late = [*curve(0.693, 0.693, steps=30), *curve(0.5, 0.5, steps=10)]
    assert untrained(late, PLAIN) is None
    assert untrained(late[::-1], PLAIN) is not None


def test_what_centring_adds_is_no_ignorance() -> None:
    """By hand: rewards (3, 1) and (2, 0): losses log(1 + e^-2), penalties 0.01 * 16 and 0.01 * 4."""
    chosen, rejected = np.array([3.0, 2.0]), np.array([1.0, 0.0])
    both = np.concatenate([chosen, rejected])
    plain = math.log1p(math.exp(-2))
    row = {
        "loss": plain + 0.01 * 10,
        "margin": 2.0,
        "reward_mean": float(both.mean()),
        "reward_std": float(both.std()),
    }
    assert preference_loss(row, 0.01) == pytest.approx(plain)  # exact where all margins are alike
    high = {**row, "loss": 0.55 + 0.01 * 20, "margin": 0.5, "reward_mean": 2.2}  # at 0.75 in all, yet well trained
    assert untrained([high] * 8, LossConfig(centring=0.01)) is None


def test_losses_whose_guess_is_no_constant_are_left_alone() -> None:
    for loss in (LossConfig(kind="rao_kupper"), LossConfig(margin="subtract")):
        assert untrained(curve(0.9, 0.9), loss) is None
