"""Figures of a step by hand, and held-out accuracy."""

from __future__ import annotations

import pytest

from assay.records import Pair, PairScore
from assay.train.objective import Seen
from assay.train.pair_figures import held_out_figures, step_figures


def test_figures_of_a_step_by_hand() -> None:
    rewards = (("a", 3.0, 1.0), ("b", 0.0, 0.0), ("c", -1.0, 3.0))
    found = step_figures(
        [Seen(name=n, loss=0.1, figures={"chosen": c, "rejected": r}, tokens=1) for n, c, r in rewards]
    )
    assert found["accuracy"] == pytest.approx(1 / 3)  # an equal pair is not right
    assert found["margin"] == pytest.approx((2 + 0 - 4) / 3)
    assert (found["reward_min"], found["reward_max"], found["reward_mean"]) == (-1, 3, 1)
    assert found["reward_std"] == pytest.approx((14 / 6) ** 0.5)  # 4+0+1+1+4+4 over six rewards around 1


def test_held_out_accuracy_is_exact_and_counts_ties() -> None:
    pairs = [Pair(id=i, prompt="q", chosen="a", rejected="b") for i in "wxy"]
    pairs.append(Pair(id="z", prompt="q", chosen="a", rejected="b", label="tie"))
    rewards = (("w", 2, 1), ("x", 1, 1), ("y", 0, 3), ("z", 9, 0))
    scores = [PairScore(pair_id=i, chosen=c, rejected=r) for i, c, r in rewards]
    found = held_out_figures(scores, pairs)
    # -2/3: 1 + 0 - 3 over three
    assert found == {"accuracy": 1 / 3, "n": 3, "ties": 1, "margin": pytest.approx(-2 / 3)}
    assert held_out_figures([], []) == {"accuracy": None, "n": 0, "ties": 0, "margin": None}
