"""The recipe's figure over seeds: by hand, and its interval holds the mean of all seeds there could be."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from assay.stats.intervals import Interval, cluster_mean, wilson_of
from assay.stats.seed_variance import Recipe, recipe_difference, recipe_mean, seeds_of_difference
from assay.stats.unknown import Unknown


def test_by_hand():
    values = np.array([[1.0, 1, 1, 0], [1, 0, 1, 0]])
    found, pairs = recipe_mean(values, np.arange(4)), cluster_mean(values.mean(axis=0), np.arange(4))
    assert not isinstance(found, Unknown)
    assert not isinstance(pairs, Unknown)
    between = np.var([0.75, 0.5], ddof=1) / 2
    assert found.variance == pytest.approx(pairs.variance + between)
    assert found.freedom == pytest.approx(found.variance**2 / (pairs.variance**2 / 3 + between**2 / 1))
    assert recipe_mean(values[:1], np.arange(4)) == cluster_mean(values[0], np.arange(4))


def test_it_holds_the_mean_of_all_seeds():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        rate = np.clip(rng.normal(0.75, 0.03, 3), 0, 1)
        interval = wilson_of(recipe_mean((rng.random((3, 4000)) < rate[:, None]).astype(float), np.arange(4000)))
        assert isinstance(interval, Interval)
        inside += interval.low <= 0.75 <= interval.high
    assert inside >= 180  # pairs alone: about 100


@pytest.mark.parametrize(("seeds", "shared"), [((), 0.0), ((0, 1, 2), 0.0), ((0, 1, 2), 0.5)])
def test_a_difference_of_recipes_covers_the_true_one(seeds: tuple[int, ...], shared: float) -> None:
    """Two recipes of three seeds on the same prompts: the interval holds the true 0.3 as often as told, also where what
    is paired shares nothing. shared: luck of a seed under both."""
    draw = np.random.default_rng(7)
    held = []
    for _ in range(1500):
        prompts, luck = draw.normal(size=40), shared * draw.normal(size=(3, 1))
        sides = []
        for shift in (0.3, 0.0):
            values_SN = shift + prompts + luck + 0.2 * draw.normal(size=(3, 1)) + 0.8 * draw.normal(size=(3, 40))
            sides.append(Recipe(value_N=values_SN.mean(axis=0), mean_S=values_SN.mean(axis=1), seeds=seeds))
        _, found = recipe_difference(*sides, range(40))
        assert isinstance(found, Interval)
        held.append(found.low <= 0.3 <= found.high)
    # The seeds' spread holds some of the prompts' luck as well, so that it is rather too wide (see recipe_mean).
    assert 0.93 <= np.mean(held) <= 0.985


def test_a_difference_of_recipes_by_hand() -> None:
    first = Recipe(value_N=np.array([1.0, 2.0, 3.0]), mean_S=np.array([1.5, 2.5]))
    second = Recipe(value_N=np.array([1.0, 1.0, 1.0]), mean_S=np.array([1.0, 1.0]))
    mean, found = recipe_difference(first, second, ["a", "b", "c"])
    assert mean == 1.0
    assert isinstance(found, Interval)
    # Prompts 0, 1, 2 differ: variance 1/3 of their mean. Seeds: 0.5 / 2 = 0.25 on one side, 0 on the other.
    total = 1 / 3 + 0.25
    half = float(stats.t.ppf(0.975, max(total**2 / (0.25**2 / 2), 1.0))) * math.sqrt(total)
    alone = float(stats.t.ppf(0.975, 2)) * math.sqrt(1 / 3)
    assert found.high == pytest.approx(1.0 + max(half, alone))


def test_the_same_seeds_are_paired() -> None:
    """What seeds do to both alike is no error of the difference; of other seeds it is."""
    first = Recipe(value_N=np.array([1.0, 2.0, 3.0]), mean_S=np.array([1.0, 3.0]), seeds=(0, 1))
    second = Recipe(value_N=np.array([0.0, 1.0, 1.0]), mean_S=np.array([0.0, 4 / 3]), seeds=(0, 1))
    paired, unpaired = seeds_of_difference(first, second), seeds_of_difference(first, replace(second, seeds=(2, 3)))
    # Differences of 1 and 5/3: variance 2/9, a half of it of their mean. Unpaired: variances 2 and 8/9, halved.
    assert paired == (pytest.approx(1 / 9), 1)
    assert unpaired == (pytest.approx(13 / 9), 2)
