"""Pairs needed: the interval at that many clears the threshold, and with one pair fewer it does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.power import TTestPower

from assay.stats.intervals import Interval, wilson
from assay.stats.power import pairs_needed, pairs_needed_for_mean, power_of_t, units_to_see
from assay.stats.unknown import Unknown


def test_by_hand():
    # 1.959964^2 * 0.72 * 0.28 / 0.03^2 = 860.5
    assert pairs_needed(0.75, 0.72) == 861
    assert pairs_needed(0.75, 0.72, design_effect=2.0) == 1721
    # a half-width of 0.04 over 1,000 pairs must shrink to 0.02: four times as many, and one to be beyond
    assert pairs_needed_for_mean(0.74, 0.72, n=1000, bounds=(0.70, 0.78)) == 4001


@given(st.floats(0.5, 0.99), st.floats(0.3, 0.95))
def test_wilsons_bound_clears_exactly_there(mean, threshold):
    if abs(mean - threshold) < 0.005:
        return
    needed = pairs_needed(mean, threshold)
    assert isinstance(needed, int)

    def clears(n: int) -> bool:
        interval = wilson(mean * n, n)
        assert isinstance(interval, Interval)
        return not interval.low <= threshold <= interval.high

    assert clears(needed + 1)
    assert needed < 3 or not clears(needed - 1)


@pytest.mark.parametrize(("pairs", "clusters"), [(2, 2), (40, 5), (1000, 900)])
def test_more_pairs_bring_more_clusters(pairs, clusters):
    """At the number given, the interval with as many clusters as it brings clears; with fewer pairs it does not."""
    needed = pairs_needed(0.9, 0.72, clusters_per_pair=clusters / pairs)
    mean = pairs_needed_for_mean(0.9, 0.72, n=pairs, bounds=(0.9 - 0.3, 1.2), clusters=clusters)
    assert isinstance(needed, int)
    assert isinstance(mean, int)

    def reach(n: int) -> float:
        return float(scipy_stats.t.ppf(0.975, max(n * clusters / pairs - 1, 1)))

    def clears(n: int) -> bool:
        return abs(0.9 - 0.72) > reach(n) * math.sqrt(0.72 * 0.28 / n)

    assert clears(needed)
    assert not clears(needed - 1)
    half = 0.3 / reach(pairs) * math.sqrt(pairs)
    assert half * reach(mean) / math.sqrt(mean) < 0.18 <= half * reach(mean - 1) / math.sqrt(mean - 1)


def test_two_prompts_do_not_ask_for_a_thousand():
    # with q fixed at that of two prompts (12.7) it would be 1,005; 24 draws suffice for the normal, 27 for t(26)
    assert pairs_needed(0.9, 0.72, clusters_per_pair=1.0) == 27


def test_units_to_see_have_the_power_asked_for_in_simulation():
    # A true difference of 0.1 with unit variance 0.25, tested by z at 5%: about four draws in five see it.
    needed = units_to_see(0.1, variance=0.25)
    assert needed == 197
    means = np.random.default_rng(0).normal(0.1, 0.5 / math.sqrt(needed), 20_000)
    seen = np.abs(means) > 1.959964 * 0.5 / math.sqrt(needed)
    assert seen.mean() == pytest.approx(0.8, abs=0.01)
    assert units_to_see(0.1, variance=0.25, level=0.99) > needed
    assert units_to_see(0.1, variance=0.25, power=0.9) > needed


def test_power_of_t_is_statsmodels_own():
    theirs = TTestPower().power(effect_size=0.1 / 0.5, nobs=50, alpha=0.05)
    assert power_of_t(0.1, error=0.5 / math.sqrt(50), clusters=50) == pytest.approx(theirs, rel=1e-6)
    assert power_of_t(0.4, error=1e-4, clusters=50) == pytest.approx(1)
    assert power_of_t(0.1, error=0.1, clusters=1) == 0


def test_what_never_decides_says_so():
    assert isinstance(pairs_needed(0.72, 0.72), Unknown)
    assert isinstance(pairs_needed(0.9, 1.0), Unknown)
    assert isinstance(pairs_needed_for_mean(0.1, 0.1, n=10, bounds=(0.0, 0.2)), Unknown)
    for near in (0.72 + 1e-9, math.nextafter(0.72, 1)):
        assert isinstance(pairs_needed(near, 0.72), Unknown)
        assert isinstance(pairs_needed_for_mean(near, 0.72, n=100, bounds=(0.7, 0.74)), Unknown)
    with pytest.raises(ValueError, match="outside"):
        pairs_needed(0.5, math.pi)
