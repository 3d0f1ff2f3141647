"""How often the intervals hold the truth, by simulation: 93 to 97% where 95% is promised."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from assay.audits.pairs.distribution import placements
from assay.stats.intervals import (
    Interval,
    cluster_bootstrap,
    cluster_logit_t,
    cluster_t,
    cluster_wilson,
    mean_of_sums,
)


def draw(rng, *, groups: int, icc: float, share: float):
    """Right and wrong of 1 to 6 pairs per group; each group draws its own share (beta, correlation icc)."""
    sizes = rng.integers(1, 7, size=groups)
    scale = (1 - icc) / icc if icc else None
    own = rng.beta(share * scale, (1 - share) * scale, size=groups) if scale else np.full(groups, share)
    codes = np.repeat(np.arange(groups), sizes)
    return (rng.random(codes.size) < own[codes]).astype(float), codes


def bootstrap(values, codes):
    sums = np.column_stack([values, np.ones_like(values)])
    return cluster_bootstrap(sums, codes, mean_of_sums, use="coverage", resamples=400)


def coverage(interval, *, repeats: int, groups: int, icc: float, share: float) -> float:
    rng = np.random.default_rng([groups, int(100 * icc), int(100 * share)])
    held = 0
    for _ in range(repeats):
        values, codes = draw(rng, groups=groups, icc=icc, share=share)
        found = interval(values, codes)
        assert isinstance(found, Interval)
        held += found.low <= share <= found.high
    return held / repeats


@pytest.mark.parametrize(("groups", "icc", "share"), [(50, 0.0, 0.75), (50, 0.4, 0.9), (200, 0.2, 0.75)])
def test_wilson_by_groups_holds_what_it_promises(groups, icc, share):
    # two standard errors of 1,500 repeats at 95% are 1.1 points
    assert 0.93 - 0.011 <= coverage(cluster_wilson, repeats=1500, groups=groups, icc=icc, share=share) <= 0.97 + 0.011


def test_an_interval_that_takes_pairs_for_independent_would_be_caught():
    alone = coverage(lambda v, c: cluster_wilson(v, np.arange(len(c))), repeats=600, groups=200, icc=0.4, share=0.75)
    assert alone < 0.90


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.6, 0.75, 0.9])
@pytest.mark.parametrize("icc", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("groups", [50, 100, 500])
def test_coverage_at_size(groups, icc, share):
    assert 0.93 <= coverage(cluster_wilson, repeats=4000, groups=groups, icc=icc, share=share) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("interval", [cluster_t, bootstrap])
@pytest.mark.parametrize(("groups", "icc"), [(50, 0.0), (100, 0.2), (500, 0.4)])
def test_coverage_of_the_general_intervals(interval, groups, icc):
    assert 0.93 <= coverage(interval, repeats=1500, groups=groups, icc=icc, share=0.7) <= 0.97


@pytest.mark.parametrize(("pairs", "apart"), [(200, 3.0), (1000, 3.0), (1000, 1.0)])
def test_an_auc_near_one_is_missed_as_often_on_either_side(pairs, apart):
    """Plain t lies above an AUC of .98 in 7% of draws and below it in 1%."""
    rng, truth = np.random.default_rng(pairs), float(special.ndtr(apart / np.sqrt(2)))
    low = high = 0
    for _ in range(600):
        chosen, rejected = rng.normal(apart, 1, pairs), rng.normal(0, 1, pairs)
        up, down = placements(chosen, rejected), 1 - placements(rejected, chosen)
        found = cluster_logit_t(up + down - up.mean(), np.arange(pairs))
        assert isinstance(found, Interval)
        low, high = low + (found.low > truth), high + (found.high < truth)
    assert low + high <= 0.07 * 600 + 11
    assert max(low, high) <= 0.045 * 600 + 8


def test_an_auc_of_one_is_not_known_to_be_one():
    found = cluster_logit_t(np.ones(40), np.arange(40))
    assert isinstance(found, Interval)
    assert found.high == 1
    assert 0.85 < found.low < 0.95
