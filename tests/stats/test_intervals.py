"""Intervals: arithmetic by hand, scipy as the reference, invariances, and what has no interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from assay.stats.draws import stream
from assay.stats.intervals import (
    Interval,
    cluster_bootstrap,
    cluster_difference,
    cluster_mean,
    cluster_t,
    cluster_wilson,
    mean_of_sums,
    wilson,
)
from assay.stats.unknown import Unknown


def known(found: Interval | Unknown) -> Interval:
    assert isinstance(found, Interval), found
    return found


def bootstrap_mean(values, clusters, **more) -> Interval | Unknown:
    sums = np.column_stack([values, np.ones(len(values))])
    return cluster_bootstrap(sums, clusters, mean_of_sums, use="test", **more)


@pytest.mark.parametrize(("right", "n"), [(0, 7), (3, 10), (50, 50), (720, 1000)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilson_is_scipys(right, n, level):
    ours = known(wilson(right, n, level=level))
    theirs = scipy_stats.binomtest(right, n).proportion_ci(confidence_level=level, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_cluster_variance_by_hand():
    # clusters a: 1, 1; b: 0, 1; mean 3/4. Residual sums: a 1/2, b -1/2. Variance = 2/1 * (1/4 + 1/4) / 16 = 1/16.
    found = cluster_mean([1, 1, 0, 1], ["a", "a", "b", "b"])
    assert not isinstance(found, Unknown)
    assert found.variance == pytest.approx(1 / 16)
    # independent draws: 3/4 * 1/4 / 4 = 3/64, so the design effect is (1/16) / (3/64) = 4/3
    assert found.design_effect == pytest.approx(4 / 3)
    # t with one degree of freedom at 50%: quantile 1, half-width sqrt(1/16)
    interval = known(cluster_t([1, 1, 0, 1], ["a", "a", "b", "b"], level=0.5))
    assert (interval.low, interval.high) == pytest.approx((0.5, 1.0))


def test_clusters_of_one_are_the_plain_t_interval():
    values = np.random.default_rng(0).normal(size=40)
    ours = known(cluster_t(values, np.arange(40)))
    theirs = scipy_stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_repeating_every_pair_in_its_cluster_adds_nothing():
    values = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1] * 5, dtype=float)
    once, thrice = np.arange(60), np.repeat(np.arange(60), 3)
    for interval in (cluster_t, cluster_wilson):
        single, copies = known(interval(values, once)), known(interval(np.repeat(values, 3), thrice))
        # the design effect of independent draws is held at 1 or above, so the Wilson one differs by G/(G-1)
        assert (copies.low, copies.high) == pytest.approx((single.low, single.high), abs=2e-3)
    assert known(wilson(values.sum() * 3, 180)).low > known(cluster_wilson(np.repeat(values, 3), thrice)).low + 0.02


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_right_or_all_wrong_is_not_certain(value):
    interval = known(cluster_wilson([value] * 100, np.repeat(np.arange(25), 4)))
    # 25 clusters without a surprise: Wilson's bound is q^2 / (25 + q^2) with Student's q at 24 degrees
    square = scipy_stats.t.ppf(0.975, 24) ** 2
    assert max(interval.low, 1 - interval.high) == pytest.approx(
        25 / (25 + square) if value else 1 - square / (25 + square)
    )
    assert interval.high - interval.low > 0.1


def test_two_rules_that_never_differ_are_not_certainly_equal():
    interval = known(cluster_difference([1.0] * 30, [1.0] * 30, np.arange(30)))
    assert interval.low < -0.1
    assert interval.high > 0.1


def test_paired_difference_is_the_t_interval_of_the_differences():
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 2, 200).astype(float), rng.integers(0, 2, 200).astype(float)
    ours = known(cluster_difference(first, second, np.arange(200)))
    theirs = scipy_stats.ttest_rel(first, second).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_bootstrap_agrees_with_t_where_both_hold():
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(150), 3)
    values = np.repeat(rng.normal(size=150), 3) + rng.normal(size=450)
    ours, theirs = known(bootstrap_mean(values, clusters, resamples=4000)), known(cluster_t(values, clusters))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_bootstrap_is_the_same_again_and_differs_by_seed_and_use():
    values, clusters = np.random.default_rng(0).normal(size=60), np.arange(60)
    assert bootstrap_mean(values, clusters) == bootstrap_mean(values, clusters)
    assert bootstrap_mean(values, clusters) != bootstrap_mean(values, clusters, seed=1)
    sums = np.column_stack([values, np.ones(60)])
    assert bootstrap_mean(values, clusters) != cluster_bootstrap(sums, clusters, mean_of_sums, use="another")
    assert stream(0, "a").integers(1 << 60) != stream(0, "b").integers(1 << 60)


def test_few_clusters_fall_back_to_t():
    values, clusters = np.array([1.0, 2.0, 4.0, 3.0, 2.0, 5.0]), np.array([0, 0, 1, 1, 2, 2])
    ours = known(bootstrap_mean(values, clusters, resamples=20_000))
    theirs = known(cluster_t(values, clusters))
    assert ours.method.startswith("bootstrap t")
    assert ours.high - ours.low == pytest.approx(theirs.high - theirs.low, rel=0.05)


@pytest.mark.parametrize("interval", [cluster_t, cluster_wilson, bootstrap_mean])
def test_what_has_no_interval_says_why(interval):
    assert isinstance(interval([], []), Unknown)
    assert "one prompt group" in interval([1.0, 0.0], ["a", "a"]).reason


def test_wilson_of_nothing_has_a_reason_and_of_nonsense_an_error():
    assert isinstance(wilson(0, 0), Unknown)
    with pytest.raises(ValueError, match="5 successes of 4"):
        wilson(5, 4)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        cluster_wilson([2.0, 0.0], [0, 1])
    with pytest.raises(ValueError, match="3 values but 2"):
        cluster_t([1, 0, 1], ["a", "b"])
    assert "not finite" in cluster_t([1.0, math.nan], ["a", "b"]).reason


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.0, 1 / 3, 0.5, 1.0]), st.integers(0, 12)), min_size=2, max_size=60),
    st.randoms(use_true_random=False),
)
def test_wilson_holds_its_mean_stays_in_range_and_ignores_order(rows, random):
    values, clusters = [value for value, _ in rows], [name for _, name in rows]
    interval = cluster_wilson(values, clusters)
    if isinstance(interval, Unknown):
        assert len(set(clusters)) == 1
        return
    assert 0 <= interval.low <= np.mean(values) + 1e-12
    assert np.mean(values) - 1e-12 <= interval.high <= 1
    assert interval.low < interval.high
    random.shuffle(rows)
    again = known(cluster_wilson([value for value, _ in rows], [name for _, name in rows]))
    assert (again.low, again.high) == pytest.approx((interval.low, interval.high), abs=1e-12)
