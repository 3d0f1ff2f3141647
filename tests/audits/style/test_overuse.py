"""Over-use of an attribute: named where the reward goes further than people, silent where people go as far."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.style.overuse import clustered_sum, overuse

STRICT = 0.05 / 30


def drawn(seed: int, *, liked: float = 0.0, extra: float = 0.0, noise: float = 0.0, n: int = 1000):
    """Margins and an attribute, chosen first: people weigh it by `liked`, the reward adds `extra`, in sd of utility."""
    rng = np.random.default_rng(seed)
    attribute, content = rng.normal(size=n), rng.normal(size=n)
    utility = 2 * (content + liked * attribute)
    margin = utility + 2 * (extra * attribute + noise * rng.normal(size=n))
    sign = np.where(rng.random(n) < 1 / (1 + np.exp(-utility)), 1.0, -1.0)
    return (sign * margin)[None], (sign * attribute)[:, None], np.arange(n) // 2


def p_values(count: int, bend=lambda margin: margin, **world) -> np.ndarray:
    found = []
    for seed in range(count):
        margin, attribute, groups = drawn(seed, **world)
        found.append(overuse(bend(margin), attribute, groups).p[0])
    return np.array(found)


@pytest.mark.parametrize("world", [{}, {"liked": 0.5}, {"liked": 0.5, "noise": 1.0}, {"noise": 1.0}])
def test_a_reward_that_goes_as_far_as_people_is_not_named(world):
    assert (p_values(60, **world) < 0.05).mean() <= 0.1
    assert (p_values(60, **world) < STRICT).sum() <= 1


@pytest.mark.parametrize("world", [{"extra": 0.3}, {"liked": 0.5, "extra": 0.5}, {"extra": -0.5}])
def test_a_quarter_to_a_half_more_is_found(world):
    assert (p_values(20, **world) < STRICT).mean() >= 0.9


@pytest.mark.parametrize("bend", [np.tanh, lambda m: np.sign(m) * np.square(m), lambda m: 1e6 * m])
def test_a_bent_reward_is_judged_by_its_order(bend):
    assert (p_values(40, bend, liked=0.5) < 0.02).mean() <= 0.1
    assert (p_values(10, bend, extra=0.5) < STRICT).all()


def test_length_taken_out_first_is_no_longer_the_attributes_fault():
    caught = []
    for seed in range(20):
        margin, length, groups = drawn(seed, extra=0.6)
        related = length + 0.5 * np.random.default_rng([seed, 1]).normal(size=length.shape)
        caught.append((overuse(margin, related, groups).p[0], overuse(margin, related, groups, besides_NJ=length).p[0]))
    alone, beside = np.array(caught).T
    assert (alone < STRICT).all()
    assert (beside < 0.05).mean() <= 0.15


def test_swapping_a_pair_changes_nothing():
    margin, attribute, groups = drawn(3, extra=0.3)
    turn = np.where(np.random.default_rng(0).random(1000) < 0.5, 1.0, -1.0)
    # Chosen stays chosen: only rows are drawn anew in order, since orientation is the label itself.
    order = np.argsort(turn, kind="stable")
    one, other = overuse(margin, attribute, groups), overuse(margin[:, order], attribute[order], groups[order])
    assert other.beyond[0] == pytest.approx(one.beyond[0])
    assert other.p[0] == pytest.approx(one.p[0])


def test_more_of_the_attribute_counts_as_more():
    margin, attribute, groups = drawn(1, extra=0.5)
    up, down = overuse(margin, attribute, groups), overuse(margin, -attribute, groups)
    assert up.beyond[0] > 0
    assert down.beyond[0] == pytest.approx(-up.beyond[0])
    assert up.p[0] == pytest.approx(down.p[0])
    assert up.lean[0] - up.lean_people[0] == pytest.approx(up.beyond[0], abs=0.01)


def test_what_three_prompts_hold_is_known_from_three_prompts():
    values = np.zeros((100, 1))
    values[[0, 1, 50, 51, 98, 99], 0] = 1.0
    total, error, freedom = clustered_sum(values, np.arange(100) // 2)
    assert total[0] == 6
    assert freedom[0] == pytest.approx(2.0)  # three equal sums of 2: (3 x 4)^2 / (3 x 16) - 1
    assert error[0] == pytest.approx(np.sqrt(50 / 49 * 12))
    margin, _, groups = drawn(0, n=100)
    assert overuse(margin, values, groups).p[0] == 1.0
