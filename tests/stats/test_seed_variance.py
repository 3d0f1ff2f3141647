"""The recipe's figure over seeds: by hand, and its interval holds the mean of all seeds there could be."""

from __future__ import annotations

import numpy as np
import pytest

from assay.stats.intervals import Interval, cluster_mean, wilson_of
from assay.stats.seed_variance import recipe_mean
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
