"""The three rules by hand, and what must hold of each whatever the numbers are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.scorers.combined.combination_file import FURTHEST
from assay.scorers.combined.combining_rules import bound_of, constrained, ordered, weighted


def test_weights_by_hand() -> None:
    """2 x 1 + 0.5 x -1 = 1.5; 2 x 0 + 0.5 x 4 = 2."""
    assert weighted(np.array([[1.0, -1.0], [0.0, 4.0]]), [2.0, 0.5]).tolist() == [1.5, 2.0]


def test_the_second_objective_decides_within_a_step_of_the_first() -> None:
    """Steps of 0.5: 0.1 and 0.4 are in one step, so 3 beats -3 there; 0.6 is in the next and beats both."""
    first, second, third = ordered(np.array([[0.4, -3.0], [0.1, 3.0], [0.6, -9.0]]), [0.5])
    assert third > second > first


def test_three_in_order_agree_with_comparing_the_steps_one_by_one() -> None:
    draws = np.random.default_rng(0)
    values = draws.normal(0, 2, (300, 3))
    rewards = ordered(values, [0.5, 0.7])
    keys = [(math.floor(a / 0.5), math.floor(b / 0.7), c) for a, b, c in values]
    assert np.argsort(rewards).tolist() == sorted(range(300), key=lambda n: keys[n])


def test_the_last_objective_never_carries_an_answer_into_the_next_step() -> None:
    low, high = ordered(np.array([[0.49, 1e9, 1e9], [0.5, -1e9, -1e9]]), [0.5, 0.5])
    assert low < high


@given(
    st.lists(st.tuples(*[st.floats(-30, 30)] * 3), min_size=2, max_size=30),
    st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    st.tuples(st.floats(0, 50), st.floats(0, 50)),
)
def test_an_answer_that_breaks_a_constraint_ranks_below_all_that_do_not(rows, bounds, duals) -> None:
    values = np.array(rows)
    rewards = constrained(values, lead=0, bounds=[-math.inf, *bounds], duals=[0.0, *duals])
    met = (values[:, 1] >= bounds[0]) & (values[:, 2] >= bounds[1])
    assert (rewards[met] >= -FURTHEST).all()
    assert (rewards[~met] < -FURTHEST).all()
    assert rewards[met].tolist() == np.clip(values[met, 0], -FURTHEST, FURTHEST).tolist()


def test_breaking_costs_what_the_dual_weight_says() -> None:
    """With a price of 2: 1 - 2 x 0.5 = 0 and 0.5 - 2 x 0.1 = 0.3, so the second stands above; with none, below."""
    values = np.array([[1.0, -0.5], [0.5, -0.1]])
    first, second = constrained(values, lead=0, bounds=[-math.inf, 0.0], duals=[0.0, 2.0])
    assert first < second
    first, second = constrained(values, lead=0, bounds=[-math.inf, 0.0], duals=[0.0, 0.0])
    assert first > second


def test_a_bound_is_where_the_chance_is_the_confidence() -> None:
    bound = bound_of(-0.3, confidence=0.9, slope=1.7)
    assert 1 / (1 + math.exp(-1.7 * (bound + 0.3))) == pytest.approx(0.9)
    assert bound_of(0.25, confidence=0.5, slope=1.7) == 0.25
