"""An interval at another level is the interval that the data give at that level."""

from __future__ import annotations

import numpy as np
import pytest

from assay.stats.alpha_spending import level_of, shares
from assay.stats.interval_level import at_level
from assay.stats.intervals import Interval, cluster_mean, cluster_t, cluster_wilson, wilson_of


@pytest.mark.parametrize("truth", [0.02, 0.5, 0.72, 0.99, 1.0, 0.0])
@pytest.mark.parametrize("level", [0.9833, 0.9999, 0.8])
def test_of_clustered_shares_it_is_exact(truth: float, level: float) -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(40), rng.integers(1, 6, 40))
    values = (rng.random(len(groups)) < truth).astype(float)
    mean = cluster_mean(values, groups)
    for wanted, given in ((level, 0.95), (0.95, level)):
        asked, had = wilson_of(mean, level=wanted), wilson_of(mean, level=given)
        found = at_level(had, mean.mean, level=wanted, freedom=mean.freedom)
        assert (found.low, found.high) == pytest.approx((asked.low, asked.high), abs=1e-9)
        assert found.level == wanted


def test_of_differences_it_is_exact() -> None:
    rng = np.random.default_rng(4)
    values, groups = rng.normal(0.05, 0.4, 200), np.arange(200) // 2
    asked, had = cluster_t(values, groups, level=0.99), cluster_t(values, groups)
    found = at_level(had, values.mean(), level=0.99, freedom=cluster_mean(values, groups).freedom)
    assert (found.low, found.high) == pytest.approx((asked.low, asked.high))


def test_each_side_of_a_lopsided_interval_keeps_its_side() -> None:
    """z at 95% is 1.95996, at 99% 2.57583: 1.31422 times as far on either side."""
    found = at_level(Interval(low=0.1, high=0.5, level=0.95, method="bootstrap"), 0.2, level=0.99)
    assert (found.low, found.high) == pytest.approx((0.2 - 0.1 * 1.31422, 0.2 + 0.3 * 1.31422), abs=1e-5)
    with pytest.raises(ValueError, match="level"):
        at_level(found, 0.2, level=1.0)


@pytest.mark.parametrize("spending", ["equal", "late"])
@pytest.mark.parametrize("planned", [1, 2, 7])
def test_shares_add_up_to_the_whole(spending, planned: int) -> None:
    found = shares(planned, spending)
    assert len(found) == planned
    assert sum(found) == pytest.approx(1)
    assert all(share >= 0 for share in found)
    assert list(found) == sorted(found)


def test_levels_of_two_looks_by_hand() -> None:
    """Half of 5% each: 97.5%. Late: 2 - 2 Phi(2.2414 / sqrt(1/2)) = 0.00153 of 0.025 at first, the rest at last."""
    assert level_of(0.95, shares(2)[0]) == pytest.approx(0.975)
    first, last = shares(2, "late")
    assert (first * 0.025, last * 0.025) == pytest.approx((0.00153, 0.02347), abs=2e-5)


def test_perfect_accuracy_keeps_its_upper_end() -> None:
    interval = cluster_wilson(np.ones(50), np.arange(50))
    found = at_level(interval, 1.0, level=0.99, freedom=49)
    assert found.high == 1.0
    assert found.low < interval.low
