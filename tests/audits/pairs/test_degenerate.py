"""Degenerate rewards: every planted case is named, a thousand healthy distributions are not."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.pairs.degenerate import RULES, name_problems
from assay.audits.pairs.distribution import overlap_coefficient, placements
from tests.audits.planted import audited, healthy, make_pairs, score

N = 200


def planted(name: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    chosen, rejected = rng.normal(1, 1, N), rng.normal(0, 1, N)
    prompt = rng.normal(0, 2, N)
    return {
        "non_finite": (np.where(np.arange(N) == 3, np.nan, chosen), rejected),
        "constant": (np.full(N, 0.37), np.full(N, 0.37)),
        "nearly_constant": (0.37 + 1e-5 * chosen, 0.37 + 1e-5 * rejected),
        "few_distinct_values": (np.clip(np.round(chosen), -1, 1), np.clip(np.round(rejected), -1, 1)),
        "all_ties": (prompt, prompt),
        "mostly_ties": (
            np.where(np.arange(N) % 3 == 0, chosen, prompt),
            np.where(np.arange(N) % 3 == 0, rejected, prompt),
        ),
        "chosen_equals_rejected": (prompt + 1e-6 * chosen, prompt + 1e-6 * rejected),
        "bimodal_saturation": (1 / (1 + np.exp(-40 * chosen)), 1 / (1 + np.exp(-40 * rejected))),
    }[name]


@pytest.mark.parametrize("name", list(RULES))
def test_each_planted_case_is_named(name):
    found = name_problems(*planted(name))
    assert name in found, found
    assert len(found[name]) > 20


def test_a_spike_with_a_few_strays_is_nearly_constant():
    chosen, rejected = np.full(N, 2.0), np.full(N, 2.0)
    chosen[:4] = [1.0, 3.0, 4.0, 0.0]
    assert "nearly_constant" in name_problems(chosen, rejected)


def test_a_pile_at_one_end_alone_is_not_called_two_ended():
    rewards = np.random.default_rng(0).lognormal(0, 3, size=(2, N))
    assert (rewards < 0.02 * rewards.max()).mean() > 0.9
    assert name_problems(*rewards) == {}


def test_constant_is_said_once():
    assert list(name_problems(*planted("constant"))) == ["constant"]


def healthy_rewards(rng) -> tuple[np.ndarray, np.ndarray]:
    """Rewards as sound scorers give them: many shapes, scales, shifts, sizes, float32 rounding."""
    n = int(rng.integers(30, 800))
    shapes = [
        lambda: rng.normal(size=n),
        lambda: rng.uniform(-1.7, 1.7, size=n),
        lambda: rng.standard_t(3, size=n),
        lambda: rng.laplace(size=n),
        lambda: rng.gamma(2.0, size=n),
        lambda: rng.lognormal(0, 1, size=n),
        lambda: np.where(rng.random(n) < 0.5, rng.normal(-3, 0.7, n), rng.normal(3, 0.7, n)),
        lambda: 4 * rng.beta(0.7, 0.7, size=n),
    ]
    draw = shapes[int(rng.integers(len(shapes)))]
    prompt = rng.normal(size=n) * rng.uniform(0, 3)
    scale, shift = 10 ** rng.uniform(-1.5, 2), 10 ** rng.uniform(-1, 2.5) * rng.choice([-1, 1])
    sides = (shift + scale * (prompt + draw() + rng.uniform(0, 2)), shift + scale * (prompt + draw()))
    return tuple(side.astype(np.float32).astype(np.float64) for side in sides)


def test_a_thousand_healthy_distributions_are_not_accused():
    rng = np.random.default_rng(2026)
    accused = [found for found in (name_problems(*healthy_rewards(rng)) for _ in range(1000)) if found]
    assert accused == []


def test_one_degenerate_seed_condemns_the_recipe():
    pairs = make_pairs(60)
    constant = score(pairs, lambda *_: 0.5)
    found = audited({0: healthy(pairs), 1: constant}, pairs)
    overall = found.find("degenerate")
    assert (overall.value, overall.verdict, overall.detail["seeds"]) == (1, "problem", [1])
    assert found.find("degenerate", seed=0).verdict == "ok"
    assert found.find("accuracy", seed=1).value == 0


def test_separation_is_the_mann_whitney_share():
    # 3 beats 1 and 2; 2 beats 1 and ties 2; of 2 x 2 comparisons 3.5
    assert placements(np.array([3.0, 2.0]), np.array([1.0, 2.0])).mean() == 3.5 / 4


def test_overlap_of_the_same_is_one_and_of_strangers_none():
    same = np.linspace(0, 1, 50)
    assert overlap_coefficient(same, same) == pytest.approx(1)
    assert overlap_coefficient(same, same + 5) == 0
    assert overlap_coefficient(np.array([0.0, 1.0]), np.array([0.0, 0.0])) == 0.5
