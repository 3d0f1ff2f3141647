"""Where a curve turns: found where it does, not found where it does not, and as often right as the level says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from assay.stats.intervals import Array, cluster_mean
from assay.stats.turning_point import Turning, clustered_covariance, largest_of_couples, turning
from assay.stats.unknown import Unknown

TURNS = np.array([0.0, 0.3, 0.5, 0.4, 0.1])
RISES = np.array([0.0, 0.3, 0.5, 0.6, 0.65])


def drawn(curve: Array, prompts: int, seed: int, noise: float = 0.5) -> Array:
    """Curves of prompts: the true one, a prompt's own level and slope, noise that neighbours share in part."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(prompts, curve.size)) * noise
    return np.asarray(curve + rng.normal(size=(prompts, 1)) + np.cumsum(steps, axis=1) / curve.size**0.5)


def found(value: Array, names: object = None) -> Turning:
    one = turning(value, np.arange(len(value)) if names is None else names)  # type: ignore[arg-type]
    assert isinstance(one, Turning)
    return one


def test_the_covariance_is_that_of_cluster_mean() -> None:
    value = drawn(TURNS, 40, 0)
    codes = np.arange(40) // 3
    covariance, freedom = clustered_covariance(value, codes)
    one = cluster_mean(value[:, 1] - value[:, 4], codes)
    assert not isinstance(one, Unknown)
    apart = covariance[1, 1] + covariance[4, 4] - 2 * covariance[1, 4]
    assert apart == pytest.approx(one.variance)
    assert freedom == pytest.approx(one.freedom)


def test_p_is_that_of_paired_t_tests_times_their_number() -> None:
    value = drawn(TURNS, 30, 1)
    one = found(value)
    smallest = min(
        scipy_stats.ttest_rel(value[:, place], value[:, 4], alternative="greater").pvalue for place in range(4)
    )
    assert one.p[4] == pytest.approx(min(1.0, 4 * smallest))


def test_a_curve_that_turns_is_said_to_and_where() -> None:
    one = found(drawn(TURNS, 300, 2))
    assert one.highest == 2
    assert 2 in one.may_be
    assert {0, 4}.isdisjoint(one.may_be)
    assert one.fall_interval.low > 0
    assert one.surest in ((1, 4), (2, 4), (3, 4))
    assert one.between == (2, 4)
    assert one.fall == pytest.approx(0.4, abs=0.12)


def test_a_dip_on_the_way_is_a_fall_though_the_end_is_the_highest() -> None:
    one = found(drawn(np.array([0.0, 0.4, 0.1, 0.4, 0.8]), 300, 8))
    assert (one.highest, one.surest, one.between) == (4, (1, 2), (1, 2))


def test_bounds_for_all_couples_are_wider_than_for_one_and_narrower_than_bonferronis() -> None:
    covariance, freedom = clustered_covariance(drawn(TURNS, 60, 7), np.arange(60))
    reach = largest_of_couples(covariance, np.triu_indices(5, 1), freedom, level=0.95)
    one, ten = scipy_stats.t.ppf(0.975, 59), scipy_stats.t.ppf(1 - 0.05 / 20, 59)
    assert one + 0.2 < reach < ten - 0.1
    # Two points are one couple: the plain t quantile, up to the draws.
    assert largest_of_couples(covariance[:2, :2], np.triu_indices(2, 1), freedom, level=0.95) == pytest.approx(
        one, abs=0.03
    )


def test_a_curve_that_rises_has_not_fallen() -> None:
    one = found(drawn(RISES, 300, 3))
    assert 4 in one.may_be
    assert one.surest is None
    assert one.fall_interval.low == 0
    assert one.fall_interval.high < 0.15


def test_few_groups_decide_less_than_many_prompts_in_them() -> None:
    value = np.repeat(drawn(TURNS, 12, 4), 20, axis=0)
    alone, together = found(value), found(value, np.repeat(np.arange(12), 20))
    assert alone.fall_interval.low > 0
    assert together.fall_interval.low < alone.fall_interval.low
    assert len(together.may_be) >= len(alone.may_be)


def test_equal_points_are_no_evidence_and_one_group_says_nothing() -> None:
    flat = found(np.repeat(np.random.default_rng(5).normal(size=(30, 1)), 4, axis=1))
    assert flat.may_be == (0, 1, 2, 3)
    assert (flat.highest, flat.fall, flat.fall_interval.high) == (0, 0.0, 0.0)
    assert isinstance(turning(drawn(TURNS, 8, 6), ["a"] * 8), Unknown)
    assert isinstance(turning(drawn(TURNS, 8, 6)[:, :1], np.arange(8)), Unknown)


def test_where_every_prompt_falls_alike_the_number_of_prompts_is_the_evidence() -> None:
    """No variance: twelve coins that fell alike, 2^-12 times four rivals."""
    one = found(np.tile(TURNS, (12, 1)))
    assert one.p[4] == pytest.approx(4 * 0.5**12)
    assert one.may_be == (2,)


@pytest.mark.parametrize("curve", [TURNS, RISES, np.zeros(5), np.array([0.0, 0.5, 0.5, 0.5, 0.3])])
def test_the_highest_point_is_in_the_set_and_the_fall_in_its_interval(curve: Array) -> None:
    """At least 95% each, and mostly more: both hold for whichever points were picked by looking."""
    true_fall = max(float(curve[a] - curve[b]) for a in range(5) for b in range(a, 5))
    right = covered = alarms = 0
    for seed in range(400):
        one = found(drawn(curve, 40, 1000 + seed))
        right += int(np.argmax(curve)) in one.may_be
        alarms += one.surest is not None
        covered += one.fall_interval.low - 1e-12 <= true_fall <= one.fall_interval.high
    # Of 400, 368 or fewer have a chance of 1% where the truth is 95%.
    assert right > 368
    assert covered > 368
    if not true_fall:
        assert alarms < 32
