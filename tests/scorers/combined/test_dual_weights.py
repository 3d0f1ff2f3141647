"""Dual weights against brute force: the dual function on a grid, and every choice of answers one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from assay.scorers.combined.dual_weights import DualWeights, Unsatisfied, dual_weights, lagrangian_dual


def drawn(seed: int, prompts: int, answers: int, objectives: int) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(seed)
    return draws.normal(size=(prompts * answers, objectives)), np.repeat(np.arange(prompts), answers)


def kept(values: np.ndarray, prompts: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The prompts with an answer that reaches all bounds."""
    met = np.unique(prompts[(values >= bounds).all(axis=1)])
    places = np.isin(prompts, met)
    return values[places], np.unique(prompts[places], return_inverse=True)[1]


@pytest.mark.parametrize("seed", range(5))
def test_they_are_where_the_dual_function_is_least(seed: int) -> None:
    values, prompts = drawn(seed, 12, 4, 3)
    bounds = np.array([-math.inf, 0.3, 0.2])
    found = dual_weights(values, prompts, lead=0, bounds=bounds.tolist())
    assert isinstance(found, DualWeights)
    some, codes = kept(values, prompts, bounds)
    assert found.kept == codes.max() + 1
    least = lagrangian_dual(some, codes, found.duals, lead=0, bounds=bounds)
    grid = [
        lagrangian_dual(some, codes, [0.0, a, b], lead=0, bounds=bounds)
        for a in np.linspace(0, 6, 61)
        for b in np.linspace(0, 6, 61)
    ]
    assert least <= min(grid) + 1e-9
    assert least == pytest.approx(min(grid), abs=0.03)  # the grid's own coarseness


def test_the_optimum_is_above_every_single_choice_that_keeps_the_constraint() -> None:
    """Five prompts of three answers: 243 choices, each tried. A mix of choices is at least as good as the best one."""
    values, prompts = drawn(3, 5, 3, 2)
    bounds = np.array([-math.inf, 0.0])
    found = dual_weights(values, prompts, lead=0, bounds=bounds.tolist())
    assert isinstance(found, DualWeights)
    some, codes = kept(values, prompts, bounds)
    places = [np.flatnonzero(codes == code) for code in range(found.kept)]
    choices = [some[list(choice)].mean(axis=0) for choice in itertools.product(*places)]
    best = max(lead for lead, other in choices if other >= 0)
    optimum = lagrangian_dual(some, codes, found.duals, lead=0, bounds=bounds)
    regardless = max(lead for lead, _ in choices)
    assert best <= optimum + 1e-9
    assert found.given_up == pytest.approx(regardless - optimum)


def test_a_constraint_that_binds_nowhere_costs_nothing() -> None:
    values, prompts = drawn(0, 10, 3, 2)
    found = dual_weights(values, prompts, lead=0, bounds=[-math.inf, -100.0])
    assert isinstance(found, DualWeights)
    assert (found.duals, found.met, found.kept) == ((0.0, 0.0), 1.0, 10)
    assert found.given_up == pytest.approx(0.0, abs=1e-12)


def test_constraints_that_nothing_satisfies_are_named() -> None:
    values = np.array([[0.0, 1.0, -1.0], [0.0, -1.0, 1.0], [0.0, 1.0, -1.0]])
    prompts = np.array([0, 0, 1])
    alone = dual_weights(values, prompts, lead=0, bounds=[-math.inf, 2.0, 0.0])
    assert isinstance(alone, Unsatisfied)
    names = ["helpful", "harmless", "honest"]
    assert alone.told(names) == ["No answer of the 2 validation prompts reaches the bound on harmless."]
    together = dual_weights(values, prompts, lead=0, bounds=[-math.inf, 0.5, 0.5])
    assert isinstance(together, Unsatisfied)
    assert together.told(names) == [
        "No answer of the 2 validation prompts reaches all bounds together (alone: harmless on 2, honest on 1)."
    ]
